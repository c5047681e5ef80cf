//! The signalling protocol of SRS, at `ws://…/sig/v1/rtc`. With it, SRS's pages `one2one.html` and `room.html` join the
//! same rooms.
//!
//! A client sends `{tid, msg: {action, room, display, …}}`, and the response repeats `tid`. Notifications have no
//! `tid`. The display name is the participant's identifier, and so the last segment of the stream's name. These
//! clients do not support seat keys, so they need the right to publish on this gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::Request as HttpRequest;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::message::{Code, Failure, Id, Message, Request};
use super::registry::{is_name, now};
use super::role::Role;
use super::room_cell::{Deliveries, Delivery, RoomCell};
use super::socket::{self, Client, End, FLOOD, REFUSED, REMOVED, REPLACED, SLOW, SocketContext};
use super::state::{Bucket, CloseCode, Joining, PersonIdentity, participant_and_kind};
use super::text;
use crate::core::auth::{AuthRequest, visitor};
use crate::core::client::Act;
use crate::core::hub::StreamName;

/// Rate limit of one client: messages per second on average, and the maximum burst.
const MESSAGES: (u32, u32) = (20, 100);

/// A message from a client.
#[derive(Debug, Deserialize)]
struct Call {
    #[serde(default)]
    tid: Value,
    msg: Action,
}

#[derive(Debug, Deserialize)]
struct Action {
    action: String,
    #[serde(default)]
    room: String,
    #[serde(default)]
    display: String,
    #[serde(default)]
    call: String,
    #[serde(default)]
    data: String,
}

/// A participant, in the JSON format of SRS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Participant {
    display: Id,
    publishing: bool,
}

/// The participants of the room that a client has been told about, with whether they publish.
struct View {
    room: String,
    own: Id,
    others: BTreeMap<Id, bool>,
}

/// Handles a request for `/sig/v1/rtc`.
pub(super) fn serve(context: SocketContext, peer: SocketAddr, request: HttpRequest<Body>) -> Response {
    socket::upgrade(request, move |mut client, head| async move {
        let (code, text) = run(&context, peer, &head, &mut client).await;
        socket::say_goodbye(&mut client, code, text).await;
    })
}

async fn run(context: &SocketContext, peer: SocketAddr, head: &Parts, client: &mut Client) -> End {
    let call = match timeout(context.limits.header_timeout, next(client)).await {
        Err(_) => {
            return (
                REFUSED,
                format!("the client did not send `join` within {:?}", context.limits.header_timeout),
            );
        }
        Ok(Err(end)) => return end,
        Ok(Ok(call)) => call,
    };
    let rooms = &context.rooms;
    let refused = |text: &str| (REFUSED, text.to_owned());
    let Action { action, room, display, .. } = call.msg;
    let known =
        text::name(&display).filter(|name| *name == display && participant_and_kind(name).0 == display);
    let is_stream = StreamName::new(&room, &display)
        .is_ok_and(|name| (name.app(), name.stream()) == (room.as_str(), display.as_str()));
    if action != "join" || !is_name(&room) || known.is_none() || !is_stream {
        return refused(
            "the first message must have the action `join`, a room, and a display name that can name a stream",
        );
    }
    let request = AuthRequest::http(None, &head.uri, &head.headers, peer).by(head.version);
    match rooms.auth().is_free(Act::Publish, &request).await {
        Ok(true) => {}
        Ok(false) => return refused("publishing here needs the secret: add ?secret=… to the page's address"),
        Err(denied) => return refused(&denied.to_string()),
    }
    let cell = match rooms.open(&room) {
        Ok(cell) => cell,
        Err(failure) => return refused(&failure.text),
    };
    let (connection, id) = (rooms.connection(), Id::from(display));
    let identity = PersonIdentity { subject: None, address: visitor(&head.headers, peer) };
    let (name, role) = (id.to_string(), Role::Guest);
    let joining = Joining {
        connection,
        name,
        role,
        id: id.clone(),
        returns: false,
        keyless: true,
        identity,
        since: None,
    };
    let mut view = View { room, own: id.clone(), others: BTreeMap::new() };
    let joined = cell.join(rooms, joining, now(), |welcome| Message::Welcome(Box::new(welcome)));
    let mut deliveries = match joined {
        Ok(deliveries) => deliveries,
        Err(Failure { code: Code::Name, .. }) => {
            return refused(&format!(
                "the room has a participant of this name, {:?}: join under another name",
                &*id
            ));
        }
        Err(failure) => return refused(&failure.text),
    };
    // The participant's stream may be on air already.
    rooms.sync(&cell);
    let end = view.talk(context, &cell, call.tid, client, &mut deliveries).await;
    cell.forget(connection);
    // These clients have no seat key to return with, so the seat is freed immediately.
    cell.apply(rooms, |room| room.handle(&id, connection, Request::Leave, now()));
    end
}

/// Reads the next message.
async fn next(client: &mut Client) -> Result<Call, End> {
    loop {
        if let Some(call) = frame(client).await? {
            return Ok(call);
        }
    }
}

/// Reads one frame. Returns `None` if it contains no message.
async fn frame(client: &mut Client) -> Result<Option<Call>, End> {
    match client.next().await {
        None | Some(Ok(Frame::Close(_))) => Err((1000, String::new())),
        Some(Err(error)) => Err(socket::broken(&error)),
        Some(Ok(Frame::Text(text))) => {
            let wrong =
                |_| (REFUSED, "the message is not SRS signalling: send JSON with `tid` and `msg`".to_owned());
            serde_json::from_str(&text).map(Some).map_err(wrong)
        }
        Some(Ok(_)) => Ok(None),
    }
}

