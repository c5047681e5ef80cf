//! Events of the hub, for hooks, a console, rooms, metering or a cluster.

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::TrackId;
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::core::name::StreamName;

/// Maximum number of events that wait for one listener; a slower listener misses the oldest.
pub const MAX_EVENTS: usize = 1024;

/// A complete HLS segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HlsSegment {
    /// Its address below the gateway's, without a slash at the start.
    pub path: String,
    /// Its number in the playlist.
    pub sequence: u64,
    /// Its duration.
    pub duration: Duration,
}

/// A change of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The stream starts with its first publisher.
    Started,
    /// Another publisher, or the same one again, continues the stream.
    Resumed,
    /// The publisher left; viewers wait for one to return.
    Paused,
    /// The stream has ended.
    Ended,
    /// A track has a new configuration, or its first frame. Changes that follow each other quickly are
    /// reported as one.
    ConfigChanged(TrackId),
    /// The number of viewers changed to this. There is one such event in half a second at most, with the newest
    /// number, and none after [`Happened::Ended`].
    Viewers(usize),
    /// An HLS segment is complete.
    Segment(Arc<HlsSegment>),
    /// A recording of the stream is complete. The stream may have ended long before.
    Recorded {
        /// The MP4 file.
        path: Arc<Path>,
        /// Its size in bytes.
        size: u64,
        /// Its duration.
        duration: Duration,
    },
}

/// An event of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubEvent {
    /// The stream's name.
    pub stream: StreamName,
    /// The change.
    pub happened: Happened,
    /// The time of the change.
    pub at: SystemTime,
}

/// Maximum number of configuration changes of one track that are reported without delay.
const MAX_BURST: u32 = 8;
/// Interval at which one more change may be reported after a burst.
const ONE_MORE_AFTER: Duration = Duration::from_secs(1);

/// Limits the rate of events for one track. A publisher that changes its configuration with each frame must not push
/// the events of other streams out of the queue.
#[derive(Debug, Default)]
pub(super) struct ConfigEvents {
    /// Number of recent events, and the time from which one of them is forgotten every [`ONE_MORE_AFTER`].
    reported: Option<(u32, Instant)>,
    /// Whether a change has not been reported yet.
    pending: bool,
}

impl ConfigEvents {
    /// Takes whether a frame `changed` the configuration. Returns whether to report this change, or an
    /// earlier one that was held back, now.
    pub(super) fn is_due(&mut self, changed: bool, now: Instant) -> bool {
        self.pending |= changed;
        if !self.pending {
            return false;
        }
        let (mut reported, mut since) = self.reported.unwrap_or((0, now));
        while reported > 0 && now >= since + ONE_MORE_AFTER {
            (reported, since) = (reported - 1, since + ONE_MORE_AFTER);
        }
        if reported == 0 {
            since = now;
        }
        let due = reported < MAX_BURST;
        self.reported = Some((reported + u32::from(due), since));
        self.pending = !due;
        due
    }
}

/// Sends events. There may be no listener.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    queue: broadcast::Sender<HubEvent>,
    runtime: Handle,
}

impl Sender {
    pub(super) fn new(runtime: Handle) -> Self {
        Self { queue: broadcast::Sender::new(MAX_EVENTS), runtime }
    }

    /// Calls `send` at time `due`, on the hub's runtime.
    pub(super) fn schedule(&self, due: Instant, send: impl FnOnce() + Send + 'static) {
        self.runtime.spawn(async move {
            tokio::time::sleep_until(due).await;
            send();
        });
    }

    pub(super) fn send(&self, stream: &StreamName, happened: Happened) {
        if self.queue.receiver_count() > 0 {
            // The last listener may have left.
            let _ = self.queue.send(HubEvent { stream: stream.clone(), happened, at: SystemTime::now() });
        }
    }

    pub(super) fn listen(&self) -> HubEvents {
        HubEvents(self.queue.subscribe())
    }
}

/// The events from the time of [`super::Hub::events`] on.
#[derive(Debug)]
pub struct HubEvents(broadcast::Receiver<HubEvent>);

/// The result of [`HubEvents::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextEvent {
    /// The next event.
    Event(HubEvent),
    /// The listener was too slow: this many events are lost, and it should read the hub's state again.
    Missed(u64),
}

impl HubEvents {
    /// Waits for the next event; `None` when the hub is gone. Safe to cancel and call again.
    pub async fn next(&mut self) -> Option<NextEvent> {
        match self.0.recv().await {
            Ok(event) => Some(NextEvent::Event(event)),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(NextEvent::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
