//! `GET /api/v1/hooks`: the state of every hook, for the operator.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::{Api, Asker, millis};
use crate::hooks::HookReport;

#[derive(Serialize)]
struct Last {
    /// In milliseconds since 1970.
    at_ms: u64,
    action: &'static str,
    /// Without secrets.
    request: Value,
    status: Option<u16>,
    answer: Option<String>,
    error: Option<String>,
    took_ms: u64,
}

#[derive(Serialize)]
struct Hook {
    /// Without its query.
    address: String,
    actions: Vec<&'static str>,
    waiting: usize,
    delivered: u64,
    refused: u64,
    failed: u64,
    given_up: u64,
    dropped: u64,
    last: Option<Last>,
}

impl From<HookReport> for Hook {
    fn from(report: HookReport) -> Self {
        let HookReport { address, actions, waiting, counts, last } = report;
        let last = last.map(|last| Last {
            at_ms: millis(last.at),
            action: last.action,
            request: last.request,
            status: last.status,
            answer: last.answer,
            error: last.error,
            took_ms: last.took.as_millis() as u64,
        });
        Self {
            address,
            actions,
            waiting,
            delivered: counts.delivered,
            refused: counts.refused,
            failed: counts.failed,
            given_up: counts.given_up,
            dropped: counts.dropped,
            last,
        }
    }
}

#[derive(Serialize)]
struct Hooks {
    hooks: Vec<Hook>,
}

/// Handles `GET /api/v1/hooks`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(Hooks { hooks: api.0.hooks.list().into_iter().map(Hook::from).collect() })
}
