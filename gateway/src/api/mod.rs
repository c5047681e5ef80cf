//! The HTTP API: `/api/v1/…` with the JSON of SRS, `/metrics` and `/healthz`. Start reading at
//! [`Api::router`]; `types` holds the JSON.

mod addresses;
mod bans;
mod drain;
mod events;
mod forwards;
mod hooks;
mod issuers;
mod jobs;
mod keys;
mod log;
mod logins;
mod mix_metrics;
mod mixes;
mod nodes;
mod parts;
mod profile;
mod pulls;
mod records;
mod reload;
mod secrets;
mod server;
mod service;
mod sessions;
#[cfg(test)]
mod tests;
mod types;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, FromRequestParts, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::events::{Figures, Listeners};
pub use self::parts::ApiParts;
use crate::cdn::Cdn;
use crate::cluster::{Cluster, LateCluster, ListWanted};
use crate::context::Context;
use crate::core::auth::{AuthRequest, Denied};
use crate::core::facts::Fact;
use crate::core::hub::{Act, Client};
use crate::core::text::quoted;
use crate::hooks::Hooks;
use crate::jobs::Jobs;
use crate::jobs::mix::Mixes;
use crate::jobs::record::Records;
use crate::metering::LateSessionLog;
use crate::metrics::{self, process};
use crate::net::worker::{Gate, Secure};
use crate::service::{Gateway, Listening};
use crate::web::problem::Problem;

pub use forwards::ForwardService;
pub use pulls::PullService;
pub use reload::{MAX_RELOADS, ReloadDesk, ReloadReport, ReloadRequest};
pub use server::ServerFacts;
pub use service::{ApiService, CONSOLE_TTL};

/// SRS's code for a missing stream.
const STREAM_NOT_FOUND: u32 = 2048;
const CLIENT_NOT_FOUND: u32 = 2049;
/// SRS's code for a request that a security rule denies.
const DENIED: u32 = 1058;
/// SRS has no code for this, so it is the HTTP status.
const BAD_REQUEST: u32 = 400;
/// Default length of a list, as in SRS.
const COUNT: usize = 10;

/// The state of the API. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Api(Arc<Inner>);

/// The content of [`Api`].
#[derive(Debug)]
struct Inner {
    context: Context,
    gate: Gate,
    jobs: Jobs,
    mixes: Mixes,
    hooks: Hooks,
    sessions: LateSessionLog,
    cluster: LateCluster,
    facts: Option<Arc<ServerFacts>>,
    /// Taken while the session log is read: one request at a time.
    reading: Semaphore,
    records: Records,
    reload: ReloadDesk,
    cdn: Option<Cdn>,
    /// The protocols of all services.
    protocols: Vec<&'static str>,
    listening: Listening,
    started: Instant,
    stop: CancellationToken,
    listeners: Listeners,
    figures: Figures,
}

impl Api {
    /// Creates the API of this gateway with its parts.
    pub fn new(gateway: Gateway, parts: ApiParts) -> Self {
        let Gateway { context, gate, protocols, listening, stop, .. } = gateway;
        let (listeners, figures, started) = (Listeners::default(), Figures::default(), Instant::now());
        let reading = Semaphore::new(1);
        let ApiParts { jobs, mixes, records, hooks, sessions, reload, cluster, cdn, .. } = parts;
        Self(Arc::new(Inner {
            context,
            gate,
            jobs,
            mixes,
            records,
            reload,
            cdn,
            hooks,
            sessions,
            cluster,
            facts: None,
            reading,
            protocols,
            listening,
            started,
            stop,
            listeners,
            figures,
        }))
    }

    /// Adds the facts that `/api/v1/server` shows. Call it before the API is shared.
    #[must_use]
    pub fn with_facts(mut self, facts: Option<Arc<ServerFacts>>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.facts = facts;
        }
        self
    }
}

/// Returns the routes of the API.
pub fn router<S: Clone + Send + Sync + 'static>(api: Api) -> Router<S> {
    Router::new()
        .route("/api/v1/versions", get(versions))
        .route("/api/v1/summaries", get(summaries))
        .route("/api/v1/streams", get(streams))
        .route("/api/v1/streams/", get(streams))
        .route("/api/v1/streams/{id}", get(stream))
        .route("/api/v1/clients", get(clients))
        .route("/api/v1/clients/", get(clients))
        .route("/api/v1/clients/{id}", get(client).delete(bans::kick))
        .route("/api/v1/bans", get(bans::list))
        .route("/api/v1/bans/", get(bans::list))
        .route("/api/v1/bans/{id}", delete(bans::lift))
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{id}", delete(keys::revoke))
        .route("/api/v1/jobs", get(jobs::list))
        .route("/api/v1/jobs/", get(jobs::list))
        .route("/api/v1/jobs/{id}", delete(jobs::remove))
        .route("/api/v1/jobs/{id}/restart", post(jobs::restart))
        .merge(mixes())
        .merge(cluster())
        .merge(console())
        .route("/api/v1/openapi.json", get(openapi))
        .route("/api/v1/server", get(server::show))
        .route("/api/v1/server/", get(server::show))
        .route("/api/v1/reload", post(reload::reload))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/sessions/", get(sessions::list))
        .route("/api/v1/hooks", get(hooks::list))
        .route("/api/v1/hooks/", get(hooks::list))
        .merge(records::routes())
        .merge(addresses::routes())
        .route("/metrics", get(prometheus))
        .route("/healthz", get(|| async { ([(header::CACHE_CONTROL, "no-store")], "ok\n") }))
        .with_state(api)
}

