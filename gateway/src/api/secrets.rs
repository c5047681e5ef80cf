//! `GET /api/v1/secrets`: what publishers and viewers need, for the operator's console.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::{Api, Asker};

#[derive(Serialize)]
struct Secrets {
    /// The secret for publishers; `None` if there is none.
    publish: Option<String>,
    /// Whether a publisher on another machine needs it, or a token or key.
    publish_needed: bool,
    /// Whether viewers need credentials.
    play_needed: bool,
}

/// Handles `GET /api/v1/secrets`.
pub(super) async fn show(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let auth = &api.0.context.auth;
    api.answer(Secrets {
        publish: auth.secret.text(),
        publish_needed: (auth.public || auth.publish_tokens) && !auth.open,
        play_needed: auth.play_is_closed(),
    })
}
