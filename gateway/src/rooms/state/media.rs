//! Follows the streams of a room, and decides who may publish them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::join::PersonIdentity;
use super::person::Person;
use super::{Millis, NO_SEAT, Output, Room, USUAL_APP, Urgency};
use crate::rooms::message::{Id, Leaving, Live, Message};
use crate::rooms::role::Role;
use crate::rooms::text;

/// Minimum change of a level that is announced, in dB.
const LEVEL_STEP: i8 = 3;
/// Levels below this count as silence, in dBov.
pub(super) const SILENCE_BELOW: i8 = -60;
/// The lowest level (RFC 6464), in dBov.
pub(in crate::rooms) const LOWEST_LEVEL: i8 = -127;

/// The kinds of streams that a participant publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rooms) enum StreamKind {
    /// Camera and microphone.
    Main,
    /// The video of the camera again, smaller and without audio.
    Small,
    /// A shared screen.
    Screen,
}

impl StreamKind {
    /// All kinds, in the order of their discriminants.
    pub(super) const ALL: [Self; 3] = [Self::Main, Self::Small, Self::Screen];

    /// Returns the suffix that follows the participant's identifier in the stream's name.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Small => "~s",
            Self::Screen => "~screen",
        }
    }

    /// Returns the name of a participant's stream.
    pub(super) fn stream(self, room: &str, id: &str) -> String {
        format!("{room}/{id}{}", self.suffix())
    }
}

/// Splits the last segment of a stream's name into the participant's identifier and the kind of stream.
pub(in crate::rooms) fn participant_and_kind(stream: &str) -> (&str, StreamKind) {
    [StreamKind::Small, StreamKind::Screen]
        .into_iter()
        .find_map(|kind| stream.strip_suffix(kind.suffix()).map(|id| (id, kind)))
        .unwrap_or((stream, StreamKind::Main))
}

/// Returns the last segments of the names of all streams that a participant may publish.
pub(in crate::rooms) fn streams_of(id: &str) -> [String; 3] {
    StreamKind::ALL.map(|kind| format!("{id}{}", kind.suffix()))
}

/// Whether a stream is published now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rooms) enum OnAir {
    /// It is published.
    Yes,
    /// Its publisher is away and may return.
    Paused,
    /// It has ended.
    No,
}

