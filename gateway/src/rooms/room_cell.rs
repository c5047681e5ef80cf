//! A room with its connections: delivers the messages that the state of the room returns.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::live::RoomMix;
use super::message::{Code, Failure, Message, Welcome};
use super::registry::Rooms;
use super::state::{CloseCode, Connection, Joining, Millis, Output, Room, Urgency};

/// Maximum number of batches in the queue of one client. A client whose queue is full is disconnected.
pub(super) const MAX_WAITING: usize = 64;
/// Maximum size of a batch in bytes. A message that does not fit starts the next batch.
const MAX_BATCH: usize = 256 << 10;

/// Maximum number of batches that are sent immediately between two ticks. Further urgent messages wait for the tick, so
/// that nobody can fill the queues of the other clients with many small batches.
const MAX_URGENT: u32 = 5;

/// An entry in a client's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delivery {
    /// A text message to send: a JSON array of messages.
    Text(Utf8Bytes),
    /// Close the connection with this code.
    Close(CloseCode),
}

/// The receiving end of a client's queue. If the queue ends, the client was too slow.
pub(super) type Deliveries = mpsc::Receiver<Delivery>;

/// A room and its connections.
#[derive(Debug)]
pub(super) struct RoomCell {
    pub(super) name: String,
    inner: Mutex<State>,
}

/// The sending end of a client's queue.
#[derive(Debug)]
struct Listener {
    sender: mpsc::Sender<Delivery>,
    /// Whether the client waits in the lobby. Such a client gets no messages that are for all clients.
    waits: bool,
}

/// The content of [`RoomCell`].
#[derive(Debug)]
struct State {
    room: Room,
    /// The mix that is the room's broadcast.
    mix: Option<RoomMix>,
    connections: HashMap<Connection, Listener>,
    /// The messages of the next batch, in JSON, separated by commas.
    batch: String,
    /// Number of batches that were sent immediately since the last tick.
    urgent: u32,
    /// Whether the registry has removed the room. A client that got the room from the registry before must not join it.
    closed: bool,
}

impl RoomCell {
    pub(super) fn new(name: &str, room: Room) -> Self {
        let inner = State {
            room,
            mix: None,
            connections: HashMap::new(),
            batch: String::new(),
            urgent: 0,
            closed: false,
        };
        Self { name: name.to_owned(), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, State> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the state of the room.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Room) -> T) -> T {
        read(&self.inner().room)
    }

    /// Closes the room for good if `is` returns true. Returns whether the room is closed.
    pub(super) fn close_if(&self, is: impl FnOnce(&Room) -> bool) -> bool {
        let inner = &mut *self.inner();
        inner.closed = inner.closed || is(&inner.room);
        inner.closed
    }

    /// Changes the state of the room, and carries out the returned actions.
    pub(super) fn apply(&self, rooms: &Rooms, change: impl FnOnce(&mut Room) -> Vec<Output>) {
        let inner = &mut *self.inner();
        let out = change(&mut inner.room);
        inner.deliver(rooms, &self.name, out);
    }

    /// Adds a client to the room. The first message in the returned queue is the one that `welcome` makes.
    ///
    /// # Errors
    /// The room is closed, or [`Room::join`] refuses the client.
    pub(super) fn join(
        &self,
        rooms: &Rooms,
        joining: Joining,
        now: Millis,
        welcome: impl FnOnce(Welcome) -> Message,
    ) -> Result<Deliveries, Failure> {
        let inner = &mut *self.inner();
        if inner.closed {
            return Err(Failure { retry: Some(1), ..Code::NoRoom.failure() });
        }
        // The collected messages are only for the clients that are in the room already.
        inner.flush();
        let connection = joining.connection;
        let mut out = Vec::new();
        let welcomed = inner.room.join(joining, now, &mut out);
        inner.deliver(rooms, &self.name, out);
        let welcomed = welcomed?;
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let waits = inner.room.waits(&welcomed.id);
        inner.connections.insert(connection, Listener { sender, waits: waits.is_some() });
        inner.send(connection, &welcome(welcomed));
        if let Some(waits) = waits {
            inner.send(connection, &waits);
        }
        Ok(receiver)
    }

    /// Removes a connection that has ended.
    pub(super) fn forget(&self, connection: Connection) {
        self.inner().connections.remove(&connection);
    }

