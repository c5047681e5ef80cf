//! Handles the messages that only hosts may send.

use super::{CloseCode, Connection, Millis, Output, Room, failure, remember};
use crate::rooms::message::{Change, Code, Failure, Id, Leaving, Message, Request, SeatReason};
use crate::rooms::role::Role;
use crate::rooms::text;

/// Maximum length of a title in characters.
const MAX_TITLE: usize = 100;
/// Maximum number of minutes for which an invitation is valid: a week.
const MAX_INVITE: u32 = 7 * 24 * 60;
/// Maximum time between two chat messages of a member of the audience, in seconds.
const MAX_SLOW: u32 = 3_600;
/// Maximum time for which a participant is kept out of the chat, in seconds.
const MAX_SILENCE: u32 = 86_400;

impl Room {
    /// Handles a message that only hosts may send.
    pub(super) fn moderate(
        &mut self,
        id: &Id,
        connection: Connection,
        request: Request,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        match request {
            Request::Invite { id: other } => self.invite(id, &other, out),
            Request::Promote { id: other, role } => {
                let role = role.unwrap_or(Role::Guest);
                if self.people.get(&other).is_some_and(|person| person.role == Role::Waiting) {
                    return failure(Code::NotNow);
                }
                self.seat(&other, role, SeatReason::Promoted, out)
            }
            Request::Demote { id: other } => self.demote(&other, now, out),
            Request::Admit { id: other } => {
                if self.people.get(&other).is_none_or(|person| person.role != Role::Waiting) {
                    return failure(Code::UnknownPerson);
                }
                self.seat(&other, Role::Guest, SeatReason::Admitted, out)
            }
            Request::Remove { id: other, withdraw } => self.remove(&other, withdraw, now, out),
            Request::AskMute { id: other } => {
                let Some(person) = self.people.get(&other) else { return failure(Code::UnknownPerson) };
                let to = person.connection;
                out.extend(to.map(|to| Output::To(to, Message::MuteAsked { by: id.clone() })));
                Ok(())
            }
            Request::Settings(change) => self.change_settings(change, out),
            Request::MakeInvite { role, minutes } => {
                if role == Role::Waiting || !(1..=MAX_INVITE).contains(&minutes) {
                    return failure(Code::BadMessage);
                }
                out.push(Output::Invite { connection, role, minutes });
                Ok(())
            }
            Request::MakeEncoder { name } => {
                let Some(name) = text::name(&name) else { return failure(Code::Name) };
                let id = self.free_id(&text::slug(&name));
                out.push(Output::Encoder { connection, id });
                Ok(())
            }
            Request::GoLive { layout } => self.go_live(connection, layout, now, out),
            Request::StopLive { card } => self.stop_live(connection, &card, out),
            Request::Show { id: other, shown } => self.show(&other, shown, out),
            Request::Silence { id: other, seconds } => self.silence(&other, seconds, now, out),
            _ => failure(Code::BadMessage),
        }
    }

    fn invite(&mut self, id: &Id, other: &Id, out: &mut Vec<Output>) -> Result<(), Failure> {
        if !self.has_free_seat() {
            return failure(Code::Full);
        }
        let full = self.listed_without_seat() >= super::MAX_LISTED;
        let Some(person) = self.people.get_mut(other) else { return failure(Code::UnknownPerson) };
        if person.role != Role::Audience || (!person.is_listed() && full) {
            return failure(Code::NotNow);
        }
        person.invited_by = Some(id.clone());
        out.extend(person.connection.map(|to| Output::To(to, Message::Invited { by: id.clone() })));
        self.announce(other, true, out);
        Ok(())
    }

