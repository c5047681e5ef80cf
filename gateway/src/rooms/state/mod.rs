//! The state of a room: pure, without clock, socket and random numbers.
//!
//! [`Room`] takes what happens (a participant joins, a message comes, a stream starts, time passes) and returns what to
//! do, as a list of [`Output`]s. `join` lets participants in, `request` handles their messages, `moderate` those of
//! hosts, `media` follows the streams, `chat` keeps the messages, `speaker` finds who speaks.

mod bucket;
mod chat;
mod join;
mod media;
mod moderate;
mod person;
mod request;
mod speaker;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

pub(super) use self::bucket::Bucket;
use self::chat::Chat;
pub(super) use self::join::{Joining, Who};
pub(super) use self::media::{OnAir, SILENT, part_of};
use self::person::Person;
use self::speaker::Speaker;
use super::message::{
    ChatMessage, ChatMode, Code, Failure, Id, Layout, Leaving, Live, Message, PersonInfo, RoomInfo,
    SeatReason,
};
use super::role::Role;

/// Milliseconds since 1970.
pub(super) type Millis = u64;

/// A connection of a client.
pub(super) type Connection = u64;

/// How long a seat is kept for a participant whose connection is lost.
pub(super) const KEEP_SEAT: Millis = 10_000;
/// Interval of the messages with the size of the audience and the likes.
const COUNTS_INTERVAL: Millis = 500;
/// Maximum number of removed, of lowered and of silenced participants that a room remembers.
const MAX_REMEMBERED: usize = 1_000;
/// Maximum number of members of the audience who are listed, because they raised a hand or are invited.
const MAX_LISTED: usize = 100;
/// Maximum length of the texts in a call of a page of SRS, in characters.
const MAX_CONTROL: usize = 300;
/// The usual application: in the room of this name, streams without a participant are not participants.
pub(super) const USUAL_APP: &str = "live";

/// What to do after something happened.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Output {
    /// Send a message to one client.
    To(Connection, Message),
    /// Send a message to all clients: at once, or with the next batch.
    All(Message, Urgency),
    /// Send a client its new role, with a key for it.
    Seat { connection: Connection, id: Id, role: Role, reason: SeatReason },
    /// Send a client an invitation of this role for this many minutes.
    Invite { connection: Connection, role: Role, minutes: u32 },
    /// Send a client the key of a seat for an encoder.
    Encoder { connection: Connection, id: Id },
    /// Close a connection.
    Close(Connection, CloseCode),
    /// End everything that a participant publishes, and plays with the seat key.
    EndMedia { id: Id, reason: &'static str },
    /// Write a message into the log of the chat.
    Log(ChatMessage),
}

/// When to send a message to all clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Now,
    Batch,
}

/// Why the gateway closes a connection to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseCode {
    /// The participant left.
    Left,
    /// The same seat joined from elsewhere.
    Replaced,
    /// A host removed the participant.
    Removed,
}

/// The limits of a room.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomLimits {
    /// Maximum number of participants with a seat.
    pub(super) seats: usize,
}

/// One room.
#[derive(Debug)]
pub(super) struct Room {
    name: String,
    limits: RoomLimits,
    title: String,
    locked: bool,
    lobby: bool,
    layout: Layout,
    spotlight: Option<Id>,
    chat_mode: ChatMode,
    /// Seconds between two chat messages of a member of the audience.
    slow: u32,
    people: BTreeMap<Id, Person>,
    chat: Chat,
    likes: u64,
    /// What was announced last of the audience and the likes, and when.
    announced: (usize, u64, Millis),
    removed: VecDeque<Who>,
    /// The identifiers of removed participants: their seat keys are refused.
    removed_ids: VecDeque<Id>,
    /// The highest roles of participants whose role was lowered: an older key promises more.
    lowered: VecDeque<(Id, Role)>,
    /// Who must not write in the chat, until when. It outlasts a reconnection.
    silenced: VecDeque<(Id, Who, Millis)>,
    speaker: Speaker,
    live: Live,
    /// Since when nobody is in the room.
    empty_since: Option<Millis>,
    opened: Millis,
}

impl Room {
    /// Creates an empty room.
    pub(super) fn new(name: &str, limits: RoomLimits, now: Millis) -> Self {
        Self {
            name: name.to_owned(),
            limits,
            title: name.to_owned(),
            locked: false,
            lobby: false,
            layout: Layout::default(),
            spotlight: None,
            chat_mode: ChatMode::default(),
            slow: 0,
            people: BTreeMap::new(),
            chat: Chat::default(),
            likes: 0,
            announced: (0, 0, now),
            removed: VecDeque::new(),
            removed_ids: VecDeque::new(),
            lowered: VecDeque::new(),
            silenced: VecDeque::new(),
            speaker: Speaker::default(),
            live: Live::default(),
            empty_since: Some(now),
            opened: now,
        }
    }

