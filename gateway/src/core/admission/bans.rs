//! Clients that the operator keeps out for a time.
//!
//! An encoder reconnects by itself, so ending its connection alone has no effect for long. A ban is for one act. It
//! applies to the person that a token names, on every stream, to the holder of a lasting key, or to the participant of a
//! room. Other clients share their secret with others, so their ban applies to their address, on one stream: other
//! clients behind the same address keep the other streams.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use super::ask::{Ask, Guard, Refusal};
use crate::core::client::{Act, Identity};
use crate::core::hub::Client;
use crate::core::name::StreamName;
use crate::core::session::ClientSession;
use crate::net::worker::counted_as;

/// Maximum number of bans. One more replaces the ban that would end first.
pub const MAX_BANS: usize = 1000;
/// Longest ban, in minutes: a week.
pub const MAX_MINUTES: u64 = 7 * 24 * 60;

/// The identity or the address that a ban is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BannedClient {
    /// The person that a token names, the holder of a key, or the participant of a room, on all streams.
    Person(Identity),
    /// The clients at this address (for IPv6, the first 64 bits), on this stream.
    Address(IpAddr, StreamName),
}

impl BannedClient {
    /// Returns who is banned in order to keep a client with this identity, address and stream out.
    fn of(identity: &Identity, address: IpAddr, stream: &StreamName) -> Self {
        match identity {
            // WordPress gives all visitors the number 0.
            Identity::Token { subject, .. } if !subject.is_empty() && subject != "0" => {
                Self::Person(identity.clone())
            }
            Identity::Seat { .. } | Identity::Key { .. } => Self::Person(identity.clone()),
            _ => Self::Address(counted_as(address), stream.clone()),
        }
    }

    fn is(&self, ask: &Ask<'_>, known: Option<&Identity>) -> bool {
        match self {
            Self::Person(identity) => known == Some(identity),
            Self::Address(address, stream) => {
                let credentials = ask.credentials;
                // A client must not hide its own address by naming another one, as a proxy would.
                let addresses = [credentials.from, credentials.peer.ip()].map(counted_as);
                stream == ask.stream && addresses.contains(address)
            }
        }
    }
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Unique within this run.
    pub id: u64,
    /// The act that is not allowed.
    pub act: Act,
    /// The banned identity or address.
    pub client: BannedClient,
    /// When the ban ends.
    pub until: Instant,
}

#[derive(Debug, Default)]
struct State {
    bans: Vec<Ban>,
    last_id: u64,
}

impl State {
    fn remove_ended(&mut self) {
        let now = Instant::now();
        self.bans.retain(|ban| ban.until > now);
    }
}

/// The bans of a gateway. They are gone after a restart. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Bans(Arc<Mutex<State>>);

impl Bans {
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.remove_ended();
        state
    }

    /// Keeps `client` out for `minutes`, at most [`MAX_MINUTES`]. An earlier ban of the same client ends. Running
    /// connections stay. Returns `None` for a job of the gateway and another node of the cluster, which no ban
    /// stops.
    pub fn add(&self, client: &Client, minutes: u64) -> Option<Ban> {
        if matches!(client.identity, Identity::Job(_) | Identity::Node(_)) {
            return None;
        }
        let banned = BannedClient::of(&client.identity, client.from, client.stream.name());
        let until = Instant::now() + Duration::from_secs(60 * minutes.min(MAX_MINUTES));
        Some(self.insert(client.act, banned, until))
    }

    /// Keeps a client out that another gateway of the cluster keeps out. An earlier ban of the same client ends.
    pub fn add_shared(&self, act: Act, client: BannedClient, seconds: u64) -> Ban {
        let until = Instant::now() + Duration::from_secs(seconds.min(60 * MAX_MINUTES));
        self.insert(act, client, until)
    }

    /// Lifts the ban of a client, as another gateway of the cluster has done.
    pub fn lift_shared(&self, act: Act, client: &BannedClient) {
        self.state().bans.retain(|ban| ban.act != act || ban.client != *client);
    }

    fn insert(&self, act: Act, client: BannedClient, until: Instant) -> Ban {
        let mut state = self.state();
        state.bans.retain(|ban| ban.act != act || ban.client != client);
        if state.bans.len() >= MAX_BANS {
            let first =
                state.bans.iter().enumerate().min_by_key(|(_, ban)| ban.until).map(|(index, _)| index);
            if let Some(ban) = first.map(|index| state.bans.swap_remove(index)) {
                tracing::warn!(ban = ban.id, "ban lifted: there are too many");
            }
        }
        state.last_id += 1;
        let ban = Ban { id: state.last_id, act, client, until };
        state.bans.push(ban.clone());
        ban
    }

    /// Returns the bans that have not ended, oldest first.
    pub fn list(&self) -> Vec<Ban> {
        let mut bans = self.state().bans.clone();
        bans.sort_unstable_by_key(|ban| ban.id);
        bans
    }

    /// Lifts a ban. Returns false if no ban has this id.
    pub fn lift(&self, id: u64) -> bool {
        let mut state = self.state();
        let before = state.bans.len();
        state.bans.retain(|ban| ban.id != id);
        state.bans.len() < before
    }

    /// Returns whether a client that was admitted before is banned now.
    pub fn has(&self, session: &ClientSession) -> bool {
        let client = BannedClient::of(&session.identity, session.from, &session.stream);
        self.state().bans.iter().any(|ban| ban.act == session.act && ban.client == client)
    }

    /// Returns the refusal of a banned client.
    fn refusal(&self, ask: &Ask<'_>, known: Option<&Identity>) -> Option<Refusal> {
        let state = self.state();
        let ban = state.bans.iter().find(|ban| ban.act == ask.act && ban.client.is(ask, known))?;
        let minutes = ban.until.duration_since(Instant::now()).as_secs().div_ceil(60);
        Some(Refusal::Rule(format!(
            "the operator has ended this connection: it is refused for {minutes} min"
        )))
    }
}

impl Guard for Bans {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        ready(self.refusal(ask, known).map_or(Ok(None), Err)).boxed()
    }

    fn restricts_play(&self) -> bool {
        // Playlists of an open stream stay public: HLS asks once for each viewer.
        false
    }
}

#[cfg(test)]
mod tests;
