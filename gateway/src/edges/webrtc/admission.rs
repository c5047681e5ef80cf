//! Whether a session may be there: first among those that wait, and from when it connects as a connection
//! like any other.

use std::net::IpAddr;

use super::peer::Why;
use super::waiting::Place;
use crate::net::worker::{Gate, Permit};

/// A session's right to be there.
#[derive(Debug)]
pub(super) enum Admission {
    /// Until the peer connects.
    Waiting(Place, Gate, IpAddr),
    /// One of `max_connections`.
    Connected { _permit: Permit },
}

impl Admission {
    /// The peer has connected.
    ///
    /// # Errors
    /// When there are as many connections as there may be.
    pub(super) fn connected(&mut self) -> Result<(), Why> {
        if let Self::Waiting(_, gate, ip) = self {
            let permit = gate.enter(*ip).ok_or("the server has all the connections it may")?;
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
