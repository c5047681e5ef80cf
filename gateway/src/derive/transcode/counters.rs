//! Counters of audio transcoding, for the metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::AudioTarget;
use super::codec::RATE;

/// Counters of transcoding to one codec, over all streams.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) running: AtomicI64,
    pub(super) samples: AtomicU64,
    pub(super) nanos: AtomicU64,
    pub(super) concealed: AtomicU64,
    pub(super) broken: AtomicU64,
    pub(super) late: AtomicU64,
}

static AAC: Counters = Counters::new();
static OPUS: Counters = Counters::new();

impl Counters {
    const fn new() -> Self {
        Self {
            running: AtomicI64::new(0),
            samples: AtomicU64::new(0),
            nanos: AtomicU64::new(0),
            concealed: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    pub(super) const fn of(target: AudioTarget) -> &'static Self {
        match target {
            AudioTarget::Aac => &AAC,
            AudioTarget::Opus => &OPUS,
        }
    }
}

pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

/// Counts one transcoder as running, until it is dropped.
#[derive(Debug)]
pub(super) struct Running(&'static Counters);

impl Running {
    pub(super) fn new(target: AudioTarget) -> Self {
        let counters = Counters::of(target);
        counters.running.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Statistics of transcoding to one codec since the gateway started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TranscodeStats {
    /// Number of streams that are being transcoded now.
    pub running: i64,
    /// Duration of the transcoded audio.
    pub made: Duration,
    /// Processor time used.
    pub busy: Duration,
    /// Number of missing or broken packets that were concealed.
    pub concealed: u64,
    /// Number of packets that could not be decoded.
    pub broken: u64,
    /// Number of packets left out because the machine was too slow.
    pub late: u64,
}

/// Returns the statistics of `target`.
pub fn counted(target: AudioTarget) -> TranscodeStats {
    let counters = Counters::of(target);
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    TranscodeStats {
        running: counters.running.load(Ordering::Relaxed),
        made: Duration::from_secs_f64(read(&counters.samples) as f64 / f64::from(RATE)),
        busy: Duration::from_nanos(read(&counters.nanos)),
        concealed: read(&counters.concealed),
        broken: read(&counters.broken),
        late: read(&counters.late),
    }
}
