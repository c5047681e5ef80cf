//! Viewing what is not for everybody.
//!
//! A token lets in once and a short while, but an HLS player asks for its list again and again, and the
//! addresses in the list inherit nothing of the list's own. So whoever is let in gets a session: the list
//! is written with it in every address. Reloading the list as it was asked for first stays in the session,
//! for players can't do otherwise; with a token, only from where it began. A session ends when nothing was
//! asked in it for a while, or when an operator says so.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::viewers::{From, Origin};
use crate::core::admission::PlayGrant;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, Stream, StreamName};

/// More are refused: what is not counted can't be ended.
pub(super) const MAX: usize = 20_000;

/// By what a list that is asked for again is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// From where, and the token that was used.
    Token(From, String),
    /// Who shows the secret every time, and its query, by which players may tell themselves apart.
    Secret(Origin, String),
}

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It goes on.
    Open,
    /// An operator has ended it; it stays so while it keeps asking.
    Kicked,
    /// It is over or never was.
    Over,
}

#[derive(Debug)]
struct Session {
    key: Key,
    seen: Instant,
    grant: PlayGrant,
    /// Its place among the stream's viewers, while there is a stream.
    handle: Option<ClientHandle>,
}

impl Session {
    fn standing(&mut self, patience: Duration) -> Standing {
        if self.seen.elapsed() >= patience {
            return Standing::Over;
        }
        self.seen = Instant::now();
        if self.grant.revocation().is_revoked() { Standing::Kicked } else { Standing::Open }
    }
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<String, Session>,
    by_key: HashMap<Key, String>,
}

impl Table {
    fn expire(&mut self, patience: Duration) {
        let Self { by_id, by_key } = self;
        by_id.retain(|id, session| {
            let stays = session.seen.elapsed() < patience;
            if !stays && by_key.get(&session.key) == Some(id) {
                by_key.remove(&session.key);
            }
            stays
        });
    }
}

/// The sessions of all streams.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<StreamName, Table>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<StreamName, Table>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session that this stream's list was asked for in before.
    pub(super) fn known(&self, stream: &StreamName, key: &Key, patience: Duration) -> Option<String> {
        let mut all = self.all();
        let table = all.get_mut(stream)?;
        let id = table.by_key.get(key)?.clone();
        let session = table.by_id.get_mut(&id)?;
        (session.standing(patience) != Standing::Over).then_some(id)
    }

    /// A new session for an admitted viewer; none when there are too many.
    pub(super) fn open(&self, grant: PlayGrant, key: Key, patience: Duration) -> Option<String> {
        let stream = &grant.name().clone();
        let mut all = self.all();
        if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
            all.values_mut().for_each(|table| table.expire(patience));
            if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
                return None;
            }
        }
        // Streams that nobody publishes expire with the next one.
        all.retain(|name, table| {
            if name != stream && table.by_id.values().all(|session| session.handle.is_none()) {
                table.expire(patience);
            }
            !table.by_id.is_empty()
        });
        let id = format!("{:032x}", rand::random::<u128>());
        let table = all.entry(stream.clone()).or_default();
        if let Some(old) = table.by_key.insert(key.clone(), id.clone()) {
            table.by_id.remove(&old);
        }
        let session = Session { key, seen: Instant::now(), grant, handle: None };
        table.by_id.insert(id.clone(), session);
        Some(id)
    }

    /// How the session `id` stands, in which something was just asked.
    pub(super) fn ask(&self, stream: &StreamName, id: &str, patience: Duration) -> Standing {
        let mut all = self.all();
        let session = all.get_mut(stream).and_then(|table| table.by_id.get_mut(id));
        session.map_or(Standing::Over, |session| session.standing(patience))
    }

    /// The grant of the session `id`.
    pub(super) fn grant(&self, stream: &StreamName, id: &str) -> Option<PlayGrant> {
        let all = self.all();
        Some(all.get(stream)?.by_id.get(id)?.grant.clone())
    }

    /// Counts `bytes` that are sent in it, and the one who asks among the viewers of `of`; false if that
    /// can't be.
    pub(super) fn sent(
        &self,
        stream: &StreamName,
        id: &str,
        bytes: usize,
        of: Option<&Stream>,
        register: impl FnOnce(&PlayGrant) -> Option<ClientHandle>,
    ) -> bool {
        let mut all = self.all();
        let session = all.get_mut(stream).and_then(|table| table.by_id.get_mut(id));
        let Some(session) = session else { return false };
        let stays = |handle: &ClientHandle| of.is_some_and(|of| handle.client().stream.id() == of.id());
        session.handle = session.handle.take().filter(stays).or_else(|| register(&session.grant));
        if let Some(handle) = &session.handle {
            handle.sent(bytes);
        }
        session.handle.is_some()
    }

    /// Forgets those that were silent for `patience`.
    pub(super) fn expire(&self, stream: &StreamName, patience: Duration) {
        let mut all = self.all();
        if let Some(table) = all.get_mut(stream) {
            table.expire(patience);
            if table.by_id.is_empty() {
                all.remove(stream);
            }
        }
    }

    /// The stream is over: nobody is its viewer any more. Who waits for the next one keeps the session.
    pub(super) fn release(&self, stream: &StreamName) {
        if let Some(table) = self.all().get_mut(stream) {
            for session in table.by_id.values_mut() {
                if let Some(handle) = session.handle.take() {
                    handle.close(CloseReason::StreamEnded);
                }
            }
        }
    }
}
