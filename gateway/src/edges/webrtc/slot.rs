//! A session's place: among those that wait until it connects, and then among all connections.

use std::net::IpAddr;

use super::waiting::Place;
use crate::core::close::CloseReason;
use crate::net::worker::{Gate, Permit};

/// A session's place.
#[derive(Debug)]
pub(super) enum Slot {
    /// Until the peer connects.
    Waiting(Place, Gate, IpAddr),
    /// One of `max_connections`.
    Connected { _permit: Permit },
}

impl Slot {
    /// The peer has connected.
    ///
    /// # Errors
    /// When there are as many connections as there may be.
    pub(super) fn connected(&mut self) -> Result<(), CloseReason> {
        if let Self::Waiting(_, gate, ip) = self {
            let permit = gate.enter(*ip).ok_or(CloseReason::Full)?;
            *self = Self::Connected { _permit: permit };
        }
        Ok(())
    }

    /// Resolves when another session needs the place.
    pub(super) async fn displaced(&self) {
        match self {
            Self::Waiting(place, ..) => place.displaced().await,
            Self::Connected { .. } => std::future::pending().await,
        }
    }
}
