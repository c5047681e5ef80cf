//! What pages of other hosts may do (the CORS protocol of the Fetch standard).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Seconds for which a browser remembers the answer to a preflight request.
const MAX_AGE: &str = "86400";

/// The methods and request headers that pages of every host may use at an address.
#[derive(Debug, Clone, Copy)]
pub struct Cors {
    /// Methods, separated by commas.
    pub methods: &'static str,
    /// Request headers, separated by commas.
    pub headers: &'static str,
}

impl Cors {
    /// The response to a preflight request, which a browser makes before it sends a header of its own to another host.
    pub fn preflight(self) -> Response {
        let headers = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, self.methods),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
        ];
        (StatusCode::NO_CONTENT, headers).into_response()
    }
}

/// Lets scripts of every page read the response. What needs a secret checks the secret itself.
pub fn open(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