impl Room {
    /// Returns why a client must not publish a stream of the room; `None` if it may. `seat` says whether the client has
    /// sent the seat key of the participant to whom the stream belongs.
    pub(in crate::rooms) fn publish_refusal(&self, stream: &str, seat: bool) -> Option<&'static str> {
        let (id, _) = participant_and_kind(stream);
        if self.is_removed(&Id::from(id)) {
            return Some("a host has removed this participant from the room");
        }
        let Some(person) = self.people.get(id) else {
            if seat && !self.highest_role(id).has_seat() {
                return Some("a host has taken the seat back");
            }
            let seats = self.has_free_seat() || (self.name == USUAL_APP && !seat);
            return (!seats).then_some("the room has no free seat");
        };
        if !person.role.has_seat() {
            return Some(NO_SEAT);
        }
        let own = seat || person.keyless || person.encoder;
        (!own).then_some("this is the seat of somebody else in the room: publish under another name")
    }

    /// Records that a media connection uses a participant's seat key. The connection is closed when the participant
    /// leaves.
    pub(in crate::rooms) fn key_used(&mut self, id: &str) {
        if let Some(person) = self.people.get_mut(id) {
            person.uses_key = true;
        }
    }

    /// Handles a stream of the room's application that started, paused or ended.
    pub(in crate::rooms) fn stream_changed(
        &mut self,
        stream: &str,
        on_air: OnAir,
        now: Millis,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        let (id, kind) = participant_and_kind(stream);
        let id = Id::from(id);
        if !self.people.contains_key(&id) && !self.add_encoder(&id, kind, on_air, now, &mut out) {
            return out;
        }
        let Some(person) = self.people.get_mut(&id) else { return out };
        let Some(known) = person.on_air.get_mut(kind as usize) else { return out };
        let was = std::mem::replace(known, on_air == OnAir::Yes);
        let (encoder, has_seat, is_on_air) = (person.encoder, person.role.has_seat(), person.is_on_air());
        self.note(&id);
        if on_air == OnAir::Yes && !has_seat {
            // The seat was taken back while the publisher connected.
            out.push(Output::EndMedia { id, reason: NO_SEAT });
            return out;
        }
        if encoder && !is_on_air && on_air == OnAir::No {
            self.take_out(&id, Leaving::Left, now, &mut out);
            return out;
        }
        if was != (on_air == OnAir::Yes) {
            self.announce(&id, true, &mut out);
        }
        out
    }

    /// Handles a stream that belongs to no participant: adds its encoder as a participant with a seat. Returns false
    /// if no participant was added.
    fn add_encoder(
        &mut self,
        id: &Id,
        kind: StreamKind,
        on_air: OnAir,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> bool {
        if on_air != OnAir::Yes || kind != StreamKind::Main || self.name == USUAL_APP {
            return false;
        }
        if !self.has_free_seat() || self.is_removed(id) || !self.highest_role(id).has_seat() {
            out.push(Output::EndMedia { id: id.clone(), reason: "the room has no free seat" });
            return false;
        }
        let identity = PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut person = Person::new(id.clone(), text::cut_name(id), Role::Guest, identity, now);
        person.shown = !self.hidden.iter().any(|hidden| hidden == id);
        person.encoder = true;
        self.people.insert(id.clone(), person);
        self.empty_since = None;
        true
    }

    /// Records the current audio levels in dBov. Announces the levels that changed, and a new speaker.
    pub(in crate::rooms) fn levels(&mut self, levels: &[(Id, i8)], now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        let mut changed = BTreeMap::new();
        for (id, level) in levels {
            let Some(person) = self.people.get_mut(id) else { continue };
            let silent = *level < SILENCE_BELOW;
            let step = (i16::from(*level) - i16::from(person.level)).abs() >= i16::from(LEVEL_STEP);
            if step && !(silent && person.level < SILENCE_BELOW) {
                person.level = *level;
                changed.insert(id.clone(), *level);
                // The stream may have ended since its level was read.
                self.notable.insert(id.clone());
            }
        }
        // A participant whose stream is not on air counts as silent.
        for id in &self.notable {
            let Some(person) = self.people.get_mut(id) else { continue };
            if person.level >= SILENCE_BELOW && !levels.iter().any(|(other, _)| other == id) {
                person.level = LOWEST_LEVEL;
                changed.insert(id.clone(), LOWEST_LEVEL);
            }
        }
        if !changed.is_empty() {
            out.push(Output::All(Message::Levels { levels: changed }, Urgency::Batch));
        }
        if self.speaker.update(levels.iter().map(|(id, level)| (id, *level)), now) {
            let id = self.speaker.current().cloned();
            out.push(Output::All(Message::Speaker { id }, Urgency::Now));
        }
        out
    }

    /// Returns the last segments of the names of all streams that are on air, as far as the room knows.
    pub(in crate::rooms) fn known_streams(&self) -> Vec<String> {
        let kinds = |person: &Person| {
            // An encoder whose publisher is away is there as long as its stream.
            let streams = StreamKind::ALL.into_iter().filter(|kind| {
                person.on_air[*kind as usize] || (person.encoder && *kind == StreamKind::Main)
            });
            streams.map(|kind| format!("{}{}", person.id, kind.suffix())).collect::<Vec<_>>()
        };
        self.notable().flat_map(kinds).collect()
    }

    /// Returns the participants whose main stream is on air.
    pub(in crate::rooms) fn on_air(&self) -> Vec<Id> {
        let on_air = |person: &&Person| person.on_air[StreamKind::Main as usize];
        self.notable().filter(on_air).map(Person::id).collect()
    }

    /// Records the state of the room's broadcast, and announces it if it has changed.
    pub(in crate::rooms) fn broadcast_changed(&mut self, live: Live) -> Vec<Output> {
        if self.live == live {
            return Vec::new();
        }
        let urgency = if self.live.stream == live.stream { Urgency::Batch } else { Urgency::Now };
        self.live = live.clone();
        vec![Output::All(Message::Live(live), urgency)]
    }
}
