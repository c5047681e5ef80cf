//! Entering and leaving a room.

use std::net::IpAddr;

use super::person::Person;
use super::{CloseCode, Connection, Millis, Output, Room, failure};
use crate::rooms::message::{Code, Failure, Id, Leaving, Message, VERSION, Welcome};
use crate::rooms::role::Role;

/// Who a client is, for refusing those who were removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rooms) struct Who {
    /// The subject of the token, if there is one.
    pub(in crate::rooms) subject: Option<String>,
    /// The address of the client.
    pub(in crate::rooms) address: IpAddr,
}

impl Who {
    /// Returns whether two clients are the same person, as far as can be told: by their tokens, or else by their
    /// addresses. All programs of this machine have one address, which tells nothing.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => self.address == other.address && !self.address.is_loopback(),
        }
    }
}

/// A client that joins, after its credentials were checked.
#[derive(Debug, Clone)]
pub(in crate::rooms) struct Joining {
    pub(in crate::rooms) connection: Connection,
    /// The name, cleaned.
    pub(in crate::rooms) name: String,
    /// The role that the credentials allow and the client wants.
    pub(in crate::rooms) role: Role,
    /// A new identifier, or that of the seat key.
    pub(in crate::rooms) id: Id,
    /// Whether the client showed a seat key for `id`.
    pub(in crate::rooms) returns: bool,
    /// Whether the participant publishes without a seat key.
    pub(in crate::rooms) keyless: bool,
    pub(in crate::rooms) who: Who,
    pub(in crate::rooms) since: Option<u64>,
}

impl Room {
    /// Lets a client in. Returns the welcome without its key, which the caller signs.
    ///
    /// # Errors
    /// The room is locked or full, or the participant was removed.
    pub(in crate::rooms) fn join(
        &mut self,
        joining: Joining,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<Welcome, Failure> {
        let Joining { connection, name, mut role, id, returns, keyless, who, since } = joining;
        if self.removed.iter().any(|removed| removed.is(&who)) || self.is_removed(&id) {
            return failure(Code::Removed);
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
            (person.encoder, person.name, person.who) = (false, name, who);
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
            let mut person = Person::new(id.clone(), name, role, who, now);
            (person.connection, person.keyless) = (Some(connection), keyless);
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
            room: self.info(),
            people: if waits { Vec::new() } else { self.people() },
            chat: if waits { Vec::new() } else { self.chat.after(since) },
            speaker: self.speaker.current().cloned(),
            time: now,
        })
    }

    /// The connection of a participant is lost: the seat is kept for a while.
    pub(in crate::rooms) fn lose(&mut self, id: &Id, connection: Connection, now: Millis) -> Vec<Output> {
        let mut out = Vec::new();
        let Some(person) = self.people.get_mut(id).filter(|person| person.connection == Some(connection))
        else {
            return out;
        };
        person.connection = None;
        person.away_since = Some(now);
        if person.role == Role::Audience && !person.is_listed() {
            // Nobody sees an empty place in the audience.
            self.take_out(id, Leaving::Lost, now, &mut out);
        } else {
            self.announce(id, false, &mut out);
        }
        out
    }

    /// A participant leaves on purpose.
    pub(super) fn leave(&mut self, id: &Id, now: Millis, out: &mut Vec<Output>) {
        let connection = self.people.get(id).and_then(|person| person.connection);
        self.take_out(id, Leaving::Left, now, out);
        out.extend(connection.map(|connection| Output::Close(connection, CloseCode::Left)));
    }

    /// Returns the number of participants who are listed but have no seat.
    pub(super) fn listed_without_seat(&self) -> usize {
        self.people.values().filter(|person| person.is_listed() && !person.role.has_seat()).count()
    }

    /// Tells a waiting participant so.
    pub(in crate::rooms) fn waits(&self, id: &Id) -> Option<Message> {
        self.people.get(id).filter(|person| person.role == Role::Waiting).map(|_| Message::Waiting)
    }
}
