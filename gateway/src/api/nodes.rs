//! `GET /api/v1/nodes`, and the lists of all nodes of a cluster, for the operator.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{Api, Asker, Range, types};
use crate::cluster::{Cluster, Kicked, ListWanted, NodeName, NodeState};
use crate::core::bus::NoAnswer;
use crate::core::hub::Stream;
use crate::core::text::quoted;

/// SRS has no nodes, so these are the HTTP statuses.
const NODE_NOT_FOUND: u32 = 404;
const NODE_SILENT: u32 = 504;

#[derive(Serialize)]
struct Node {
    node: String,
    /// Whether the node answered in time. The other fields are missing if it did not.
    answered: bool,
    /// Whether this is the node that was asked.
    own: bool,
    #[serde(flatten)]
    state: Option<Figures>,
}

/// The state of a node that has answered.
#[derive(Serialize)]
struct Figures {
    /// The address under which other nodes reach its HTTP.
    url: String,
    region: String,
    version: String,
    uptime_s: u64,
    /// Streams that are published there.
    publishers: usize,
    /// Streams that come from other nodes.
    relays: usize,
    viewers: usize,
    /// Pulls of other nodes.
    pulls: usize,
    draining: bool,
}

impl From<NodeState> for Figures {
    fn from(state: NodeState) -> Self {
        let NodeState {
            url, region, version, uptime_s, publishers, relays, viewers, pulls, draining, ..
        } = state;
        Self { url, region, version, uptime_s, publishers, relays, viewers, pulls, draining }
    }
}

#[derive(Serialize)]
struct Nodes {
    nodes: Vec<Node>,
}

/// Whether each node of a list has answered.
#[derive(Serialize)]
pub(super) struct Answered {
    node: String,
    answered: bool,
    /// The number of entries of the node, of which the list may have a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

#[derive(Serialize)]
struct AllStreams {
    total: usize,
    streams: Vec<Value>,
    nodes: Vec<Answered>,
}

#[derive(Serialize)]
struct AllClients {
    total: usize,
    clients: Vec<Value>,
    nodes: Vec<Answered>,
}

/// Handles `GET /api/v1/nodes`. A gateway without a cluster has an empty list.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Some(cluster) = api.0.cluster.get() else { return api.answer(Nodes { nodes: Vec::new() }) };
    let gathered = cluster.nodes().await;
    let silent = gathered.silent.iter().map(|name| Node {
        node: name.to_string(),
        answered: false,
        own: false,
        state: None,
    });
    let answered = gathered.answers.into_iter().map(|state| Node {
        node: state.node.to_string(),
        answered: true,
        own: state.node == *cluster.node(),
        state: Some(Figures::from(state)),
    });
    let mut nodes: Vec<Node> = answered.chain(silent).collect();
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    api.answer(Nodes { nodes })
}

/// Lists the streams or clients of all nodes.
pub(super) async fn everywhere(api: &Api, cluster: &Cluster, wanted: ListWanted, range: &Range) -> Response {
    let gathered = cluster.lists(&wanted).await;
    let total = gathered.answers.iter().map(|listed| listed.total).sum();
    let answered = gathered.answers.iter().map(|listed| Answered {
        node: listed.node.to_string(),
        answered: true,
        total: Some(listed.total),
    });
    let silent =
        gathered.silent.iter().map(|node| Answered { node: node.to_string(), answered: false, total: None });
    let mut nodes: Vec<Answered> = answered.chain(silent).collect();
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    let all = gathered.answers.into_iter().flat_map(|listed| {
        let node = listed.node.to_string();
        listed.entries.into_iter().map(move |mut entry| {
            if let Some(fields) = entry.as_object_mut() {
                fields.insert("node".to_owned(), node.clone().into());
            }
            entry
        })
    });
    let all: Vec<Value> = all.collect();
    match wanted {
        ListWanted::Streams => api.answer(AllStreams { total, streams: range.of(&all, Value::clone), nodes }),
        ListWanted::Clients(_) => {
            api.answer(AllClients { total, clients: range.of(&all, Value::clone), nodes })
        }
    }
}

/// Makes the lists of this node for the others.
pub(super) fn share_lists(api: &Api) {
    let Some(cluster) = api.0.cluster.get() else { return };
    let (context, late) = (api.0.context.clone(), api.0.cluster.clone());
    cluster.set_lists(move |wanted, most| {
        let clients = context.clients.list();
        let value = |entry: Result<Value, serde_json::Error>| entry.unwrap_or_default();
        match wanted {
            ListWanted::Streams => {
                let streams = context.hub.streams();
                let shown = streams.iter().take(most);
                let shown = shown.map(|stream| {
                    value(serde_json::to_value(types::Stream::of(stream, &clients, late.get())))
                });
                (streams.len(), shown.collect())
            }
            ListWanted::Clients(stream) => {
                let is_wanted = |at: &Stream| stream.as_ref().is_none_or(|name| at.name().as_str() == name);
                let wanted: Vec<_> = clients.iter().filter(|client| is_wanted(&client.stream)).collect();
                let shown = wanted.iter().take(most);
                let shown = shown.map(|client| value(serde_json::to_value(types::Client::of(client))));
                (wanted.len(), shown.collect())
            }
        }
    });
}

/// Ends a client of another node, and keeps it out of all nodes if `minutes` is given.
pub(super) async fn kick(api: &Api, node: &str, id: &str, minutes: Option<u64>) -> Response {
    let (Some(cluster), Ok(name)) = (api.0.cluster.get(), NodeName::parse(node)) else {
        return no_node(api, node);
    };
    let Ok(client) = id.parse() else { return api.no_client(id) };
    match cluster.kick(&name, client, minutes).await {
        Ok(Kicked::Done) => api.answer(types::Nothing {}),
        Ok(Kicked::Unknown) => api.no_client(id),
        Ok(Kicked::Job) => api.refuse(StatusCode::BAD_REQUEST, super::BAD_REQUEST, super::bans::NO_BAN),
        Err(error) => no_answer(api, node, error),
    }
}

/// The answer to a request about a node that does not exist.
pub(super) fn no_node(api: &Api, node: &str) -> Response {
    let text = format!("there is no node {}; GET /api/v1/nodes lists all nodes", quoted(node));
    api.refuse(StatusCode::NOT_FOUND, NODE_NOT_FOUND, &text)
}

/// The answer to a request about a node that has not answered.
pub(super) fn no_answer(api: &Api, node: &str, error: NoAnswer) -> Response {
    if error == NoAnswer::Nobody {
        return no_node(api, node);
    }
    let text = format!("the node {} did not answer: try again, or ask it directly", quoted(node));
    api.refuse(StatusCode::GATEWAY_TIMEOUT, NODE_SILENT, &text)
}
