//! The clients by number, with an index of those that are closed together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::clients::Client;
use crate::core::client::{Act, Identity};
use crate::core::name::StreamName;

/// Clients that are closed together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ClientGroup {
    /// The publishers of a stream. While one replaces another, there are two.
    Publishers(StreamName),
    /// The clients that use the seat key of a participant, and viewers with it that still wait for their stream.
    Seat {
        /// The room's name.
        room: Arc<str>,
        /// The participant's identifier in the room.
        id: Arc<str>,
    },
}

impl ClientGroup {
    /// Returns the group of the clients that use the same seat key as a client with this identity.
    pub(super) fn of_seat(identity: &Identity) -> Option<Self> {
        match identity {
            Identity::Seat { room, id } => Some(Self::Seat { room: room.clone(), id: id.clone() }),
            _ => None,
        }
    }

    /// Returns the groups of a client.
    fn of(client: &Client) -> impl Iterator<Item = Self> {
        let publishes = client.act == Act::Publish;
        let publishers = publishes.then(|| Self::Publishers(client.stream.name().clone()));
        [publishers, Self::of_seat(&client.identity)].into_iter().flatten()
    }
}

/// All clients. The index has an entry for each group of each client, so it is as large as the table.
#[derive(Debug, Default)]
pub(super) struct ClientTable {
    clients: BTreeMap<u64, Arc<Client>>,
    groups: HashMap<ClientGroup, BTreeMap<u64, Arc<Client>>>,
}

impl ClientTable {
    pub(super) fn insert(&mut self, client: &Arc<Client>) {
        // A client that takes the number of another one takes its place.
        self.remove(client.id);
        for group in ClientGroup::of(client) {
            self.groups.entry(group).or_default().insert(client.id, client.clone());
        }
        self.clients.insert(client.id, client.clone());
    }

    pub(super) fn remove(&mut self, id: u64) {
        let Some(client) = self.clients.remove(&id) else { return };
        for group in ClientGroup::of(&client) {
            if let Some(members) = self.groups.get_mut(&group) {
                members.remove(&id);
                if members.is_empty() {
                    self.groups.remove(&group);
                }
            }
        }
    }

    /// Returns one client.
    pub(super) fn get(&self, id: u64) -> Option<&Arc<Client>> {
        self.clients.get(&id)
    }

    /// Returns all clients, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Client>> {
        self.clients.values().cloned().collect()
    }

    /// Returns the clients of a group, oldest first.
    pub(super) fn group(&self, group: &ClientGroup) -> Vec<Arc<Client>> {
        self.groups.get(group).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Returns the number of groups.
    #[cfg(test)]
    pub(super) fn groups(&self) -> usize {
        self.groups.len()
    }
}
