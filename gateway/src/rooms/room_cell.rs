//! A room with its clients: delivers the messages that the state of the room returns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::delivery::{Attached, Batches, Delivery, Fans, Mailbox, Outlet, Pending, Subscription};
use super::live::RoomMix;
use super::message::{Code, Failure, Message, Welcome};
use super::registry::Rooms;
use super::state::{Connection, Joining, Millis, Output, Room, Urgency};
use crate::web::websocket::Text;

/// Maximum number of batches that are sent immediately between two ticks because of messages of participants. Further
/// urgent messages wait for the tick, so that nobody can make the room send many small batches.
const MAX_URGENT: u32 = 5;
/// The same for participants who come and go. It is a limit of its own, so that a crowd that comes does not delay the
/// messages of hosts.
const MAX_ARRIVALS: u32 = 2;
/// In a room with more clients than this, both limits are one batch.
pub(super) const MANY_CLIENTS: usize = 2_000;

/// A room and its clients.
#[derive(Debug)]
pub(super) struct RoomCell {
    pub(super) name: String,
    batches: Arc<Mutex<Batches>>,
    fans: Arc<Fans>,
    inner: Mutex<State>,
}

/// The content of [`RoomCell`].
#[derive(Debug)]
struct State {
    room: Room,
    /// The mix that is the room's broadcast.
    mix: Option<RoomMix>,
    clients: HashMap<Connection, Arc<Mailbox>>,
    pending: Pending,
    batches: Arc<Mutex<Batches>>,
    /// Number of batches so far.
    sent: u64,
    fans: Arc<Fans>,
    /// Number of batches that were sent immediately since the last tick, by their cause.
    urgent: [u32; 2],
    /// Whether the registry has removed the room. A client that got the room from the registry before must not join it.
    closed: bool,
}

/// What makes the room send messages.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// A message of a participant, an event of the hub, or time.
    Message,
    /// A participant came or left.
    Arrival,
}

impl RoomCell {
    pub(super) fn new(name: &str, room: Room) -> Self {
        let (batches, fans) = (Arc::<Mutex<Batches>>::default(), Arc::<Fans>::default());
        let inner = State {
            room,
            mix: None,
            clients: HashMap::new(),
            pending: Pending::default(),
            batches: batches.clone(),
            sent: 0,
            fans: fans.clone(),
            urgent: [0; 2],
            closed: false,
        };
        Self { name: name.to_owned(), batches, fans, inner: Mutex::new(inner) }
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
        inner.deliver(rooms, &self.name, out, Cause::Message);
    }

    /// Does the same for a change that removes a participant, or the participant's connection.
    pub(super) fn part(&self, rooms: &Rooms, change: impl FnOnce(&mut Room) -> Vec<Output>) {
        let inner = &mut *self.inner();
        let out = change(&mut inner.room);
        inner.deliver(rooms, &self.name, out, Cause::Arrival);
    }

    /// Adds a client to the room. The first message for the client is the one that `welcome` makes.
    ///
    /// # Errors
    /// The room is closed, or [`Room::join`] refuses the client.
    pub(super) fn join(
        &self,
        rooms: &Rooms,
        joining: Joining,
        now: Millis,
        welcome: impl FnOnce(Welcome) -> Message,
    ) -> Result<Subscription, Failure> {
        let inner = &mut *self.inner();
        if inner.closed {
            return Err(Failure { retry: Some(1), ..Code::NoRoom.failure() });
        }
        let connection = joining.connection;
        let mut out = Vec::new();
        let welcomed = inner.room.join(joining, now, &mut out);
        // The welcome contains what these messages say.
        inner.deliver(rooms, &self.name, out, Cause::Arrival);
        let welcomed = welcomed?;
        let waits = inner.room.waits(&welcomed.id);
        let mailbox = Arc::new(Mailbox::new(None));
        inner.clients.insert(connection, mailbox.clone());
        inner.send(connection, &welcome(welcomed));
        if let Some(waits) = waits {
            inner.send(connection, &waits);
        } else {
            inner.enter(&mailbox);
        }
        Ok(Subscription::new(mailbox, self.batches.clone()))
    }

