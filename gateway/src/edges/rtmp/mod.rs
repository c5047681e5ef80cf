//! RTMP: publish and play with OBS, ffmpeg, VLC and whatever else speaks it.
//!
//! [`chunk`], [`session`] and [`ingest`] are the protocol without I/O; [`handle`] serves one connection.

pub mod address;
pub mod chunk;
mod connection;
pub mod ingest;
pub mod message;
mod play;
mod publish;
mod service;
pub mod session;
mod wire;

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tracing::{debug, warn};

use self::connection::{Connection, End};
pub use self::service::Rtmp;
use self::session::Event;
use crate::context::Context;

/// Serves one RTMP connection until it ends.
pub async fn handle(socket: TcpStream, peer: SocketAddr, context: Context) {
    // Whoever says nothing holds nothing but the socket.
    let Ok(Ok(())) = timeout(context.limits.header_timeout, socket.readable()).await else { return };
    let mut connection = Connection::new(socket, peer, context.limits.message);
    let end = serve(&mut connection, &context).await;
    if matches!(end, End::Stalled) {
        metrics::counter!("lianmai_stalled_connections_total").increment(1);
    }
    match &end {
        End::Broken(why) if connection.session.is_open() => {
            if context.auth.refusals.count("rtmp broken", peer.ip()) {
                warn!(%peer, %why, "rtmp connection broken");
            }
        }
        why => debug!(%peer, %why, "rtmp connection over"),
    }
    if matches!(end, End::Told(_) | End::Broken(_)) {
        connection.close().await;
    }
}

/// One `publish` or `play` after the other.
async fn serve(connection: &mut Connection, context: &Context) -> End {
    loop {
        let Some(pending) = context.pending.enter(connection.peer.ip()) else { return End::Crowded };
        connection.pending = Some(pending);
        let result = match request(connection, context).await {
            Ok(Event::Publish(request)) => publish::serve(connection, context, request).await,
            Ok(Event::Play(request)) => play::serve(connection, context, request).await,
            Ok(_) => Ok(()),
            Err(end) => Err(end),
        };
        if let Err(end) = result {
            return end;
        }
    }
}

/// The next thing a client asks for; it must ask soon.
async fn request(connection: &mut Connection, context: &Context) -> Result<Event, End> {
    let deadline = tokio::time::Instant::now() + context.limits.header_timeout;
    loop {
        if let Some(event) = connection.event()? {
            return Ok(event);
        }
        connection.release();
        let next = async {
            connection.flush(context.limits.header_timeout).await?;
            connection.readable().await;
            Ok(())
        };
        timeout_at(deadline, next).await.unwrap_or(Err(End::Idle("it asks for nothing")))?;
        connection.receive()?;
    }
}

#[cfg(test)]
mod tests;
