//! All rooms of the gateway.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

use super::chat_log::ChatLog;
use super::message::{ChatMessage, Code, Failure, Id, Message};
use super::pass::Passes;
use super::role::Role;
use super::room_cell::RoomCell;
use super::settings::RoomsSettings;
use super::state::{Connection, Millis, Room, RoomLimits, USUAL_APP, streams_of};
use crate::context::Context;
use crate::core::auth::Auth;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientGroup, Clients, Hub, StreamName};
use crate::jobs::mix::Mixes;

/// Time for which an empty room is kept, with its chat and its list of removed participants.
pub(super) const KEEP_ROOM: Millis = 3_600_000;
/// Maximum length of a room's name in bytes.
const MAX_NAME: usize = 64;
/// First segments that a room's name must not have, because they are paths of the gateway.
const RESERVED: [&str; 6] = ["api", "rtc", "sig", "rooms", "players", "srs-player"];

/// All rooms. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Rooms(Arc<Inner>);

/// The content of [`Rooms`].
#[derive(Debug)]
struct Inner {
    pub(super) settings: RoomsSettings,
    passes: Passes,
    chat_log: Option<ChatLog>,
    hub: Hub,
    mixes: Mixes,
    clients: Clients,
    auth: Arc<Auth>,
    rooms: Mutex<HashMap<String, Arc<RoomCell>>>,
    /// Notified when a room is opened.
    opened: Notify,
    next_connection: AtomicU64,
}

