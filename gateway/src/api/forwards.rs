//! `/api/v1/forwards`: the forwards, for the operator. The service starts them.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::response::Response;
use axum::routing::{delete, get};
use http::StatusCode;
use serde::Serialize;

use super::{Api, ApiParts, Asker, BAD_REQUEST, millis, types};
use crate::jobs::Jobs;
use crate::jobs::forward::{
    ForwardError, ForwardInfo, ForwardOrigin, ForwardRule, ForwardSettings, Forwards, LateForwards,
    TargetStatus,
};
use crate::remote::{Dialer, RemoteSettings};
use crate::service::{Gateway, Routes, Service, StartError};
use crate::web::endpoint::OFFER;

/// The service of the forwards: starts those of the settings, and has their routes.
#[derive(Debug)]
pub struct ForwardService {
    settings: ForwardSettings,
    dialer: Dialer,
    data: PathBuf,
    jobs: Jobs,
    forwards: LateForwards,
}

impl ForwardService {
    /// Creates the service, which fills `forwards` of `parts` when it starts.
    ///
    /// # Errors
    /// A forward of the settings is not valid, or the certificate authorities cannot be read.
    pub fn new(
        settings: &ForwardSettings,
        remote: &RemoteSettings,
        data: &Path,
        parts: &ApiParts,
    ) -> Result<Self, StartError> {
        Forwards::check(settings).map_err(|error| StartError::Setting(error.to_string()))?;
        let dialer = Dialer::new(remote).map_err(StartError::Setting)?;
        let (jobs, forwards) = (parts.jobs.clone(), parts.forwards.clone());
        Ok(Self { settings: settings.clone(), dialer, data: data.to_owned(), jobs, forwards })
    }
}

impl Service for ForwardService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let Gateway { context, workers, stop, .. } = gateway;
        let begin = (context, workers, stop);
        let remote = (self.dialer.clone(), self.data.as_path());
        let forwards = Forwards::start(&self.settings, remote, &self.jobs, begin)?;
        // A gateway starts once.
        let _ = self.forwards.set(forwards.clone());
        let api = Api::new(gateway.clone(), ApiParts { jobs: self.jobs.clone(), ..ApiParts::default() });
        routes.add(router(ForwardApi { api, forwards }));
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct ForwardApi {
    api: Api,
    forwards: Forwards,
}

fn router(state: ForwardApi) -> Router {
    Router::new()
        .route("/api/v1/forwards", get(list).post(start))
        .route("/api/v1/forwards/", get(list).post(start))
        .route("/api/v1/forwards/{id}", delete(end))
        .with_state(state)
}

#[derive(Serialize)]
struct Target {
    stream: String,
    state: &'static str,
    since_ms: u64,
    next_try_ms: Option<u64>,
    kbps: u64,
    sent_bytes: u64,
    skipped: u64,
    tries: u64,
    last_words: Option<String>,
}

impl From<TargetStatus> for Target {
    fn from(status: TargetStatus) -> Self {
        Self {
            stream: status.stream.to_string(),
            state: status.state.name(),
            since_ms: millis(status.since),
            next_try_ms: status.next_try.map(millis),
            kbps: status.kbps,
            sent_bytes: status.sent_bytes,
            skipped: status.skipped,
            tries: status.tries,
            last_words: status.last_words,
        }
    }
}

#[derive(Serialize)]
struct Forward {
    id: String,
    stream: String,
    /// The address without its key.
    to: String,
    /// `settings`, `api` or `hook`.
    origin: &'static str,
    /// Whether it ends with its stream.
    once: bool,
    targets: Vec<Target>,
}

impl From<ForwardInfo> for Forward {
    fn from(info: ForwardInfo) -> Self {
        Self {
            id: info.id.to_string(),
            stream: info.streams,
            to: info.to,
            origin: info.origin.name(),
            once: info.origin == ForwardOrigin::Hook,
            targets: info.targets.into_iter().map(Target::from).collect(),
        }
    }
}

#[derive(Serialize)]
struct List {
    forwards: Vec<Forward>,
}

#[derive(Serialize)]
struct One {
    forward: Forward,
}

async fn list(State(state): State<ForwardApi>, asked: Asker) -> Response {
    if let Some(refusal) = state.api.no_operator(&asked).await {
        return refusal;
    }
    state.api.answer(List { forwards: state.forwards.list().into_iter().map(Forward::from).collect() })
}

async fn start(State(state): State<ForwardApi>, asked: Asker, body: Body) -> Response {
    let api = &state.api;
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    // Read for the operator only; it has an end in bytes and in time.
    let rule = match OFFER.text(body, api.0.context.limits.get().header_timeout).await {
        Ok(text) => serde_json::from_str::<ForwardRule>(&text),
        Err(problem) => return api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail),
    };
    let added = match rule {
        Ok(rule) => state.forwards.add(&rule),
        // The text of the error might repeat the key.
        Err(_) => Err(ForwardError::Request(
            r#"the body is JSON: {"stream":"live/*","to":"rtmp://host/app/{stream}"}"#.to_owned(),
        )),
    };
    let id = match added {
        Ok(id) => id,
        Err(error) => return refused(api, &error),
    };
    let Some(info) = state.forwards.list().into_iter().find(|forward| forward.id == id) else {
        return refused(api, &ForwardError::Unknown);
    };
    tracing::info!(peer = %asked.peer, forward = id, streams = info.streams, to = info.to, "forward added by an operator");
    let mut response = api.answer(One { forward: info.into() });
    *response.status_mut() = StatusCode::CREATED;
    response
}

async fn end(State(state): State<ForwardApi>, asked: Asker, UrlPath(id): UrlPath<String>) -> Response {
    if let Some(refusal) = state.api.no_operator(&asked).await {
        return refusal;
    }
    match state.forwards.remove(id.parse().unwrap_or(0)) {
        Ok(()) => {
            tracing::info!(peer = %asked.peer, forward = id, "forward ended by an operator");
            state.api.answer(types::Nothing {})
        }
        Err(error) => refused(&state.api, &error),
    }
}

fn refused(api: &Api, error: &ForwardError) -> Response {
    let status = match error {
        ForwardError::Request(_) => StatusCode::BAD_REQUEST,
        ForwardError::Twice => StatusCode::CONFLICT,
        ForwardError::TooMany | ForwardError::Unavailable | ForwardError::Store(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ForwardError::Unknown => StatusCode::NOT_FOUND,
    };
    // SRS has no such list, so the code is the HTTP status.
    let code = if status == StatusCode::BAD_REQUEST { BAD_REQUEST } else { status.as_u16().into() };
    api.refuse(status, code, &error.to_string())
}
