//! Sessions of viewers of protected streams.
//!
//! An admitted viewer gets an address with a pass, which any gateway checks without memory. A session is what this
//! gateway knows about a viewer meanwhile: it counts the viewer, and lets an operator close it. A session ends after a
//! time without requests; the pass of a viewer that was closed is remembered until it has expired. A reload of the
//! original playlist address continues the session, because some players cannot do otherwise; with a token, only from
//! the address where the session began.

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
/// Maximum number of closed viewers that are remembered. One more replaces the one whose pass expires first.
pub(super) const MAX_CLOSED: usize = 10_000;

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
    /// What identifies the viewer at the original address; `None` if it came with a pass.
    key: Option<Key>,
    seen: Instant,
    grant: PlayGrant,
    /// Its client entry, while there is a stream.
    handle: Option<ClientHandle>,
}

impl Session {
    fn standing(&mut self, patience: Duration) -> Standing {
        if self.grant.revocation().is_revoked() {
            self.seen = Instant::now();
            return Standing::Kicked;
        }
        if self.seen.elapsed() >= patience {
            return Standing::Over;
        }
        self.seen = Instant::now();
        Standing::Open
    }
}

/// The sessions of one stream.
#[derive(Debug, Default)]
struct StreamSessions {
    by_id: HashMap<String, Session>,
    by_key: HashMap<Key, String>,
}

impl StreamSessions {
    fn expire(&mut self, patience: Duration, closed: &Closed) {
        let Self { by_id, by_key } = self;
        by_id.retain(|id, session| {
            let stays = session.seen.elapsed() < patience;
            if !stays {
                if let Some(key) = session.key.as_ref().filter(|key| by_key.get(key) == Some(id)) {
                    by_key.remove(key);
                }
                if session.grant.revocation().is_revoked() {
                    closed.add(id);
                }
            }
            stays
        });
    }
}

/// Viewers that were closed and have been silent since: their passes are still valid.
#[derive(Debug)]
struct Closed {
    /// Ids, and when their passes have expired.
    until: Mutex<HashMap<String, Instant>>,
    life: Duration,
}

impl Closed {
    fn until(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, id: &str) {
        let mut all = self.until();
        if all.len() >= MAX_CLOSED {
            let now = Instant::now();
            all.retain(|_, until| *until > now);
        }
        if all.len() >= MAX_CLOSED
            && let Some(first) = all.iter().min_by_key(|(_, until)| **until).map(|(id, _)| id.clone())
        {
            all.remove(&first);
        }
        all.insert(id.to_owned(), Instant::now() + self.life);
    }

    fn has(&self, id: &str) -> bool {
        self.until().get(id).is_some_and(|until| *until > Instant::now())
    }
}

/// The sessions of all streams.
#[derive(Debug)]
pub(super) struct Sessions {
    all: Mutex<HashMap<StreamName, StreamSessions>>,
    closed: Closed,
}

impl Sessions {
    /// Creates an empty table for viewers whose passes are valid for so many seconds.
    pub(super) fn new(life: u64) -> Self {
        let closed = Closed { until: Mutex::default(), life: Duration::from_secs(life) };
        Self { all: Mutex::default(), closed }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<StreamName, StreamSessions>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the session in which this stream's playlist was requested before.
    pub(super) fn known(&self, stream: &StreamName, key: &Key, patience: Duration) -> Option<String> {
        let mut all = self.all();
        let table = all.get_mut(stream)?;
        let id = table.by_key.get(key)?.clone();
        let session = table.by_id.get_mut(&id)?;
        (session.standing(patience) != Standing::Over).then_some(id)
    }

    /// Opens a session for an admitted viewer, which comes with an id or gets a new one; `None` if there are too many.
    pub(super) fn open(
        &self,
        grant: PlayGrant,
        viewer: Result<String, Key>,
        patience: Duration,
    ) -> Option<String> {
        let stream = &grant.name().clone();
        let mut all = self.all();
        if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
            all.values_mut().for_each(|table| table.expire(patience, &self.closed));
            if all.values().map(|table| table.by_id.len()).sum::<usize>() >= MAX {
                return None;
            }
        }
        // Sessions of streams without a publisher expire when the next session is opened.
        all.retain(|name, table| {
            if name != stream && table.by_id.values().all(|session| session.handle.is_none()) {
                table.expire(patience, &self.closed);
            }
            !table.by_id.is_empty()
        });
        let table = all.entry(stream.clone()).or_default();
        let (id, key) = match viewer {
            Ok(id) => (id, None),
            Err(key) => (format!("{:016x}", rand::random::<u64>()), Some(key)),
        };
        if let Some(key) = &key
            && let Some(old) = table.by_key.insert(key.clone(), id.clone())
        {
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
        let standing = session.map_or(Standing::Over, |session| session.standing(patience));
        if standing == Standing::Over && self.closed.has(id) { Standing::Kicked } else { standing }
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
            table.expire(patience, &self.closed);
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