    /// Returns the room as its clients see it.
    pub(super) fn info(&self) -> RoomInfo {
        RoomInfo {
            name: self.name.clone(),
            title: self.title.clone(),
            locked: self.locked,
            lobby: self.lobby,
            layout: self.layout,
            spotlight: self.spotlight.clone(),
            chat: self.chat_mode,
            slow: self.slow,
            audience: self.audience(),
            likes: self.likes,
            live: self.live.clone(),
            seats: self.limits.seats,
        }
    }

    /// Returns the participants that every client knows: with a seat, or asking for one.
    pub(super) fn people(&self) -> Vec<PersonInfo> {
        self.people.values().filter(|person| person.is_listed()).map(|person| self.shown(person)).collect()
    }

    /// Returns since when nobody is in the room; `None` while somebody is.
    pub(super) const fn empty_since(&self) -> Option<Millis> {
        self.empty_since
    }

    /// Returns when the room was opened.
    pub(super) const fn opened(&self) -> Millis {
        self.opened
    }

    /// Returns the number of participants with a seat.
    pub(super) fn seated(&self) -> usize {
        self.people.values().filter(|person| person.role.has_seat()).count()
    }

    /// Returns the number of people in the audience.
    pub(super) fn audience(&self) -> usize {
        self.people.values().filter(|person| person.role == Role::Audience).count()
    }

    /// Returns whether a participant of this identifier is in the room.
    pub(super) fn knows(&self, id: &Id) -> bool {
        self.people.contains_key(id)
    }

    /// Passes on a call of a page of SRS to the others.
    pub(super) fn control(&self, id: &Id, call: &str, data: &str) -> Vec<Output> {
        let cut = |text: &str| text.chars().take(MAX_CONTROL).collect();
        vec![Output::All(Message::Control { id: id.clone(), call: cut(call), data: cut(data) }, Urgency::Now)]
    }

    fn has_free_seat(&self) -> bool {
        self.seated() < self.limits.seats
    }

    fn shown(&self, person: &Person) -> PersonInfo {
        person.info(&self.name)
    }

    /// Announces a participant: as changed, or as no longer listed.
    fn announce(&self, id: &Id, was_listed: bool, out: &mut Vec<Output>) {
        let Some(person) = self.people.get(id) else { return };
        if person.is_listed() {
            out.push(Output::All(Message::Person { person: self.shown(person) }, Urgency::Now));
        } else if was_listed {
            let message = Message::Left { id: id.clone(), reason: Leaving::Audience };
            out.push(Output::All(message, Urgency::Now));
        }
    }

    /// Takes a participant out of the room, and ends what it publishes.
    fn take_out(&mut self, id: &Id, reason: Leaving, now: Millis, out: &mut Vec<Output>) {
        let Some(person) = self.people.remove(id) else { return };
        if person.is_listed() {
            out.push(Output::All(Message::Left { id: id.clone(), reason }, Urgency::Now));
        }
        // A member of the audience whose socket is lost may watch on.
        let watches_on = reason == Leaving::Lost && !person.role.has_seat();
        if (person.role.has_seat() || person.uses_key) && !watches_on {
            out.push(Output::EndMedia { id: id.clone(), reason: "the participant is no longer in the room" });
        }
        if self.spotlight.as_ref() == Some(id) {
            self.spotlight = None;
            out.push(Output::All(Message::Settings { room: self.info() }, Urgency::Now));
        }
        if self.speaker.forget(id) {
            out.push(Output::All(Message::Speaker { id: None }, Urgency::Now));
        }
        if self.people.is_empty() {
            self.empty_since = Some(now);
        }
    }

    /// Lets time pass: frees the seats of lost participants, and announces counts.
    pub(super) fn tick(&mut self, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        let lost: Vec<Id> =
            self.people.values().filter(|person| person.is_lost(now)).map(Person::id).collect();
        for id in lost {
            self.take_out(&id, Leaving::Lost, now, &mut out);
        }
        self.chat.forget_old(now);
        let (count, likes) = (self.audience(), self.likes);
        let (told_count, told_likes, at) = self.announced;
        if (count, likes) != (told_count, told_likes) && now >= at + COUNTS_INTERVAL {
            self.announced = (count, likes, now);
            out.push(Output::All(Message::Audience { count, likes }, Urgency::Batch));
        }
        out
    }
}

impl Room {
    /// Remembers the highest role of a participant.
    fn lower(&mut self, id: &Id, role: Role) {
        self.lowered.retain(|(lowered, _)| lowered != id);
        remember(&mut self.lowered, (id.clone(), role));
    }

    /// Returns the highest role of a participant.
    fn highest_role(&self, id: &str) -> Role {
        self.lowered.iter().find(|(lowered, _)| **lowered == *id).map_or(Role::Host, |(_, role)| *role)
    }
}

fn remember<T: PartialEq>(list: &mut VecDeque<T>, item: T) {
    if list.contains(&item) {
        return;
    }
    if list.len() >= MAX_REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}

fn failure<T>(code: Code) -> Result<T, Failure> {
    Err(code.failure())
}
