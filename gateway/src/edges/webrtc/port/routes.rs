//! Which peer a datagram is for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::net::Protocol;
use tokio::sync::mpsc;

use super::stun::fragment;
use super::{Datagram, Mailbox, Port};

/// Addresses that one peer may be reached at; a peer that moves on loses the oldest.
const ADDRESSES: usize = 16;

/// An address of a peer, by UDP or by TCP.
type Address = (Protocol, SocketAddr);

/// Whose an address is, and when it was heard from there last.
#[derive(Debug)]
struct Owner {
    mailbox: Mailbox,
    heard: Instant,
}

/// An address that was silent for so long may be another peer's: consent is renewed within 6 s (RFC 7675 5.1).
const SILENT: Duration = Duration::from_secs(8);

#[derive(Debug, Default)]
struct Table {
    fragments: HashMap<String, Mailbox>,
    addresses: HashMap<Address, Owner>,
    connections: HashMap<SocketAddr, mpsc::Sender<Bytes>>,
}

/// The table of peers. Only what a peer itself has answered to leads an address to it, so that nobody
/// draws another's datagrams away by sending from elsewhere.
#[derive(Debug, Default)]
pub(in crate::edges::webrtc) struct Routes(Mutex<Table>);

impl Routes {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a datagram to its peer; false when there is none.
    pub(super) fn deliver(&self, datagram: Datagram) -> bool {
        let mailbox = {
            let mut table = self.table();
            let Table { fragments, addresses, .. } = &mut *table;
            let known = addresses.get_mut(&(datagram.protocol, datagram.source));
            // A STUN request may be for another peer behind the same address.
            match fragment(&datagram.bytes).and_then(|fragment| fragments.get(&fragment)) {
                Some(mailbox) => Some(mailbox.clone()),
                None => known.map(|owner| {
                    owner.heard = datagram.at;
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

    /// A TCP connection that datagrams for `address` go out by.
    pub(super) fn connect(&self, address: SocketAddr, connection: mpsc::Sender<Bytes>) {
        self.table().connections.insert(address, connection);
    }

    /// That connection is over.
    pub(super) fn disconnect(&self, address: SocketAddr, connection: &mpsc::WeakSender<Bytes>) {
        let Some(ended) = connection.upgrade() else { return };
        let mut table = self.table();
        // Another connection may have come from that address since.
        if table.connections.get(&address).is_some_and(|present| present.same_channel(&ended)) {
            table.connections.remove(&address);
        }
    }

    /// The connection to `address`.
    pub(super) fn connection(&self, address: SocketAddr) -> Option<mpsc::Sender<Bytes>> {
        self.table().connections.get(&address).cloned()
    }
}

/// A peer's place in the table; dropping it takes the peer out.
#[derive(Debug)]
pub(in crate::edges::webrtc) struct Place {
    port: Arc<Port>,
    mailbox: Mailbox,
    fragments: Vec<String>,
    addresses: Vec<Address>,
    /// When the newest of them was looked up last.
    looked: Instant,
}

impl Place {
    /// A peer that nothing leads to yet.
    pub(in crate::edges::webrtc) fn new(port: Arc<Port>, mailbox: Mailbox) -> Self {
        Self { port, mailbox, fragments: Vec::new(), addresses: Vec::new(), looked: Instant::now() }
    }

    /// STUN requests for the user name `fragment` are for this peer, and no longer those for the one before
    /// the last: in an ICE restart both are used for a while.
    pub(in crate::edges::webrtc) fn name(&mut self, fragment: String) {
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

    /// The peer is really at `address`: it was answered there. Its datagrams lead here unless that address
    /// is another's who was heard from lately: whoever forges a source can be answered there as well.
    pub(in crate::edges::webrtc) fn reached(
        &mut self,
        protocol: Protocol,
        address: SocketAddr,
        now: Instant,
    ) {
        let address = (protocol, address);
        if self.addresses.last() == Some(&address) && now < self.looked + Duration::from_secs(1) {
            return;
        }
        self.looked = now;
        let mut table = self.port.routes.table();
        match table.addresses.get(&address) {
            Some(owner) if owner.mailbox.same_channel(&self.mailbox) => {}
            Some(owner) if !owner.mailbox.is_closed() && now < owner.heard + SILENT => return,
            _ => {
                let owner = Owner { mailbox: self.mailbox.clone(), heard: now };
                table.addresses.insert(address, owner);
            }
        }
        drop(table);
        self.addresses.retain(|known| *known != address);
        self.addresses.push(address);
        if self.addresses.len() > ADDRESSES {
            let oldest = self.addresses.remove(0);
            self.forget(&[oldest]);
        }
    }

    fn forget(&self, addresses: &[Address]) {
        let mut table = self.port.routes.table();
        for address in addresses {
            // Another peer may have come to that address since.
            if table.addresses.get(address).is_some_and(|owner| owner.mailbox.same_channel(&self.mailbox)) {
                table.addresses.remove(address);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.forget(&self.addresses);
        let mut table = self.port.routes.table();
        for fragment in &self.fragments {
            table.fragments.remove(fragment);
        }
    }
}
