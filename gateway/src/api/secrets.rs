//! `/api/v1/secrets`: what publishers and viewers need, for the operator's console.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{Api, Asker};
use crate::core::auth::{self, renewed_secret};
use crate::core::facts::Fact;

/// The status of a secret that cannot be stored; SRS has no code for it.
const NOT_STORED: u32 = 507;
/// The status of a secret that is not the gateway's own.
const NOT_OURS: u32 = 409;

#[derive(Serialize)]
struct Secrets {
    /// The secret for publishers; `None` if there is none.
    publish: Option<String>,
    /// Whether a publisher on another machine needs it, or a token or key.
    publish_needed: bool,
    /// Whether the gateway can make a new one: the secret is in the data folder, not in the settings.
    publish_renewable: bool,
    /// Whether viewers need credentials.
    play_needed: bool,
}

impl Api {
    fn secrets(&self) -> Secrets {
        let auth = &self.0.context.auth;
        let publish_needed = (auth.public || auth.publish_tokens) && !auth.open;
        let is_set = self.0.facts.as_ref().is_none_or(|facts| facts.has_publish_secret());
        Secrets {
            publish: auth.secret.text(),
            publish_needed,
            publish_renewable: auth.secret.is_set() && !is_set,
            play_needed: auth.play_is_closed(),
        }
    }
}

/// Handles `GET /api/v1/secrets`.
pub(super) async fn show(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(api.secrets())
}

/// Handles `POST /api/v1/secrets/publish`: makes a new publish secret. Those who publish now go on.
pub(super) async fn renew(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let (Some(facts), true) = (api.0.facts.clone(), api.secrets().publish_renewable) else {
        let text = "the gateway has no publish secret of its own: it is a setting (`secret`), or publishing needs none. \
                    Change the setting and reload the settings";
        return api.refuse(StatusCode::CONFLICT, NOT_OURS, text);
    };
    // The folder may be on a network.
    let made = tokio::task::spawn_blocking(move || renewed_secret(&facts.data, auth::PUBLISH)).await;
    let secret = match made.map_err(std::io::Error::other).and_then(|made| made) {
        Ok(secret) => secret,
        Err(error) => {
            let text = format!("the old secret stays, because a new one cannot be stored: {error}");
            return api.refuse(StatusCode::INSUFFICIENT_STORAGE, NOT_STORED, &text);
        }
    };
    api.0.context.auth.secret.set(Some(secret));
    tracing::info!(peer = %asked.peer, "publish secret replaced by an operator");
    api.0.context.facts.push(Fact { what: "secret_replaced", ..asked.fact() });
    api.answer(api.secrets())
}
