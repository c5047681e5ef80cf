//! `on_forward`: asks back ends where a stream that begins is sent on to, as SRS's dynamic forward does.

use std::sync::Arc;

use http::StatusCode;
use serde::Deserialize;

use super::Hooks;
use super::action::Action;
use super::client::Answer;
use super::hook::Hook;
use crate::core::session::ClientSession;
use crate::jobs::forward::ForwardError;

/// Maximum number of addresses of one answer. Further ones are not used.
pub(super) const MAX_TARGETS: usize = 16;

/// The answer of a back end.
#[derive(Deserialize)]
struct Body {
    code: i64,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    urls: Vec<String>,
}

/// Returns the addresses in an answer: none for `0` and for an object without addresses. The error is a text without
/// addresses, because they hold keys.
pub(super) fn targets(answer: &Answer) -> Result<Vec<String>, &'static str> {
    const WRONG: &str = "the answer is not {\"code\":0,\"data\":{\"urls\":[…]}}";
    let text = answer.body.trim();
    if answer.status != StatusCode::OK {
        return Err("the status of the answer is not 200");
    }
    if text == "0" {
        return Ok(Vec::new());
    }
    let body: Body = serde_json::from_str(text).map_err(|_| WRONG)?;
    if body.code != 0 {
        return Err("the code in the answer is not 0");
    }
    Ok(body.data.map(|data| data.urls).unwrap_or_default())
}

impl Hooks {
    /// Asks where the stream of a publisher is sent on to, and adds these forwards. A back end that fails refuses
    /// nothing: the stream is live already.
    pub(super) fn ask_forward(&self, session: &Arc<ClientSession>) {
        let (Some(events), Some(thread)) = (self.0.events.get(), self.0.thread.get()) else { return };
        for hook in self.current().iter().filter(|hook| hook.address().wants(Action::Forward)) {
            let event = events.asked(Action::Forward, session);
            let (hooks, hook, session) = (self.clone(), hook.clone(), session.clone());
            thread.handle().spawn(async move {
                match hook.ask_targets(&event).await {
                    Ok(targets) => hooks.forward(&hook, &session, targets),
                    Err(error) => {
                        let hook = hook.address().to_string();
                        tracing::warn!(stream = %session.stream, hook, error, "hook gives no forwards");
                    }
                }
            });
        }
    }

    fn forward(&self, hook: &Hook, session: &ClientSession, targets: Vec<String>) {
        let (stream, hook) = (&session.stream, hook.address().to_string());
        let Some(forwards) = self.0.forwards.get().and_then(|forwards| forwards.get()) else { return };
        if targets.len() > MAX_TARGETS {
            let count = targets.len();
            tracing::warn!(%stream, hook, count, "hook gives too many forwards: the first {MAX_TARGETS} are used");
        }
        for to in targets.iter().take(MAX_TARGETS) {
            match forwards.add_once(stream, to) {
                Ok(forward) => tracing::info!(%stream, hook, forward, "forward added by a hook"),
                // The publisher has reconnected.
                Err(ForwardError::Twice) => {}
                Err(error) => tracing::warn!(%stream, hook, %error, "forward of a hook not started"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_srs_form() {
        let of = |status, body: &str| {
            targets(&Answer { status: StatusCode::from_u16(status).unwrap(), body: body.to_owned() })
        };
        assert_eq!(
            of(200, r#"{"code":0,"data":{"urls":["rtmp://a/live/x","b"]}}"#).unwrap(),
            ["rtmp://a/live/x", "b"]
        );
        for none in [
            "0",
            "{\"code\":0}",
            "{\"code\":0,\"data\":null}",
            "{\"code\":0,\"data\":{}}",
            "{\"code\":0,\"data\":{\"urls\":[]}}",
        ] {
            assert!(of(200, none).unwrap().is_empty(), "{none}");
        }
        for bad in [
            "",
            "1",
            "{}",
            "{\"code\":1}",
            "{\"code\":0,\"data\":{\"urls\":\"geheim\"}}",
            "{\"code\":0,\"data\":{\"urls\":[1]}}",
        ] {
            assert!(!of(200, bad).unwrap_err().contains("geheim"), "{bad}");
        }
        assert!(of(404, "0").is_err() && of(500, "{\"code\":0}").is_err());
    }
}
