//! Decides by timeouts whether a peer has connected, is silent for a while, or is gone.
//!
//! Two things are signs of life: ICE checks, which str0m watches, and authenticated media or reports. Some clients
//! (libnice without consent freshness) send ICE checks once and never again, so missing checks alone end nothing.

use std::time::{Duration, Instant};

use str0m::IceConnectionState;

use crate::core::close::CloseReason;

/// A peer without ICE checks is reachable as long as its media or reports come at least this often. A receiver sends
/// reports at least every 7.5 s (RFC 3550 6.2).
const MEDIA_SILENCE: Duration = Duration::from_secs(15);

/// The timeouts of one peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// For the ICE and DTLS handshakes.
    pub(super) connect: Duration,
    /// For a peer that has become unreachable to come back.
    pub(super) unreachable: Duration,
}

/// The timeouts and signs of life of one peer.
#[derive(Debug)]
pub(super) struct Liveness {
    timeouts: Timeouts,
    created: Instant,
    connected: bool,
    /// When an SRTP or SRTCP packet was authenticated last.
    authenticated: Instant,
    /// Since when ICE checks are missing.
    checks_missing_since: Option<Instant>,
    /// Since when neither ICE checks nor media nor reports come.
    unreachable_since: Option<Instant>,
}

impl Liveness {
    /// A peer that has not connected yet.
    pub(super) const fn new(timeouts: Timeouts, now: Instant) -> Self {
        Self {
            timeouts,
            created: now,
            connected: false,
            authenticated: now,
            checks_missing_since: None,
            unreachable_since: None,
        }
    }

    /// Whether the handshakes are done, and signs of life come.
    pub(super) const fn is_reachable(&self) -> bool {
        self.connected && self.unreachable_since.is_none()
    }

    /// Whether the handshakes were done once.
    pub(super) const fn is_connected(&self) -> bool {
        self.connected
    }

    /// The handshakes are done.
    pub(super) const fn set_connected(&mut self) {
        self.connected = true;
    }

    /// An SRTP or SRTCP packet was authenticated.
    pub(super) const fn set_authenticated(&mut self, at: Instant) {
        self.authenticated = at;
    }

    /// ICE has entered another state.
    pub(super) fn set_ice_state(&mut self, state: IceConnectionState, now: Instant) {
        if state == IceConnectionState::Disconnected {
            // str0m goes on sending to the last address of the peer.
            self.checks_missing_since.get_or_insert(now);
        } else {
            self.checks_missing_since = None;
        }
    }

    /// When the peer becomes unreachable, unless another sign of life comes before.
    fn unreachable_at(&self) -> Option<Instant> {
        self.checks_missing_since.map(|since| since.max(self.authenticated + MEDIA_SILENCE))
    }

    /// Applies the timeouts, and returns when to call this again; none when no timeout runs.
    ///
    /// # Errors
    /// When a timeout has ended the peer.
    pub(super) fn check(&mut self, now: Instant) -> Result<Option<Instant>, CloseReason> {
        let unreachable_at = self.unreachable_at();
        self.unreachable_since = unreachable_at.filter(|at| now >= *at);
        let connect_by = self.created + self.timeouts.connect;
        if !self.connected && now >= connect_by {
            return Err(CloseReason::NotConnected);
        }
        match self.unreachable_since.map(|since| since + self.timeouts.unreachable) {
            Some(end) if now >= end => Err(CloseReason::Idle),
            Some(end) => Ok(Some(end)),
            None if self.connected => Ok(unreachable_at),
            None => Ok(Some(connect_by)),
        }
    }
}
