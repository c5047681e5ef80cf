//! What happens in the hub, for whoever listens: hooks, a console, rooms, metering, a cluster.

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use media::Track;
use tokio::sync::broadcast;

use crate::core::name::StreamName;

/// Events that wait for one listener at most; one that is slower misses the oldest.
pub const MAX_EVENTS: usize = 1024;

/// Something that happened to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The stream begins: it has its first publisher.
    Started,
    /// Another publisher, or the same person again, goes on with the stream.
    Resumed,
    /// The publisher left; viewers wait for one to come back.
    Paused,
    /// The stream is over.
    Ended,
    /// The publisher sends a track in another configuration than before, or its first frame.
    ConfigChanged(Track),
    /// So many viewers play the stream now.
    Viewers(usize),
}

/// An event of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubEvent {
    /// The stream's name.
    pub stream: StreamName,
    /// What happened to it.
    pub happened: Happened,
    /// When it happened.
    pub at: SystemTime,
}

/// Where events are sent. Nobody has to listen.
#[derive(Debug, Clone)]
pub(super) struct Sender(broadcast::Sender<HubEvent>);

impl Sender {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(MAX_EVENTS))
    }

    pub(super) fn send(&self, stream: &StreamName, happened: Happened) {
        if self.0.receiver_count() > 0 {
            // The last listener may leave meanwhile.
            let _ = self.0.send(HubEvent { stream: stream.clone(), happened, at: SystemTime::now() });
        }
    }

    pub(super) fn listen(&self) -> HubEvents {
        HubEvents(self.0.subscribe())
    }
}

/// The events from the moment on when they were asked for.
#[derive(Debug)]
pub struct HubEvents(broadcast::Receiver<HubEvent>);

/// What a listener hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The next event.
    Event(HubEvent),
    /// The listener was too slow: so many events are gone, and it should look at the hub anew.
    Missed(u64),
}

impl HubEvents {
    /// Waits for the next event; none when the hub is gone. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.0.recv().await {
            Ok(event) => Some(Heard::Event(event)),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(Heard::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
