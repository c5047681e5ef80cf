//! The HLS service: serves playlists and segments, and starts the segmenting of streams.

use std::path::{Path, PathBuf};

use super::pass::{PassGuard, Passes};
use super::{Hls, HlsSettings, SegmentRules};
use crate::cluster::LateCluster;
use crate::context::Context;
use crate::service::{Gateway, Greeting, PeerRequest, Routes, Service, StartError};
use crate::store::Store as ObjectStore;

/// The HLS service.
#[derive(Debug)]
pub struct HlsService {
    settings: HlsSettings,
    data: PathBuf,
    objects: Option<ObjectStore>,
    cluster: LateCluster,
    /// Once the guard was added.
    passes: Option<Passes>,
}

impl HlsService {
    /// Creates the service. The key that signs passes is kept in the folder `data`. Everything is uploaded to `objects`
    /// if that is there. HLS of streams of other nodes comes from them, if `cluster` is set later.
    pub fn new(
        settings: &HlsSettings,
        data: &Path,
        objects: Option<ObjectStore>,
        cluster: &LateCluster,
    ) -> Self {
        let cluster = cluster.clone();
        Self { settings: settings.clone(), data: data.to_owned(), objects, cluster, passes: None }
    }

    fn passes(&mut self) -> Result<Passes, StartError> {
        if let Some(passes) = &self.passes {
            return Ok(passes.clone());
        }
        let failed = |error| StartError::File("--data", self.data.clone(), error);
        let passes = Passes::kept(&self.settings, &self.data).map_err(failed)?;
        self.passes = Some(passes.clone());
        Ok(passes)
    }
}

impl Service for HlsService {
    fn guard(&mut self, context: &mut Context) -> Result<(), StartError> {
        context.admission = context.admission.clone().with_first(PassGuard(self.passes()?));
        Ok(())
    }

    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let (context, passes) = (gateway.context.clone(), self.passes()?);
        let (objects, cluster) = (self.objects.clone(), self.cluster.clone());
        let hls = Hls::new(context, SegmentRules::default(), passes, objects, cluster);
        routes.add_streams(
            |path| path.ends_with(".m3u8") || path.ends_with(".ts"),
            move |PeerRequest { peer, request }| {
                let hls = hls.clone();
                async move { hls.serve(peer, request).await }
            },
        );
        Ok(())
    }

    fn protocols(&self) -> &'static [&'static str] {
        &["hls"]
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let Some(http) = &greeting.http {
            greeting.watch(format!("http://{http}/live/livestream.m3u8"));
        }
    }
}
