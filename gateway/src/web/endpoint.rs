//! The kinds of HTTP addresses: which methods and bodies they take, and what pages of other hosts may do there (the
//! CORS protocol of the Fetch standard).

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::problem::Problem;

/// A stream's media, which is also published there: the body is the stream.
pub const MEDIA: Endpoint = Endpoint {
    methods: "GET, HEAD, POST, PUT",
    request_headers: "authorization, content-type, range",
    ..FILE
};
/// A playlist or a segment.
pub const PLAYLIST: Endpoint = Endpoint { request_headers: "authorization, if-none-match, range", ..FILE };
/// A file of which parts can be requested.
pub const RANGES: Endpoint = Endpoint {
    request_headers: "authorization, if-none-match, if-range, range",
    exposed: "accept-ranges, content-range, etag",
    ..FILE
};
/// A file, or a number about a stream.
pub const FILE: Endpoint = Endpoint { methods: "GET, HEAD", request_headers: "", exposed: "", max_body: 0 };
/// An address to which offers are posted.
pub const OFFER: Endpoint = Endpoint {
    methods: "POST",
    request_headers: "authorization, content-type, if-match",
    exposed: "location, link, etag, accept-patch, accept-post",
    max_body: MAX_DESCRIPTION,
};
/// A WebRTC session.
pub const SESSION: Endpoint = Endpoint { methods: "PATCH, DELETE", ..OFFER };

/// Bytes of the largest session description that is read.
const MAX_DESCRIPTION: usize = 64 << 10;
/// Seconds for which a browser remembers the response to a preflight request.
const MAX_AGE: &str = "86400";

/// The methods, headers and body size that an address accepts.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// Methods besides OPTIONS, separated by commas.
    methods: &'static str,
    /// Request headers that pages of every host may send, separated by commas.
    request_headers: &'static str,
    /// Response headers that pages of every host may read, besides those that the Fetch standard lists.
    exposed: &'static str,
    /// Bytes of the largest body that is read whole.
    max_body: usize,
}

impl Endpoint {
    /// The response to a request that needs no handler: to OPTIONS, what the address takes; to a method that the
    /// address does not take, 405. None: the handler answers.
    pub fn answer(&self, method: &Method) -> Option<Response> {
        if self.methods.split(", ").any(|known| known == method) {
            return None;
        }
        let allow = HeaderValue::try_from(format!("{}, OPTIONS", self.methods));
        let mut response = if method == Method::OPTIONS {
            let headers = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, self.methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, self.request_headers),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            (StatusCode::NO_CONTENT, headers).into_response()
        } else {
            let detail = format!(
                "the method is not allowed at this address: use {} or OPTIONS",
                self.methods.replace(", ", " and ")
            );
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
        };
        // All are ASCII.
        response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
        Some(response)
    }

    /// Reads a body as text.
    ///
    /// # Errors
    /// 408 when it does not come within `wait`, 413 when it is too large, 400 when it breaks off or is not UTF-8.
    pub async fn text(&self, body: Body, wait: Duration) -> Result<String, Problem> {
        let slow = |_| Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
        let whole = timeout(wait, Limited::new(body, self.max_body).collect()).await.map_err(slow)?;
        let whole = whole.map_err(|error| {
            let large = error.is::<LengthLimitError>();
            let status = if large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            Problem::new(status, format!("the body can't be read: {error}"))
        })?;
        let text = String::from_utf8(whole.to_bytes().into());
        text.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body is not UTF-8"))
    }

    /// Lets scripts of every page read the response. An address that needs a secret checks the secret itself.
    pub fn share(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if !self.exposed.is_empty() {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(self.exposed));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Endpoint; 6] = [MEDIA, PLAYLIST, RANGES, FILE, OFFER, SESSION];

    #[test]
    fn only_methods_of_the_address_come_through() {
        for endpoint in ALL {
            for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GE", "BREW"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let Some(response) = endpoint.answer(&method) else {
                    assert!(endpoint.methods.contains(method.as_str()), "{method}");
                    continue;
                };
                let expected = if method == Method::OPTIONS { 204 } else { 405 };
                assert_eq!(response.status().as_u16(), expected, "{method}");
                assert_eq!(response.headers()[header::ALLOW], format!("{}, OPTIONS", endpoint.methods));
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_have_an_end_in_bytes_and_in_time() {
        let wait = Duration::from_secs(1);
        let status = |read: Result<String, Problem>| read.map_err(|problem| problem.status.as_u16());
        let body = |length| Body::from("x".repeat(length));
        assert_eq!(
            status(OFFER.text(body(MAX_DESCRIPTION), wait).await).map(|text| text.len()),
            Ok(MAX_DESCRIPTION)
        );
        assert_eq!(status(OFFER.text(body(MAX_DESCRIPTION + 1), wait).await), Err(413));
        assert_eq!(status(FILE.text(body(1), wait).await), Err(413));
        assert_eq!(status(OFFER.text(Body::from(vec![0xff]), wait).await), Err(400));
        let never = Body::from_stream(futures_util::stream::pending::<std::io::Result<String>>());
        assert_eq!(status(OFFER.text(never, wait).await), Err(408));
    }
}
