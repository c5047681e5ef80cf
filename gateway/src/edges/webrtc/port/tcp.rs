//! ICE over TCP, passive (RFC 6544): datagrams with a 2-byte length before each (RFC 4571).

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

/// Datagrams that wait to be written at most, a picture or two; more are dropped.
const WAITING: usize = 1024;
/// The largest datagram that is taken from a peer.
const LARGEST: usize = 4096;

/// Serves a connection until either side ends it.
pub(in crate::edges::webrtc) async fn serve(port: Arc<Port>, connection: Connection, limits: &Limits) {
    let Connection { stream, peer, permit: _permit } = connection;
    let local = stream.local_addr().ok().map(|addr| addr.ip().to_canonical());
    let source = std::net::SocketAddr::new(peer.ip().to_canonical(), peer.port());
    let (mut reader, mut writer) = tokio::io::split(Socket::new(stream, limits.stall_timeout));
    let (sender, mut outgoing) = mpsc::channel::<Bytes>(WAITING);
    let connection = sender.downgrade();
    port.routes.connect(source, sender);
    let read = async {
        let mut buffer = BytesMut::new();
        // Whoever does not begin with a request for a peer of ours has no business here, and all of it has
        // to come in time.
        let mut begin = Some(tokio::time::Instant::now() + limits.header_timeout);
        loop {
            while let Some(bytes) = take(&mut buffer)? {
                let datagram = Datagram { protocol: Protocol::Tcp, source, local, at: Instant::now(), bytes };
                if port.routes.deliver(datagram) {
                    begin = None;
                } else if begin.is_some() {
                    return None;
                }
            }
            let until = begin.unwrap_or_else(|| tokio::time::Instant::now() + limits.publish_timeout);
            match timeout_at(until, reader.read_buf(&mut buffer)).await {
                Ok(Ok(1..)) => {}
                _ => return None::<()>,
            }
        }
    };
    let write = async {
        while let Some(bytes) = outgoing.recv().await {
            let mut run = BytesMut::from(bytes);
            while let Ok(more) = outgoing.try_recv() {
                run.extend_from_slice(&more);
            }
            if writer.write_all(&run).await.is_err() {
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

/// The next whole datagram; the outer none is for one that is too large.
fn take(buffer: &mut BytesMut) -> Option<Option<Bytes>> {
    let Some(length) = buffer.first_chunk::<2>() else { return Some(None) };
    let length = usize::from(u16::from_be_bytes(*length));
    if length > LARGEST {
        return None;
    }
    if buffer.len() < 2 + length {
        return Some(None);
    }
    let framed = buffer.split_to(2 + length).freeze();
    Some(Some(framed.slice(2..)))
}

/// A datagram with its length before it.
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
    fn datagrams_are_taken_out_of_their_frames_and_large_ones_refused() {
        let mut buffer = BytesMut::from(&framed(b"one")[..]);
        buffer.extend_from_slice(&framed(b"")[..]);
        buffer.extend_from_slice(&framed(b"torn")[..4]);
        assert_eq!(take(&mut buffer), Some(Some(Bytes::from_static(b"one"))));
        assert_eq!(take(&mut buffer), Some(Some(Bytes::new())));
        assert_eq!(take(&mut buffer), Some(None));
        assert_eq!(take(&mut BytesMut::from(&[0xff, 0xff][..])), None);
    }
}
