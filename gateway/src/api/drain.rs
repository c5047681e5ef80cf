//! `/api/v1/drain` and `/readyz`: prepares the gateway for its end, for the operator and the balancer.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, nodes, types};
use crate::cluster::{Drained, NodeName};
use crate::core::admission::MAX_DRAIN_WAIT;
use crate::core::facts::Fact;

/// Seconds for which publishers are waited for, unless the request says otherwise.
const WAIT: u64 = 3600;

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Seconds for which publishers are waited for.
    wait: Option<u64>,
    /// The node of the cluster; the one that is asked unless it is named.
    node: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct At {
    /// The node of the cluster; the one that is asked unless it is named.
    node: Option<String>,
}

#[derive(Serialize)]
struct Progress {
    draining: bool,
    viewers: usize,
    publishers: usize,
    /// Seconds after which publishers are closed.
    seconds_left: u64,
}

#[derive(Serialize)]
struct OneDrain {
    drain: Progress,
}

impl Api {
    fn progress(&self) -> Response {
        let progress = self.0.context.drain.progress(&self.0.context.clients);
        self.answer(OneDrain {
            drain: Progress {
                draining: progress.is_some(),
                viewers: progress.map_or(0, |progress| progress.viewers),
                publishers: progress.map_or(0, |progress| progress.publishers),
                seconds_left: progress.map_or(0, |progress| progress.seconds_left),
            },
        })
    }

    /// Drains another node, or ends its drain. `None` if the request is about this one.
    async fn drain_other(&self, node: Option<&str>, wait: Option<u64>) -> Option<Response> {
        let node = node?;
        let cluster = self.0.cluster.get();
        if cluster.is_some_and(|cluster| cluster.node().as_str() == node) {
            return None;
        }
        let (Some(cluster), Ok(name)) = (cluster, NodeName::parse(node)) else {
            return Some(nodes::no_node(self, node));
        };
        Some(match cluster.drain(&name, wait).await {
            Ok(Drained { draining, viewers, publishers, seconds_left }) => {
                tracing::info!(node, wait, "drain of another node changed by an operator");
                if wait.is_none() {
                    return Some(self.answer(types::Nothing {}));
                }
                self.answer(OneDrain { drain: Progress { draining, viewers, publishers, seconds_left } })
            }
            Err(error) => nodes::no_answer(self, node, error),
        })
    }
}

/// Handles `GET /api/v1/drain`.
pub(super) async fn show(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.progress()
}

/// Handles `POST /api/v1/drain?wait=SECONDS&node=NAME`.
pub(super) async fn begin(
    State(api): State<Api>,
    asked: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let (wait, node) = match wanted {
        Ok(Query(Wanted { wait, node })) if wait.is_none_or(|wait| wait <= MAX_DRAIN_WAIT) => {
            (wait.unwrap_or(WAIT), node)
        }
        _ => {
            let text = format!("`wait` must be a number of seconds from 0 to {MAX_DRAIN_WAIT}");
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &text);
        }
    };
    if let Some(answer) = api.drain_other(node.as_deref(), Some(wait)).await {
        return answer;
    }
    let context = &api.0.context;
    context.drain.begin(&context.clients, Duration::from_secs(wait));
    tracing::info!(peer = %asked.peer, wait, "drain begun by an operator");
    context.facts.push(Fact { what: "drain_begun", ..asked.fact() });
    api.progress()
}

/// Handles `DELETE /api/v1/drain?node=NAME`.
pub(super) async fn cancel(State(api): State<Api>, asked: Asker, Query(at): Query<At>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    if let Some(answer) = api.drain_other(at.node.as_deref(), None).await {
        return answer;
    }
    if api.0.context.drain.cancel() {
        tracing::info!(peer = %asked.peer, "drain ended by an operator");
        api.0.context.facts.push(Fact { what: "drain_ended", ..asked.fact() });
    }
    api.answer(types::Nothing {})
}

/// Handles `GET /readyz`: whether the gateway takes new clients. The bus of a cluster does not matter: without it, the
/// gateway serves its own streams.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    let (status, text) = if api.0.context.drain.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    } else {
        (StatusCode::OK, "ok\n")
    };
    (status, [(header::CACHE_CONTROL, "no-store")], text).into_response()
}
