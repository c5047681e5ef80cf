//! `/api/v1/keys`: lasting keys for publishers and viewers, for the operator.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, types};
use crate::core::auth::{KeyEntry, KeyError, StreamPattern};
use crate::core::close::CloseReason;
use crate::core::facts::Fact;
use crate::core::hub::{Clients, Hub, Identity};
use crate::core::text::quoted;
use crate::web::endpoint::OFFER;

/// SRS has no keys, so this is the HTTP status.
const KEY_NOT_FOUND: u32 = 404;
/// The same for a key that cannot be stored.
const NOT_STORED: u32 = 507;
/// Times at which the sessions of a revoked key are ended again: a client that was just admitted may not be in the list
/// of clients yet.
const SWEEPS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    streams: StreamPattern,
    #[serde(default = "yes")]
    publish: bool,
    #[serde(default)]
    play: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Serialize)]
struct Key {
    id: String,
    name: String,
    streams: String,
    publish: bool,
    play: bool,
    /// In seconds since 1970.
    created: u64,
    used: Option<u64>,
    /// The key itself, only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Key {
    fn of(entry: &KeyEntry, key: Option<String>) -> Self {
        Self {
            id: entry.id.to_string(),
            name: entry.name.clone(),
            streams: entry.streams.to_string(),
            publish: entry.publish,
            play: entry.play,
            created: entry.created,
            used: entry.used,
            key,
        }
    }
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct OneKey {
    key: Key,
}

/// Handles `GET /api/v1/keys`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let keys = api.0.context.auth.keys.list();
    api.answer(Keys { keys: keys.iter().map(|key| Key::of(key, None)).collect() })
}

/// Handles `POST /api/v1/keys`.
pub(super) async fn create(State(api): State<Api>, asked: Asker, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    // The body is read for the operator only, and has an end in bytes and in time.
    let text = match OFFER.text(body, api.0.context.limits.get().header_timeout).await {
        Ok(text) => text,
        Err(problem) => {
            return api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail);
        }
    };
    let wanted = match serde_json::from_str(&text) {
        Ok(wanted) => wanted,
        Err(error) => return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &error.to_string()),
    };
    let Wanted { name, streams, publish, play } = wanted;
    match api.0.context.auth.keys.create(&name, streams, publish, play) {
        Ok((entry, text)) => {
            tracing::info!(peer = %asked.peer, key = entry.id, name, streams = %entry.streams, "key created by an operator");
            api.0.context.facts.push(Fact { what: "key_made", name, ..asked.fact() });
            api.answer(OneKey { key: Key::of(&entry, Some(text)) })
        }
        Err(error @ KeyError::Store(_)) => {
            api.refuse(StatusCode::INSUFFICIENT_STORAGE, NOT_STORED, &error.to_string())
        }
        Err(error) => api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &error.to_string()),
    }
}

/// Handles `DELETE /api/v1/keys/ID`: the key is not valid from now on, and its sessions end.
pub(super) async fn revoke(State(api): State<Api>, asked: Asker, Path(path): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let id = path.parse().unwrap_or(0);
    let known = api.0.context.auth.keys.list().into_iter().find(|key| key.id == id);
    let name = known.map(|key| key.name).unwrap_or_default();
    match api.0.context.auth.keys.revoke(id) {
        Ok(true) => {}
        Ok(false) => {
            let text = format!("there is no key {}; GET /api/v1/keys lists all keys", quoted(&path));
            return api.refuse(StatusCode::NOT_FOUND, KEY_NOT_FOUND, &text);
        }
        Err(error) => {
            let text = format!("the key is not revoked, because the change cannot be stored: {error}");
            return api.refuse(StatusCode::INSUFFICIENT_STORAGE, NOT_STORED, &text);
        }
    }
    tracing::info!(peer = %asked.peer, key = id, "key revoked by an operator");
    api.0.context.facts.push(Fact { what: "key_revoked", name, ..asked.fact() });
    let (hub, clients) = (api.0.context.hub.clone(), api.0.context.clients.clone());
    end_sessions(&hub, &clients, id);
    tokio::spawn(async move {
        for pause in SWEEPS {
            tokio::time::sleep(pause).await;
            end_sessions(&hub, &clients, id);
        }
    });
    api.answer(types::Nothing {})
}

/// Ends the connections of all clients that were admitted by this key.
fn end_sessions(hub: &Hub, clients: &Clients, key: u64) {
    let by_key = |identity: &Identity| matches!(identity, Identity::Key { id, .. } if *id == key);
    hub.end_waiting(|grant| by_key(grant.identity()), &CloseReason::Operator);
    for client in clients.list() {
        if by_key(&client.identity) {
            clients.close(client.id, CloseReason::Operator);
        }
    }
}
