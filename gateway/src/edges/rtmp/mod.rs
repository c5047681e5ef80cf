//! RTMP: publish and play with OBS, ffmpeg, VLC and other clients.
//!
//! Start reading at [`handle`], which serves one connection. [`session`] and [`ingest`], on top of
//! [`crate::rtmp`], are the protocol without I/O; `connection` adds the socket; `publish` and `play` connect a session to the hub.

pub mod address;
mod close;
mod connection;
pub mod ingest;
mod play;
mod publish;
mod service;
pub mod session;
mod settings;

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tracing::{debug, warn};

use self::connection::Connection;
pub use self::service::Rtmp;
use self::session::Event;
pub use self::settings::RtmpSettings;
use crate::context::Context;
use crate::core::close::CloseReason;
use crate::net::tls::{self, Tls};
use crate::net::worker::{Direct, refuse};

/// Serves one RTMP connection until it ends. With `tls`, the client may use TLS (RTMPS).
pub async fn handle(socket: TcpStream, peer: SocketAddr, context: Context, tls: Option<Tls>) {
    // A client that sends nothing occupies only its socket.
    let Ok(Ok(())) = timeout(context.limits.get().header_timeout, socket.readable()).await else { return };
    let Some(socket) = secure(socket, peer, &context, tls).await else { return };
    let mut connection = Connection::new(socket, peer, context.limits.get().message);
    let reason = serve(&mut connection, &context).await;
    if reason == CloseReason::Stalled {
        metrics::counter!("lianmai_stalled_connections_total").increment(1);
    }
    match &reason {
        CloseReason::Protocol(_) if connection.session.is_open() => {
            if context.auth.refusals.count("rtmp broken", peer.ip()) {
                warn!(%peer, %reason, "rtmp connection broken");
            }
        }
        reason => debug!(%peer, %reason, "rtmp connection closed"),
    }
    if close::is_heard(&reason) {
        connection.close().await;
    }
}

/// Performs the TLS handshake if the client begins one. Returns `None` if it fails.
async fn secure(socket: TcpStream, peer: SocketAddr, context: &Context, tls: Option<Tls>) -> Option<Direct> {
    // Plain RTMP begins with its version, which is 3.
    let (Some(tls), true) = (tls, tls::begins(&socket).await) else { return Some(Direct::plain(socket)) };
    let Some(_pending) = context.pending.enter(peer.ip()) else {
        refuse(socket, tls::BUSY).await;
        return None;
    };
    // The handshake's values must not be kept afterwards.
    Box::pin(tls.accept_direct(socket, peer, &context.limits.get())).await
}

/// Handles the `publish` and `play` requests of a connection, one after the other.
async fn serve(connection: &mut Connection, context: &Context) -> CloseReason {
    loop {
        let Some(pending) = context.pending.enter(connection.peer.ip()) else { return CloseReason::Full };
        connection.pending = Some(pending);
        let result = match request(connection, context).await {
            Ok(Event::Publish(request)) => publish::serve(connection, context, request).await,
            Ok(Event::Play(request)) => play::serve(connection, context, request).await,
            Ok(_) => Ok(()),
            Err(reason) => Err(reason),
        };
        if let Err(reason) = result {
            return reason;
        }
    }
}

/// Waits for the client's next request, with a timeout.
async fn request(connection: &mut Connection, context: &Context) -> Result<Event, CloseReason> {
    let deadline = tokio::time::Instant::now() + context.limits.get().header_timeout;
    loop {
        if let Some(event) = connection.event()? {
            return Ok(event);
        }
        connection.release();
        let next = async {
            connection.flush(context.limits.get().header_timeout).await?;
            connection.readable().await;
            Ok(())
        };
        timeout_at(deadline, next).await.unwrap_or(Err(CloseReason::Idle))?;
        connection.receive()?;
    }
}

#[cfg(test)]
mod tests;
