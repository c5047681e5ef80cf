//! Inspects a connection's first request before hyper reads it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncRead as _, ReadBuf};

use super::plain;
use crate::net::worker::Socket;

/// Maximum size in bytes of a head that is inspected here. hyper reads larger ones.
const HEAD: usize = 8 << 10;

/// Returns the first request with its bytes, if it has arrived completely and is a simple request for an FLV
/// stream. Any other request stays in the socket.
pub(super) async fn first(socket: &mut Socket) -> Option<(Request<Body>, Bytes)> {
    let read = poll_fn(|cx| {
        // Allocated on the heap: otherwise the future of every idle connection would contain the buffer.
        let mut bytes = vec![0; HEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut *socket).poll_read(cx, &mut buffer))?;
        Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(buffer.filled())))
    });
    let bytes = read.await.ok()?;
    match plain::parse(&bytes) {
        Some(request) => Some((request.map(|()| Body::empty()), bytes)),
        None => {
            socket.unread(bytes);
            None
        }
    }
}
