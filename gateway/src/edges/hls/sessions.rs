//! Sessions of viewers of protected streams.
//!
//! A token admits once and for a short time, but an HLS player requests its playlist again and again, and the
//! addresses in a playlist do not inherit the query of the playlist's own address. Therefore an admitted
//! viewer gets a session, and every address in its playlist carries the session id. A reload of the original
//! playlist address continues the session, because players cannot do otherwise; with a token, only from the
//! address where the session began. A session ends after a time without requests, or when an operator closes
//! it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::viewers::{ClientOrigin, NetworkOrigin};
use crate::core::admission::PlayGrant;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, Stream, StreamName};

/// Maximum number of sessions. Further viewers are refused, because a viewer without session cannot be
/// closed.
pub(super) const MAX: usize = 20_000;

/// Identifies the session of a repeated playlist request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The client's address, and the token that was used.
    Token(NetworkOrigin, String),
    /// The client, which shows the secret every time, and its query, which players may use to distinguish
    /// themselves.
    Secret(ClientOrigin, String),
}

/// The state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The session is open.
    Open,
    /// An operator has closed it; it stays closed while the client keeps asking.
    Kicked,
    /// The session has ended or never existed.
    Over,
}

/// An HLS viewer whose requests were admitted.
#[derive(Debug)]
struct Session {
    key: Key,
    seen: Instant,
    grant: PlayGrant,
    /// Its client entry, while there is a stream.
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

/// The sessions of one stream.
#[derive(Debug, Default)]
struct StreamSessions {
    by_id: HashMap<String, Session>,
    by_key: HashMap<Key, String>,
}

impl StreamSessions {
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
pub(super) struct Sessions(Mutex<HashMap<StreamName, StreamSessions>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<StreamName, StreamSessions>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session in which this stream's playlist was requested before.
    pub(super) fn known(&self, stream: &StreamName, key: &Key, patience: Duration) -> Option<String> {
        let mut all = self.all();
        let table = all.get_mut(stream)?;
        let id = table.by_key.get(key)?.clone();
        let session = table.by_id.get_mut(&id)?;
        (session.standing(patience) != Standing::Over).then_some(id)
    }

    /// Opens a session for an admitted viewer; `None` if there are too many.
    pub(super) fn open(&self, grant: PlayGrant, key: Key, patience: Duration) -> Option<String> {
        let stream = &grant.name().clone();
        let mut all = self.all();
        if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
            all.values_mut().for_each(|table| table.expire(patience));
            if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
                return None;
            }
        }
        // Sessions of streams without a publisher expire when the next session is opened.
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

    /// Returns the state of session `id` and records a request in it.
    pub(super) fn ask(&self, stream: &StreamName, id: &str, patience: Duration) -> Standing {
        let mut all = self.all();
        let session = all.get_mut(stream).and_then(|table| table.by_id.get_mut(id));
        session.map_or(Standing::Over, |session| session.standing(patience))
    }

    /// Returns the grant of session `id`.
    pub(super) fn grant(&self, stream: &StreamName, id: &str) -> Option<PlayGrant> {
        let all = self.all();
        Some(all.get(stream)?.by_id.get(id)?.grant.clone())
    }

    /// Counts `bytes` sent in a session, and adds its viewer to stream `of`. Returns false if that is not
    /// possible.
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

    /// Removes the sessions that were silent for `patience`.
    pub(super) fn expire(&self, stream: &StreamName, patience: Duration) {
        let mut all = self.all();
        if let Some(table) = all.get_mut(stream) {
            table.expire(patience);
            if table.by_id.is_empty() {
                all.remove(stream);
            }
        }
    }

    /// Handles the end of the stream: it has no viewers any more. Clients that wait for the next one keep their
    /// session.
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