/// Returns the routes of the cluster, and of the drain.
fn cluster() -> Router<Api> {
    Router::new()
        .route("/api/v1/nodes", get(nodes::list))
        .route("/api/v1/nodes/", get(nodes::list))
        .route("/api/v1/drain", get(drain::show).post(drain::begin).delete(drain::cancel))
        .route("/readyz", get(drain::ready))
}

/// Returns the routes of the mixes.
fn mixes() -> Router<Api> {
    let all = || get(mixes::list).post(mixes::start);
    Router::new()
        .route("/api/v1/mixes", all())
        .route("/api/v1/mixes/", all())
        .route("/api/v1/mixes/{id}", get(mixes::show).patch(mixes::change).delete(mixes::stop))
}

/// Returns the routes that only the console needs.
fn console() -> Router<Api> {
    Router::new()
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/secrets", get(secrets::show))
        .route("/api/v1/secrets/publish", post(secrets::renew))
        .route("/api/v1/issuers", get(issuers::list))
        .route("/api/v1/log", get(log::list))
        .route("/api/v1/hooks/{id}/test", post(hooks::test))
        .route("/api/v1/logins", get(logins::list).post(logins::create))
        .route("/api/v1/logins/{id}", delete(logins::end))
}

/// Handles `GET /api/v1/openapi.json`: describes the API for programs that generate clients.
async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// The fields around every response.
#[derive(Serialize)]
struct Answer<T> {
    code: u32,
    server: String,
    service: String,
    pid: String,
    #[serde(flatten)]
    rest: T,
}

impl Api {
    fn answer(&self, rest: impl Serialize) -> Response {
        self.say(StatusCode::OK, 0, rest)
    }

    fn refuse(&self, status: StatusCode, code: u32, message: &str) -> Response {
        self.say(status, code, types::Message { message })
    }

    fn no_client(&self, id: &str) -> Response {
        let text = format!("there is no client {}; GET /api/v1/clients lists all clients", quoted(id));
        self.refuse(StatusCode::NOT_FOUND, CLIENT_NOT_FOUND, &text)
    }

