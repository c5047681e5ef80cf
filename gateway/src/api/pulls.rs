//! `/api/v1/pulls`: the pulls, for the operator. The service starts them.

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
use crate::jobs::pull::{LatePulls, PullError, PullInfo, PullRule, PullSettings, PullStatus, Pulls};
use crate::remote::{Dialer, RemoteSettings};
use crate::service::{Gateway, Routes, Service, StartError};
use crate::web::endpoint::OFFER;

/// The service of the pulls: starts them, and has their routes.
#[derive(Debug)]
pub struct PullService {
    settings: PullSettings,
    dialer: Dialer,
    data: PathBuf,
    jobs: Jobs,
    pulls: LatePulls,
}

impl PullService {
    /// Creates the service, which fills `pulls` of `parts` when it starts.
    ///
    /// # Errors
    /// A pull of the settings is not valid, or the certificate authorities cannot be read.
    pub fn new(
        settings: &PullSettings,
        remote: &RemoteSettings,
        data: &Path,
        parts: &ApiParts,
    ) -> Result<Self, StartError> {
        Pulls::check(settings).map_err(|error| StartError::Setting(error.to_string()))?;
        let dialer = Dialer::new(remote).map_err(StartError::Setting)?;
        let (jobs, pulls) = (parts.jobs.clone(), parts.pulls.clone());
        Ok(Self { settings: settings.clone(), dialer, data: data.to_owned(), jobs, pulls })
    }
}

impl Service for PullService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let Gateway { context, workers, stop, .. } = gateway;
        let begin = (context, workers, stop);
        let remote = (self.dialer.clone(), self.data.as_path());
        let pulls = Pulls::start(&self.settings, remote, &self.jobs, begin)?;
        // A gateway starts once.
        let _ = self.pulls.set(pulls.clone());
        let api = Api::new(gateway.clone(), ApiParts { jobs: self.jobs.clone(), ..ApiParts::default() });
        let router = Router::new()
            .route("/api/v1/pulls", get(list).post(start))
            .route("/api/v1/pulls/", get(list).post(start))
            .route("/api/v1/pulls/{id}", delete(end));
        routes.add(router.with_state((api, pulls)));
        Ok(())
    }
}

#[derive(Serialize)]
struct Source {
    stream: String,
    state: &'static str,
    since_ms: u64,
    kbps: u64,
    received_bytes: u64,
    tries: u64,
    last_words: Option<String>,
}

impl From<PullStatus> for Source {
    fn from(status: PullStatus) -> Self {
        Self {
            stream: status.stream.to_string(),
            state: status.state.name(),
            since_ms: millis(status.since),
            kbps: status.kbps,
            received_bytes: status.received_bytes,
            tries: status.tries,
            last_words: status.last_words,
        }
    }
}

#[derive(Serialize)]
struct Pull {
    id: String,
    /// `settings` or `api`.
    origin: &'static str,
    stream: String,
    /// The address without its key.
    from: String,
    always: bool,
    sources: Vec<Source>,
}

impl From<PullInfo> for Pull {
    fn from(info: PullInfo) -> Self {
        let sources = info.sources.into_iter().map(Source::from).collect();
        Self {
            id: info.id.to_string(),
            origin: if info.is_set { "settings" } else { "api" },
            stream: info.streams,
            from: info.from,
            always: info.always,
            sources,
        }
    }
}

#[derive(Serialize)]
struct List {
    pulls: Vec<Pull>,
}

async fn list(State((api, pulls)): State<(Api, Pulls)>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    api.answer(List { pulls: pulls.list().into_iter().map(Pull::from).collect() })
}

#[derive(Serialize)]
struct One {
    pull: Pull,
}

async fn start(State((api, pulls)): State<(Api, Pulls)>, asked: Asker, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    // Read for the operator only; it has an end in bytes and in time.
    let rule = match OFFER.text(body, api.0.context.limits.get().header_timeout).await {
        Ok(text) => serde_json::from_str::<PullRule>(&text),
        Err(problem) => return api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail),
    };
    let added = match rule {
        Ok(rule) => pulls.add(&rule),
        // The text of the error might repeat the key.
        Err(_) => Err(PullError::Request(
            r#"the body is JSON: {"stream":"live/*","from":"rtmp://host/app/{stream}","always":false}"#
                .to_owned(),
        )),
    };
    let id = match added {
        Ok(id) => id,
        Err(error) => return refused(&api, &error),
    };
    let Some(info) = pulls.list().into_iter().find(|pull| pull.id == id) else {
        return refused(&api, &PullError::Unknown);
    };
    tracing::info!(peer = %asked.peer, pull = id, streams = info.streams, from = info.from, "pull added by an operator");
    let mut response = api.answer(One { pull: info.into() });
    *response.status_mut() = StatusCode::CREATED;
    response
}

async fn end(
    State((api, pulls)): State<(Api, Pulls)>,
    asked: Asker,
    UrlPath(id): UrlPath<String>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    match pulls.remove(id.parse().unwrap_or(0)) {
        Ok(()) => {
            tracing::info!(peer = %asked.peer, pull = id, "pull ended by an operator");
            api.answer(types::Nothing {})
        }
        Err(error) => refused(&api, &error),
    }
}

fn refused(api: &Api, error: &PullError) -> Response {
    let status = match error {
        PullError::Request(_) => StatusCode::BAD_REQUEST,
        PullError::Twice => StatusCode::CONFLICT,
        PullError::TooMany | PullError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        PullError::Unknown => StatusCode::NOT_FOUND,
    };
    // SRS has no such list, so the code is the HTTP status.
    let code = if status == StatusCode::BAD_REQUEST { BAD_REQUEST } else { status.as_u16().into() };
    api.refuse(status, code, &error.to_string())
}
