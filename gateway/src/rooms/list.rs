//! `GET /api/v1/rooms`: lists the rooms in which at least one participant has a seat.

use std::net::SocketAddr;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header;
use http::request::Parts;
use serde::Serialize;

use super::message::{Id, PersonInfo};
use super::registry::Rooms;
use super::room_cell::RoomCell;
use crate::core::auth::AuthRequest;
use crate::web::endpoint::FILE;
use crate::web::problem::Problem;

#[derive(Serialize)]
struct List {
    code: u32,
    rooms: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    title: String,
    /// The name of the room's broadcast stream, if it is on air.
    live: Option<String>,
    locked: bool,
    audience: usize,
    likes: u64,
    seats: usize,
    /// When the room was opened, in milliseconds since 1970.
    since: u64,
    hosts: Vec<Seated>,
}

#[derive(Serialize)]
struct Seated {
    id: Id,
    name: String,
    stream: Option<String>,
    small: Option<String>,
}

/// Handles the request. A client that may list streams may also list rooms.
pub(super) async fn answer(rooms: &Rooms, peer: SocketAddr, request: &Parts) -> Response {
    if let Some(response) = FILE.answer(&request.method) {
        return FILE.share(response);
    }
    let about = AuthRequest::http(None, &request.uri, &request.headers, peer).by(request.version);
    if let Err(denied) = rooms.auth().sees_streams(&about).await {
        return FILE.share(Problem::from(denied).into_response());
    }
    let mut listed: Vec<Listed> = rooms.all().iter().filter_map(|cell| list(cell)).collect();
    listed.sort_by(|a, b| {
        (b.live.is_some(), b.audience, &a.name).cmp(&(a.live.is_some(), a.audience, &b.name))
    });
    let headers = [(header::CACHE_CONTROL, "no-store")];
    FILE.share((headers, Json(List { code: 0, rooms: listed })).into_response())
}

/// Returns the entry of a room; `None` if no participant has a seat.
fn list(cell: &RoomCell) -> Option<Listed> {
    cell.read(|room| {
        let seated = room.people().into_iter().filter(|person| person.role.has_seat());
        let hosts: Vec<Seated> = seated
            .map(|PersonInfo { id, name, stream, small, .. }| Seated { id, name, stream, small })
            .collect();
        let info = room.info();
        (!hosts.is_empty()).then(|| Listed {
            name: info.name,
            title: info.title,
            live: info.live.stream,
            locked: info.locked,
            audience: info.audience,
            likes: info.likes,
            seats: info.seats,
            since: room.opened(),
            hosts,
        })
    })
}
