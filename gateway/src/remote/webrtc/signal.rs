//! The exchange of offer and answer over HTTP, which is the same for WHIP and WHEP.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::remote::{Dialer, Hidden, RemoteAddress, RemoteError};

/// Maximum size of an answer in bytes.
const MAX_ANSWER: usize = 64 << 10;
/// Maximum size of an error's text in bytes.
const MAX_ERROR: usize = 8 << 10;
/// Time for the head and the body of an answer. A server may wait for the stream before it answers.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Time to end a session.
const DELETE_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum number of redirections that are followed, all on the same host.
const MAX_REDIRECTIONS: usize = 3;

/// A session on a server. Dropping it ends the session there.
#[derive(Debug)]
pub(super) struct Session {
    dialer: Dialer,
    token: Hidden,
    /// The address of the session, if the server gave one on the same host.
    resource: Option<RemoteAddress>,
}

impl Session {
    /// Sends the offer. Returns the session and the answer.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses the offer.
    pub(super) async fn open(
        dialer: &Dialer,
        address: &RemoteAddress,
        token: &Hidden,
        offer: &str,
    ) -> Result<(Self, String), RemoteError> {
        let late = |_| {
            let words = format!("the server did not answer within {} s", ANSWER_TIMEOUT.as_secs());
            Err(RemoteError::new(&words))
        };
        timeout(ANSWER_TIMEOUT, Self::post(dialer, address, token, offer)).await.unwrap_or_else(late)
    }

    async fn post(
        dialer: &Dialer,
        address: &RemoteAddress,
        token: &Hidden,
        offer: &str,
    ) -> Result<(Self, String), RemoteError> {
        let mut address = address.clone();
        for _ in 0..=MAX_REDIRECTIONS {
            let headers = [
                (header::CONTENT_TYPE, "application/sdp".to_owned()),
                (header::ACCEPT, "application/sdp".to_owned()),
            ];
            let headers = headers.into_iter().chain(authorization(token)).collect();
            let body = Bytes::copy_from_slice(offer.as_bytes());
            let answer = dialer.send(&address, Method::POST, headers, body).await?;
            match answer.status {
                StatusCode::CREATED | StatusCode::OK => {
                    let resource = address.join(&answer.location).ok();
                    let resource = resource.filter(|_| !answer.location.is_empty());
                    let resource = resource.filter(|to| address.may_lead_to(to));
                    // From here on, an error ends the session.
                    let session = Self { dialer: dialer.clone(), token: token.clone(), resource };
                    let text = answer.body.text(MAX_ANSWER, ANSWER_TIMEOUT).await?;
                    return Ok((session, text));
                }
                status if status.is_redirection() => {
                    let to = address.join(&answer.location)?;
                    if !address.may_lead_to(&to) {
                        let words =
                            "the server redirects to another host, or from https to http: set that address";
                        return Err(RemoteError::refused(words));
                    }
                    address = to;
                }
                status => {
                    let text = answer.body.text(MAX_ERROR, ANSWER_TIMEOUT).await.unwrap_or_default();
                    return Err(refusal(status, &text));
                }
            }
        }
        Err(RemoteError::refused("the server redirects too often"))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(resource), Ok(runtime)) = (self.resource.take(), Handle::try_current()) else { return };
        let (dialer, headers) = (self.dialer.clone(), authorization(&self.token).collect());
        // The server ends the session by itself, if this does not reach it.
        runtime.spawn(async move {
            let deleted = dialer.send(&resource, Method::DELETE, headers, Bytes::new());
            let _ = timeout(DELETE_TIMEOUT, deleted).await;
        });
    }
}

fn authorization(token: &Hidden) -> impl Iterator<Item = (header::HeaderName, String)> {
    let value = (!token.is_empty()).then(|| format!("Bearer {}", token.text()));
    value.map(|value| (header::AUTHORIZATION, value)).into_iter()
}

/// Returns the error for a status, with the server's words: those of a problem document (RFC 9457), or a short text.
fn refusal(status: StatusCode, text: &str) -> RemoteError {
    let problem: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
    let is_short = |text: &&str| !text.is_empty() && !text.starts_with(['<', '{']);
    let words = match detail.or(Some(text.trim()).filter(is_short)) {
        Some(words) => format!("the server answered with status {status}: {words}"),
        None => format!("the server answered with status {status}"),
    };
    // A stream or place that is not free yet may become free.
    let may_change =
        [StatusCode::NOT_FOUND, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    if status.is_client_error() && !may_change {
        RemoteError::refused(&words)
    } else {
        RemoteError::new(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_refusal_are_kept() {
        let of = |status, text: &str| {
            let error = refusal(StatusCode::from_u16(status).unwrap(), text);
            (error.to_string(), error.is_refused())
        };
        let (words, refused) = of(403, r#"{"title":"Forbidden","detail":"the token is not valid"}"#);
        assert!(words.ends_with("403 Forbidden: the token is not valid") && refused, "{words}");
        assert_eq!(
            of(409, "already published\n").0,
            "the server answered with status 409 Conflict: already published"
        );
        assert!(!of(409, "").1 && !of(404, "").1 && !of(503, "").1 && of(401, "").1);
        assert_eq!(of(500, "<html>").0, "the server answered with status 500 Internal Server Error");
    }
}
