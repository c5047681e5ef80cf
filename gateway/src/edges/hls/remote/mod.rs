//! HLS of streams that another node of the cluster publishes: playlists and segments are fetched from that node, once
//! for all viewers.
//!
//! Only the owner of a stream cuts it into segments. So every node serves the same ones, and a viewer may change nodes.
//! `follow` keeps the playlist of one stream up to date while viewers ask for it, `stream` is what viewers read, `join`
//! connects the playlists of two owners, `cache` fetches segments and keeps them. Start reading at [`Remotes::follow`].

mod cache;
mod follow;
mod join;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use self::cache::Cache;
pub(super) use self::cache::FetchError;
pub(super) use self::stream::RemoteStream;
use super::sessions::Sessions;
use crate::cluster::LateCluster;
use crate::cluster::files::Files;
use crate::context::Context;
use crate::core::hub::StreamName;
use crate::web::problem::Problem;

/// Maximum number of streams of other nodes whose playlists are fetched or looked for. Viewers choose the names.
pub(super) const MAX_FOLLOWED: usize = 4096;
/// A playlist is fetched for so long after the last request of a viewer.
const LINGER: Duration = Duration::from_secs(10);

/// The content of [`Remotes`].
#[derive(Debug)]
struct Inner {
    late: LateCluster,
    context: Context,
    sessions: Arc<Sessions>,
    cache: Cache,
    streams: Mutex<HashMap<StreamName, Arc<RemoteStream>>>,
}

/// The streams of other nodes. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Remotes(Arc<Inner>);

impl Remotes {
    /// Creates an empty table. Without a cluster, it stays empty.
    pub(super) fn new(late: LateCluster, context: &Context, sessions: Arc<Sessions>) -> Self {
        let (context, streams) = (context.clone(), Mutex::default());
        Self(Arc::new(Inner { late, context, sessions, cache: Cache::default(), streams }))
    }

    /// Returns what fetches files from other nodes; `None` without a cluster.
    fn files(&self) -> Option<Files> {
        self.0.late.get()?.relays().map(crate::cluster::relay::Relays::files)
    }

    /// Returns whether this gateway belongs to a cluster.
    pub(super) fn is_on(&self) -> bool {
        self.0.late.get().is_some()
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<StreamName, Arc<RemoteStream>>> {
        self.0.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a stream of another node for a viewer, and looks for it from now on; `None` without a cluster.
    ///
    /// # Errors
    /// Too many streams are looked for.
    pub(super) fn follow(&self, name: &StreamName) -> Result<Option<Arc<RemoteStream>>, Problem> {
        let Some(files) = self.files() else { return Ok(None) };
        if let Some(stream) = self.known(name) {
            stream.ask();
            return Ok(Some(stream));
        }
        if !self.has_room(name) {
            metrics::counter!("lianmai_cluster_relays_refused_total").increment(1);
            let words =
                format!("HLS of {MAX_FOLLOWED} streams of other nodes is played here: try again later");
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, words));
        }
        let stream = Arc::new(RemoteStream::new(name.clone()));
        let mut streams = self.streams();
        if let Some(known) = streams.get(name) {
            // Another viewer was faster.
            return Ok(Some(known.clone()));
        }
        streams.insert(name.clone(), stream.clone());
        drop(streams);
        let (remotes, followed) = (self.clone(), stream.clone());
        tokio::spawn(async move {
            // Also if the task panics.
            let _end = EndOnDrop(&remotes, &followed);
            follow::run(&remotes, &files, &followed).await;
        });
        Ok(Some(stream))
    }

    fn has_room(&self, name: &StreamName) -> bool {
        let streams = self.streams();
        streams.len() < MAX_FOLLOWED || streams.contains_key(name)
    }

    /// Returns a stream of another node that is looked for already.
    pub(super) fn known(&self, name: &StreamName) -> Option<Arc<RemoteStream>> {
        self.streams().get(name).cloned()
    }

    /// Removes a stream that no viewer has asked for within [`LINGER`]. Returns whether it is gone.
    fn end_unasked(&self, stream: &Arc<RemoteStream>) -> bool {
        let mut streams = self.streams();
        let ends = stream.unasked() >= LINGER;
        if ends && streams.get(stream.name()).is_some_and(|known| Arc::ptr_eq(known, stream)) {
            streams.remove(stream.name());
        }
        ends
    }

    /// Returns the bytes of a segment. All viewers who ask for it at the same time wait for one request to the owner.
    ///
    /// # Errors
    /// The stream has no such segment, or it cannot be fetched now.
    pub(super) async fn segment(
        &self,
        stream: &Arc<RemoteStream>,
        epoch: u64,
        number: u64,
    ) -> Result<Arc<super::dropped_segments::Data>, FetchError> {
        let key = (stream.name().clone(), epoch, number);
        if let Some(data) = self.0.cache.kept(&key) {
            return Ok(data);
        }
        let owner = stream.owner_of(epoch, number).await?;
        let Some(files) = self.files() else { return Err(FetchError::Away) };
        self.0
            .cache
            .get(key, move |(name, epoch, number)| cache::fetch(files, owner, name, epoch, number))
            .await
    }
}

struct EndOnDrop<'a>(&'a Remotes, &'a Arc<RemoteStream>);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        let Self(remotes, stream) = self;
        let mut streams = remotes.streams();
        if streams.get(stream.name()).is_some_and(|known| Arc::ptr_eq(known, stream)) {
            streams.remove(stream.name());
        }
        drop(streams);
        stream.end();
        remotes.0.sessions.release(stream.name());
        remotes.0.cache.forget(stream.name());
    }
}