impl Rooms {
    /// Creates an empty registry. The key that signs passes is in the folder `data`.
    ///
    /// # Errors
    /// The key cannot be read or created.
    pub(super) fn new(
        context: &Context,
        settings: &RoomsSettings,
        data: &Path,
        mixes: &Mixes,
    ) -> io::Result<Self> {
        let chat_log = settings.chat_log.then(|| ChatLog::new(data));
        Ok(Self(Arc::new(Inner {
            settings: settings.clone(),
            passes: Passes::kept(data)?,
            chat_log,
            hub: context.hub.clone(),
            mixes: mixes.clone(),
            clients: context.clients.clone(),
            auth: context.auth.clone(),
            rooms: Mutex::default(),
            opened: Notify::new(),
            next_connection: AtomicU64::new(0),
        })))
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<String, Arc<RoomCell>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn passes(&self) -> &Passes {
        &self.0.passes
    }

    pub(super) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(super) fn mixes(&self) -> &Mixes {
        &self.0.mixes
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Returns a new number for a connection.
    pub(super) fn connection(&self) -> Connection {
        self.0.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the room with this name, if it is open.
    pub(super) fn get(&self, name: &str) -> Option<Arc<RoomCell>> {
        self.rooms().get(name).cloned()
    }

    /// Returns all rooms.
    pub(super) fn all(&self) -> Vec<Arc<RoomCell>> {
        self.rooms().values().cloned().collect()
    }

    /// Resolves when a room has been opened since the last call.
    pub(super) async fn opened(&self) {
        self.0.opened.notified().await;
    }

    /// Returns the room with this name; opens it if there is none. If there are too many rooms, closes the room that
    /// has been empty for longest.
    ///
    /// # Errors
    /// There are too many rooms, and none of them is empty.
    pub(super) fn open(&self, name: &str) -> Result<Arc<RoomCell>, Failure> {
        let now = now();
        let mut rooms = self.rooms();
        if let Some(cell) = rooms.get(name) {
            return Ok(cell.clone());
        }
        if rooms.len() >= self.0.settings.max_rooms {
            let empty = rooms
                .values()
                .filter_map(|cell| cell.read(Room::empty_since).map(|since| (since, cell.name.clone())));
            let oldest = empty.min().map(|(_, name)| name);
            let closes = |name: &String| {
                rooms.get(name).is_some_and(|cell| cell.close_if(|room| room.empty_since().is_some()))
            };
            let Some(oldest) = oldest.filter(closes) else {
                let text = format!(
                    "the gateway already has {} rooms, as many as --max-rooms allows: try again later, or raise it",
                    rooms.len()
                );
                return Err(Failure { text, ..Code::Full.failure() });
            };
            if let Some(closed) = rooms.remove(&oldest) {
                self.end_mix(&closed);
            }
        }
        let room = Room::new(name, RoomLimits { seats: self.0.settings.room_seats }, now);
        let cell = Arc::new(RoomCell::new(name, room));
        rooms.insert(name.to_owned(), cell.clone());
        drop(rooms);
        self.0.opened.notify_one();
        tracing::info!(room = name, "room opened");
        // Encoders may have started to publish before the room was opened.
        self.sync(&cell);
        Ok(cell)
    }

    /// Closes the rooms that have been empty for [`KEEP_ROOM`].
    pub(super) fn sweep(&self, now: Millis) {
        self.rooms().retain(|_, cell| {
            let closed =
                cell.close_if(|room| room.empty_since().is_some_and(|since| now >= since + KEEP_ROOM));
            if closed {
                self.end_mix(cell);
                tracing::info!(room = cell.name, "room closed");
            }
            !closed
        });
    }

    /// Returns a seat key for a participant.
    pub(super) fn seat_key(&self, room: &str, id: &str, role: Role) -> String {
        self.0.passes.seat(room, id, role, now() / 1000)
    }

    /// Returns an invitation that is valid for `minutes`, as the message to the host who asked for it.
    pub(super) fn invitation(&self, room: &str, role: Role, minutes: u32) -> Message {
        let until = now() / 1000 + u64::from(minutes) * 60;
        Message::InviteMade { invite: self.0.passes.invite(room, role, until), role, until: until * 1000 }
    }

    /// Returns a seat key for an encoder, as the message to the host who asked for it.
    pub(super) fn encoder(&self, room: &str, id: Id) -> Message {
        let key = self.seat_key(room, &id, Role::Guest);
        Message::EncoderMade { stream: format!("{room}/{id}"), id, key }
    }

    /// Closes the media connections of a participant: those that publish the participant's streams, and those that
    /// use the seat key.
    pub(super) fn end_media(&self, room: &str, id: &str, reason: &'static str) {
        let closed = CloseReason::Refused(reason.to_owned());
        let seat = ClientGroup::Seat { room: Arc::from(room), id: Arc::from(id) };
        self.hub().end_waiting_group(&seat, &closed);
        self.0.clients.close_group(&seat, &closed);
        for name in streams_of(id).iter().filter_map(|stream| StreamName::new(room, stream).ok()) {
            self.0.clients.close_group(&ClientGroup::Publishers(name), &closed);
        }
    }

    /// Writes a message to the chat log, if the log is turned on.
    pub(super) fn log_chat(&self, room: &str, message: &ChatMessage) {
        if let Some(log) = &self.0.chat_log {
            // A lost message is counted.
            let _ = log.write(room, message);
        }
    }
}

/// Returns whether this is a valid name for a room. It must be a valid application name, which may have several
/// segments (`site/show`).
pub(super) fn is_name(name: &str) -> bool {
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    // The streams of a room below `live/` would be the broadcasts of other rooms.
    let below = first == USUAL_APP && parts.next().is_some();
    name.len() <= MAX_NAME
        && !below
        && !RESERVED.contains(&first)
        && StreamName::new(name, "x").is_ok_and(|parsed| parsed.app() == name)
}

/// Returns the current time in milliseconds since 1970.
pub(super) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}

/// Returns the address of a client as it is shown in the log.
pub(super) fn shown_address(peer: SocketAddr) -> String {
    peer.to_string()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::state::{Joining, PersonIdentity};
    use super::super::tests::rooms;
    use super::*;

    fn join(rooms: &Rooms, room: &str, id: &str) -> Result<Connection, Code> {
        let connection = rooms.connection();
        let joining = Joining {
            connection,
            name: id.to_owned(),
            role: Role::Host,
            id: id.into(),
            returns: false,
            keyless: false,
            identity: PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            since: None,
        };
        let cell = rooms.open(room).map_err(|failure| failure.code)?;
        let joined = cell.join(rooms, joining, now(), |welcome| Message::Welcome(Box::new(welcome)));
        joined.map(|_| connection).map_err(|failure| failure.code)
    }

    #[tokio::test]
    async fn an_empty_room_is_forgotten_after_an_hour() {
        let rooms = rooms(&RoomsSettings::default());
        let anna = join(&rooms, "show", "anna").unwrap();
        rooms.sweep(now() + 100 * KEEP_ROOM);
        let cell = rooms.get("show").unwrap();
        // The time of the loss, and the time at which the seat is free.
        let lost = now();
        cell.part(&rooms, |room| room.lose(&"anna".into(), anna, lost));
        cell.apply(&rooms, |room| room.tick(lost + 10_000));
        rooms.sweep(lost + 10_000 + KEEP_ROOM - 1);
        assert!(rooms.get("show").is_some());
        rooms.sweep(lost + 10_000 + KEEP_ROOM);
        assert!(rooms.get("show").is_none());
        // A client that found the room just before cannot join it any more.
        assert!(cell.close_if(|_| false));
        join(&rooms, "show", "bert").unwrap();
        assert!(!Arc::ptr_eq(&cell, &rooms.get("show").unwrap()));
    }

    #[tokio::test]
    async fn there_are_a_thousand_rooms_at_most() {
        let rooms = rooms(&RoomsSettings { max_rooms: 1_000, ..RoomsSettings::default() });
        for n in 0..1_000 {
            join(&rooms, &format!("room-{n}"), "anna").unwrap();
        }
        assert_eq!(join(&rooms, "one-more", "anna"), Err(Code::Full));
        let request = http::Request::new(()).into_parts().0;
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let response = super::super::list::answer(&rooms, peer, &request).await;
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let mut names: Vec<_> = list["rooms"].as_array().unwrap().iter().map(|room| &room["name"]).collect();
        names.dedup();
        assert_eq!(names.len(), 1_000);
    }

    #[test]
    fn a_room_is_named_like_an_application() {
        for name in ["friday-show", "live", "安娜", "site/show", "a.b"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(65);
        for name in [
            "live/x", "live/a/b", "", "/", "a/", "/a", "a//b", "..", "a/../b", ".a", "a b", "a%2Fb", "a?b",
            "api", "api/x", "rtc", &long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
