//! ICE over TCP (RFC 6544): the gateway accepts connections, and a 2-byte length stands before each datagram (RFC 4571).

use std::sync::Arc;
use std::time::Instant;

use bytes::{BufMut as _, Bytes, BytesMut};
use str0m::net::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout_at;

use super::{Datagram, Port};
use crate::limits::Limits;
use crate::net::worker::{Connection, Socket};

/// Datagrams that may wait to be written, a few video frames; more are dropped.
const MAX_QUEUED_DATAGRAMS: usize = 1024;
/// The size of the largest datagram that a peer may send.
const MAX_DATAGRAM: usize = 4096;

/// Serves a connection until the client closes it, breaks the rules, or is silent for too long.
pub(in crate::edges::webrtc) async fn serve(port: Arc<Port>, connection: Connection, limits: &Limits) {
    let Connection { stream, peer, permit: _permit } = connection;
    let local = stream.local_addr().ok().map(|addr| addr.ip().to_canonical());
    let source = std::net::SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let (mut reader, mut writer) = tokio::io::split(Socket::new(stream, limits.stall_timeout));
    let (sender, mut outgoing) = mpsc::channel::<Bytes>(MAX_QUEUED_DATAGRAMS);
    let connection = sender.downgrade();
    port.routes.connect(source, sender);
    let read = async {
        let mut buffer = BytesMut::new();
        // The first datagram must be a STUN request for a known peer, and must come in time.
        let mut first_by = Some(tokio::time::Instant::now() + limits.header_timeout);
        loop {
            while let Some(bytes) = next_datagram(&mut buffer).ok()? {
                let datagram = Datagram { protocol: Protocol::Tcp, source, local, at: Instant::now(), bytes };
                if port.routes.deliver(datagram) {
                    first_by = None;
                } else if first_by.is_some() {
                    return None;
                }
            }
            let until = first_by.unwrap_or_else(|| tokio::time::Instant::now() + limits.publish_timeout);
            match timeout_at(until, reader.read_buf(&mut buffer)).await {
                Ok(Ok(1..)) => {}
                _ => return None::<()>,
            }
        }
    };
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            let mut batch = BytesMut::from(bytes);
            while let Ok(more) = outgoing.try_recv() {
                batch.extend_from_slice(&more);
            }
            if writer.write_all(&batch).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = read => {}
        () = write => {}
    }
    port.routes.disconnect(source, &connection);
}

/// A datagram that is longer than [`MAX_DATAGRAM`].
#[derive(Debug, PartialEq, Eq)]
struct TooLong;

/// Removes the next datagram from the buffer; returns none as long as it is not whole.
fn next_datagram(buffer: &mut BytesMut) -> Result<Option<Bytes>, TooLong> {
    let Some(length) = buffer.first_chunk::<2>() else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length > MAX_DATAGRAM {
        return Err(TooLong);
    }
    if buffer.len() < 2 + length {
        return Ok(None);
    }
    let framed = buffer.split_to(2 + length).freeze();
    Ok(Some(framed.slice(2..)))
}

/// A datagram after its 2-byte length.
pub(super) fn framed(datagram: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(2 + datagram.len());
    framed.put_u16(datagram.len() as u16);
    framed.put_slice(datagram);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_read_from_their_frames_and_long_ones_refused() {
        let mut buffer = BytesMut::from(&framed(b"one")[..]);
        buffer.extend_from_slice(&framed(b"")[..]);
        buffer.extend_from_slice(&framed(b"torn")[..4]);
        assert_eq!(next_datagram(&mut buffer), Ok(Some(Bytes::from_static(b"one"))));
        assert_eq!(next_datagram(&mut buffer), Ok(Some(Bytes::new())));
        assert_eq!(next_datagram(&mut buffer), Ok(None));
        assert_eq!(next_datagram(&mut BytesMut::from(&[0xff, 0xff][..])), Err(TooLong));
    }
}