    /// Delivers messages to a client through `outlet`, on this task's worker, until the returned value is dropped.
    pub(super) fn attach(&self, connection: Connection, outlet: Arc<dyn Outlet>) -> Attached {
        self.fans.attach(connection, outlet)
    }

    /// Removes a connection that has ended.
    pub(super) fn forget(&self, connection: Connection) {
        let inner = &mut *self.inner();
        inner.clients.remove(&connection);
        if inner.clients.is_empty() {
            inner.batches().clear();
        }
    }

    /// Sends a message to one client.
    pub(super) fn send(&self, connection: Connection, message: &Message) {
        self.inner().send(connection, message);
    }

    /// Sends the collected messages to all clients, once per tick.
    pub(super) fn flush(&self) {
        let inner = &mut *self.inner();
        inner.urgent = [0; 2];
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
        self.inner().clients.len()
    }
}

impl State {
    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out the actions that the state of the room returned.
    fn deliver(&mut self, rooms: &Rooms, name: &str, out: Vec<Output>, cause: Cause) {
        let mut urgent = false;
        for output in out {
            match output {
                Output::To(connection, message) => self.send(connection, &message),
                Output::Several(connection, messages) => self.send_batch(connection, &messages),
                Output::All(message, urgency) => {
                    urgent |= urgency == Urgency::Now;
                    self.pending.add(&message);
                    self.flush_if_full();
                }
                Output::Seat { connection, id, role, reason } => {
                    let key = rooms.seat_key(name, &id, role);
                    self.send(connection, &Message::Seat { role, key, reason });
                    if let Some(mailbox) = self.clients.get(&connection).cloned() {
                        self.enter(&mailbox);
                    }
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
                    if let Some(mailbox) = self.clients.remove(&connection) {
                        mailbox.push(self.sent, Delivery::Close(code));
                    }
                }
                Output::EndMedia { id, reason } => rooms.end_media(name, &id, reason),
                Output::Log(message) => rooms.log_chat(name, &message),
            }
        }
        let limit = match cause {
            _ if self.clients.len() > MANY_CLIENTS => 1,
            Cause::Message => MAX_URGENT,
            Cause::Arrival => MAX_ARRIVALS,
        };
        let [messages, arrivals] = &mut self.urgent;
        let count = match cause {
            Cause::Message => messages,
            Cause::Arrival => arrivals,
        };
        if urgent && *count < limit {
            *count += 1;
            self.flush();
        }
    }

    /// Lets a client get the messages for all clients from now on.
    fn enter(&mut self, mailbox: &Arc<Mailbox>) {
        if mailbox.enter(self.pending.first_for_new(self.sent)) {
            self.pending.came(mailbox);
            self.flush_if_full();
        }
    }

    fn flush_if_full(&mut self) {
        if self.pending.is_full() {
            self.flush();
        }
    }

    /// Sends the collected messages to all clients that do not wait in the lobby.
    fn flush(&mut self) {
        if let Some(end) = self.pending.send(&self.batches) {
            self.sent = end;
            self.fans.wake();
        }
    }

    fn send(&mut self, connection: Connection, message: &Message) {
        self.send_batch(connection, std::slice::from_ref(message));
    }

