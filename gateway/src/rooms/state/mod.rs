//! The state of a room. This code does no I/O, and uses no clock and no random numbers.
//!
//! A method of [`Room`] handles one event (a participant joins, a message comes, a stream starts, time passes) and
//! returns the actions for the caller, as a list of [`Output`]s. `join` adds and removes participants, `request`
//! handles their messages, `moderate` handles the messages that only hosts may send, `media` follows the streams,
//! `chat` stores the chat messages, and `speaker` finds the participant who speaks.

mod bucket;
mod chat;
mod join;
mod live;
mod media;
mod moderate;
mod output;
mod person;
mod presence;
mod request;
mod speaker;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(super) use self::bucket::Bucket;
use self::chat::Chat;
pub(super) use self::join::{Joining, PersonIdentity};
pub(super) use self::live::{LiveInput, LiveScene};
pub(super) use self::media::{LOWEST_LEVEL, OnAir, participant_and_kind, streams_of};
pub(super) use self::output::{CloseCode, Output, Urgency};
use self::person::Person;
use self::speaker::Speaker;
use super::message::{ChatMode, Code, Failure, Id, Layout, Live, Message, PersonInfo, RoomInfo};
use super::role::Role;

/// Milliseconds since 1970.
pub(super) type Millis = u64;

/// The number of a client's connection.
pub(super) type Connection = u64;

/// Time for which a participant whose connection is lost keeps the seat.
pub(super) const KEEP_SEAT: Millis = 10_000;
/// Maximum length of the lists of removed participants, of withdrawn invitations, of participants with a changed role,
/// and of silenced participants.
const MAX_REMEMBERED: usize = 1_000;
/// Maximum number of listed participants without a seat: they wait in the lobby, have raised a hand or are invited.
const MAX_LISTED: usize = 100;
/// Maximum number of hands that are raised or lowered per second, by all people without a seat together.
const HANDS_RATE: u32 = 20;
/// Maximum burst of starts of the broadcast. The average is one per second.
const STARTS: u32 = 3;
/// Why media of somebody without a seat is closed.
const NO_SEAT: &str = "only participants with a seat may publish in this room";
/// Maximum length of each text in a call from a page of SRS, in characters.
const MAX_CONTROL: usize = 300;
/// The usual application name. In the room with this name, the stream of an encoder does not become a participant.
pub(super) const USUAL_APP: &str = "live";

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
    /// Everybody but the plain audience, which may be thousands: those who are listed, are on air, or are heard.
    notable: BTreeSet<Id>,
    chat: Chat,
    likes: u64,
    /// The size of the audience and the number of likes that were announced last, and the time of the announcement.
    announced: (usize, u64, Millis),
    removed: VecDeque<PersonIdentity>,
    /// The numbers of the invitations with which nobody joins any more.
    withdrawn: VecDeque<String>,
    /// The identifiers of removed participants: their seat keys are refused.
    removed_ids: VecDeque<Id>,
    /// The highest allowed roles of participants whose role has changed. Their older seat keys may contain higher
    /// roles.
    lowered: VecDeque<(Id, Role)>,
    /// Participants who must not write in the chat, and until when. An entry is kept when the participant reconnects.
    silenced: VecDeque<(Id, PersonIdentity, Millis)>,
    /// Participants whom a host has taken out of the broadcast, also when they come back.
    hidden: VecDeque<Id>,
    /// Limits how often the broadcast is started.
    starts: Bucket,
    /// Limits how often people without a seat raise and lower their hands.
    hands: Bucket,
    speaker: Speaker,
    live: Live,
    /// The time since when the room is empty; `None` while somebody is in it.
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
            notable: BTreeSet::new(),
            chat: Chat::default(),
            likes: 0,
            announced: (0, 0, now),
            removed: VecDeque::new(),
            withdrawn: VecDeque::new(),
            removed_ids: VecDeque::new(),
            lowered: VecDeque::new(),
            silenced: VecDeque::new(),
            hidden: VecDeque::new(),
            starts: Bucket::new(1, STARTS, now),
            hands: Bucket::new(HANDS_RATE, HANDS_RATE, now),
            speaker: Speaker::default(),
            live: Live::default(),
            empty_since: Some(now),
            opened: now,
        }
    }

    /// Returns the state of the room for those who wait in the lobby: nothing about the people inside.
    fn front(&self) -> RoomInfo {
        RoomInfo { spotlight: None, audience: 0, likes: 0, live: Live::default(), ..self.info() }
    }

    /// Returns the public state of the room.
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

    /// Returns the listed participants: those who have a seat, wait in the lobby, have raised a hand or are invited.
    pub(super) fn people(&self) -> Vec<PersonInfo> {
        self.notable().filter(|person| person.is_listed()).map(|person| self.shown(person)).collect()
    }

    /// Returns the time since when the room is empty; `None` while somebody is in it.
    pub(super) const fn empty_since(&self) -> Option<Millis> {
        self.empty_since
    }

    /// Returns when the room was opened.
    pub(super) const fn opened(&self) -> Millis {
        self.opened
    }

    /// Returns the number of participants with a seat.
    pub(super) fn seated(&self) -> usize {
        self.notable().filter(|person| person.role.has_seat()).count()
    }

    /// Returns the number of people in the audience.
    pub(super) fn audience(&self) -> usize {
        self.people.len() - self.notable().filter(|person| person.role != Role::Audience).count()
    }

    /// Returns whether a participant with this identifier is in the room.
    pub(super) fn knows(&self, id: &Id) -> bool {
        self.people.contains_key(id)
    }

    /// Passes a call from a page of SRS on to all clients.
    pub(super) fn control(&self, id: &Id, call: &str, data: &str) -> Vec<Output> {
        let cut = |text: &str| text.chars().take(MAX_CONTROL).collect();
        vec![Output::All(Message::Control { id: id.clone(), call: cut(call), data: cut(data) }, Urgency::Now)]
    }

    /// Returns everybody but the plain audience.
    fn notable(&self) -> impl Iterator<Item = &Person> {
        self.notable.iter().filter_map(|id| self.people.get(id))
    }

    /// Updates the list of notable people after a participant has changed.
    fn note(&mut self, id: &Id) {
        if self.people.get(id).is_some_and(Person::is_notable) {
            self.notable.insert(id.clone());
        } else {
            self.notable.remove(id);
        }
    }

    fn has_free_seat(&self) -> bool {
        self.seated() < self.limits.seats
    }

    /// Returns the public state of a participant.
    fn shown(&self, person: &Person) -> PersonInfo {
        person.info(&self.name)
    }
}

/// Appends an item that is not in the list yet. Drops the oldest item if the list is full.
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