    fn demote(&mut self, other: &Id, now: Millis, out: &mut Vec<Output>) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(other) else { return failure(Code::UnknownPerson) };
        if !person.role.has_seat() {
            return failure(Code::NotNow);
        }
        let Some(connection) = person.connection else {
            // This is an encoder, or a participant whose connection is lost.
            self.lower(other, Role::Audience);
            self.take_out(other, Leaving::Removed, now, out);
            return Ok(());
        };
        person.role = Role::Audience;
        self.lower(other, Role::Audience);
        out.push(Output::EndMedia { id: other.clone(), reason: "a host has taken the seat back" });
        let (id, role, reason) = (other.clone(), Role::Audience, SeatReason::Demoted);
        out.push(Output::Seat { connection, id, role, reason });
        if self.spotlight.as_ref() == Some(other) {
            self.spotlight = None;
            self.settings_changed(out);
        }
        self.announce(other, true, out);
        Ok(())
    }

    /// Removes a participant. With `withdraw`, nobody joins any more with the invitation that the participant used.
    fn remove(
        &mut self,
        other: &Id,
        withdraw: bool,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let Some(person) = self.people.get(other) else { return failure(Code::UnknownPerson) };
        let connection = person.connection;
        let identity = person.identity.clone();
        if let Some(number) = identity.invitation.clone().filter(|_| withdraw) {
            remember(&mut self.withdrawn, number);
        }
        remember(&mut self.removed, identity);
        remember(&mut self.removed_ids, other.clone());
        self.take_out(other, Leaving::Removed, now, out);
        out.extend(connection.map(|connection| Output::Close(connection, CloseCode::Removed)));
        Ok(())
    }

    fn silence(
        &mut self,
        other: &Id,
        seconds: u32,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        if seconds > MAX_SILENCE {
            return failure(Code::BadMessage);
        }
        let Some(person) = self.people.get(other) else { return failure(Code::UnknownPerson) };
        let until = now + Millis::from(seconds) * 1000;
        self.silenced.retain(|(id, _, end)| id != other && now < *end);
        remember(&mut self.silenced, (other.clone(), person.identity.clone(), until));
        out.extend(person.connection.map(|to| Output::To(to, Message::Silenced { until })));
        Ok(())
    }

    fn change_settings(&mut self, change: Change, out: &mut Vec<Output>) -> Result<(), Failure> {
        let Change { title, locked, lobby, layout, spotlight, chat, slow } = change;
        if slow.is_some_and(|slow| slow > MAX_SLOW) {
            return failure(Code::BadMessage);
        }
        if spotlight
            .iter()
            .flatten()
            .any(|id| self.people.get(id).is_none_or(|person| !person.role.has_seat()))
        {
            return failure(Code::UnknownPerson);
        }
        if let Some(title) = title {
            let title = text::clean(&title);
            if !(1..=MAX_TITLE).contains(&title.chars().count()) {
                return failure(Code::TooLong);
            }
            self.title = title;
        }
        self.locked = locked.unwrap_or(self.locked);
        self.lobby = lobby.unwrap_or(self.lobby);
        self.layout = layout.unwrap_or(self.layout);
        self.chat_mode = chat.unwrap_or(self.chat_mode);
        self.slow = slow.unwrap_or(self.slow);
        if let Some(spotlight) = spotlight {
            self.spotlight = spotlight;
        }
        self.settings_changed(out);
        Ok(())
    }

    /// Returns a free identifier that starts with `slug`. It is not that of a participant who was removed or whose role
    /// has changed: the room could refuse a seat key for it.
    fn free_id(&self, slug: &str) -> Id {
        let numbered = (2..).map(|number: u32| Id::from(format!("{slug}-{number}")));
        let mut ids = std::iter::once(Id::from(slug)).chain(numbered);
        ids.find(|id| {
            !self.people.contains_key(id)
                && !self.is_removed(id)
                && !self.lowered.iter().any(|(other, _)| other == id)
        })
        .unwrap_or_else(|| slug.into())
    }

    /// Returns whether a host has removed the participant.
    pub(in crate::rooms) fn is_removed(&self, id: &Id) -> bool {
        self.removed_ids.contains(id)
    }
}
