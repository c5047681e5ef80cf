//! Serves one client of a room over a WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::request::Parts;
use http::{Request as HttpRequest, StatusCode};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as Code16;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role as SocketRole, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message as Frame, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use super::credentials::{self, Checked};
use super::message::{Code, Failure, Id, Join, Message, Request, Welcome};
use super::registry::{Rooms, is_name, now, shown_address};
use super::room_cell::{Deliveries, Delivery, RoomCell};
use super::state::{Bucket, CloseCode, Connection, Joining, PersonIdentity};
use super::text;
use crate::core::auth::{AuthRequest, visitor};
use crate::limits::Limits;
use crate::net::worker::{Permit, Socket};
use crate::web::problem::Problem;
use crate::web::websocket as ws;

/// Maximum size of a message from a client in bytes.
pub(super) const MAX_MESSAGE: usize = 16 << 10;
/// Rate limit of one client: messages per second on average, and the maximum burst.
const MESSAGES: (u32, u32) = (20, 100);
/// Rate limit of one client: bytes per second on average, and the maximum burst.
const BYTES: (u32, u32) = (64 << 10, 128 << 10);
/// Interval of the pings that find lost connections.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A client that sends nothing for this long, not even a pong, is lost.
pub(super) const CLIENT_TIMEOUT: Duration = Duration::from_secs(40);
/// Size of a connection's read buffer in bytes.
const READ_BUFFER: usize = 4 << 10;

// Close codes. Those from 4000 on are the protocol's own (see `docs/rooms.md`), the others are from RFC 6455.
pub(super) const REPLACED: u16 = 4000;
pub(super) const REMOVED: u16 = 4001;
pub(super) const REFUSED: u16 = 4003;
pub(super) const SLOW: u16 = 4008;
pub(super) const FLOOD: u16 = 4029;
const NORMAL: u16 = 1000;
const STOPPING: u16 = 1001;
const PROTOCOL: u16 = 1002;
const UNSUPPORTED: u16 = 1003;
const TOO_LARGE: u16 = 1009;

/// The parts of the gateway that a connection uses.
#[derive(Debug, Clone)]
pub(super) struct SocketContext {
    pub(super) rooms: Rooms,
    pub(super) limits: Arc<Limits>,
    pub(super) stop: CancellationToken,
}

/// The WebSocket of a client.
pub(super) type Client = WebSocketStream<Socket>;

/// The end of a connection: a close code and a text.
pub(super) type End = (u16, String);

/// Handles `ws://…/api/v1/rooms/NAME`.
pub(super) fn serve(
    context: SocketContext,
    room: String,
    peer: SocketAddr,
    request: HttpRequest<Body>,
) -> Response {
    if !is_name(&room) {
        let text = format!(
            "{room:?} cannot name a room: a name has 1 to 64 bytes, without spaces, and is not an address of the gateway (api, rtc …)"
        );
        return Problem::new(StatusCode::BAD_REQUEST, text).into_response();
    }
    upgrade(request, move |mut client, head| async move {
        let (code, text) = run(&context, &room, peer, &head, &mut client).await;
        say_goodbye(&mut client, code, text).await;
    })
}

/// Upgrades a request to a WebSocket. `run` serves the WebSocket in a task on this worker.
pub(super) fn upgrade<F: Future<Output = ()> + Send + 'static>(
    request: HttpRequest<Body>,
    run: impl FnOnce(Client, Parts) -> F + Send + 'static,
) -> Response {
    if !ws::asked(request.headers()) {
        let problem =
            Problem::new(StatusCode::UPGRADE_REQUIRED, "this address accepts WebSocket requests only");
        return problem.into_response();
    }
    let permit = request.extensions().get::<Arc<Permit>>().cloned();
    let mut head = HttpRequest::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    let (head, ()) = head.into_parts();
    let (response, upgrade) = match ws::accept(request) {
        Ok(accepted) => accepted,
        Err(problem) => return problem.into_response(),
    };
    tokio::spawn(async move {
        // hyper no longer manages the connection. The permit counts it until this task ends.
        let _permit = permit;
        let Some((socket, read)) = upgrade.await.ok().and_then(ws::socket) else { return };
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE))
            .write_buffer_size(0)
            .max_write_buffer_size(1 << 20);
        let client =
            WebSocketStream::from_partially_read(socket, read.into(), SocketRole::Server, Some(config)).await;
        run(client, head).await;
    });
    response
}

