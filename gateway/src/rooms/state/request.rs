//! Handles the messages of participants.

use super::chat::slow_down;
use super::{Connection, Millis, Output, Room, Urgency, failure};
use crate::rooms::message::{Code, Failure, Id, Message, Request, SeatReason};
use crate::rooms::role::Role;

/// Maximum number of likes in one message.
const MAX_LIKES: u32 = 50;

impl Room {
    /// Handles a message from a participant. If the message has no effect, the participant gets an error.
    pub(in crate::rooms) fn handle(
        &mut self,
        id: &Id,
        connection: Connection,
        request: Request,
        now: Millis,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        let about = request.kind();
        let current = self.people.get(id).is_some_and(|person| person.connection == Some(connection));
        let handled = if current {
            self.act_on(id, connection, request, now, &mut out)
        } else {
            failure(Code::NotJoined)
        };
        if let Err(failure) = handled {
            let failure = Failure { about: Some(about), ..failure };
            out.push(Output::To(connection, Message::Error(failure)));
        }
        out
    }

    /// Handles a message on the current connection of a participant.
    fn act_on(
        &mut self,
        id: &Id,
        connection: Connection,
        request: Request,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let role = self.people.get(id).map_or(Role::Waiting, |person| person.role);
        match request {
            // A newer client may send types that this gateway does not know.
            Request::Unknown => Ok(()),
            Request::Join(_) => failure(Code::NotNow),
            Request::Ping { n } => {
                out.push(Output::To(connection, Message::Pong { n }));
                Ok(())
            }
            Request::Leave => {
                self.leave(id, now, out);
                Ok(())
            }
            _ if role == Role::Waiting => failure(Code::Forbidden),
            Request::Mute { audio, video } => self.change(id, now, out, |person| {
                let changed = (person.audio, person.video) != (audio, video);
                (person.audio, person.video) = (audio, video);
                changed
            }),
            Request::Quality { quality } => {
                self.change(id, now, out, |person| person.quality.replace(quality) != Some(quality))
            }
            Request::Hand { up } => self.raise(id, up, now, out),
            Request::Accept => self.accept(id, out),
            Request::Decline => self.decline(id, out),
            Request::Chat { text } => self.write(id, &text, now, out),
            Request::Delete { seq } => self.delete(id, seq, out),
            Request::Like { count } => self.like(id, count, now),
            _ if role != Role::Host => failure(Code::Forbidden),
            other => self.moderate(id, connection, other, now, out),
        }
    }

    /// Changes a participant with a seat. Announces the participant if `change` returns true.
    fn change(
        &mut self,
        id: &Id,
        now: Millis,
        out: &mut Vec<Output>,
        change: impl FnOnce(&mut super::Person) -> bool,
    ) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(id) else { return failure(Code::NotJoined) };
        if !person.role.has_seat() {
            return failure(Code::Forbidden);
        }
        person.changes.take(1, now).map_err(slow_down)?;
        if change(person) {
            self.announce(id, true, out);
        }
        Ok(())
    }

    fn raise(&mut self, id: &Id, up: bool, now: Millis, out: &mut Vec<Output>) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(id) else { return failure(Code::NotJoined) };
        if person.hand == up {
            return Ok(());
        }
        person.changes.take(1, now).map_err(slow_down)?;
        let (was_listed, has_seat) = (person.is_listed(), person.role.has_seat());
        if !has_seat {
            self.hands.take(1, now).map_err(slow_down)?;
        }
        // This counts everybody, so it comes after the limits.
        if up && !was_listed && self.listed_without_seat() >= super::MAX_LISTED {
            return failure(Code::NotNow);
        }
        if let Some(person) = self.people.get_mut(id) {
            person.hand = up;
        }
        self.announce(id, was_listed, out);
        Ok(())
    }

    fn accept(&mut self, id: &Id, out: &mut Vec<Output>) -> Result<(), Failure> {
        let invited = self.people.get(id).is_some_and(|person| person.invited_by.is_some());
        if !invited {
            return failure(Code::NotNow);
        }
        self.seat(id, Role::Guest, SeatReason::Accepted, out)
    }

    fn decline(&mut self, id: &Id, out: &mut Vec<Output>) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(id) else { return failure(Code::NotJoined) };
        let Some(host) = person.invited_by.take() else { return failure(Code::NotNow) };
        let host = self.people.get(&host).and_then(|host| host.connection);
        out.extend(host.map(|host| Output::To(host, Message::Declined { id: id.clone() })));
        self.announce(id, true, out);
        Ok(())
    }

    fn like(&mut self, id: &Id, count: u32, now: Millis) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(id) else { return failure(Code::NotJoined) };
        if !(1..=MAX_LIKES).contains(&count) {
            return failure(Code::BadMessage);
        }
        // Likes over the rate limit are not counted, and the client gets no error.
        if person.likes.take(count, now).is_ok() {
            self.likes = self.likes.saturating_add(u64::from(count));
        }
        Ok(())
    }

    /// Gives a participant a seat, or gives a participant with a seat another role.
    pub(super) fn seat(
        &mut self,
        id: &Id,
        role: Role,
        reason: SeatReason,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let free = self.has_free_seat();
        let Some(person) = self.people.get_mut(id) else { return failure(Code::UnknownPerson) };
        if !role.has_seat() || (!person.role.has_seat() && !free) {
            return failure(if role.has_seat() { Code::Full } else { Code::BadMessage });
        }
        (person.role, person.hand, person.invited_by) = (role, false, None);
        (person.audio, person.video) = (true, true);
        let connection = person.connection;
        self.lower(id, role);
        out.extend(connection.map(|connection| Output::Seat { connection, id: id.clone(), role, reason }));
        if reason == SeatReason::Admitted {
            self.show_room(id, out);
        }
        self.announce(id, true, out);
        Ok(())
    }

    /// Sends an admitted participant the people, the chat and the current settings of the room.
    fn show_room(&self, id: &Id, out: &mut Vec<Output>) {
        let Some(connection) = self.people.get(id).and_then(|person| person.connection) else { return };
        let people = self.people().into_iter().map(|person| Message::Person { person });
        let chat = self.chat.after(None).into_iter().map(Message::Chat);
        let settings = Message::Settings { room: self.info() };
        let speaker = Message::Speaker { id: self.speaker.current().cloned() };
        out.push(Output::Several(connection, people.chain(chat).chain([settings, speaker]).collect()));
    }

    /// Announces the settings of the room.
    pub(super) fn settings_changed(&self, out: &mut Vec<Output>) {
        out.push(Output::All(Message::Settings { room: self.info() }, Urgency::Now));
    }
}