    fn bad_range(&self) -> Response {
        self.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, "`start` and `count` must be numbers")
    }

    fn denied(&self, denied: Denied) -> Response {
        let mut response = self.refuse(denied.status(), DENIED, &denied.to_string());
        if let Denied::Slow(seconds) = denied {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn say(&self, status: StatusCode, code: u32, rest: impl Serialize) -> Response {
        let answer = Answer {
            code,
            server: self.0.context.ids.server.clone(),
            service: self.0.context.ids.service.clone(),
            pid: std::process::id().to_string(),
            rest,
        };
        (status, [(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
    }

    /// Returns the refusal of a client that is not the operator; `None` for the operator.
    async fn no_operator(&self, asked: &Asker) -> Option<Response> {
        self.0.context.auth.operate(&asked.about()).await.err().map(|denied| self.denied(denied))
    }

    /// Returns the refusal of a client that may not list streams; `None` if it may.
    async fn no_viewer(&self, asked: &Asker) -> Option<Response> {
        self.0.context.auth.sees_streams(&asked.about()).await.err().map(|denied| self.denied(denied))
    }
}

/// The sender of a request: its address and the headers.
struct Asker {
    peer: SocketAddr,
    head: Parts,
}

impl Asker {
    fn about(&self) -> AuthRequest<'_> {
        let secure = self.head.extensions.get::<Secure>().is_some();
        AuthRequest::http(None, &self.head.uri, &self.head.headers, self.peer)
            .by(self.head.version)
            .over(&self.head.method, secure)
    }

    /// Returns a fact about something that this client does.
    fn fact(&self) -> Fact {
        Fact { ip: Some(self.about().from), ..Fact::default() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = <ConnectInfo<SocketAddr> as FromRequestParts<S>>::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let ConnectInfo(peer) = ConnectInfo::from_request_parts(head, state).await?;
        Ok(Self { peer, head: head.clone() })
    }
}

async fn versions(State(api): State<Api>, asked: Asker) -> Response {
    let context = &api.0.context;
    let may_publish = match context.auth.is_free(Act::Publish, &asked.about()).await {
        Ok(may) => may,
        Err(denied) => return api.denied(denied),
    };
    let port = |entry| api.0.listening.port(entry);
    api.answer(types::versions(port("rtmp"), port("https"), may_publish))
}

async fn summaries(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_viewer(&asked).await {
        return refusal;
    }
    let uptime = api.0.started.elapsed();
    let (all, free) = process::machine_memory();
    let memory = process::memory();
    let share = |part: u64| if all == 0 { 0.0 } else { part as f64 / all as f64 };
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let [load_1m, load_5m, load_15m] = process::load();
    api.answer(types::Summaries {
        data: types::Summary {
            ok: true,
            now_ms: millis(SystemTime::now()),
            own: types::Process {
                version: env!("CARGO_PKG_VERSION"),
                pid: std::process::id(),
                mem_kbyte: memory / 1024,
                mem_percent: share(memory),
                cpu_percent: process::cpu().as_secs_f64()
                    / uptime.max(Duration::from_millis(1)).as_secs_f64(),
                srs_uptime: uptime.as_secs(),
            },
            system: types::System {
                mem_ram_kbyte: all / 1024,
                mem_ram_percent: share(all - free),
                cpus,
                cpus_online: cpus,
                uptime: process::uptime(),
                load_1m,
                load_5m,
                load_15m,
                conn_srs: api.0.gate.open(),
            },
        },
    })
}

/// The requested part of a list.
#[derive(Deserialize)]
struct Range {
    start: Option<usize>,
    count: Option<usize>,
}

impl Range {
    fn of<T, U>(&self, list: &[T], show: impl FnMut(&T) -> U) -> Vec<U> {
        // SRS treats a count below 1 as 1.
        let count = self.count.unwrap_or(COUNT).max(1);
        list.iter().skip(self.start.unwrap_or(0)).take(count).map(show).collect()
    }
}

/// The stream whose clients are requested; all if there is none.
#[derive(Deserialize)]
struct Wanted {
    stream: Option<String>,
}

/// The nodes whose lists are requested: `all`, or this one.
#[derive(Deserialize)]
struct NodesWanted {
    nodes: Option<String>,
}

impl NodesWanted {
    /// Returns the cluster whose nodes are asked; `None` for this node only.
    fn cluster<'a>(&self, api: &'a Api) -> Option<&'a Cluster> {
        api.0.cluster.get().filter(|_| self.nodes.as_deref() == Some("all"))
    }
}

type RangeQuery = Result<Query<Range>, QueryRejection>;

async fn streams(
    State(api): State<Api>,
    asked: Asker,
    range: RangeQuery,
    Query(from): Query<NodesWanted>,
) -> Response {
    if let Some(refusal) = api.no_viewer(&asked).await {
        return refusal;
    }
    let Ok(Query(range)) = range else { return api.bad_range() };
    if let Some(cluster) = from.cluster(&api) {
        return nodes::everywhere(&api, cluster, ListWanted::Streams, &range).await;
    }
    let clients = api.0.context.clients.list();
    let all = api.0.context.hub.streams();
    let streams = range.of(&all, |stream| types::Stream::of(stream, &clients, api.0.cluster.get()));
    api.answer(types::Streams { total: all.len(), streams })
}

async fn stream(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_viewer(&asked).await {
        return refusal;
    }
    let streams = api.0.context.hub.streams();
    match streams.iter().find(|stream| stream.id() == id) {
        Some(stream) => {
            let stream = types::Stream::of(stream, &api.0.context.clients.list(), api.0.cluster.get());
            api.answer(types::OneStream { stream })
        }
        None => {
            let text = format!("there is no stream {}; GET /api/v1/streams lists all streams", quoted(&id));
            api.refuse(StatusCode::NOT_FOUND, STREAM_NOT_FOUND, &text)
        }
    }
}

// The list contains addresses of people, so only the operator may read it.

async fn clients(
    State(api): State<Api>,
    asked: Asker,
    range: RangeQuery,
    Query(wanted): Query<Wanted>,
    Query(from): Query<NodesWanted>,
) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Ok(Query(range)) = range else { return api.bad_range() };
    if let Some(cluster) = from.cluster(&api) {
        return nodes::everywhere(&api, cluster, ListWanted::Clients(wanted.stream), &range).await;
    }
    let mut all = api.0.context.clients.list();
    if let Some(stream) = wanted.stream {
        all.retain(|client| client.stream.name().as_str() == stream);
    }
    let clients = range.of(&all, |client| types::Client::of(client));
    api.answer(types::Clients { total: all.len(), clients })
}

/// Returns the client with the id from a request path.
fn find(api: &Api, id: &str) -> Option<Arc<Client>> {
    api.0.context.clients.get(id.parse().ok()?)
}

async fn client(State(api): State<Api>, asked: Asker, Path(id): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    match find(&api, &id) {
        Some(client) => api.answer(types::OneClient { client: types::Client::of(&client) }),
        None => api.no_client(&id),
    }
}

async fn prometheus(State(api): State<Api>, asked: Asker) -> Response {
    if let Err(denied) = api.0.context.auth.sees_streams(&asked.about()).await {
        return Problem::from(denied).into_response();
    }
    let mut text = metrics::render(&api.0.context, &api.0.gate, &api.0.protocols);
    mix_metrics::render(&mut text, &api.0.mixes.list(), api.0.mixes.most());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Converts a time to milliseconds since 1970.
fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
