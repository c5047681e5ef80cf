//! The permit of a session: first one of the permits for sessions that have not connected, then one of the permits
//! for all connections of the gateway.

use std::net::IpAddr;

use super::pending::Reservation;
use crate::core::close::CloseReason;
use crate::net::worker::{Gate, Permit};

/// The permit of one session.
#[derive(Debug)]
pub(super) enum SessionPermit {
    /// Until the peer connects. Keeps what is needed to enter the gate then.
    Pending(Reservation, Gate, IpAddr),
    /// The session counts among `max_connections`.
    Connected { _permit: Permit },
}

impl SessionPermit {
    /// Moves the session to the connections, if that was not done yet.
    ///
    /// # Errors
    /// The gateway has reached its limit of connections.
    pub(super) fn connect(&mut self) -> Result<(), CloseReason> {
        if let Self::Pending(_, gate, ip) = self {
            let permit = gate.enter(*ip).ok_or(CloseReason::Full)?;
            *self = Self::Connected { _permit: permit };
        }
        Ok(())
    }

    /// Resolves when another session needs the permit.
    pub(super) async fn displaced(&self) {
        match self {
            Self::Pending(reservation, ..) => reservation.displaced().await,
            Self::Connected { .. } => std::future::pending().await,
        }
    }
}
