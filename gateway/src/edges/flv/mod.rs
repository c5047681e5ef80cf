//! FLV over HTTP and WebSocket.
//!
//! `GET /live/x.flv` and `ws://…/live/x.flv` play; `POST /live/x.flv` and `ws://…/live/x.flv?action=publish`
//! publish. Start reading at [`serve`], which chooses the handler of a request. `play_direct` serves most
//! viewers without an HTTP library.

mod close;
mod ingest;
mod play;
mod play_direct;
mod play_ws;
mod publish;
mod service;
mod viewer;
mod wire;

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request, header};

pub use play_direct::Direct;
pub use service::Flv;

use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::core::client::{Act, ClientInfo};
use crate::core::hub::StreamName;
use crate::net::worker::Secure;
use crate::web::endpoint::MEDIA;
use crate::web::problem::Problem;
use crate::web::request::{address, query, shown, stream_name};
use crate::web::websocket as ws;

/// Handles a request for an address that ends in `.flv`.
pub async fn serve(context: Context, peer: SocketAddr, mut request: Request<Body>) -> Response {
    // The methods that come through are those that `answer` distinguishes.
    if let Some(response) = MEDIA.answer(request.method()) {
        return response;
    }
    let path = request.uri().path().to_owned();
    let admission = context.admission.clone();
    let (act, protocol) = wish(&request);
    let answer = match request.extensions_mut().remove::<Problem>() {
        Some(problem) => Err(problem),
        None => answer(context, act, client(protocol, peer, &request), request).await,
    };
    answer.unwrap_or_else(|problem| {
        admission.refused(act, protocol, peer, &path, &problem.detail);
        problem.into_response()
    })
}

/// Returns whether a request publishes or plays, and its protocol name.
fn wish(request: &Request<Body>) -> (Act, &'static str) {
    let websocket = ws::asked(request.headers());
    let told = query(request.uri().query().unwrap_or_default(), "action").next();
    let act = match *request.method() {
        Method::POST | Method::PUT => Act::Publish,
        Method::GET if websocket && told.as_deref() == Some("publish") => Act::Publish,
        _ => Act::Play,
    };
    (act, if websocket { "ws-flv" } else { "http-flv" })
}

async fn answer(
    context: Context,
    act: Act,
    info: ClientInfo,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let name = name(request.uri().path())?;
    let about =
        AuthRequest::http(Some(&name), request.uri(), request.headers(), info.peer).by(request.version());
    let admission = &context.admission;
    match (request.method(), act, info.protocol) {
        (&Method::GET, Act::Publish, _) => {
            let grant = admission.publish(&name, &about, info).await?;
            publish::by_websocket(&context, &grant, request)
        }
        (&Method::GET, Act::Play, "ws-flv") => {
            let admitted = admission.play(&name, &about, info.clone()).await;
            play_ws::by_websocket(context, &info, request, admitted)
        }
        (&Method::GET, Act::Play, _) => {
            let grant = admission.play(&name, &about, info).await?;
            play::by_http(context, grant, request).await
        }
        (&Method::HEAD, ..) => {
            admission.probe(Act::Play, &name, &about, &info).await?;
            play::head(&context, &name)
        }
        _ => {
            let grant = admission.publish(&name, &about, info).await?;
            publish::by_http(&context, &grant, request).await
        }
    }
}

/// Parses the stream name: `/live/x.flv` → `live/x`.
fn name(path: &str) -> Result<StreamName, Problem> {
    stream_name(path.strip_suffix(".flv").unwrap_or(path))
}

/// Describes the client that sent this request.
fn client(protocol: &'static str, peer: SocketAddr, request: &Request<Body>) -> ClientInfo {
    let scheme = if protocol.starts_with("ws") { "ws" } else { "http" };
    let secure = request.extensions().get::<Secure>().is_some();
    ClientInfo {
        protocol,
        peer,
        url: address(scheme, secure, request.headers(), request.uri().path()),
        agent: shown(request.headers(), header::USER_AGENT),
    }
}
