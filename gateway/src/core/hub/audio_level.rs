//! The audio level of a stream.

use std::sync::atomic::{AtomicI32, Ordering};

/// The highest audio level since the last reading, in dBov: -127 (silence) to 0 (RFC 6464).
#[derive(Debug)]
pub(super) struct AudioLevel(AtomicI32);

/// There was no level since the last reading.
const NONE: i32 = i32::MIN;

impl Default for AudioLevel {
    fn default() -> Self {
        Self(AtomicI32::new(NONE))
    }
}

impl AudioLevel {
    /// Records the level of a packet.
    pub(super) fn record(&self, level: i8) {
        self.0.fetch_max(level.into(), Ordering::Relaxed);
    }

    /// Returns the highest level since the last call; `None` if no packet had a level.
    pub(super) fn take(&self) -> Option<i8> {
        i8::try_from(self.0.swap(NONE, Ordering::Relaxed)).ok()
    }
}
