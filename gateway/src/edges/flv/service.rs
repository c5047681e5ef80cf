//! Registers the FLV addresses, which end in `.flv`.

use super::serve;
use crate::service::{Gateway, Greeting, PeerRequest, Routes, Service, StartError};

/// The FLV service.
#[derive(Debug, Default)]
pub struct Flv;

impl Service for Flv {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let context = gateway.context.clone();
        routes.add_streams(
            |path| path.ends_with(".flv"),
            move |PeerRequest { peer, request }| {
                let context = context.clone();
                async move { serve(context, peer, request).await }
            },
        );
        Ok(())
    }

    fn protocols(&self) -> &'static [&'static str] {
        &["http-flv", "ws-flv"]
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let Some(http) = &greeting.http {
            greeting.watch(format!("http://{http}/live/livestream.flv"));
        }
    }
}
