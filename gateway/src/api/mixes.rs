//! `/api/v1/mixes`: the mixes, for the operator.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, types};
use crate::jobs::mix::{MixChange, MixError, MixInfo, MixRequest, MixStatus};

/// Maximum size of a request's body in bytes.
pub(super) const MAX_BODY: usize = 64 << 10;

/// A mix in the API: its request, so that it can be sent again, and its state.
#[derive(Serialize)]
struct Mix {
    id: String,
    state: &'static str,
    failure: Option<String>,
    #[serde(flatten)]
    request: MixRequest,
    status: MixStatus,
}

impl From<MixInfo> for Mix {
    fn from(info: MixInfo) -> Self {
        Self {
            id: info.id.to_string(),
            state: info.state.name(),
            failure: info.failure,
            request: (*info.request).clone(),
            status: info.status,
        }
    }
}

#[derive(Serialize)]
struct Mixes {
    mixes: Vec<Mix>,
}

#[derive(Serialize)]
struct OneMix {
    mix: Mix,
}

/// The query of `DELETE`.
#[derive(Deserialize)]
pub(super) struct Ending {
    /// A text that is shown for some seconds before the mix ends.
    #[serde(default)]
    card: String,
}

type Body = Result<Bytes, BytesRejection>;

/// Handles `GET /api/v1/mixes`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(Mixes { mixes: api.0.mixes.list().into_iter().map(Mix::from).collect() })
}

/// Handles `POST /api/v1/mixes`.
pub(super) async fn start(State(api): State<Api>, asked: Asker, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let started = parse(body).and_then(|request| api.0.mixes.start(request));
    let id = match started {
        Ok(id) => id,
        Err(error) => return refused(&api, &error),
    };
    let address = format!("/api/v1/mixes/{id}");
    let mut response = one(&api, id);
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::CREATED;
    }
    (AddHeader(address), response).into_response()
}

/// The `Location` of a new mix.
struct AddHeader(String);

impl axum::response::IntoResponseParts for AddHeader {
    type Error = std::convert::Infallible;

    fn into_response_parts(
        self,
        mut parts: axum::response::ResponseParts,
    ) -> Result<axum::response::ResponseParts, Self::Error> {
        if let Ok(value) = self.0.try_into() {
            parts.headers_mut().insert(header::LOCATION, value);
        }
        Ok(parts)
    }
}

/// Handles `GET /api/v1/mixes/ID`.
pub(super) async fn show(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    one(&api, number(&id))
}

/// Handles `PATCH /api/v1/mixes/ID`.
pub(super) async fn change(
    State(api): State<Api>,
    asked: Asker,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let id = number(&id);
    match parse::<MixChange>(body).and_then(|change| api.0.mixes.change(id, change)) {
        Ok(()) => one(&api, id),
        Err(error) => refused(&api, &error),
    }
}

/// Handles `DELETE /api/v1/mixes/ID`.
pub(super) async fn stop(
    State(api): State<Api>,
    asked: Asker,
    Path(id): Path<String>,
    Query(ending): Query<Ending>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    match api.0.mixes.stop(number(&id), &ending.card) {
        Ok(()) => api.answer(types::Nothing {}),
        Err(error) => refused(&api, &error),
    }
}

/// Returns the id of a path; 0, which no mix has, if it is not a number.
fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

fn one(api: &Api, id: u64) -> Response {
    match api.0.mixes.get(id) {
        Some(mix) => api.answer(OneMix { mix: mix.into() }),
        None => refused(api, &MixError::Unknown),
    }
}

fn parse<T: for<'a> Deserialize<'a>>(body: Body) -> Result<T, MixError> {
    let body = body.map_err(|error| MixError::Request(error.body_text()))?;
    serde_json::from_slice(&body).map_err(|error| MixError::Request(error.to_string()))
}

fn refused(api: &Api, error: &MixError) -> Response {
    let status = match error {
        MixError::Request(_) => StatusCode::BAD_REQUEST,
        MixError::Busy(_) => StatusCode::CONFLICT,
        MixError::TooMany(_) | MixError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        MixError::Unknown => StatusCode::NOT_FOUND,
    };
    // SRS has no mixes, so the code is the HTTP status.
    let code = if status == StatusCode::BAD_REQUEST { BAD_REQUEST } else { status.as_u16().into() };
    api.refuse(status, code, &error.to_string())
}
