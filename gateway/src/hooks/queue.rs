//! The events that wait for one address, without I/O and clock: in order for each stream, tried again after failures.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::Event;
use crate::core::name::StreamName;

/// Maximum number of events that wait for one address. Further events are dropped.
pub(super) const MAX_WAITING: usize = 1000;
/// Times between the tries of an event. After the last try, it is given up.
pub(super) const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];

/// The events of one stream. The first one is being sent, or is the next one.
#[derive(Debug)]
struct StreamQueue {
    events: VecDeque<Arc<Event>>,
    /// Number of failed tries of the first event.
    failed: usize,
    /// Time of the next try.
    due: Instant,
    sending: bool,
}

/// The events of one address.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    streams: HashMap<StreamName, StreamQueue>,
    waiting: usize,
}

/// The result of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tried {
    /// The back end has the event.
    Delivered,
    /// It has failed, and will be tried again.
    Again,
    /// It has failed for the last time.
    GivenUp,
}

impl EventQueue {
    /// Adds an event. Returns false if it is dropped, because too many wait.
    pub(super) fn push(&mut self, event: Arc<Event>, now: Instant) -> bool {
        if self.waiting >= MAX_WAITING {
            return false;
        }
        self.waiting += 1;
        let new = || StreamQueue { events: VecDeque::new(), failed: 0, due: now, sending: false };
        self.streams.entry(event.stream.clone()).or_insert_with(new).events.push_back(event);
        true
    }

    /// Returns an event that is due, which counts as being sent from now on.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Arc<Event>> {
        let due = self.streams.values_mut().filter(|stream| !stream.sending && stream.due <= now);
        let stream = due.min_by_key(|stream| stream.due)?;
        let event = stream.events.front()?.clone();
        stream.sending = true;
        Some(event)
    }

    /// Records the result of sending the first event of a stream.
    pub(super) fn sent(&mut self, stream: &StreamName, delivered: bool, now: Instant) -> Tried {
        let Some(queue) = self.streams.get_mut(stream) else { return Tried::Delivered };
        queue.sending = false;
        if !delivered && let Some(pause) = PAUSES.get(queue.failed) {
            queue.failed += 1;
            queue.due = now + *pause;
            return Tried::Again;
        }
        self.waiting -= usize::from(queue.events.pop_front().is_some());
        (queue.failed, queue.due) = (0, now);
        if queue.events.is_empty() {
            self.streams.remove(stream);
        }
        if delivered { Tried::Delivered } else { Tried::GivenUp }
    }

    /// Returns the time of the next try; `None` if no event waits for one.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.streams.values().filter(|stream| !stream.sending).map(|stream| stream.due).min()
    }

    /// Returns the number of events, including those being sent.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Returns whether an event waits that has not failed yet.
    pub(super) fn has_untried(&self) -> bool {
        self.streams.values().any(|stream| stream.failed == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::action::Action;

    fn event(stream: &str, id: usize) -> Arc<Event> {
        let stream = StreamName::parse(stream).unwrap();
        Arc::new(Event { id: id.to_string(), action: Action::Stop, stream, body: bytes::Bytes::new() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_fails_delays_no_other_and_keeps_its_order() {
        let (mut queue, now) = (EventQueue::default(), Instant::now());
        for (stream, id) in [("live/a", 1), ("live/a", 2), ("live/b", 3)] {
            assert!(queue.push(event(stream, id), now));
        }
        let (a, b) = (StreamName::parse("live/a").unwrap(), StreamName::parse("live/b").unwrap());
        let mut first = [queue.take_due(now).unwrap(), queue.take_due(now).unwrap()].map(|e| e.id.clone());
        first.sort();
        assert_eq!(first, ["1", "3"]);
        assert!(queue.take_due(now).is_none(), "one event of a stream at a time");
        let mut at = now;
        for pause in PAUSES {
            assert_eq!(queue.sent(&a, false, at), Tried::Again);
            assert!(queue.take_due(at + pause - Duration::from_millis(1)).is_none());
            at += pause;
            assert_eq!(queue.take_due(at).unwrap().id, "1");
        }
        assert_eq!(queue.sent(&b, true, at), Tried::Delivered);
        assert_eq!((queue.sent(&a, false, at), queue.waiting()), (Tried::GivenUp, 1));
        assert_eq!(queue.take_due(at).unwrap().id, "2");
        assert_eq!((queue.sent(&a, true, at), queue.waiting()), (Tried::Delivered, 0));
        assert!(queue.streams.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_queue_has_an_end() {
        let (mut queue, now) = (EventQueue::default(), Instant::now());
        assert!((0..MAX_WAITING).all(|n| queue.push(event(&format!("live/{}", n % 7), n), now)));
        assert!(!queue.push(event("live/x", 0), now));
        let sent = queue.take_due(now).unwrap();
        queue.sent(&sent.stream, true, now);
        assert!(queue.push(event("live/x", 0), now) && queue.waiting() == MAX_WAITING);
    }
}
