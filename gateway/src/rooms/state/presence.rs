//! Who is in the room: announces changes, removes participants, and limits the roles of those who come back.

use super::person::Person;
use super::{Millis, NO_SEAT, Output, Room, Urgency, remember};
use crate::rooms::message::{Id, Leaving, Message};
use crate::rooms::role::Role;

/// Minimum interval between two messages with the size of the audience and the number of likes.
const COUNTS_INTERVAL: Millis = 500;

impl Room {
    /// Announces a participant who is new or has changed, or who is no longer listed.
    pub(super) fn announce(&mut self, id: &Id, was_listed: bool, out: &mut Vec<Output>) {
        self.note(id);
        let Some(person) = self.people.get(id) else { return };
        if person.is_listed() {
            out.push(Output::All(Message::Person { person: self.shown(person) }, Urgency::Now));
        } else if was_listed {
            let message = Message::Left { id: id.clone(), reason: Leaving::Audience };
            out.push(Output::All(message, Urgency::Now));
        }
    }

    /// Removes a participant from the room, and closes the participant's media connections.
    pub(super) fn take_out(&mut self, id: &Id, reason: Leaving, now: Millis, out: &mut Vec<Output>) {
        let Some(person) = self.people.remove(id) else { return };
        self.notable.remove(id);
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

    /// Does the periodic work: removes lost participants and old chat messages, and announces changed counts.
    pub(in crate::rooms) fn tick(&mut self, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        let lost: Vec<Id> = self.notable().filter(|person| person.is_lost(now)).map(Person::id).collect();
        for id in lost {
            self.take_out(&id, Leaving::Lost, now, &mut out);
        }
        // A publisher may have been admitted just before the seat was taken back.
        let unseated = self.notable().filter(|person| !person.role.has_seat() && person.is_on_air());
        out.extend(unseated.map(|person| Output::EndMedia { id: person.id(), reason: NO_SEAT }));
        self.chat.forget_old(now);
        let (count, likes) = (self.audience(), self.likes);
        let (told_count, told_likes, at) = self.announced;
        if (count, likes) != (told_count, told_likes) && now >= at + COUNTS_INTERVAL {
            self.announced = (count, likes, now);
            out.push(Output::All(Message::Audience { count, likes }, Urgency::Batch));
        }
        out
    }

    /// Limits the role that a participant may have after returning with an older seat key.
    pub(super) fn lower(&mut self, id: &Id, role: Role) {
        self.lowered.retain(|(lowered, _)| lowered != id);
        remember(&mut self.lowered, (id.clone(), role));
    }

    /// Returns the highest role that a participant may have after returning with an older seat key.
    pub(super) fn highest_role(&self, id: &str) -> Role {
        self.lowered.iter().find(|(lowered, _)| **lowered == *id).map_or(Role::Host, |(_, role)| *role)
    }
}
