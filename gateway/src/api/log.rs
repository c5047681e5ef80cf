//! `GET /api/v1/log`: the newest warnings and errors, for the operator.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::{Api, Asker};
use crate::log::recent::{self, LogLine};

#[derive(Serialize)]
struct Log {
    /// Oldest first.
    lines: Vec<LogLine>,
}

/// Handles `GET /api/v1/log`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(Log { lines: recent::lines() })
}
