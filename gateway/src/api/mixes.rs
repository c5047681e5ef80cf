//! `/api/v1/mixes`: the mixes, for the operator.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, types};
use crate::jobs::mix::{MixChange, MixError, MixInfo, MixRequest, MixStatus};
use crate::web::endpoint::OFFER;

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
    let started = match parse(&api, body).await {
        Ok(request) => api.0.mixes.start(request),
        Err(refusal) => return refusal,
    };
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
    let change: MixChange = match parse(&api, body).await {
        Ok(change) => change,
        Err(refusal) => return refusal,
    };
    match api.0.mixes.change(id, change) {
        Ok(()) => one(&api, id),
        Err(error) => refused(&api, &error),
    }
}

/// Handles `DELETE /api/v1/mixes/ID`.
pub(super) async fn stop(
    State(api): State<Api>,
    asked: Asker,
    Path(id): Path<String>,
    ending: Result<Query<Ending>, QueryRejection>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Ok(Query(ending)) = ending else {
        return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, "`card` must be one text: give it once");
    };
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

/// Reads the JSON of a body. It is read for the operator only, and has an end in bytes and in time.
///
/// # Errors
/// The response to a body that is too large, too slow or not what is expected.
async fn parse<T: for<'a> Deserialize<'a>>(api: &Api, body: Body) -> Result<T, Response> {
    let text = OFFER.text(body, api.0.context.limits.get().header_timeout).await;
    let text =
        text.map_err(|problem| api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail))?;
    serde_json::from_str(&text).map_err(|error| refused(api, &MixError::Request(error.to_string())))
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