/// Serves a client. Returns the close code and text of the connection.
async fn run(
    context: &SocketContext,
    room: &str,
    peer: SocketAddr,
    head: &Parts,
    client: &mut Client,
) -> End {
    let join = match timeout(context.limits.header_timeout, first(client)).await {
        Err(_) => {
            return (
                REFUSED,
                format!("the client did not send `join` within {:?}", context.limits.header_timeout),
            );
        }
        Ok(Err(end)) => return end,
        Ok(Ok(join)) => join,
    };
    let name = match &join {
        Some(join) if join.version != 1 => Err(Code::Version.failure()),
        Some(join) => text::name(&join.name).ok_or_else(|| Code::Name.failure()),
        None => Err(Code::NotJoined.failure()),
    };
    let (name, join) = match name {
        Ok(name) => (name, join.unwrap_or_default()),
        Err(failure) => return refuse(client, failure).await,
    };
    let request = AuthRequest::http(None, &head.uri, &head.headers, peer).by(head.version);
    let checked = match credentials::check(&context.rooms, room, &join, &request).await {
        Ok(checked) => checked,
        Err(failure) => return refuse(client, failure).await,
    };
    let cell = match context.rooms.open(room) {
        Ok(cell) => cell,
        Err(failure) => return refuse(client, failure).await,
    };
    let identity = PersonIdentity { subject: checked.subject.clone(), address: visitor(&head.headers, peer) };
    let connection = context.rooms.connection();
    let returns = checked.seat.is_some() && checked.role.has_seat();
    let (id, mut deliveries) =
        match enter(&context.rooms, &cell, connection, name, checked, identity, join.since) {
            Ok(entered) => entered,
            Err(failure) => return refuse(client, failure).await,
        };
    if returns {
        // The participant's streams may be on air already. While the participant was not in the room, the room ignored
        // the small stream and the screen.
        context.rooms.sync(&cell);
    }
    let from = shown_address(peer);
    tracing::debug!(room, %id, from, "participant joined");
    let member = Member { context, cell: &cell, connection, id: &id };
    let end = member.talk(client, &mut deliveries).await;
    // The connection is removed first, so that the room sends nothing more to it.
    cell.forget(connection);
    cell.apply(&context.rooms, |room| room.lose(&id, connection, now()));
    tracing::debug!(room, %id, from, code = end.0, "participant disconnected");
    end
}

/// Adds the client to the room. Returns its identifier and its queue.
fn enter(
    rooms: &Rooms,
    cell: &RoomCell,
    connection: Connection,
    name: String,
    checked: Checked,
    identity: PersonIdentity,
    since: Option<u64>,
) -> Result<(Id, Deliveries), Failure> {
    let returns = checked.seat.is_some();
    let mut id = checked.seat.unwrap_or_else(|| credentials::new_id(&name));
    while !returns && cell.read(|room| room.knows(&id)) {
        id = credentials::new_id(&name);
    }
    let joining = Joining {
        connection,
        name,
        role: checked.role,
        id: id.clone(),
        returns,
        keyless: false,
        identity,
        since,
    };
    let deliveries = cell.join(rooms, joining, now(), |welcome| {
        let key = rooms.seat_key(&cell.name, &welcome.id, welcome.role);
        Message::Welcome(Box::new(Welcome { key, ..welcome }))
    })?;
    Ok((id, deliveries))
}

/// Reads the first message. Returns `None` if it is not `join`.
async fn first(client: &mut Client) -> Result<Option<Join>, End> {
    loop {
        match client.next().await {
            None | Some(Ok(Frame::Close(_))) => return Err((NORMAL, String::new())),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(Frame::Text(text))) => {
                return Ok(match serde_json::from_str(&text) {
                    Ok(Request::Join(join)) => Some(join),
                    _ => None,
                });
            }
            Some(Ok(Frame::Binary(_))) => return Err(binary()),
            Some(Ok(_)) => {}
        }
    }
}

/// Sends a client the reason why it may not join. Returns the close code and text.
pub(super) async fn refuse(client: &mut Client, failure: Failure) -> End {
    let text = failure.text.clone();
    let failure = Failure { about: Some("join"), ..failure };
    if let Ok(json) = serde_json::to_string(&[Message::Error(failure)]) {
        // If sending fails, the client is gone already.
        let _ = client.send(Frame::text(json)).await;
    }
    (REFUSED, text)
}

