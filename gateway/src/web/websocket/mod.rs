//! The WebSocket protocol (RFC 6455), as far as the server needs it for viewers.
//!
//! Messages from a server are not masked, so all viewers can share the bytes of a message: its header and
//! these bytes are sent with one write. Publishers use tungstenite instead, because their messages are masked
//! and may be fragmented.

mod listener;
mod message;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(crate) use listener::{Listener, ViewerMessage};
pub(crate) use message::{PING, Pieces, Text, binary, close, pong};

use crate::net::worker::Socket;
use crate::web::problem::Problem;

/// Returns whether the request asks for a WebSocket.
pub(crate) fn asked(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Returns the response that turns `request` into a WebSocket, and the future connection.
pub(crate) fn accept(mut request: Request<Body>) -> Result<(Response, OnUpgrade), Problem> {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the gateway supports version 13 of WebSocket only",
        ));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let (Some(key), true) = (key, has_token(headers, header::CONNECTION, "upgrade")) else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "the request is not a WebSocket handshake"));
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the request is not a WebSocket handshake"))?;
    let mut answer = HeaderMap::new();
    answer.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    // A browser that offers subprotocols requires one of them in the response.
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok());
    let first = offered.and_then(|list| list.split(',').next()).map(str::trim);
    if let Some(first) = first.and_then(|name| HeaderValue::from_str(name).ok()) {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, first);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    Ok(((StatusCode::SWITCHING_PROTOCOLS, answer).into_response(), upgrade))
}

/// Returns the socket of an upgraded connection, and the bytes that were read from it already.
pub(crate) fn socket(upgraded: Upgraded) -> Option<(Socket, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    let mut socket = parts.io.into_inner();
    socket.read_always();
    Some((socket, parts.read_buf))
}
