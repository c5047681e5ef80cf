//! Fetches the HLS files of a stream from the node that publishes it.
//!
//! Only the owner of a stream cuts it into segments, so every node serves the same ones. A request has the ticket of the
//! node, as a relay has.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::node::NodeName;
use super::protocol::{self, Owner};
use super::registry::Registry;
use super::relay::Found;
use super::ticket::{ClusterSecret, PARAMETER};
use crate::core::admission::PublishGrant;
use crate::core::bus::Subscription;
use crate::core::hub::{Hub, Publisher};
use crate::core::name::StreamName;
use crate::remote::{Dialer, RemoteAddress, RemoteError};

/// The protocol of these requests among those of the gateway's clients.
pub const PROTOCOL: &str = "hls";
/// The job that holds the place of a stream in the hub.
const JOB: &str = "cluster-hls";

/// The reason for which a file could not be fetched.
#[derive(Debug)]
pub enum FileError {
    /// The node cannot be reached, or its answer is not complete in time.
    Away(RemoteError),
    /// The node answered with this status.
    Status(StatusCode),
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(error) => error.fmt(f),
            Self::Status(status) => write!(f, "the node answered with status {status}"),
        }
    }
}

impl std::error::Error for FileError {}

/// Fetches files from other nodes. Cloning shares its settings.
#[derive(Debug, Clone)]
pub struct Files {
    registry: Registry,
    secret: ClusterSecret,
    dialer: Dialer,
}

impl Files {
    pub(super) const fn new(registry: Registry, secret: ClusterSecret, dialer: Dialer) -> Self {
        Self { registry, secret, dialer }
    }

    /// Asks the cluster for the owner of a stream. Returns [`Found::Nobody`] if this node is the owner.
    pub async fn find(&self, name: &StreamName) -> Found {
        match self.registry.find(name).await {
            Found::Owner(owner) if owner.node == *self.me() => Found::Nobody,
            found => found,
        }
    }

    fn me(&self) -> &NodeName {
        &self.registry.me().node
    }

    /// Notifies `news` whenever a node begins to publish a stream, until the returned value is dropped.
    pub fn on_news(&self, name: &StreamName, news: Arc<Notify>) -> Subscription {
        let (registry, stream) = (self.registry.clone(), name.clone());
        let heard = move |_| {
            registry.appeared(&stream);
            news.notify_one();
        };
        self.registry.bus().subscribe(protocol::on(name), Arc::new(heard))
    }

    /// Holds the place of a stream in the hub of this node, so that viewers of its files can be counted and ended. `None`
    /// if a publisher or a relay has it, or there is no room.
    pub fn hold_place(&self, hub: &Hub, name: &StreamName) -> Option<Publisher> {
        hub.publish_placeholder(&PublishGrant::for_job(name, JOB)).ok()
    }

    /// Fetches the file `NAME` + `end` (`.m3u8?after=…`, `-1-2.ts`) of at most `max` bytes, within `limit`.
    ///
    /// # Errors
    /// The owner cannot be reached, does not have the file, or takes too long.
    pub async fn get(
        &self,
        owner: &Owner,
        name: &StreamName,
        end: &str,
        max: usize,
        limit: Duration,
    ) -> Result<Bytes, FileError> {
        let late = || RemoteError::new(&format!("the file was not complete within {} ms", limit.as_millis()));
        let fetched = timeout(limit, self.fetch(owner, name, end, max)).await;
        fetched.unwrap_or_else(|_| Err(FileError::Away(late())))
    }

    async fn fetch(
        &self,
        owner: &Owner,
        name: &StreamName,
        end: &str,
        max: usize,
    ) -> Result<Bytes, FileError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let ticket = self.secret.ticket(self.me(), name, now);
        let mark = if end.contains('?') { '&' } else { '?' };
        let address = format!("{}/{name}{end}{mark}{PARAMETER}={ticket}", owner.url.trim_end_matches('/'));
        let invalid = |error| RemoteError::new(&format!("the node's address is not valid: {error}"));
        let address = RemoteAddress::parse(&address).map_err(|error| FileError::Away(invalid(error)))?;
        let (status, mut body) = self.dialer.get_once(&address).await.map_err(FileError::Away)?;
        if status != StatusCode::OK {
            return Err(FileError::Status(status));
        }
        let mut all = BytesMut::new();
        // The caller limits the time.
        while let Some(bytes) = body.next(Duration::MAX).await.map_err(FileError::Away)? {
            if all.len() + bytes.len() > max {
                let words = format!("the file has more than {max} bytes");
                return Err(FileError::Away(RemoteError::refused(&words)));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all.freeze())
    }
}
