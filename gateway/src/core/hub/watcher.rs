//! Finds the streams of a hub as they begin.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use super::registry::Hub;
use super::stream::Stream;

/// Returns every stream that exists and each one that begins later. It holds at most as many streams as the hub; it
/// skips a stream that ends before the watcher looks for it.
#[derive(Debug)]
pub struct StreamWatcher {
    hub: Hub,
    changed: watch::Receiver<u64>,
    /// Number of the newest stream found so far.
    newest: u64,
    /// Streams found and not yet returned.
    found: VecDeque<Arc<Stream>>,
}

impl StreamWatcher {
    pub(super) fn new(hub: Hub) -> Self {
        let changed = hub.changed();
        Self { hub, changed, newest: 0, found: VecDeque::new() }
    }

    /// Waits for the next stream. Returns [`None`] once the hub is shut down. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<Stream>> {
        loop {
            if let Some(stream) = self.found.pop_front() {
                return Some(stream);
            }
            self.changed.borrow_and_update();
            let streams = self.hub.streams_after(self.newest)?;
            if streams.is_empty() {
                self.changed.changed().await.ok()?;
            }
            for (number, stream) in streams {
                self.newest = number;
                self.found.push_back(stream);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use crate::core::admission::PublishGrant;
    use crate::core::hub::{Hub, HubConfig, StreamName};

    #[tokio::test(start_paused = true)]
    async fn every_stream_is_found_once_in_the_order_of_their_start() {
        let hub = Hub::new(HubConfig { reconnect: std::time::Duration::ZERO, ..HubConfig::default() });
        let publish = |name: &str| {
            hub.publish(&PublishGrant::for_job(&StreamName::parse(name).unwrap(), "test")).unwrap()
        };
        let before = [publish("live/z"), publish("live/a")];
        let mut watcher = hub.watch();
        let later = publish("live/m");
        for name in ["live/z", "live/a", "live/m"] {
            assert_eq!(watcher.next().await.unwrap().name().as_str(), name);
        }
        assert!(watcher.next().now_or_never().is_none(), "there is no other stream");
        // A stream that begins again is a new stream; a stream that has already ended is skipped.
        drop((before, later));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(hub.streams().is_empty());
        drop(publish("live/short"));
        let _again = publish("live/a");
        assert_eq!(watcher.next().await.unwrap().name().as_str(), "live/a");
        // A watcher that is not polled holds no streams.
        (0..100).for_each(|_| drop(publish("live/b")));
        assert!(watcher.found.is_empty());
        hub.shutdown();
        assert!(watcher.next().await.is_none());
    }
}
