//! Repeats our last handshake flight until the peer answers (RFC 6347 4.2.4).
//!
//! The library's own timer stops for good at the first repeated message of the peer, so that one lost
//! flight can end a handshake. A flight is repeated here byte for byte: what arrived before is dropped by
//! the peer's replay protection, and what did not is new to it.

use std::time::{Duration, Instant};

use bytes::BytesMut;

/// The first repetition comes after this time, each further one after twice the time before.
pub(super) const FIRST_RESEND: Duration = Duration::from_millis(400);
/// Repetitions of one flight: the last comes after 25 s, when a session that is not connected is long over.
pub(super) const MAX_RESENDS: u32 = 6;

/// The flight that waits for an answer.
#[derive(Debug, Default)]
pub(super) struct Resend {
    flight: Vec<BytesMut>,
    at: Option<Instant>,
    count: u32,
}

impl Resend {
    /// A new flight was sent.
    pub(super) fn sent(&mut self, flight: Vec<BytesMut>, now: Instant) {
        *self = Self { flight, at: Some(now + FIRST_RESEND), count: 0 };
    }

    /// The handshake is over.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// When [`Self::due`] has something to do.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// The datagrams to send again now, or why there is no sense in it any more.
    pub(super) fn due(&mut self, now: Instant) -> Result<&[BytesMut], &'static str> {
        if self.at.is_none_or(|at| now < at) {
            return Ok(&[]);
        }
        if self.count == MAX_RESENDS {
            self.stop();
            return Err("the peer does not answer");
        }
        self.count += 1;
        self.at = Some(now + FIRST_RESEND * 2_u32.pow(self.count));
        Ok(&self.flight)
    }
}
