//! Joining and leaving a room.

use std::net::IpAddr;

use super::person::Person;
use super::{CloseCode, Connection, Millis, Output, Room, failure};
use crate::rooms::message::{Code, Failure, Id, Leaving, Message, VERSION, Welcome};
use crate::rooms::role::Role;

/// The token, the address and the invitation of a client, by which a removed or silenced person is recognized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rooms) struct PersonIdentity {
    /// The subject of the token, if there is one.
    pub(in crate::rooms) subject: Option<String>,
    /// The address of the client, as [`counted_as`](crate::net::worker::counted_as) returns it.
    pub(in crate::rooms) address: IpAddr,
    /// The number of the invitation, if the client came with one.
    pub(in crate::rooms) invitation: Option<String>,
}

impl PersonIdentity {
    /// Returns the identity of a client with this address, and without a token or an invitation.
    pub(in crate::rooms) fn at(address: IpAddr) -> Self {
        Self { subject: None, address, invitation: None }
    }

    /// Returns whether two clients are probably the same person: their tokens have the same subject or, if one of
    /// them has no subject, their addresses are equal. All programs on this machine share the loopback addresses, so
    /// clients there are the same person only if they came with the same invitation, too.
    pub(super) fn is_same_person(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => {
                let same_invitation = self.invitation.is_some() && self.invitation == other.invitation;
                self.address == other.address && (same_invitation || !self.address.is_loopback())
            }
        }
    }
}

/// A client that joins, after its credentials were checked.
#[derive(Debug, Clone)]
pub(in crate::rooms) struct Joining {
    pub(in crate::rooms) connection: Connection,
    /// The cleaned name.
    pub(in crate::rooms) name: String,
    /// The role that the client asks for. Its credentials allow this role.
    pub(in crate::rooms) role: Role,
    /// The identifier in the seat key, or a new one.
    pub(in crate::rooms) id: Id,
    /// Whether the client sent a valid seat key for `id`.
    pub(in crate::rooms) returns: bool,
    /// Whether the participant publishes without a seat key.
    pub(in crate::rooms) keyless: bool,
    pub(in crate::rooms) identity: PersonIdentity,
    /// The number of the last chat message that the client has.
    pub(in crate::rooms) since: Option<u64>,
}

impl Room {
    /// Adds a client to the room. Returns the welcome without a seat key; the caller adds the key.
    ///
    /// # Errors
    /// The room is locked or full, another participant has the identifier, or a host has removed the participant.
    pub(in crate::rooms) fn join(
        &mut self,
        joining: Joining,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<Welcome, Failure> {
        let Joining { connection, name, mut role, id, returns, keyless, identity, since } = joining;
        // A valid seat key proves more than an address, which others may have too.
        let removed = !returns && self.removed.iter().any(|removed| removed.is_same_person(&identity));
        if removed || self.is_removed(&id) {
            return failure(Code::Removed);
        }
        if !returns && identity.invitation.as_ref().is_some_and(|number| self.withdrawn.contains(number)) {
            let text = "a host has withdrawn this invitation: ask for a new one".to_owned();
            return Err(Failure { text, ..Code::Forbidden.failure() });
        }
        if returns {
            role = role.min(self.highest_role(&id));
        }
        if let Some(person) = self.people.get_mut(&id) {
            if !returns {
                return failure(Code::Name);
            }
            if let Some(old) = person.connection.replace(connection) {
                out.push(Output::Close(old, CloseCode::Replaced));
            }
            let changed = person.away_since.take().is_some() || person.encoder || person.name != name;
            if person.encoder {
                // The media of a host may be back before the socket. It came as that of an encoder, which is a guest.
                person.role = person.role.max(role);
            }
            // A seat key does not repeat the subject of the token or the invitation.
            let PersonIdentity { subject, invitation, .. } = &mut person.identity;
            let (subject, invitation) =
                (identity.subject.or(subject.take()), identity.invitation.or(invitation.take()));
            (person.encoder, person.name, person.identity) =
                (false, name, PersonIdentity { subject, invitation, ..identity });
            if changed {
                self.announce(&id, false, out);
            }
        } else {
            if self.locked && !returns {
                return failure(Code::Locked);
            }
            if self.lobby && !returns && role == Role::Guest {
                role = Role::Waiting;
            }
            if role.has_seat() && !self.has_free_seat() {
                return failure(Code::Full);
            }
            if role == Role::Waiting && self.listed_without_seat() >= super::MAX_LISTED {
                return failure(Code::Full);
            }
            let mut person = Person::new(id.clone(), name, role, identity, now);
            person.shown = !self.hidden.contains(&id);
            (person.connection, person.keyless) = (Some(connection), keyless);
            // Media with the key may be back before the socket.
            person.uses_key = returns;
            self.people.insert(id.clone(), person);
            self.empty_since = None;
            self.announce(&id, false, out);
        }
        self.welcome(&id, since, now)
    }

    fn welcome(&self, id: &Id, since: Option<u64>, now: Millis) -> Result<Welcome, Failure> {
        let Some(person) = self.people.get(id) else { return failure(Code::NotJoined) };
        let waits = person.role == Role::Waiting;
        Ok(Welcome {
            version: VERSION,
            id: id.clone(),
            name: person.name.clone(),
            role: person.role,
            key: String::new(),
            room: if waits { self.front() } else { self.info() },
            people: if waits { Vec::new() } else { self.people() },
            chat: if waits { Vec::new() } else { self.chat.after(since) },
            speaker: self.speaker.current().cloned().filter(|_| !waits),
            time: now,
        })
    }

    /// Handles the loss of a participant's connection. The participant keeps the seat for `KEEP_SEAT`.
    pub(in crate::rooms) fn lose(&mut self, id: &Id, connection: Connection, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        let Some(person) = self.people.get_mut(id).filter(|person| person.connection == Some(connection))
        else {
            return out;
        };
        person.connection = None;
        person.away_since = Some(now);
        if person.role == Role::Audience && !person.is_listed() {
            // The audience is only counted, so there is nothing to keep.
            self.take_out(id, Leaving::Lost, now, &mut out);
        } else {
            self.announce(id, false, &mut out);
        }
        out
    }

    /// Removes a participant who leaves on purpose, and closes the connection.
    pub(super) fn leave(&mut self, id: &Id, now: Millis, out: &mut Vec<Output>) {
        let connection = self.people.get(id).and_then(|person| person.connection);
        self.take_out(id, Leaving::Left, now, out);
        out.extend(connection.map(|connection| Output::Close(connection, CloseCode::Left)));
    }

    /// Returns the number of participants who are listed but have no seat.
    pub(super) fn listed_without_seat(&self) -> usize {
        self.notable().filter(|person| person.is_listed() && !person.role.has_seat()).count()
    }

    /// Returns the message for a participant who waits in the lobby; `None` for every other participant.
    pub(in crate::rooms) fn waits(&self, id: &Id) -> Option<Message> {
        self.people.get(id).filter(|person| person.role == Role::Waiting).map(|_| Message::Waiting)
    }
}
