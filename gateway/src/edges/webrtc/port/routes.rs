//! The table that tells which peer a datagram is for: by the ICE user name in STUN requests, and by the addresses at
//! which peers were reached.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::net::Protocol;
use tokio::sync::mpsc;

use super::stun::username_fragment;
use super::{Datagram, Mailbox, Port};

/// Addresses that are kept for one peer. A peer that uses more loses the oldest.
const MAX_ADDRESSES: usize = 16;

/// The address of a peer, over UDP or TCP.
type Address = (Protocol, SocketAddr);

/// The peer that an address belongs to.
#[derive(Debug)]
struct Owner {
    mailbox: Mailbox,
    /// When a datagram came last.
    last_datagram: Instant,
}

/// An address that was silent for this long may be given to another peer. ICE consent is renewed within 6 s
/// (RFC 7675 5.1).
const OWNER_TIMEOUT: Duration = Duration::from_secs(8);

/// The mailboxes of all peers, by what identifies a datagram's peer.
#[derive(Debug, Default)]
struct PeerTable {
    fragments: HashMap<String, Mailbox>,
    addresses: HashMap<Address, Owner>,
    connections: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
}

/// The table of all peers. An address belongs to a peer only after str0m has answered a datagram from there, so that
/// nobody can redirect another peer's datagrams by sending from a forged address.
#[derive(Debug, Default)]
pub(in crate::edges::webrtc) struct RoutingTable(Mutex<PeerTable>);

impl RoutingTable {
    fn table(&self) -> MutexGuard<'_, PeerTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a datagram into its peer's mailbox. Returns false when no peer is known for it.
    pub(super) fn deliver(&self, datagram: Datagram) -> bool {
        let mailbox = {
            let mut table = self.table();
            let PeerTable { fragments, addresses, .. } = &mut *table;
            let known = addresses.get_mut(&(datagram.protocol, datagram.source));
            // The user name first: several peers may be behind the same address.
            match username_fragment(&datagram.bytes).and_then(|fragment| fragments.get(&fragment)) {
                Some(mailbox) => Some(mailbox.clone()),
                None => known.map(|owner| {
                    owner.last_datagram = datagram.at;
                    owner.mailbox.clone()
                }),
            }
        };
        let Some(mailbox) = mailbox else { return false };
        if mailbox.try_send(datagram).is_err() {
            metrics::counter!("lianmai_webrtc_dropped_datagrams_total").increment(1);
        }
        true
    }

    /// Adds the TCP connection by which datagrams for `address` are sent.
    pub(super) fn connect(&self, address: SocketAddr, connection: mpsc::Sender<Bytes>) {
        self.table().connections.insert(address, connection);
    }

    /// Removes a TCP connection that has ended.
    pub(super) fn disconnect(&self, address: SocketAddr, connection: &mpsc::WeakSender<Bytes>) {
        let Some(ended) = connection.upgrade() else { return };
        let mut table = self.table();
        // Another connection may have come from that address in the meantime.
        if table.connections.get(&address).is_some_and(|present| present.same_channel(&ended)) {
            table.connections.remove(&address);
        }
    }

    /// The TCP connection to `address`.
    pub(super) fn connection(&self, address: SocketAddr) -> Option<mpsc::Sender<Bytes>> {
        self.table().connections.get(&address).cloned()
    }
}

/// The entries of one peer in the table. Dropping this removes them.
#[derive(Debug)]
pub(in crate::edges::webrtc) struct PeerRoutes {
    port: Arc<Port>,
    mailbox: Mailbox,
    fragments: Vec<String>,
    addresses: Vec<Address>,
    /// When the newest address was looked up in the table last.
    checked: Instant,
}

impl PeerRoutes {
    /// A peer without entries: no datagram reaches it yet.
    pub(in crate::edges::webrtc) fn new(port: Arc<Port>, mailbox: Mailbox) -> Self {
        Self { port, mailbox, fragments: Vec::new(), addresses: Vec::new(), checked: Instant::now() }
    }

    /// Adds an ICE user name fragment: STUN requests with it are for this peer. The last two are valid, because both are
    /// used for a while after an ICE restart.
    pub(in crate::edges::webrtc) fn add_username(&mut self, fragment: String) {
        if self.fragments.contains(&fragment) {
            return;
        }
        let mut table = self.port.routes.table();
        table.fragments.insert(fragment.clone(), self.mailbox.clone());
        self.fragments.push(fragment);
        if self.fragments.len() > 2 {
            table.fragments.remove(&self.fragments.remove(0));
        }
    }

    /// Adds an address to which a datagram was sent: datagrams from there are for this peer. An address that another
    /// peer has used lately stays with that peer: a datagram is also sent to an address that the sender has forged.
    pub(in crate::edges::webrtc) fn add_address(
        &mut self,
        protocol: Protocol,
        address: SocketAddr,
        now: Instant,
    ) {
        let address = (protocol, address);
        if self.addresses.last() == Some(&address) && now < self.checked + Duration::from_secs(1) {
            return;
        }
        self.checked = now;
        let mut table = self.port.routes.table();
        match table.addresses.get(&address) {
            Some(owner) if owner.mailbox.same_channel(&self.mailbox) => {}
            Some(owner) if !owner.mailbox.is_closed() && now < owner.last_datagram + OWNER_TIMEOUT => return,
            _ => {
                let owner = Owner { mailbox: self.mailbox.clone(), last_datagram: now };
                table.addresses.insert(address, owner);
            }
        }
        drop(table);
        self.addresses.retain(|known| *known != address);
        self.addresses.push(address);
        if self.addresses.len() > MAX_ADDRESSES {
            let oldest = self.addresses.remove(0);
            self.remove(&[oldest]);
        }
    }

    fn remove(&self, addresses: &[Address]) {
        let mut table = self.port.routes.table();
        for address in addresses {
            // The address may belong to another peer by now.
            if table.addresses.get(address).is_some_and(|owner| owner.mailbox.same_channel(&self.mailbox)) {
                table.addresses.remove(address);
            }
        }
    }
}

impl Drop for PeerRoutes {
    fn drop(&mut self) {
        self.remove(&self.addresses);
        let mut table = self.port.routes.table();
        for fragment in &self.fragments {
            table.fragments.remove(fragment);
        }
    }
}
