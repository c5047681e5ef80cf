//! Selects the requests that are served without an HTTP library.

use http::{Method, Request, header};

/// Returns the request, if `bytes` are exactly its head and it is a simple request for an FLV stream.
pub(super) fn parse(bytes: &[u8]) -> Option<Request<()>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(size) = head.parse(bytes).ok()? else { return None };
    let path = head.path?;
    let plain = head.method == Some("GET")
        && head.version == Some(1)
        && path.split(['?', '#']).next().is_some_and(|path| path.starts_with('/') && path.ends_with(".flv"));
    if !plain {
        return None;
    }
    let mut request = Request::builder().method(Method::GET).uri(path);
    for field in head.headers.iter() {
        request = request.header(field.name, field.value);
    }
    let request = request.body(()).ok()?;
    let has = |name| request.headers().contains_key(name);
    let other = has(header::UPGRADE) || has(header::CONTENT_LENGTH) || has(header::TRANSFER_ENCODING);
    let one_host = request.headers().get_all(header::HOST).iter().count() == 1;
    // Bytes after the head would be a second request (pipelining), which only hyper handles.
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
            "GET /live/x#.flv HTTP/1.1\r\nHost: h\r\n\r\n",
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
