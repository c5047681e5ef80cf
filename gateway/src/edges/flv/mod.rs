//! FLV over HTTP and WebSocket: `GET /live/x.flv` and `ws://…/live/x.flv` play,
//! `ws://…/live/x.flv?action=publish` and `POST /live/x.flv` publish.

mod ingest;
mod play;
mod play_direct;
mod play_ws;
mod publish;
mod service;
mod viewer;
mod wire;
mod ws;

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Request, StatusCode, header};

pub use play_direct::Direct;
pub use service::Flv;

use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::core::hub::{ClientInfo, ClientKind, StreamName};
use crate::net::worker::Secure;
use crate::web::problem::Problem;

/// What the address of a stream takes.
const METHODS: &str = "GET, HEAD, POST, PUT, OPTIONS";

/// Answers a request for an address that ends in `.flv`.
pub async fn serve(context: Context, peer: SocketAddr, request: Request<Body>) -> Response {
    let path = request.uri().path().to_owned();
    let refusals = context.auth.refusals.clone();
    match answer(context, peer, request).await {
        Ok(response) => response,
        Err(problem) => {
            if refusals.count("flv", peer.ip()) {
                tracing::info!(%peer, stream = path, status = problem.status.as_u16(), why = problem.detail, "refused");
            }
            problem.into_response()
        }
    }
}

async fn answer(context: Context, peer: SocketAddr, request: Request<Body>) -> Result<Response, Problem> {
    let name = name(request.uri().path())?;
    let about = AuthRequest::http(Some(&name), request.uri(), request.headers(), peer).by(request.version());
    let publishes = query(about.query, "action").as_deref() == Some("publish");
    match (request.method(), ws::asked(request.headers())) {
        (&Method::GET, true) if publishes => {
            context.auth.publish(&about).await?;
            publish::by_websocket(context, name, peer, request)
        }
        (&Method::GET, true) => {
            let may = context.auth.play(&about).await;
            play_ws::by_websocket(context, name, peer, request, may)
        }
        (&Method::GET, false) => {
            context.auth.play(&about).await?;
            play::by_http(context, name, peer, request).await
        }
        (&Method::HEAD, _) => {
            context.auth.might_play(&about).await?;
            play::head(&context, &name)
        }
        (&Method::POST | &Method::PUT, _) => {
            context.auth.publish(&about).await?;
            publish::by_http(context, name, peer, request).await
        }
        _ => Ok(Problem::method(METHODS)),
    }
}

/// `/live/x.flv` → `live/x`.
fn name(path: &str) -> Result<StreamName, Problem> {
    let path = path.strip_suffix(".flv").unwrap_or(path);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    let decoded =
        decoded.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the stream's name is not UTF-8"))?;
    Ok(StreamName::parse(&decoded)?)
}

/// The first value of `key` in a query.
fn query(query: &str, key: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == key).map(|(_, value)| value.into_owned())
}

/// How the API shows whoever made this request.
fn client(protocol: &'static str, kind: ClientKind, peer: SocketAddr, request: &Request<Body>) -> ClientInfo {
    let text = |headers: &HeaderMap, name| {
        let value = headers.get(name).and_then(|v: &http::HeaderValue| v.to_str().ok()).unwrap_or_default();
        value.chars().take(200).collect::<String>()
    };
    let scheme = if protocol.starts_with("ws") { "ws" } else { "http" };
    let s = if request.extensions().get::<Secure>().is_some() { "s" } else { "" };
    let host = text(request.headers(), header::HOST);
    ClientInfo {
        protocol,
        kind,
        peer,
        // Without the query: it may hold a secret.
        url: format!("{scheme}{s}://{host}{}", request.uri().path()),
        agent: text(request.headers(), header::USER_AGENT),
    }
}
