//! `DELETE /api/v1/clients/ID` and `/api/v1/bans`: ends connections and keeps clients out, for the operator.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Api, Asker, BAD_REQUEST, find, nodes, types};
use crate::core::admission::{Ban, BannedClient, MAX_MINUTES};
use crate::core::close::CloseReason;
use crate::core::facts::Fact;
use crate::core::hub::Identity;
use crate::core::text::quoted;

/// The refusal to ban a client that is not a person.
pub(super) const NO_BAN: &str =
    "the client is a job of the gateway or another node, which a ban cannot keep out: leave out `minutes`";
/// SRS has no bans, so this is the HTTP status.
const BAN_NOT_FOUND: u32 = 404;

#[derive(Deserialize)]
pub(super) struct Kick {
    minutes: Option<u64>,
    /// The node of a cluster that has the client, if it is not this one.
    node: Option<String>,
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

/// Handles `DELETE /api/v1/clients/ID?minutes=N&node=NAME`: ends a connection, and keeps its client out if `minutes` is given.
pub(super) async fn kick(
    State(api): State<Api>,
    asked: Asker,
    Path(id): Path<String>,
    kick: Result<Query<Kick>, QueryRejection>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let (minutes, node) = match kick {
        Ok(Query(Kick { minutes, node })) if minutes.is_none_or(|n| (1..=MAX_MINUTES).contains(&n)) => {
            (minutes, node)
        }
        _ => {
            let text = format!("`minutes` must be a number from 1 to {MAX_MINUTES}");
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &text);
        }
    };
    let own = api.0.cluster.get().map(|cluster| cluster.node().as_str());
    if let Some(node) = node.filter(|node| own != Some(node)) {
        return nodes::kick(&api, &node, &id, minutes).await;
    }
    let Some(client) = find(&api, &id) else {
        return api.no_client(&id);
    };
    let context = &api.0.context;
    // Before the connection ends, so that the client finds the ban when it reconnects.
    let ban = match minutes.map(|minutes| context.bans.add(&client, minutes)) {
        Some(None) => {
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, NO_BAN);
        }
        ban => ban.flatten(),
    };
    if let (Some(cluster), Some(ban)) = (api.0.cluster.get(), &ban) {
        cluster.share_ban(ban);
    }
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
    let bans = &api.0.context.bans;
    let ban = id.parse::<u64>().ok().and_then(|id| bans.list().into_iter().find(|ban| ban.id == id));
    if !ban.as_ref().is_some_and(|ban| bans.lift(ban.id)) {
        let text = format!("there is no ban {}; GET /api/v1/bans lists all bans", quoted(&id));
        return api.refuse(StatusCode::NOT_FOUND, BAN_NOT_FOUND, &text);
    }
    if let (Some(cluster), Some(ban)) = (api.0.cluster.get(), &ban) {
        cluster.share_lift(ban);
    }
    tracing::info!(peer = %asked.peer, ban = id, "ban lifted by an operator");
    api.0.context.facts.push(Fact { what: "ban_lifted", ..asked.fact() });
    api.answer(types::Nothing {})
}
