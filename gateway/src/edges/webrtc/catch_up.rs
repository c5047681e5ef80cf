//! Sends the cached frames of a stream to a viewer who joins: quickly, but not all at once, and with their timestamps
//! compressed into a short time before the live frames. They are decoded, not watched.

use std::time::{Duration, Instant};

use media::time::{MILLI, Micros, SECOND};

/// Rate at which cached frames are sent, in bytes per second.
const BYTES_PER_SECOND: u64 = 3_000_000;
/// Maximum number of bytes sent at once; they fit into a socket's usual buffer.
const MAX_BURST: u64 = 64 << 10;
/// The shortest pause between two bursts.
const MIN_PAUSE: Duration = Duration::from_micros(500);
/// The time into which cached frames are compressed.
const COMPRESSED_SPAN: Micros = 60 * MILLI;

/// Compresses timestamps: the first cached frame gets `to`, and `until` becomes `end`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatchUp {
    /// The timestamp of the first cached frame, once there was one.
    from: Option<Micros>,
    /// Frames before this time are cached ones.
    until: Micros,
    /// None: [`COMPRESSED_SPAN`] before `end`, or less.
    to: Option<Micros>,
    end: Micros,
}

impl CatchUp {
    /// For a viewer who has nothing yet: frames before `until` are cached.
    pub(super) const fn to_live(until: Micros) -> Self {
        Self { from: None, until, to: None, end: until }
    }

    /// For a viewer who has frames up to the timestamp `sent`, and gets the cached frames once more: after what was
    /// sent, with the newest once more too, and before what comes next.
    pub(super) fn again(self, sent: Micros) -> Self {
        let until = self.until + 1;
        Self { until, to: Some(sent + MILLI), end: sent.max(until) + 6 * MILLI, ..self }
    }

    /// Whether a frame of this time is a cached one.
    pub(super) const fn includes(&self, time: Micros) -> bool {
        time < self.until
    }

    /// The compressed timestamp of a cached frame.
    pub(super) fn compress(&mut self, time: Micros) -> Micros {
        let from = *self.from.get_or_insert(time);
        let span = (self.until - from).max(1);
        let to = *self.to.get_or_insert(self.end - span.min(COMPRESSED_SPAN));
        to + (time - from) * (self.end - to) / span
    }
}

/// Limits how fast cached frames are sent.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Bytes that might be sent at the time `updated`.
    bytes: u64,
    updated: Instant,
}

impl Pacer {
    /// Allows one burst.
    pub(super) const fn new(now: Instant) -> Self {
        Self { bytes: MAX_BURST, updated: now }
    }

    /// Takes `size` bytes from what may be sent now.
    ///
    /// # Errors
    /// When that is too much: the time at which it may be sent.
    pub(super) fn spend(&mut self, size: u64, now: Instant) -> Result<(), Instant> {
        let earned = (now - self.updated).as_micros() as u64 * BYTES_PER_SECOND / SECOND as u64;
        self.bytes = (self.bytes + earned).min(MAX_BURST);
        self.updated = now;
        let needed = size.min(MAX_BURST);
        if self.bytes < needed {
            let pause = Duration::from_micros((needed - self.bytes) * SECOND as u64 / BYTES_PER_SECOND);
            return Err(now + pause.max(MIN_PAUSE));
        }
        self.bytes = self.bytes.saturating_sub(size);
        Ok(())
    }
}