/// A client in a room.
struct Member<'a> {
    context: &'a SocketContext,
    cell: &'a RoomCell,
    connection: Connection,
    id: &'a Id,
}

impl Member<'_> {
    /// Exchanges messages with the client until the connection ends.
    async fn talk(&self, client: &mut Client, deliveries: &mut Deliveries) -> End {
        let stall = self.context.limits.stall_timeout;
        let mut messages = Bucket::new(MESSAGES.0, MESSAGES.1, now());
        let mut bytes = Bucket::new(BYTES.0, BYTES.1, now());
        let (mut heard, mut pinged) = (Instant::now(), Instant::now());
        loop {
            let next_ping = pinged + PING_INTERVAL;
            tokio::select! {
                delivery = deliveries.recv() => {
                    let text = match delivery {
                        None => return (SLOW, "the client read its messages too slowly".to_owned()),
                        Some(Delivery::Close(code)) => return closed(code),
                        Some(Delivery::Text(text)) => text,
                    };
                    match timeout(stall, client.send(Frame::Text(text))).await {
                        Err(_) => return (SLOW, "the client read its messages too slowly".to_owned()),
                        Ok(Err(error)) => return broken(&error),
                        Ok(Ok(())) => {}
                    }
                }
                frame = client.next() => {
                    heard = Instant::now();
                    let text = match frame {
                        None | Some(Ok(Frame::Close(_))) => return (NORMAL, String::new()),
                        Some(Err(error)) => return broken(&error),
                        Some(Ok(Frame::Binary(_))) => return binary(),
                        Some(Ok(Frame::Text(text))) => text,
                        Some(Ok(_)) => Utf8Bytes::default(),
                    };
                    let size = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    let now = now();
                    if messages.take(1, now).is_err() || bytes.take(size, now).is_err() {
                        let text = "the client sent too many messages: at most";
                        return (FLOOD, format!("{text} {} and {} bytes a second", MESSAGES.0, BYTES.0));
                    }
                    if !text.is_empty() {
                        self.handle(&text);
                    }
                }
                () = sleep_until(next_ping) => {
                    if heard.elapsed() >= CLIENT_TIMEOUT {
                        return (SLOW, format!("the client sent nothing for {CLIENT_TIMEOUT:?}, not even a pong"));
                    }
                    pinged = Instant::now();
                    if !matches!(timeout(stall, client.send(Frame::Ping(Bytes::new()))).await, Ok(Ok(()))) {
                        return (SLOW, "the client reads nothing".to_owned());
                    }
                }
                () = self.context.stop.cancelled() => {
                    return (STOPPING, "the server is shutting down".to_owned());
                }
            }
        }
    }

    fn handle(&self, text: &str) {
        let Ok(request) = serde_json::from_str::<Request>(text) else {
            self.cell.send(self.connection, &Message::Error(Code::BadMessage.failure()));
            return;
        };
        self.cell.apply(&self.context.rooms, |room| room.handle(self.id, self.connection, request, now()));
    }
}

/// Returns the close code and text for a connection that the room closes.
fn closed(code: CloseCode) -> End {
    let (code, text) = match code {
        CloseCode::Left => (NORMAL, ""),
        CloseCode::Replaced => (REPLACED, "the same seat joined from elsewhere"),
        CloseCode::Removed => (REMOVED, "a host has removed you from this room"),
    };
    (code, text.to_owned())
}

/// Returns the close code and text for a client that sends a binary message.
fn binary() -> End {
    (UNSUPPORTED, "send messages as text, not as binary data".to_owned())
}

/// Returns the close code and text for a WebSocket error.
pub(super) fn broken(error: &Error) -> End {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (TOO_LARGE, format!("a message has at most {MAX_MESSAGE} bytes"))
        }
        Error::Protocol(_) | Error::Utf8(_) => (PROTOCOL, "the data is not WebSocket (RFC 6455)".to_owned()),
        _ => (NORMAL, String::new()),
    }
}

/// Sends the close code and text, and waits a short time for the client to receive them.
pub(super) async fn say_goodbye(client: &mut Client, code: u16, mut text: String) {
    while text.len() > 123 {
        text.pop();
    }
    let close = Frame::Close(Some(CloseFrame { code: Code16::from(code), reason: text.into() }));
    let heard = async {
        if client.send(close).await.is_ok() {
            while let Some(Ok(_)) = client.next().await {}
        }
    };
    // If the client does not close its side in time, the connection is dropped.
    let _ = timeout(Duration::from_secs(2), heard).await;
}
