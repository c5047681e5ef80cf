//! The nodes that pull streams from this one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cluster::node::NodeName;
use crate::core::name::StreamName;

/// The pulls by stream and session; as many as there are connections at most. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Children(Arc<Mutex<HashMap<StreamName, BTreeMap<u64, NodeName>>>>);

impl Children {
    fn table(&self) -> MutexGuard<'_, HashMap<StreamName, BTreeMap<u64, NodeName>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the session of a node.
    pub fn add(&self, stream: &StreamName, session: u64, node: NodeName) {
        self.table().entry(stream.clone()).or_default().insert(session, node);
    }

    /// Removes a session.
    pub fn remove(&self, stream: &StreamName, session: u64) {
        let mut table = self.table();
        if let Some(sessions) = table.get_mut(stream) {
            sessions.remove(&session);
            if sessions.is_empty() {
                table.remove(stream);
            }
        }
    }

    /// Returns the nodes that pull a stream, without repetitions.
    pub fn of(&self, stream: &StreamName) -> Vec<NodeName> {
        let table = self.table();
        let mut nodes: Vec<NodeName> =
            table.get(stream).into_iter().flat_map(BTreeMap::values).cloned().collect();
        nodes.sort();
        nodes.dedup();
        nodes
    }

    /// Returns the sessions of the nodes that pull a stream.
    pub fn sessions(&self, stream: &StreamName) -> Vec<u64> {
        self.table().get(stream).into_iter().flat_map(BTreeMap::keys).copied().collect()
    }

    /// Returns the number of pulls of all streams.
    pub fn count(&self) -> usize {
        self.table().values().map(BTreeMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_counts_once_for_a_stream_until_its_last_session_ends() {
        let (children, x) = (Children::default(), StreamName::parse("live/x").unwrap());
        let node = |name| NodeName::parse(name).unwrap();
        for (session, name) in [(1, "b"), (2, "a"), (3, "b")] {
            children.add(&x, session, node(name));
        }
        assert_eq!((children.of(&x), children.count()), (vec![node("a"), node("b")], 3));
        children.remove(&x, 1);
        assert_eq!((children.of(&x), children.sessions(&x)), (vec![node("a"), node("b")], vec![2, 3]));
        children.remove(&x, 2);
        children.remove(&x, 3);
        children.remove(&x, 3);
        assert_eq!((children.of(&x), children.count()), (Vec::new(), 0));
        assert!(children.table().is_empty());
    }
}