    /// Sends messages to one client, as one batch.
    fn send_batch(&mut self, connection: Connection, messages: &[Message]) {
        let Ok(json) = serde_json::to_string(messages) else { return };
        if let Some(mailbox) = self.clients.get(&connection) {
            mailbox.push(self.sent, Delivery::Text(Text::new(&json)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::message::{Change, Request};
    use super::super::role::Role;
    use super::super::settings::RoomsSettings;
    use super::super::state::PersonIdentity;
    use super::super::tests::rooms;
    use super::*;

    fn join(rooms: &Rooms, cell: &RoomCell, connection: Connection, role: Role) -> Subscription {
        let id = format!("p{connection}");
        let joining = Joining {
            connection,
            name: id.clone(),
            role,
            id: id.into(),
            returns: false,
            keyless: false,
            identity: PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            since: None,
        };
        cell.join(rooms, joining, 0, |welcome| Message::Welcome(Box::new(welcome))).unwrap()
    }

    fn say(rooms: &Rooms, cell: &RoomCell, connection: Connection, request: Request) {
        cell.apply(rooms, |room| room.handle(&format!("p{connection}").into(), connection, request, 0));
    }

    fn texts(client: &Subscription) -> Vec<String> {
        let texts = std::iter::from_fn(|| client.take()).map(|delivery| match delivery {
            Delivery::Text(text) => String::from_utf8(text.payload().to_vec()).unwrap(),
            other => format!("{other:?}"),
        });
        texts.collect()
    }

    #[tokio::test]
    async fn a_crowd_that_comes_and_goes_does_not_delay_the_hosts() {
        let rooms = rooms(&RoomsSettings::default());
        let cell = rooms.open("show").unwrap();
        let host = join(&rooms, &cell, 0, Role::Host);
        let lobby = Request::Settings(Change { lobby: Some(true), ..Change::default() });
        say(&rooms, &cell, 0, lobby);
        cell.flush();
        texts(&host);
        let before = cell.inner().sent;
        // Guests wait in the lobby, where the host sees each of them.
        let guests: Vec<_> = (1..=50).map(|n| join(&rooms, &cell, n, Role::Guest)).collect();
        assert_eq!(cell.inner().sent - before, u64::from(MAX_ARRIVALS));
        for n in 1..=20 {
            cell.part(&rooms, |room| room.handle(&format!("p{n}").into(), n, Request::Leave, 0));
        }
        assert_eq!(cell.inner().sent - before, u64::from(MAX_ARRIVALS));
        // A host is heard at once, with all who came before.
        let title = Request::Settings(Change { title: Some("now".to_owned()), ..Change::default() });
        say(&rooms, &cell, 0, title);
        assert_eq!(cell.inner().sent - before, u64::from(MAX_ARRIVALS) + 1);
        let heard = texts(&host);
        assert!(heard.last().unwrap().contains("\"title\":\"now\""));
        assert_eq!(heard.concat().matches("\"role\":\"waiting\"").count(), 50);
        assert_eq!(heard.concat().matches("\"type\":\"left\"").count(), 20);
        drop(guests);
    }

    #[tokio::test]
    async fn an_audience_comes_and_goes_without_a_batch() {
        let rooms = rooms(&RoomsSettings::default());
        let cell = rooms.open("show").unwrap();
        let host = join(&rooms, &cell, 0, Role::Host);
        cell.flush();
        let before = cell.inner().sent;
        let chat = |text: &str| Request::Chat { text: text.to_owned() };
        say(&rooms, &cell, 0, chat("early"));
        let crowd: Vec<_> = (1..=1_000).map(|n| join(&rooms, &cell, n, Role::Audience)).collect();
        say(&rooms, &cell, 0, chat("late"));
        for n in 1..=500 {
            cell.part(&rooms, |room| room.handle(&format!("p{n}").into(), n, Request::Leave, 0));
        }
        assert_eq!(cell.inner().sent, before);
        cell.flush();
        assert_eq!(cell.inner().sent, before + 1);
        let heard = texts(&host).concat();
        assert!(heard.contains("early") && heard.contains("late"));
        for client in &crowd[500..] {
            // The welcome has the earlier message.
            let heard = texts(client);
            assert_eq!(heard.len(), 2);
            assert!(heard[0].contains("early") && !heard[1].contains("early") && heard[1].contains("late"));
        }
        assert_eq!(texts(&crowd[0]).last().unwrap(), "Close(Left)");
    }
}
