//! Error responses over HTTP: `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use crate::core::admission::Refusal;
use crate::core::auth::Denied;
use crate::core::close::CloseReason;
use crate::core::hub::{NameError, PlayError, PublishError};

/// An HTTP status and a text for the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A description of the error, and a way to correct it.
    pub detail: String,
    /// The value of `WWW-Authenticate`, if any.
    pub challenge: Option<String>,
    /// The value of `Retry-After` in seconds, if any.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// Creates a problem with this status and text.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        // A 401 must have a challenge; browsers show no dialog for this one.
        let challenge = (status == StatusCode::UNAUTHORIZED).then(|| "Bearer".to_owned());
        Self { status, detail: detail.into(), challenge, retry_after: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (self.status, headers, body.to_string()).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            // RFC 9110 10.2.3: the client may try again after a second.
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if let Some(how) = self.challenge.and_then(|words| HeaderValue::try_from(words).ok()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let retry_after = if let Denied::Slow(seconds) = denied { Some(seconds) } else { None };
        Self { challenge: denied.challenge(), retry_after, ..Self::new(denied.status(), denied.to_string()) }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Credentials(denied) => denied.into(),
            Refusal::Rule(_) | Refusal::Taken(_) | Refusal::Unavailable(_) => {
                Self::new(refusal.status(), refusal.to_string())
            }
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }
}

impl From<PlayError> for Problem {
    fn from(error: PlayError) -> Self {
        let status = match error {
            PlayError::NotFound => StatusCode::NOT_FOUND,
            // The publisher acts as the upstream server, and its media are not usable.
            PlayError::Unreadable(_) => StatusCode::BAD_GATEWAY,
            PlayError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
            PlayError::Revoked(_) => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.to_string())
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        let status = match error {
            PublishError::Busy => StatusCode::CONFLICT,
            PublishError::TooManyStreams(_) | PublishError::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<CloseReason> for Problem {
    fn from(reason: CloseReason) -> Self {
        let status = match reason {
            CloseReason::Operator
            | CloseReason::Replaced
            | CloseReason::Shutdown
            | CloseReason::StreamEnded => StatusCode::GONE,
            CloseReason::Idle | CloseReason::Stalled | CloseReason::NotConnected => {
                StatusCode::REQUEST_TIMEOUT
            }
            CloseReason::Full | CloseReason::Displaced => StatusCode::SERVICE_UNAVAILABLE,
            CloseReason::Refused(_) => StatusCode::FORBIDDEN,
            CloseReason::Unsupported(_) => StatusCode::NOT_ACCEPTABLE,
            CloseReason::Left | CloseReason::Media(_) | CloseReason::Protocol(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, reason.to_string())
    }
}
