//! The list of services and jobs. A new service or job needs one line here.

use std::sync::Arc;

use crate::api::{ApiParts, ApiService, ForwardService, PullService, ServerFacts};
use crate::cluster::ClusterService;
use crate::edges::flv::Flv;
use crate::edges::hls::HlsService;
use crate::edges::rtmp::Rtmp;
use crate::edges::snapshot::SnapshotService;
use crate::edges::webrtc::WebRtcService;
use crate::hooks::HooksService;
use crate::http::Http;
use crate::jobs::demo::Demo;
use crate::jobs::record::RecordsService;
use crate::metering::MeteringService;
use crate::rooms::RoomsService;
use crate::service::{Job, Listening, Service, StartError};
use crate::settings::Settings;

/// All services, in the order of the greeting. HTTP is separate, because it serves the routes of the others.
pub(super) struct Services {
    pub(super) all: Vec<Box<dyn Service>>,
    pub(super) http: Http,
    /// Facts about the gateway for the API.
    pub(super) facts: Arc<ServerFacts>,
}

impl Services {
    /// Binds all sockets.
    ///
    /// # Errors
    /// An address is in use or does not belong to this machine, or the HTTPS certificate cannot be used.
    pub(super) fn bind(settings: &Settings, parts: &ApiParts) -> Result<Self, StartError> {
        let ApiParts { mixes, records, hooks, sessions, cluster, .. } = parts;
        let rtmp = Rtmp::bind(&settings.rtmp)?;
        let webrtc = WebRtcService::bind(settings.webrtc.clone(), settings.http.tls.acme.clone())?;
        let mut all: Vec<Box<dyn Service>> = vec![Box::new(Flv)];
        let hls_store = parts.store.clone().filter(|_| settings.store.store_hls);
        all.push(Box::new(HlsService::new(&settings.hls, &settings.data, hls_store, cluster)));
        all.extend(rtmp.map(|rtmp| Box::new(rtmp) as Box<dyn Service>));
        all.extend(webrtc.map(|webrtc| Box::new(webrtc) as Box<dyn Service>));
        all.push(Box::new(RoomsService::new(&settings.rooms, &settings.data, mixes)));
        all.push(Box::new(SnapshotService));
        all.push(Box::new(RecordsService::new(records.clone())));
        let http = Http::bind(&settings.http, &settings.data)?;
        let facts = Arc::new(ServerFacts::new(settings, http.certificate().clone()));
        all.push(Box::new(ApiService::new(parts.clone()).with_facts(facts.clone())));
        all.push(Box::new(ForwardService::new(&settings.forward, &settings.remote, &settings.data, parts)?));
        all.push(Box::new(PullService::new(&settings.pull, &settings.remote, &settings.data, parts)?));
        // After the pulls: its origin is asked after theirs.
        all.push(Box::new(ClusterService::new(&settings.cluster, &settings.remote, cluster)?));
        settings.slate.check().map_err(StartError::Setting)?;
        all.push(Box::new(MeteringService::new(&settings.metering, &settings.data, sessions)));
        // The last one: its guard is asked after those of all other services.
        all.push(Box::new(HooksService::new(hooks, &settings.hooks, &settings.data, &parts.forwards)));
        Ok(Self { all, http, facts })
    }

    /// Returns the addresses on which the services listen.
    pub(super) fn listening(&self) -> Listening {
        self.all.iter().filter_map(|service| service.ready()).chain(self.http.ready()).collect()
    }
}

/// Returns the jobs that the settings enable.
pub(super) fn jobs(settings: &Settings) -> Vec<Box<dyn Job>> {
    let mut jobs: Vec<Box<dyn Job>> = Vec::new();
    if settings.demo.demo {
        jobs.push(Box::new(Demo));
    }
    jobs
}
