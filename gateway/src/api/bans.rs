//! `DELETE /api/v1/clients/ID` and `/api/v1/bans`: ends connections and keeps clients out, for the operator.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Api, Asker, BAD_REQUEST, find, types};
use crate::core::admission::{Ban, BannedClient, MAX_MINUTES};
use crate::core::close::CloseReason;
use crate::core::facts::Fact;
use crate::core::hub::Identity;
use crate::core::text::quoted;

/// SRS has no bans, so this is the HTTP status.
const BAN_NOT_FOUND: u32 = 404;

#[derive(Deserialize)]
pub(super) struct Kick {
    minutes: Option<u64>,
}

#[derive(Serialize)]
struct Entry {
    id: String,
    /// `publish` or `play`.
    act: &'static str,
    /// The stream, for a ban of an address.
    stream: Option<String>,
    ip: Option<String>,
    /// The claims of the token whose holder is banned.
    subject: Option<String>,
    issuer: Option<String>,
    /// The name of the key whose holder is banned.
    key: Option<String>,
    /// The participant of a room.
    seat: Option<String>,
    seconds_left: u64,
}

impl From<&Ban> for Entry {
    fn from(ban: &Ban) -> Self {
        let mut entry = Self {
            id: ban.id.to_string(),
            act: ban.act.word(),
            stream: None,
            ip: None,
            subject: None,
            issuer: None,
            key: None,
            seat: None,
            seconds_left: ban.until.saturating_duration_since(Instant::now()).as_secs(),
        };
        match &ban.client {
            BannedClient::Address(ip, stream) => {
                (entry.ip, entry.stream) = (Some(ip.to_string()), Some(stream.to_string()));
            }
            BannedClient::Person(Identity::Token { subject, issuer }) => {
                (entry.subject, entry.issuer) = (Some(subject.clone()), Some(issuer.clone()));
            }
            BannedClient::Person(Identity::Seat { room, id }) => entry.seat = Some(format!("{room}/{id}")),
            BannedClient::Person(Identity::Key { name, .. }) => entry.key = Some(name.to_string()),
            BannedClient::Person(_) => {}
        }
        entry
    }
}

#[derive(Serialize)]
struct Bans {
    bans: Vec<Entry>,
}

#[derive(Serialize)]
struct OneBan {
    ban: Entry,
}

/// Handles `DELETE /api/v1/clients/ID?minutes=N`: ends a connection, and keeps its client out if `minutes` is given.
pub(super) async fn kick(
    State(api): State<Api>,
    asked: Asker,
    Path(id): Path<String>,
    kick: Result<Query<Kick>, QueryRejection>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let minutes = match kick {
        Ok(Query(Kick { minutes })) if minutes.is_none_or(|n| (1..=MAX_MINUTES).contains(&n)) => minutes,
        _ => {
            let text = format!("`minutes` must be a number from 1 to {MAX_MINUTES}");
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &text);
        }
    };
    let Some(client) = find(&api, &id) else {
        return api.no_client(&id);
    };
    let context = &api.0.context;
    // Before the connection ends, so that the client finds the ban when it reconnects.
    let ban = match minutes.map(|minutes| context.bans.add(&client, minutes)) {
        Some(None) => {
            let text = "the client is a job of the gateway, which a ban cannot keep out: leave out `minutes`";
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, text);
        }
        ban => ban.flatten(),
    };
    tracing::info!(peer = %asked.peer, client = client.id, stream = %client.stream.name(), minutes, "client ended by an operator");
    context.clients.close(client.id, CloseReason::Operator);
    context.facts.push(Fact {
        what: "kicked",
        stream: client.stream.name().to_string(),
        act: client.act.word(),
        ip: Some(client.from),
        name: client.identity.name().unwrap_or_default().to_owned(),
        count: minutes,
        ..Fact::default()
    });
    match ban {
        Some(ban) => api.answer(OneBan { ban: Entry::from(&ban) }),
        None => api.answer(types::Nothing {}),
    }
}

/// Handles `GET /api/v1/bans`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(Bans { bans: api.0.context.bans.list().iter().map(Entry::from).collect() })
}

/// Handles `DELETE /api/v1/bans/ID`.
pub(super) async fn lift(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    if !id.parse().is_ok_and(|id| api.0.context.bans.lift(id)) {
        let text = format!("there is no ban {}; GET /api/v1/bans lists all bans", quoted(&id));
        return api.refuse(StatusCode::NOT_FOUND, BAN_NOT_FOUND, &text);
    }
    tracing::info!(peer = %asked.peer, ban = id, "ban lifted by an operator");
    api.0.context.facts.push(Fact { what: "ban_lifted", ..asked.fact() });
    api.answer(types::Nothing {})
}
