//! `GET /api/v1/sessions`: the log of ended sessions, for the operator.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Api, Asker, BAD_REQUEST};
use crate::metering::{MAX_LIMIT, SessionQuery};

/// Number of sessions in an answer, unless the request says otherwise.
const LIMIT: usize = 100;

#[derive(Deserialize)]
pub(super) struct Wanted {
    stream: Option<String>,
    /// In milliseconds since 1970.
    from: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Sessions {
    /// Newest first.
    sessions: Vec<Value>,
    /// Number of sessions of this run that could not be written.
    lost: u64,
    /// Why the last write failed, while writes fail.
    fault: Option<String>,
}

/// Handles `GET /api/v1/sessions?stream=NAME&from=MS&limit=N`.
pub(super) async fn list(
    State(api): State<Api>,
    asked: Asker,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let wanted = match wanted {
        Ok(Query(wanted)) if wanted.limit.is_none_or(|limit| (1..=MAX_LIMIT).contains(&limit)) => wanted,
        _ => {
            let text = format!(
                "`from` is a time in milliseconds since 1970, `limit` a number from 1 to {MAX_LIMIT}"
            );
            return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &text);
        }
    };
    let Some(log) = api.0.sessions.get().cloned() else {
        return api.answer(Sessions { sessions: Vec::new(), lost: 0, fault: None });
    };
    let Ok(_reading) = api.0.reading.acquire().await else { return api.bad_range() };
    let query = SessionQuery {
        stream: wanted.stream,
        from: wanted.from.unwrap_or(0),
        limit: wanted.limit.unwrap_or(LIMIT),
    };
    let (lost, fault) = log.health();
    let sessions = tokio::task::spawn_blocking(move || log.read(&query)).await.unwrap_or_default();
    api.answer(Sessions { sessions, lost, fault })
}
