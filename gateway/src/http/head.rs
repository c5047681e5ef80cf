//! Looking at a connection's first request before HTTP is spoken on it.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, header};
use tokio::io::{AsyncRead as _, ReadBuf};

use crate::worker::Socket;

/// A larger head is for HTTP's own reader.
const HEAD: usize = 8 << 10;

/// The first request with its bytes, if it has arrived whole and plainly gets an FLV stream. Any other
/// stays in the socket.
pub(super) async fn first(socket: &mut Socket) -> Option<(Request<Body>, Bytes)> {
    let read = poll_fn(|cx| {
        // Not in the future itself, which every connection would carry along while it is silent.
        let mut bytes = vec![0; HEAD];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut *socket).poll_read(cx, &mut buffer))?;
        Poll::Ready(io::Result::Ok(Bytes::copy_from_slice(buffer.filled())))
    });
    let bytes = read.await.ok()?;
    match parse(&bytes) {
        Some(request) => Some((request, bytes)),
        None => {
            socket.unread(bytes);
            None
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Request<Body>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(size) = head.parse(bytes).ok()? else { return None };
    let path = head.path?;
    let plain = head.method == Some("GET")
        && head.version == Some(1)
        && path.split('?').next().is_some_and(|path| path.starts_with('/') && path.ends_with(".flv"));
    if !plain {
        return None;
    }
    let mut request = Request::builder().method(Method::GET).uri(path);
    for field in head.headers.iter() {
        request = request.header(field.name, field.value);
    }
    let request = request.body(Body::empty()).ok()?;
    let has = |name| request.headers().contains_key(name);
    let other = has(header::UPGRADE) || has(header::CONTENT_LENGTH) || has(header::TRANSFER_ENCODING);
    let one_host = request.headers().get_all(header::HOST).iter().count() == 1;
    // What follows the head would be a second request: HTTP's own reader knows how to wait with it.
    (one_host && !other && size == bytes.len()).then_some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_get_of_a_stream_is_taken() {
        let get = "GET /live/x.flv?a=1 HTTP/1.1\r\nHost: h\r\n\r\n";
        let first = parse(get.as_bytes()).expect("this one");
        assert_eq!(first.uri().path(), "/live/x.flv");
        for other in [
            "GET /live/x.flv HTTP/1.1\r\nHost: h\r\n",
            "GET /live/x.flv HTTP/1.1\r\n\r\n",
            "GET /live/x.flv HTTP/1.0\r\nHost: h\r\n\r\n",
            "GET /live/x.flv HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
            "GET /live/x.m3u8?.flv HTTP/1.1\r\nHost: h\r\n\r\n",
            "HEAD /live/x.flv HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET /live/x.flv HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
            "GET /live/x.flv HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
            "GET /live/x.flv HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\n",
            "GET http://h/live/x.flv HTTP/1.1\r\nHost: h\r\n\r\n",
            "\0\0\0",
        ] {
            assert!(parse(other.as_bytes()).is_none(), "{other:?}");
        }
    }
}
