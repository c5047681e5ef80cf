//! The RTMP service, with one listening socket.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::handle;
use super::settings::RtmpSettings;
use crate::net::worker::{Connection, accept};
use crate::service::{Gateway, Greeting, Routes, Service, StartError, listen};

/// The RTMP service.
#[derive(Debug)]
pub struct Rtmp {
    addr: SocketAddr,
    /// Present until the service starts.
    listener: Option<TcpListener>,
}

impl Rtmp {
    /// Starts to listen; `None` if the settings turn RTMP off.
    ///
    /// # Errors
    /// The address is in use or does not belong to this machine.
    pub fn bind(settings: &RtmpSettings) -> Result<Option<Self>, StartError> {
        let Some(addr) = settings.addr.0 else { return Ok(None) };
        let listener = listen("--rtmp", addr)?;
        let addr = listener.local_addr().map_err(StartError::System)?;
        Ok(Some(Self { addr, listener: Some(listener) }))
    }
}

impl Service for Rtmp {
    fn start(&mut self, gateway: &Gateway, _: &mut Routes) -> Result<(), StartError> {
        let Some(listener) = self.listener.take() else { return Ok(()) };
        let Gateway { context, workers, gate, stop, tls, .. } = gateway.clone();
        let serve = move |connection: Connection| {
            handle(connection.stream, connection.peer, context.clone(), tls.clone())
        };
        tokio::spawn(accept(listener, workers, gate, stop, b"", serve));
        Ok(())
    }

    fn protocols(&self) -> &'static [&'static str] {
        &["rtmp"]
    }

    fn ready(&self) -> Option<(&'static str, serde_json::Value)> {
        Some(("rtmp", self.addr.to_string().into()))
    }

    fn greet(&self, greeting: &mut Greeting) {
        let (rtmp, key) = (greeting.authority(self.addr, 1935), greeting.key.clone());
        greeting.watch(format!("rtmp://{rtmp}/live/livestream"));
        greeting.publish(format!("OBS: Server rtmp://{rtmp}/live/   Stream Key {key}"));
        greeting.publish(format!("ffmpeg -re -i FILE -c copy -f flv 'rtmp://{rtmp}/live/{key}'"));
    }
}
