//! The HLS service: serves playlists and segments, and starts the segmenting of streams.

use super::Hls;
use crate::service::{Gateway, Greeting, PeerRequest, Routes, Service, StartError};

/// The HLS service.
#[derive(Debug, Default)]
pub struct HlsService;

impl Service for HlsService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let hls = Hls::new(gateway.context.clone());
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
