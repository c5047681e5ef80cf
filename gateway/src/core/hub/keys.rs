//! Key frames on request.
//!
//! A browser that publishes makes a key frame only when it is asked to. Other WebRTC publishers ignore such
//! requests and make one every ten seconds. Which kind a publisher is shows once it was asked: while its
//! answers come in time its word is taken, else viewers begin with the cached key frame.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use media::time::{MILLI, Micros, SECOND};
use tokio::sync::Notify;
use tokio::time::Instant;

/// A viewer of HTTP-FLV, RTMP or HLS starts at a key frame that is at most this old.
pub(super) const INTERVAL: Micros = 2 * SECOND;
/// A key frame that comes later than this after a request is no answer to it.
const ANSWER: Duration = Duration::from_millis(700);
/// A publisher that does not answer is asked for regular key frames only this often.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// What is known and wanted of a stream's key frames.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Whether the publisher makes key frames when it is asked.
    on_request: AtomicBool,
    /// Those who need them regularly.
    demands: AtomicUsize,
    requests: Mutex<Requests>,
    ask: Notify,
    changed: Notify,
}

/// Requests to the present publisher.
#[derive(Debug, Default)]
struct Requests {
    /// Whether it says that it makes key frames on request.
    promised: bool,
    /// Whether it is known to keep that promise, or to break it.
    tested: bool,
    /// Since when a request has had no answer.
    pending: Option<Instant>,
    /// When the last request went without an answer.
    ignored: Option<Instant>,
    /// The newest key frame's time.
    newest: Option<Micros>,
    /// The time between the last two key frames.
    interval: Option<Micros>,
}

impl Requests {
    /// A key frame of this time came. True when it is an answer to a request.
    fn seen(&mut self, time: Micros, believed: bool) -> bool {
        let in_time = self.pending.take().is_some_and(|since| since.elapsed() <= ANSWER);
        // The first one comes without a request.
        let Some(before) = self.newest.replace(time) else { return false };
        let interval = time - before;
        let other = |known: Micros| (interval - known).abs() > known / 20 + 50 * MILLI;
        // A publisher that ignores requests may make one just now because it makes one every so often.
        let irregular = self.interval.replace(interval).is_some_and(other);
        self.promised && in_time && (believed || irregular)
    }

    fn stale(&self, now: Micros) -> bool {
        self.newest.is_none_or(|newest| now - newest > INTERVAL)
    }
}

impl Keys {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another publisher comes, of which nothing is known.
    pub(super) fn begin(&self) {
        *self.requests() = Requests::default();
        self.believe(false);
    }

    pub(super) fn promise(&self) {
        self.requests().promised = true;
        self.believe(true);
    }

    fn believe(&self, on_request: bool) {
        if self.on_request.swap(on_request, Ordering::Relaxed) != on_request {
            self.changed.notify_waiters();
        }
    }

    pub(super) fn on_request(&self) -> bool {
        self.on_request.load(Ordering::Relaxed)
    }

    /// Whether the publisher says that it makes key frames when it is asked.
    pub(super) fn promised(&self) -> bool {
        self.requests().promised
    }

    /// Resolves when the answer of [`Keys::on_request`] changes after this call.
    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// A key frame of this time came.
    pub(super) fn seen(&self, time: Micros) {
        let believed = self.on_request();
        let mut requests = self.requests();
        if requests.seen(time, believed) {
            requests.tested = true;
            drop(requests);
            self.believe(true);
        }
    }

    /// Time has passed. True when the publisher has just been found to ignore requests.
    pub(super) fn check(&self) -> bool {
        let mut requests = self.requests();
        // (Without video there is nothing to answer with.)
        if requests.newest.is_none() || requests.pending.is_none_or(|since| since.elapsed() <= ANSWER) {
            return false;
        }
        requests.pending = None;
        requests.tested = true;
        requests.ignored = Some(Instant::now());
        drop(requests);
        let found = self.on_request();
        self.believe(false);
        found
    }

    /// Whether the newest key frame is older than what a viewer should start at, as of `now`.
    pub(super) fn stale(&self, now: Micros) -> bool {
        self.requests().stale(now)
    }

    pub(super) fn ask(&self) {
        self.requests().pending.get_or_insert_with(Instant::now);
        self.ask.notify_one();
    }

    /// Whether the publisher should make one now.
    pub(super) fn wanted(&self, now: Micros) -> bool {
        let mut requests = self.requests();
        if requests.pending.is_none() && self.due(&requests, now) {
            requests.pending = Some(Instant::now());
        }
        requests.pending.is_some()
    }

    /// Whether it is time for another request, though nobody asked for one.
    fn due(&self, requests: &Requests, now: Micros) -> bool {
        let regularly = self.demands.load(Ordering::Relaxed) > 0;
        let asked_lately = requests.ignored.is_some_and(|at| at.elapsed() < ASK_AGAIN);
        // Once for nobody: it shows what the publisher does before the first viewer depends on it.
        let test = requests.promised && !requests.tested && requests.newest.is_some();
        requests.stale(now) && !asked_lately && (regularly || test)
    }

    pub(super) async fn asked(&self) {
        self.ask.notified().await;
    }
}

/// A reader's reason to wait for a new key frame although one is cached: the publisher was asked.
#[derive(Debug, Clone)]
pub(super) struct Hope(Arc<Keys>);

impl Hope {
    pub(super) fn new(keys: &Arc<Keys>) -> Self {
        Self(keys.clone())
    }

    /// Whether the publisher does not answer.
    pub(super) fn is_over(&self) -> bool {
        !self.0.on_request()
    }
}

/// Key frames come regularly while someone holds this.
#[derive(Debug)]
pub struct Demand(Arc<Keys>);

impl Demand {
    pub(super) fn new(keys: &Arc<Keys>) -> Self {
        keys.demands.fetch_add(1, Ordering::Relaxed);
        keys.ask.notify_one();
        Self(keys.clone())
    }
}

impl Drop for Demand {
    fn drop(&mut self) {
        self.0.demands.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
