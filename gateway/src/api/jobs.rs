//! `/api/v1/jobs`: the gateway's jobs, for the operator.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{Api, Asker, millis, types};
use crate::core::text::quoted;
use crate::jobs::{JobInfo, Jobs as Registry, UnknownJob};

/// SRS has no jobs, so this is the HTTP status.
const JOB_NOT_FOUND: u32 = 404;

#[derive(Serialize)]
struct Job {
    id: String,
    kind: &'static str,
    target: String,
    state: &'static str,
    /// In milliseconds since 1970.
    since_ms: u64,
    restarts: u64,
    failure: Option<String>,
}

impl From<JobInfo> for Job {
    fn from(info: JobInfo) -> Self {
        Self {
            id: info.id.to_string(),
            kind: info.kind,
            target: info.target,
            state: info.state.name(),
            since_ms: millis(info.since),
            restarts: info.restarts,
            failure: info.failure,
        }
    }
}

#[derive(Serialize)]
struct Jobs {
    jobs: Vec<Job>,
}

/// Handles `GET /api/v1/jobs`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(Jobs { jobs: api.0.jobs.list().into_iter().map(Job::from).collect() })
}

/// Handles `POST /api/v1/jobs/ID/restart`.
pub(super) async fn restart(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    change(&api, &id, Registry::restart)
}

/// Handles `DELETE /api/v1/jobs/ID`.
pub(super) async fn remove(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    change(&api, &id, Registry::remove)
}

/// Changes the job with this id.
fn change(api: &Api, id: &str, change: fn(&Registry, u64) -> Result<(), UnknownJob>) -> Response {
    match id.parse().ok().map(|id| change(&api.0.jobs, id)) {
        Some(Ok(())) => api.answer(types::Nothing {}),
        _ => api.refuse(
            StatusCode::NOT_FOUND,
            JOB_NOT_FOUND,
            &format!("there is no job {}; GET /api/v1/jobs lists all jobs", quoted(id)),
        ),
    }
}
