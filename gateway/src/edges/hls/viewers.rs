//! Counts viewers of open streams. HLS has no permanent connection, so a viewer is a client that keeps
//! asking.
//!
//! Playlist requests with the same client address, User-Agent and query are one viewer, until there is no
//! request for three target durations. Viewers behind one address with the same software count as one unless
//! their queries differ (a player may add a random parameter). In exchange, playlists and segments are the
//! same for all viewers, so that caches in front of the gateway work.

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

/// Maximum number of counted viewers. Further viewers are served but not counted.
pub(super) const MAX: usize = 20_000;

/// The network origin of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NetworkOrigin {
    ip: IpAddr,
    /// The client address that a proxy reports.
    forwarded: String,
}

/// The network origin of a request, and the client software.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ClientOrigin {
    pub(super) from: NetworkOrigin,
    pub(super) agent: String,
}

impl ClientOrigin {
    pub(super) fn of(request: &Parts, peer: SocketAddr) -> Self {
        let text = |name| shown(&request.headers, name);
        Self {
            from: NetworkOrigin {
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
pub(super) struct Viewers(Mutex<HashMap<ClientOrigin, HashMap<String, Viewer>>>);

impl Viewers {
    fn all(&self) -> MutexGuard<'_, HashMap<ClientOrigin, HashMap<String, Viewer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether this viewer is known, which means that it was admitted.
    pub(super) fn knows(&self, origin: &ClientOrigin, query: &str) -> bool {
        self.all().get(origin).is_some_and(|queries| queries.contains_key(query))
    }

    /// Records a playlist request that will be answered with `bytes`. Returns false if an operator closed
    /// this viewer.
    pub(super) fn ask(
        &self,
        origin: &ClientOrigin,
        query: &str,
        bytes: usize,
        register: impl FnOnce() -> Option<ClientHandle>,
    ) -> bool {
        let mut all = self.all();
        if let Some(viewer) = all.get_mut(origin).and_then(|queries| queries.get_mut(query)) {
            if viewer.handle.revocation().is_revoked() {
                // The viewer stays closed while it keeps asking, and for a short time after.
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

    /// Records a segment request. Returns false if no known viewer matches.
    pub(super) fn sent(&self, origin: &ClientOrigin, bytes: usize) -> bool {
        let mut all = self.all();
        // A segment's address has no query: count it for the matching viewer that asked last.
        let newest = all.get_mut(origin).and_then(|queries| queries.values_mut().max_by_key(|v| v.seen));
        match newest {
            Some(viewer) => {
                viewer.handle.sent(bytes);
                true
            }
            None => false,
        }
    }

    /// Removes viewers that were silent for `patience`, with this reason.
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
