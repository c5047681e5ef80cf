//! Key frames on request.
//!
//! A browser that publishes creates a key frame only on request. Other WebRTC publishers ignore requests and
//! create one every ten seconds. The gateway learns the behaviour of a publisher from its first request.
//! While requests are answered in time, viewers wait for the requested key frame; otherwise they start with
//! the cached one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use media::time::{MILLI, Micros, SECOND};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Maximum age of the key frame at which a viewer of HTTP-FLV, RTMP or HLS starts.
pub(super) const INTERVAL: Micros = 2 * SECOND;
/// A key frame that arrives later than this after a request is not the answer to it.
const ANSWER: Duration = Duration::from_millis(700);
/// Minimum time between requests to a publisher that ignored one.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The state of a stream's key frames.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Whether the publisher creates key frames on request.
    on_request: AtomicBool,
    /// Number of holders that need regular key frames.
    demands: AtomicUsize,
    requests: Mutex<Requests>,
    ask: Notify,
    changed: Notify,
}

/// Requests to the current publisher.
#[derive(Debug, Default)]
struct Requests {
    /// Whether the publisher promises key frames on request.
    promised: bool,
    /// Whether it is known to keep or break that promise.
    tested: bool,
    /// Time of the request that is not answered yet.
    pending: Option<Instant>,
    /// Time of the last ignored request.
    ignored: Option<Instant>,
    /// Time of the newest key frame.
    newest: Option<Micros>,
    /// Distance of the last two key frames.
    interval: Option<Micros>,
}

impl Requests {
    /// Records a key frame of this time. Returns true if it answers a request.
    fn seen(&mut self, time: Micros, believed: bool) -> bool {
        let in_time = self.pending.take().is_some_and(|since| since.elapsed() <= ANSWER);
        // The first one comes without a request.
        let Some(before) = self.newest.replace(time) else { return false };
        let interval = time - before;
        let other = |known: Micros| (interval - known).abs() > known / 20 + 50 * MILLI;
        // A publisher that ignores requests may happen to create a regular key frame now.
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

    /// Resets the state for another publisher.
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

    /// Returns whether the publisher promises key frames on request.
    pub(super) fn promised(&self) -> bool {
        self.requests().promised
    }

    /// Resolves when the result of [`Keys::on_request`] changes after this call.
    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Records a key frame of this time.
    pub(super) fn seen(&self, time: Micros) {
        let believed = self.on_request();
        let mut requests = self.requests();
        if requests.seen(time, believed) {
            requests.tested = true;
            drop(requests);
            self.believe(true);
        }
    }

    /// Checks the time limit. Returns true if the publisher was just found to ignore requests.
    pub(super) fn check(&self) -> bool {
        let mut requests = self.requests();
        // Without video there can be no answer.
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

    /// Returns whether, at `now`, the newest key frame is too old for a viewer to start at.
    pub(super) fn stale(&self, now: Micros) -> bool {
        self.requests().stale(now)
    }

    /// Returns the distance of the last two key frames at `now`, or the time since the last one if that is longer.
    pub(super) fn interval(&self, now: Micros) -> Option<Micros> {
        let requests = self.requests();
        let since = now - requests.newest?;
        Some(requests.interval.map_or(since, |interval| interval.max(since)))
    }

    pub(super) fn ask(&self) {
        self.requests().pending.get_or_insert_with(Instant::now);
        self.ask.notify_one();
    }

    /// Returns whether the publisher should create a key frame now.
    pub(super) fn wanted(&self, now: Micros) -> bool {
        let mut requests = self.requests();
        if requests.pending.is_none() && self.due(&requests, now) {
            requests.pending = Some(Instant::now());
        }
        requests.pending.is_some()
    }

    /// Returns whether it is time for another request, even without a viewer that asks.
    fn due(&self, requests: &Requests, now: Micros) -> bool {
        let regularly = self.demands.load(Ordering::Relaxed) > 0;
        let asked_lately = requests.ignored.is_some_and(|at| at.elapsed() < ASK_AGAIN);
        // One request before the first viewer: it shows the publisher's behaviour in advance.
        let test = requests.promised && !requests.tested && requests.newest.is_some();
        requests.stale(now) && !asked_lately && (regularly || test)
    }

    pub(super) async fn asked(&self) {
        self.ask.notified().await;
    }
}

/// A reader's reason to wait for a new key frame although one is cached: a request is pending.
#[derive(Debug, Clone)]
pub(super) struct KeyFrameWait(Arc<Keys>);

impl KeyFrameWait {
    pub(super) fn new(keys: &Arc<Keys>) -> Self {
        Self(keys.clone())
    }

    /// Returns whether the publisher does not answer.
    pub(super) fn is_over(&self) -> bool {
        !self.0.on_request()
    }
}

/// Key frames are requested regularly while this is held.
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
