//! Who watches: HLS has no connection that lasts, so a viewer is one who asks again and again.
//!
//! Whoever asks for the playlist from one address, with one User-Agent and one query, is one viewer
//! until nothing was heard of it for three target durations. Viewers behind one address with the same
//! software count as one unless their queries differ (a player may add one of its own); in exchange
//! playlists and segments are the same for all, so that caches in front of the gateway work.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderName, header};
use tokio::time::Instant;

use crate::core::close::CloseReason;
use crate::core::hub::ClientHandle;
use crate::web::request::shown;

/// More are served, but not counted.
pub(super) const MAX: usize = 20_000;

/// From where someone asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct From {
    ip: IpAddr,
    /// Whom a proxy says it asks for.
    forwarded: String,
}

/// From where and with what someone asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) from: From,
    pub(super) agent: String,
}

impl Origin {
    pub(super) fn of(request: &Parts, peer: SocketAddr) -> Self {
        let text = |name| shown(&request.headers, name);
        Self {
            from: From {
                ip: peer.ip().to_canonical(),
                forwarded: text(HeaderName::from_static("x-forwarded-for")),
            },
            agent: text(header::USER_AGENT),
        }
    }
}

#[derive(Debug)]
struct Viewer {
    handle: ClientHandle,
    seen: Instant,
}

/// The viewers of one stream.
#[derive(Debug, Default)]
pub(super) struct Viewers(Mutex<HashMap<Origin, HashMap<String, Viewer>>>);

impl Viewers {
    fn all(&self) -> MutexGuard<'_, HashMap<Origin, HashMap<String, Viewer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this viewer is known, so that it was admitted.
    pub(super) fn knows(&self, origin: &Origin, query: &str) -> bool {
        self.all().get(origin).is_some_and(|queries| queries.contains_key(query))
    }

    /// Someone asked for the playlist and will be sent `bytes`. False when an operator ended it.
    pub(super) fn ask(
        &self,
        origin: &Origin,
        query: &str,
        bytes: usize,
        register: impl FnOnce() -> Option<ClientHandle>,
    ) -> bool {
        let mut all = self.all();
        if let Some(viewer) = all.get_mut(origin).and_then(|queries| queries.get_mut(query)) {
            if viewer.handle.revocation().is_revoked() {
                // It stays so while it keeps asking, and a little longer.
                return false;
            }
            viewer.seen = Instant::now();
            viewer.handle.sent(bytes);
            return true;
        }
        if all.values().map(HashMap::len).sum::<usize>() < MAX
            && let Some(handle) = register()
        {
            handle.sent(bytes);
            let viewer = Viewer { handle, seen: Instant::now() };
            all.entry(origin.clone()).or_default().insert(query.to_owned(), viewer);
        }
        true
    }

    /// Someone is sent a segment. False when no viewer is known that it could be.
    pub(super) fn sent(&self, origin: &Origin, bytes: usize) -> bool {
        let mut all = self.all();
        // A segment's address has no query: of those it may be, the one that asked last.
        let newest = all.get_mut(origin).and_then(|queries| queries.values_mut().max_by_key(|v| v.seen));
        match newest {
            Some(viewer) => {
                viewer.handle.sent(bytes);
                true
            }
            None => false,
        }
    }

    /// Forgets those who were silent for `patience`, for this reason.
    pub(super) fn expire(&self, patience: Duration, reason: &CloseReason) {
        self.all().retain(|_, queries| {
            queries.retain(|_, viewer| {
                let stays = viewer.seen.elapsed() < patience;
                if !stays {
                    viewer.handle.close(reason.clone());
                }
                stays
            });
            !queries.is_empty()
        });
    }
}
