//! Viewers that wait for their streams. They are not in the list of clients yet, but whoever takes their right away must
//! be able to end their waiting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client_table::ClientGroup;
use crate::core::admission::grant::{Grant, PlayGrant};
use crate::core::close::CloseReason;

/// The waiting viewers by number; as many as there are connections at most.
#[derive(Debug, Default)]
struct Table {
    next: u64,
    grants: BTreeMap<u64, PlayGrant>,
    /// The numbers of the viewers with the same seat key.
    groups: HashMap<ClientGroup, BTreeSet<u64>>,
}

/// All viewers that wait. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct WaitingViewers(Arc<Mutex<Table>>);

/// A viewer that waits until this is dropped.
#[derive(Debug)]
pub(super) struct WaitingViewer {
    all: WaitingViewers,
    number: u64,
    group: Option<ClientGroup>,
}

impl WaitingViewers {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a viewer.
    pub(super) fn enter(&self, grant: &PlayGrant) -> WaitingViewer {
        let mut table = self.table();
        table.next += 1;
        let number = table.next;
        table.grants.insert(number, grant.clone());
        let group = ClientGroup::of_seat(grant.identity());
        if let Some(group) = &group {
            table.groups.entry(group.clone()).or_default().insert(number);
        }
        WaitingViewer { all: self.clone(), number, group }
    }

    /// Revokes the grants of the waiting viewers for which `which` returns true.
    pub(super) fn revoke(&self, which: impl Fn(&Grant) -> bool, reason: &CloseReason) {
        for grant in self.table().grants.values().filter(|grant| which(grant)) {
            grant.revocation().revoke(reason.clone());
        }
    }

    /// Revokes the grants of the waiting viewers in a group. The number of the others does not matter.
    pub(super) fn revoke_group(&self, group: &ClientGroup, reason: &CloseReason) {
        let table = self.table();
        let numbers = table.groups.get(group).into_iter().flatten();
        for grant in numbers.filter_map(|number| table.grants.get(number)) {
            grant.revocation().revoke(reason.clone());
        }
    }

    /// Returns the number of waiting viewers.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table().grants.len()
    }
}

impl Drop for WaitingViewer {
    fn drop(&mut self) {
        let mut table = self.all.table();
        table.grants.remove(&self.number);
        let Some(group) = &self.group else { return };
        if let Some(viewers) = table.groups.get_mut(group) {
            viewers.remove(&self.number);
            if viewers.is_empty() {
                table.groups.remove(group);
            }
        }
    }
}