impl View {
    async fn talk(
        &mut self,
        context: &SocketContext,
        cell: &RoomCell,
        tid: Value,
        client: &mut Client,
        deliveries: &mut Deliveries,
    ) -> End {
        let stall = context.limits.stall_timeout;
        let mut rate = Bucket::new(MESSAGES.0, MESSAGES.1, now());
        let mut join = Some(tid);
        let (mut heard, mut pinged) = (Instant::now(), Instant::now());
        loop {
            let next_ping = pinged + socket::PING_INTERVAL;
            let answers = tokio::select! {
                delivery = deliveries.recv() => match delivery {
                    None => return (SLOW, "the client read its messages too slowly".to_owned()),
                    Some(Delivery::Close(code)) => return closed(code),
                    Some(Delivery::Text(text)) => {
                        let mut answers = self.notifications(&text);
                        // The first delivery is the welcome.
                        if let Some(tid) = join.take() {
                            answers = vec![json!({ "tid": tid, "msg": {
                                "action": "join", "room": self.room, "self": self.participant(&self.own),
                                "participants": self.participants(),
                            }})];
                        }
                        answers
                    }
                },
                call = frame(client) => match call {
                    Err(end) => return end,
                    Ok(_) if rate.take(1, now()).is_err() => {
                        let text = "the client sent too many messages: at most";
                        return (FLOOD, format!("{text} {} a second", MESSAGES.0));
                    }
                    Ok(call) => {
                        heard = Instant::now();
                        call.and_then(|call| self.answer(context, cell, call)).into_iter().collect()
                    }
                },
                () = sleep_until(next_ping) => {
                    // The page may be gone without closing the connection. It must not keep its seat.
                    if heard.elapsed() >= socket::CLIENT_TIMEOUT {
                        return (SLOW, format!("the client sent nothing for {:?}, not even a pong", socket::CLIENT_TIMEOUT));
                    }
                    pinged = Instant::now();
                    if !matches!(timeout(stall, client.send(Frame::Ping(Bytes::new()))).await, Ok(Ok(()))) {
                        return (SLOW, "the client reads nothing".to_owned());
                    }
                    Vec::new()
                }
                () = context.stop.cancelled() => {
                    return (1001, "the server is shutting down".to_owned());
                }
            };
            for answer in answers {
                let sent = timeout(stall, client.send(Frame::text(answer.to_string()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return (SLOW, "the client read its messages too slowly".to_owned());
                }
            }
        }
    }

    /// Returns the response to a message.
    fn answer(&self, context: &SocketContext, cell: &RoomCell, call: Call) -> Option<Value> {
        let Call { tid, msg } = call;
        match msg.action.as_str() {
            // The other clients are notified later, when the stream is on air.
            "publish" => {}
            "control" => cell.apply(&context.rooms, |room| room.control(&self.own, &msg.call, &msg.data)),
            _ => return None,
        }
        Some(json!({ "tid": tid, "msg": null }))
    }

    fn participant(&self, id: &Id) -> Participant {
        Participant { display: id.clone(), publishing: self.others.get(id).copied().unwrap_or_default() }
    }

    fn participants(&self) -> Vec<Participant> {
        self.others.keys().map(|id| self.participant(id)).collect()
    }

    fn notification(&self, event: &str, peer: &Participant, param: &str, data: &str) -> Value {
        json!({ "msg": {
            "action": "notify", "event": event, "param": param, "data": data, "room": self.room,
            "self": self.participant(&self.own), "peer": peer, "participants": self.participants(),
        }})
    }

    /// Translates a batch of the room's messages into notifications.
    fn notifications(&mut self, batch: &str) -> Vec<Value> {
        let messages: Vec<Value> = serde_json::from_str(batch).unwrap_or_default();
        let mut out = Vec::new();
        for message in &messages {
            let id = |value: &Value| value["id"].as_str().map(Id::from);
            match message["type"].as_str() {
                Some("welcome") => {
                    for person in message["people"].as_array().into_iter().flatten() {
                        self.learn(person);
                    }
                }
                Some("person") => out.extend(self.learn(&message["person"])),
                Some("left") => {
                    if let Some(id) = id(message).filter(|id| self.others.contains_key(id)) {
                        let peer = self.participant(&id);
                        self.others.remove(&id);
                        out.push(self.notification("leave", &peer, "", ""));
                    }
                }
                Some("control") => {
                    if let Some(id) = id(message).filter(|id| *id != self.own) {
                        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
                        out.push(self.notification(
                            "control",
                            &self.participant(&id),
                            &text("call"),
                            &text("data"),
                        ));
                    }
                }
                _ => {}
            }
        }
        out
    }

    /// Records a participant with a seat. Returns a notification if the participant joined or started to publish.
    fn learn(&mut self, person: &Value) -> Option<Value> {
        let id = person["id"].as_str().map(Id::from)?;
        let seated = matches!(person["role"].as_str(), Some("host" | "guest"));
        if !seated {
            return None;
        }
        let publishing = !person["stream"].is_null();
        let before = self.others.insert(id.clone(), publishing);
        let event = match before {
            None if publishing => "publish",
            None => "join",
            Some(false) if publishing => "publish",
            Some(_) => return None,
        };
        (id != self.own).then(|| self.notification(event, &self.participant(&id), "", ""))
    }
}

fn closed(code: CloseCode) -> End {
    match code {
        CloseCode::Left => (1000, String::new()),
        CloseCode::Replaced => (REPLACED, "the same seat joined from elsewhere".to_owned()),
        CloseCode::Removed => (REMOVED, "a host has removed you from this room".to_owned()),
    }
}
