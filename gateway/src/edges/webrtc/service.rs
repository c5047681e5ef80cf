//! The WebRTC service: binds the port for the media of all peers, and adds the HTTP routes for offers.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::settings::WebRtcSettings;
use super::{Port, WebRtc, is_endpoint, router, serve};
use crate::service::{Gateway, Greeting, PeerRequest, Routes, Service, StartError};

/// The WebRTC service.
#[derive(Debug)]
pub struct WebRtcService {
    settings: WebRtcSettings,
    /// Host names at which the gateway is reached.
    domains: Vec<String>,
    port: Arc<Port>,
    /// The TCP listener, until the service starts.
    tcp: Option<TcpListener>,
}

impl WebRtcService {
    /// Binds the port for datagrams and connections; `None` if the settings turn WebRTC off. `domains` are the
    /// host names of the gateway's certificate.
    ///
    /// # Errors
    /// The UDP or TCP port is in use, or the address does not belong to this machine.
    pub fn bind(settings: WebRtcSettings, domains: Vec<String>) -> Result<Option<Self>, StartError> {
        let Some(addr) = settings.addr.0 else { return Ok(None) };
        let (port, tcp) = Port::bind(addr).map_err(|e| StartError::Listen("--webrtc", addr, e))?;
        Ok(Some(Self { settings, domains, port, tcp: Some(tcp) }))
    }
}

impl Service for WebRtcService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let Some(tcp) = self.tcp.take() else { return Ok(()) };
        let webrtc = WebRtc::new(gateway, self.port.clone(), self.settings.clone(), &self.domains);
        let webrtc =
            webrtc.ok_or_else(|| StartError::System(io::Error::other("cannot make a DTLS certificate")))?;
        webrtc.listen(tcp);
        routes.add(router(webrtc.clone()));
        routes.add_streams(is_endpoint, move |PeerRequest { peer, request }| {
            serve(webrtc.clone(), peer, request)
        });
        Ok(())
    }

    fn protocols(&self) -> &'static [&'static str] {
        &["whep"]
    }

    fn ready(&self) -> Option<(&'static str, serde_json::Value)> {
        Some(("webrtc", self.port.addr().to_string().into()))
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let Some(pages) = greeting.camera_pages() {
            greeting.publish(format!("camera: {pages}/players/rtc_publisher.html"));
        }
    }
}
