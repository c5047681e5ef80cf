//! Limits how many video encoders run at once.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of encoders per core, if the settings contain no number.
const PER_CORE: usize = 2;

/// The limit of video encoders that run at once, for all streams. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Reencoders(Arc<Inner>);

/// Two values are equal if they share the limit.
impl PartialEq for Reencoders {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Reencoders {}

/// The content of [`Reencoders`].
#[derive(Debug)]
struct Inner {
    free: Arc<Semaphore>,
    most: usize,
    started: AtomicU64,
    refused: AtomicU64,
}

/// Permits one encoder to run, until it is dropped.
#[derive(Debug)]
pub(super) struct EncoderPermit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Reencoders {
    /// Permits `most` encoders at once; 0 means twice the number of cores.
    pub fn new(most: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::exactly(if most == 0 { cores * PER_CORE } else { most.min(Semaphore::MAX_PERMITS) })
    }

    /// Permits no encoders: video is never re-encoded.
    pub fn off() -> Self {
        Self::exactly(0)
    }

    fn exactly(most: usize) -> Self {
        let free = Arc::new(Semaphore::new(most));
        Self(Arc::new(Inner { free, most, started: AtomicU64::new(0), refused: AtomicU64::new(0) }))
    }

    /// Returns whether encoders are permitted at all.
    pub fn enabled(&self) -> bool {
        self.0.most > 0
    }

    /// Returns the maximum number of encoders that run at once.
    pub fn most(&self) -> usize {
        self.0.most
    }

    /// Returns the number of encoders that run now.
    pub fn running(&self) -> usize {
        self.0.most - self.0.free.available_permits()
    }

    /// Returns the number of encoder processes started since the gateway started.
    pub fn started(&self) -> u64 {
        self.0.started.load(Ordering::Relaxed)
    }

    /// Returns how many times a stream had to wait for a permit.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Returns a permit if one is free. Otherwise counts a refusal.
    pub(super) fn try_permit(&self) -> Option<EncoderPermit> {
        let permit = self.0.free.clone().try_acquire_owned().ok();
        if permit.is_none() {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        permit.map(EncoderPermit)
    }

    /// Waits for a permit. Waiting streams are served in order.
    pub(super) async fn permit(&self) -> Option<EncoderPermit> {
        self.0.free.clone().acquire_owned().await.ok().map(EncoderPermit)
    }

    /// Counts the start of an encoder process.
    pub(super) fn count_start(&self) {
        self.0.started.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_as_many_permits_as_said_and_a_freed_one_goes_to_who_waits() {
        let reencoders = Reencoders::new(2);
        let held = [reencoders.try_permit().unwrap(), reencoders.try_permit().unwrap()];
        assert!(reencoders.try_permit().is_none());
        assert_eq!((reencoders.running(), reencoders.refused()), (2, 1));
        let waiting = tokio::spawn({
            let reencoders = reencoders.clone();
            async move { reencoders.permit().await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        assert!(waiting.await.unwrap());
        assert_eq!(reencoders.running(), 0);
    }

    #[test]
    fn by_default_there_are_two_for_each_core_and_none_where_it_is_off() {
        let cores = thread::available_parallelism().unwrap().get();
        assert_eq!(Reencoders::new(0).most(), 2 * cores);
        assert!(Reencoders::new(0).enabled() && !Reencoders::off().enabled());
        assert!(Reencoders::off().try_permit().is_none());
        assert!(Reencoders::new(usize::MAX).try_permit().is_some());
    }
}
