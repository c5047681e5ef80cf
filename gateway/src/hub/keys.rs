//! Key frames on request: a browser that publishes makes one only when it is asked to.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use media::time::{Micros, SECOND};
use tokio::sync::Notify;

/// A viewer of HTTP-FLV, RTMP or HLS starts at a key frame that is at most this old.
pub(super) const INTERVAL: Micros = 2 * SECOND;

/// What is known and wanted of a stream's key frames.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Whether the publisher makes key frames when it is asked.
    on_request: AtomicBool,
    /// Those who need them regularly.
    demands: AtomicUsize,
    asked: AtomicBool,
    ask: Notify,
    /// The newest key frame's time.
    newest: Mutex<Option<Micros>>,
}

impl Keys {
    pub(super) fn begin(&self) {
        self.on_request.store(false, Ordering::Relaxed);
        self.asked.store(false, Ordering::Relaxed);
    }

    pub(super) fn promise(&self) {
        self.on_request.store(true, Ordering::Relaxed);
    }

    pub(super) fn on_request(&self) -> bool {
        self.on_request.load(Ordering::Relaxed)
    }

    pub(super) fn seen(&self, time: Micros) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
        self.asked.store(false, Ordering::Relaxed);
    }

    /// Whether the newest key frame is older than what a viewer should start at, as of `now`.
    pub(super) fn stale(&self, now: Micros) -> bool {
        let newest = *self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.is_none_or(|newest| now - newest > INTERVAL)
    }

    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.ask.notify_one();
    }

    /// Whether the publisher should make one now.
    pub(super) fn wanted(&self, now: Micros) -> bool {
        self.asked.load(Ordering::Relaxed) || self.demands.load(Ordering::Relaxed) > 0 && self.stale(now)
    }

    pub(super) async fn asked(&self) {
        self.ask.notified().await;
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
