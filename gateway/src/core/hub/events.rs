//! Events of the hub, for hooks, a console, rooms, metering or a cluster.

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use media::Track;
use tokio::sync::broadcast;

use crate::core::name::StreamName;

/// Maximum number of events that wait for one listener; a slower listener misses the oldest.
pub const MAX_EVENTS: usize = 1024;

/// A change of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The stream starts with its first publisher.
    Started,
    /// Another publisher, or the same one again, continues the stream.
    Resumed,
    /// The publisher left; viewers wait for one to return.
    Paused,
    /// The stream has ended.
    Ended,
    /// A track has a new configuration, or its first frame.
    ConfigChanged(Track),
    /// The number of viewers changed to this.
    Viewers(usize),
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

/// Sends events. There may be no listener.
#[derive(Debug, Clone)]
pub(super) struct Sender(broadcast::Sender<HubEvent>);

impl Sender {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(MAX_EVENTS))
    }

    pub(super) fn send(&self, stream: &StreamName, happened: Happened) {
        if self.0.receiver_count() > 0 {
            // The last listener may have left.
            let _ = self.0.send(HubEvent { stream: stream.clone(), happened, at: SystemTime::now() });
        }
    }

    pub(super) fn listen(&self) -> HubEvents {
        HubEvents(self.0.subscribe())
    }
}

/// The events from the time of [`super::Hub::events`] on.
#[derive(Debug)]
pub struct HubEvents(broadcast::Receiver<HubEvent>);

/// A received event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The next event.
    Event(HubEvent),
    /// The listener was too slow: this many events are lost, and it should read the hub's state again.
    Missed(u64),
}

impl HubEvents {
    /// Waits for the next event; `None` when the hub is gone. Safe to cancel and call again.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(event) => Some(Heard::Event(event)),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Heard::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
