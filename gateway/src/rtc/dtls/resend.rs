//! Repeats the gateway's last handshake flight until the peer answers (RFC 6347 4.2.4).
//!
//! The library's own timer stops for good at the first repeated message of the peer, so one lost flight can end a
//! handshake. Here the flight is repeated byte for byte: the peer's replay protection drops the records that it has
//! received already.

use std::time::{Duration, Instant};

use bytes::BytesMut;

/// The time until the first repetition. It doubles with each repetition.
pub(super) const FIRST_RESEND: Duration = Duration::from_millis(400);
/// Repetitions of one flight. The last would come after 25 s, when a session that has not connected has ended.
pub(super) const MAX_RESENDS: u32 = 6;

/// The flight that the peer has not answered yet.
#[derive(Debug, Default)]
pub(super) struct Resend {
    flight: Vec<BytesMut>,
    at: Option<Instant>,
    count: u32,
}

impl Resend {
    /// Keeps a new flight that was sent.
    pub(super) fn sent(&mut self, flight: Vec<BytesMut>, now: Instant) {
        *self = Self { flight, at: Some(now + FIRST_RESEND), count: 0 };
    }

    /// Stops repeating: the handshake is over.
    pub(super) fn stop(&mut self) {
        *self = Self::default();
    }

    /// When the flight is repeated next.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// The datagrams that must be sent again now.
    ///
    /// # Errors
    /// When the peer has not answered any repetition.
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
