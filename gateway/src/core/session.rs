//! Sessions of clients, from admission to the end: what hooks and the session log record.
//!
//! Every admitted client has one [`ClientSession`]. [`Observers`] hear when it begins and ends. They are called on
//! network threads, so they must only store or queue what they hear.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use super::client::{Act, ClientInfo, Identity};
use super::close::CloseReason;
use super::name::StreamName;

/// Maximum length of the kept query of a client's address, in bytes.
pub const MAX_QUERY: usize = 4096;
/// Maximum length of the kept page address, in bytes.
pub const MAX_PAGE: usize = 1024;

/// Returns a number for a new client, unique within this run.
pub fn next_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// A client that was admitted to a stream.
#[derive(Clone)]
pub struct ClientSession {
    /// The client's number, unique within this run.
    pub id: u64,
    /// Whether it publishes or plays.
    pub act: Act,
    /// The stream's name.
    pub stream: StreamName,
    /// The connection.
    pub client: ClientInfo,
    /// The identity.
    pub identity: Identity,
    /// The client's address: its own, or the one that a trusted proxy reports.
    pub from: IpAddr,
    /// The start of the query of the requested address. It may contain secrets: never log it.
    pub query: String,
    /// The page that contains the player, as the client says; may be empty.
    pub page: String,
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may contain secrets.
        f.debug_struct("ClientSession")
            .field("id", &self.id)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// The counts of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionCounts {
    /// Bytes received from the client.
    pub received: u64,
    /// Bytes sent to the client.
    pub sent: u64,
    /// Number of items that it missed because it was too slow.
    pub skipped: u64,
    /// Number of a publisher's unreadable frames.
    pub bad_frames: u64,
}

/// The end of a session.
#[derive(Debug)]
pub struct SessionEnd<'a> {
    /// The identifier of the stream in the API.
    pub stream_id: &'a str,
    /// When the client connected.
    pub since: SystemTime,
    /// The counts.
    pub counts: SessionCounts,
    /// Why the client disconnected.
    pub reason: &'a CloseReason,
}

/// Hears of the sessions of all clients. The methods must not block.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A client is connected to its stream. `again` says that an earlier connection of the same session has ended: an
    /// HLS viewer has waited for the next publisher.
    fn began(&self, session: &Arc<ClientSession>, again: bool) {
        let _ = (session, again);
    }

    /// A client has disconnected.
    fn ended(&self, session: &Arc<ClientSession>, end: &SessionEnd<'_>);

    /// An admitted client never connected.
    fn abandoned(&self, session: &Arc<ClientSession>) {
        let _ = session;
    }
}

/// The observers of a gateway. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Observers(Arc<RwLock<Vec<Arc<dyn Observer>>>>);

impl Observers {
    /// Adds an observer, for all sessions that change from now on.
    pub fn add(&self, observer: Arc<dyn Observer>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Calls `tell` for every observer.
    pub fn tell(&self, tell: impl Fn(&dyn Observer)) {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().for_each(|observer| tell(&**observer));
    }
}

/// Returns the start of a text of at most `max` bytes.
pub fn start_of(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!((start_of("连麦", 4), start_of("连麦", 6), start_of("", 3)), ("连", "连麦", ""));
    }
}