    /// Sends a message to one client.
    pub(super) fn send(&self, connection: Connection, message: &Message) {
        self.inner().send(connection, message);
    }

    /// Sends the collected messages to all clients, once per tick.
    pub(super) fn flush(&self) {
        let inner = &mut *self.inner();
        inner.urgent = 0;
        inner.flush();
    }

    /// Calls `change` with the room and its mix.
    pub(super) fn with_mix(&self, change: impl FnOnce(&Room, &mut Option<RoomMix>)) {
        let inner = &mut *self.inner();
        change(&inner.room, &mut inner.mix);
    }

    /// Returns the id of the mix that is the room's broadcast.
    pub(super) fn mix_id(&self) -> Option<u64> {
        self.inner().mix.as_ref().map(RoomMix::id)
    }

    /// Returns the number of connections.
    pub(super) fn connections(&self) -> usize {
        self.inner().connections.len()
    }
}

impl State {
    /// Carries out the actions that the state of the room returned.
    fn deliver(&mut self, rooms: &Rooms, name: &str, out: Vec<Output>) {
        let mut urgent = false;
        for output in out {
            match output {
                Output::To(connection, message) => self.send(connection, &message),
                Output::Several(connection, messages) => self.send_batch(connection, &messages),
                Output::All(message, urgency) => {
                    urgent |= urgency == Urgency::Now;
                    self.add(&message);
                }
                Output::Seat { connection, id, role, reason } => {
                    let key = rooms.seat_key(name, &id, role);
                    if let Some(listener) = self.connections.get_mut(&connection) {
                        listener.waits = false;
                    }
                    self.send(connection, &Message::Seat { role, key, reason });
                }
                Output::Invite { connection, role, minutes } => {
                    let message = rooms.invitation(name, role, minutes);
                    self.send(connection, &message);
                }
                Output::Encoder { connection, id } => {
                    let message = rooms.encoder(name, id);
                    self.send(connection, &message);
                }
                Output::GoLive { connection } => {
                    if let Err(failure) = rooms.go_live(name, &self.room, &mut self.mix) {
                        self.send(connection, &Message::Error(Failure { about: Some("go_live"), ..failure }));
                    }
                }
                Output::StopLive { connection, card } => {
                    if let Err(failure) = rooms.stop_live(name, &card, &mut self.mix) {
                        self.send(
                            connection,
                            &Message::Error(Failure { about: Some("stop_live"), ..failure }),
                        );
                    }
                }
                Output::Close(connection, code) => {
                    // The collected messages are for this client, too, so they are sent before it is closed.
                    self.flush();
                    if let Some(listener) = self.connections.remove(&connection) {
                        let _ = listener.sender.try_send(Delivery::Close(code));
                    }
                }
                Output::EndMedia { id, reason } => rooms.end_media(name, &id, reason),
                Output::Log(message) => rooms.log_chat(name, &message),
            }
        }
        if urgent && self.urgent < MAX_URGENT {
            self.urgent += 1;
            self.flush();
        }
    }

    /// Adds a message for all clients to the batch.
    fn add(&mut self, message: &Message) {
        let Ok(json) = serde_json::to_string(message) else { return };
        if self.batch.len() + json.len() > MAX_BATCH {
            self.flush();
        }
        if !self.batch.is_empty() {
            self.batch.push(',');
        }
        self.batch.push_str(&json);
    }

    /// Sends the batch to all clients that do not wait in the lobby.
    fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let text = Utf8Bytes::from(format!("[{}]", std::mem::take(&mut self.batch)));
        // Dropping the sender of a client that is too slow closes its connection.
        self.connections.retain(|_, listener| {
            listener.waits || listener.sender.try_send(Delivery::Text(text.clone())).is_ok()
        });
    }

    fn send(&mut self, connection: Connection, message: &Message) {
        self.send_batch(connection, std::slice::from_ref(message));
    }

    /// Sends messages to one client, as one batch.
    fn send_batch(&mut self, connection: Connection, messages: &[Message]) {
        let Ok(json) = serde_json::to_string(messages) else { return };
        let Some(listener) = self.connections.get(&connection) else { return };
        if listener.sender.try_send(Delivery::Text(json.into())).is_err() {
            self.connections.remove(&connection);
        }
    }
}
