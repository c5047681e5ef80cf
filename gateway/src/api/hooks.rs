//! `/api/v1/hooks`: the state of every hook, and its test, for the operator.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{Api, Asker, millis};
use crate::core::text::quoted;
use crate::hooks::{HookReport, HookTestError};

/// SRS has no such list, so this is the HTTP status.
const HOOK_NOT_FOUND: u32 = 404;
/// The same for a hook that is being tested.
const BUSY: u32 = 429;

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
    /// The place in the list, for `…/test`.
    id: String,
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

impl Hook {
    fn new(id: usize, report: HookReport) -> Self {
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
            id: id.to_string(),
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
struct OneHook {
    hook: Hook,
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
    let hooks = api.0.hooks.list().into_iter().enumerate();
    api.answer(Hooks { hooks: hooks.map(|(id, report)| Hook::new(id, report)).collect() })
}

/// Handles `POST /api/v1/hooks/ID/test`: sends `on_test`, and returns the hook with the answer.
pub(super) async fn test(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let place = id.parse().unwrap_or(usize::MAX);
    match api.0.hooks.test(place).await {
        Ok(report) => api.answer(OneHook { hook: Hook::new(place, report) }),
        Err(HookTestError::Unknown) => {
            let text = format!("there is no hook {}; GET /api/v1/hooks lists all hooks", quoted(&id));
            api.refuse(StatusCode::NOT_FOUND, HOOK_NOT_FOUND, &text)
        }
        Err(HookTestError::Busy) => {
            let text = "tests of this hook wait for their answers: try again in some seconds";
            api.refuse(StatusCode::TOO_MANY_REQUESTS, BUSY, text)
        }
    }
}
