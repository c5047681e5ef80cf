//! Segments of other nodes: each is fetched once for all viewers, and kept while there is room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::watch;

use crate::cluster::files::{FileError, Files};
use crate::cluster::protocol::Owner;
use crate::core::name::StreamName;
use crate::edges::hls::dropped_segments::{Data, DroppedSegments};

/// Maximum bytes of kept segments of all streams. Beyond it, those that came first are dropped, and are fetched again if
/// somebody asks for them.
pub(super) const MAX_KEPT: usize = 256 << 20;
/// Maximum bytes of segments that are no longer kept and that slow clients still read.
const MAX_LENT: usize = 64 << 20;
/// Maximum number of segments that are fetched at the same time.
pub(super) const MAX_FETCHES: usize = 32;
/// Maximum bytes of one segment.
const MAX_SEGMENT: usize = 16 << 20;
/// Time for which a segment may take.
const SEGMENT_TIMEOUT: Duration = Duration::from_secs(5);

/// The stream, the epoch and the number of a segment.
pub(super) type Key = (StreamName, u64, u64);
type Outcome = Result<Arc<Data>, FetchError>;

/// The reason for which a segment cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edges::hls) enum FetchError {
    /// There is no such segment.
    Unknown,
    /// The owner has deleted it.
    Gone,
    /// The owner does not answer, or refuses.
    Away,
    /// As many segments as allowed are being fetched.
    Busy,
}

/// The content of a [`Cache`].
#[derive(Debug, Default)]
struct State {
    kept: HashMap<Key, Arc<Data>>,
    /// The kept segments, oldest first. One that was forgotten may still be here.
    order: VecDeque<Key>,
    bytes: usize,
    dropped: DroppedSegments,
    coming: HashMap<Key, watch::Receiver<Option<Outcome>>>,
}

/// The segments. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache(Arc<Mutex<State>>);

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a segment that is kept.
    pub(super) fn kept(&self, key: &Key) -> Option<Arc<Data>> {
        self.state().kept.get(key).cloned()
    }

    /// Returns a segment, which `fetch` fetches if it is neither kept nor being fetched. The request goes on when the
    /// caller gives up, for all others who wait for it.
    pub(super) async fn get<F>(&self, key: Key, fetch: impl FnOnce(Key) -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut result = {
            let mut state = self.state();
            if let Some(data) = state.kept.get(&key) {
                return Ok(data.clone());
            }
            match state.coming.get(&key) {
                Some(result) => result.clone(),
                None if state.coming.len() >= MAX_FETCHES => return Err(FetchError::Busy),
                None => {
                    let (sender, result) = watch::channel(None);
                    state.coming.insert(key.clone(), result.clone());
                    drop(state);
                    let (cache, fetched) = (self.clone(), fetch(key.clone()));
                    tokio::spawn(async move {
                        // Also if the request panics.
                        let end = EndOnDrop { cache: &cache, key: &key };
                        let outcome = fetched.await;
                        if let Ok(data) = &outcome {
                            cache.keep(&key, data.clone());
                        }
                        drop(end);
                        sender.send_replace(Some(outcome));
                    });
                    result
                }
            }
        };
        let outcome = result.wait_for(Option::is_some).await;
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(FetchError::Away))
    }

    fn keep(&self, key: &Key, data: Arc<Data>) {
        let mut state = self.state();
        let state = &mut *state;
        state.bytes += data.len();
        if let Some(before) = state.kept.insert(key.clone(), data) {
            state.bytes -= before.len();
        } else {
            state.order.push_back(key.clone());
        }
        while state.bytes > MAX_KEPT
            && let Some(oldest) = state.order.pop_front()
        {
            if let Some(data) = state.kept.remove(&oldest) {
                state.bytes -= data.len();
                state.dropped.add(data);
            }
        }
        state.dropped.trim(MAX_LENT);
    }

    /// Drops the segments of a stream for which `keep` returns false.
    pub(super) fn retain(&self, name: &StreamName, keep: impl Fn(u64, u64) -> bool) {
        let mut state = self.state();
        let state = &mut *state;
        let (kept, bytes, dropped) = (&mut state.kept, &mut state.bytes, &mut state.dropped);
        state.order.retain(|key| {
            let stays = key.0 != *name || keep(key.1, key.2);
            if !stays && let Some(data) = kept.remove(key) {
                *bytes -= data.len();
                dropped.add(data);
            }
            stays
        });
        state.dropped.trim(MAX_LENT);
    }

    /// Drops all segments of a stream.
    pub(super) fn forget(&self, name: &StreamName) {
        self.retain(name, |_, _| false);
    }

    /// Returns the number of bytes that are kept.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }
}

struct EndOnDrop<'a> {
    cache: &'a Cache,
    key: &'a Key,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.cache.state().coming.remove(self.key);
    }
}

/// Fetches a segment from the owner of its stream.
pub(super) async fn fetch(
    files: Files,
    owner: Arc<Owner>,
    name: StreamName,
    epoch: u64,
    number: u64,
) -> Outcome {
    let end = format!("-{epoch}-{number}.ts");
    match files.get(&owner, &name, &end, MAX_SEGMENT, SEGMENT_TIMEOUT).await {
        Ok(bytes) => {
            metrics::counter!("lianmai_cluster_hls_received_bytes_total").increment(bytes.len() as u64);
            Ok(Data::new(bytes))
        }
        Err(FileError::Status(StatusCode::NOT_FOUND)) => Err(FetchError::Unknown),
        Err(FileError::Status(StatusCode::GONE)) => Err(FetchError::Gone),
        Err(error) => {
            metrics::counter!("lianmai_cluster_failures_total").increment(1);
            tracing::info!(stream = %name, owner = %owner.node, %error, "segment not fetched");
            Err(FetchError::Away)
        }
    }
}
