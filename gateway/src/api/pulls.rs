//! `/api/v1/pulls`: the pulls, for the operator. The service starts them.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use super::{Api, ApiParts, Asker, millis};
use crate::jobs::Jobs;
use crate::jobs::pull::{PullInfo, PullSettings, PullStatus, Pulls};
use crate::remote::{Dialer, RemoteSettings};
use crate::service::{Gateway, Routes, Service, StartError};

/// The service of the pulls: starts those of the settings, and has their route.
#[derive(Debug)]
pub struct PullService {
    settings: PullSettings,
    dialer: Dialer,
    jobs: Jobs,
}

impl PullService {
    /// Creates the service.
    ///
    /// # Errors
    /// A pull of the settings is not valid, or the certificate authorities cannot be read.
    pub fn new(settings: &PullSettings, remote: &RemoteSettings, jobs: &Jobs) -> Result<Self, StartError> {
        Pulls::check(settings).map_err(|error| StartError::Setting(error.to_string()))?;
        let dialer = Dialer::new(remote).map_err(StartError::Setting)?;
        Ok(Self { settings: settings.clone(), dialer, jobs: jobs.clone() })
    }
}

impl Service for PullService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let Gateway { context, workers, stop, .. } = gateway;
        let begin = (context, workers, stop);
        let pulls = Pulls::start(&self.settings, self.dialer.clone(), &self.jobs, begin);
        let api = Api::new(gateway.clone(), ApiParts { jobs: self.jobs.clone(), ..ApiParts::default() });
        let router = Router::new().route("/api/v1/pulls", get(list)).route("/api/v1/pulls/", get(list));
        routes.add(router.with_state((api, pulls)));
        Ok(())
    }
}

#[derive(Serialize)]
struct Source {
    stream: String,
    state: &'static str,
    since_ms: u64,
    kbps: u64,
    received_bytes: u64,
    tries: u64,
    last_words: Option<String>,
}

impl From<PullStatus> for Source {
    fn from(status: PullStatus) -> Self {
        Self {
            stream: status.stream.to_string(),
            state: status.state.name(),
            since_ms: millis(status.since),
            kbps: status.kbps,
            received_bytes: status.received_bytes,
            tries: status.tries,
            last_words: status.last_words,
        }
    }
}

#[derive(Serialize)]
struct Pull {
    stream: String,
    /// The address without its key.
    from: String,
    always: bool,
    sources: Vec<Source>,
}

impl From<PullInfo> for Pull {
    fn from(info: PullInfo) -> Self {
        let sources = info.sources.into_iter().map(Source::from).collect();
        Self { stream: info.streams, from: info.from, always: info.always, sources }
    }
}

#[derive(Serialize)]
struct List {
    pulls: Vec<Pull>,
}

async fn list(State((api, pulls)): State<(Api, Pulls)>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(List { pulls: pulls.list().into_iter().map(Pull::from).collect() })
}
