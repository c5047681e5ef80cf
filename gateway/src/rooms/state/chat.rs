//! The chat of a room.

use std::collections::VecDeque;

use super::bucket::Bucket;
use super::{Millis, Output, Room, Urgency, failure};
use crate::rooms::message::{ChatMessage, ChatMode, Code, Failure, Id, Message};
use crate::rooms::role::Role;
use crate::rooms::text;

/// Maximum number of messages that a room keeps.
pub(super) const MAX_HISTORY: usize = 200;
/// Maximum number of bytes of the texts that a room keeps: everybody who joins gets them.
const MAX_HISTORY_BYTES: usize = 32 << 10;
/// Time for which a room keeps a message.
const MAX_AGE: Millis = 4 * 3600 * 1000;
/// Maximum length of a message in characters.
const MAX_TEXT: usize = 300;
/// Maximum number of messages of all participants of a room per second.
const ROOM_RATE: u32 = 20;

/// The newest messages of a room's chat.
#[derive(Debug, Default)]
pub(super) struct Chat {
    history: VecDeque<ChatMessage>,
    /// Number of bytes of the texts in `history`.
    bytes: usize,
    /// Number of messages so far: the number of the newest message.
    count: u64,
    rate: Option<Bucket>,
}

impl Chat {
    /// Returns the messages after message `since`.
    pub(super) fn after(&self, since: Option<u64>) -> Vec<ChatMessage> {
        // A number that is too high comes from before a restart of the gateway: the client has none of these messages.
        let since = since.filter(|since| *since <= self.count).unwrap_or(0);
        self.history.iter().filter(|message| message.seq > since).cloned().collect()
    }

    /// Removes the messages that are too old.
    pub(super) fn forget_old(&mut self, now: Millis) {
        while self.history.front().is_some_and(|message| now >= message.at + MAX_AGE) {
            self.forget(0);
        }
    }

    fn push(&mut self, message: ChatMessage) {
        self.bytes += message.text.len();
        self.history.push_back(message);
        while self.history.len() > MAX_HISTORY || self.bytes > MAX_HISTORY_BYTES {
            self.forget(0);
        }
    }

    fn forget(&mut self, index: usize) {
        if let Some(message) = self.history.remove(index) {
            self.bytes -= message.text.len();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.history.len()
    }
}

impl Room {
    /// Adds a chat message of a participant.
    pub(super) fn write(
        &mut self,
        id: &Id,
        text: &str,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let (mode, slow) = (self.chat_mode, Millis::from(self.slow) * 1000);
        let Some(person) = self.people.get_mut(id) else { return failure(Code::NotJoined) };
        let text = text::clean(text);
        if text.is_empty() || text.chars().count() > MAX_TEXT {
            return failure(Code::TooLong);
        }
        let is_host = person.role == Role::Host;
        let may = match mode {
            ChatMode::All => person.role != Role::Waiting,
            ChatMode::Hosts => is_host,
            ChatMode::Off => false,
        };
        if !may {
            return failure(Code::ChatClosed);
        }
        // Several people may have one address, so it does not silence hosts.
        let silenced = self.silenced.iter();
        let silenced = silenced.filter(|(silenced, from, _)| {
            silenced == id || (!is_host && from.is_same_person(&person.identity))
        });
        if let Some(until) = silenced.map(|(.., until)| *until).max().filter(|until| now < *until) {
            let retry = Some((until - now).div_ceil(1000));
            return Err(Failure { retry, ..Code::Silenced.failure() });
        }
        let slow_until = person.last_chat.map_or(0, |last| last + slow);
        if person.role == Role::Audience && now < slow_until {
            return Err(slow_down(slow_until - now));
        }
        person.chats.take(1, now).map_err(slow_down)?;
        let rate = self.chat.rate.get_or_insert_with(|| Bucket::new(ROOM_RATE, ROOM_RATE, now));
        rate.take(1, now).map_err(slow_down)?;
        person.last_chat = Some(now);
        self.chat.count += 1;
        let message = ChatMessage {
            seq: self.chat.count,
            at: now,
            id: id.clone(),
            name: person.name.clone(),
            role: person.role,
            text,
        };
        self.chat.push(message.clone());
        out.push(Output::Log(message.clone()));
        out.push(Output::All(Message::Chat(message), Urgency::Batch));
        Ok(())
    }

    /// Deletes a message. A host may delete every message, the others only their own.
    pub(super) fn delete(&mut self, id: &Id, seq: u64, out: &mut Vec<Output>) -> Result<(), Failure> {
        let is_host = self.people.get(id).is_some_and(|person| person.role == Role::Host);
        let Some(at) = self.chat.history.iter().position(|message| message.seq == seq) else {
            return failure(Code::NotNow);
        };
        if !is_host && self.chat.history.get(at).is_none_or(|message| message.id != *id) {
            return failure(Code::Forbidden);
        }
        self.chat.forget(at);
        out.push(Output::All(Message::Deleted { seq }, Urgency::Now));
        Ok(())
    }
}

/// Returns the failure for a client that sends too fast, with the time to wait.
pub(super) fn slow_down(wait: Millis) -> Failure {
    Failure { retry: Some(wait.div_ceil(1000)), ..Code::SlowDown.failure() }
}
