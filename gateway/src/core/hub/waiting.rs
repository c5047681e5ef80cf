//! Viewers that wait for their streams. They are not in the list of clients yet, but whoever takes their right away must
//! be able to end their waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::admission::grant::{Grant, PlayGrant};
use crate::core::close::CloseReason;

/// The waiting viewers by number; as many as there are connections at most.
#[derive(Debug, Default)]
struct Table {
    next: u64,
    grants: BTreeMap<u64, PlayGrant>,
}

/// All viewers that wait. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(super) struct WaitingViewers(Arc<Mutex<Table>>);

/// A viewer that waits until this is dropped.
#[derive(Debug)]
pub(super) struct WaitingViewer {
    all: WaitingViewers,
    number: u64,
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
        WaitingViewer { all: self.clone(), number }
    }

    /// Revokes the grants of the waiting viewers for which `which` returns true.
    pub(super) fn revoke(&self, which: impl Fn(&Grant) -> bool, reason: &CloseReason) {
        for grant in self.table().grants.values().filter(|grant| which(grant)) {
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
        self.all.table().grants.remove(&self.number);
    }
}
