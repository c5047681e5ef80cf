//! The nodes that are known, so that a node that does not answer can be named.

use std::collections::BTreeMap;
use std::time::Duration;

use super::node::NodeName;

/// A node that has not been heard of for this long is forgotten.
pub const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);
/// Maximum number of known nodes. Beyond it, the one that was not heard of for the longest time is forgotten.
pub const MAX_NODES: usize = 4096;

/// The nodes, and when they were last heard of. Pure: the time is an argument, since any start that stays the same.
#[derive(Debug, Default)]
pub struct KnownNodes(BTreeMap<NodeName, Duration>);

impl KnownNodes {
    /// A node was heard of at `now`.
    pub fn heard(&mut self, node: &NodeName, now: Duration) {
        if !self.0.contains_key(node) && self.0.len() >= MAX_NODES {
            let oldest = self.0.iter().min_by_key(|(_, heard)| **heard).map(|(name, _)| name.clone());
            oldest.map(|name| self.0.remove(&name));
        }
        self.0.insert(node.clone(), now);
    }

    /// A node has said goodbye.
    pub fn left(&mut self, node: &NodeName) {
        self.0.remove(node);
    }

    /// Returns the nodes that are known at `now`, sorted by name.
    pub fn list(&mut self, now: Duration) -> Vec<NodeName> {
        self.0.retain(|_, heard| *heard + FORGOTTEN_AFTER > now);
        self.0.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_known_for_ten_minutes_or_until_they_leave() {
        let mut nodes = KnownNodes::default();
        let name = |n: usize| NodeName::parse(&format!("n{n:04}")).unwrap();
        let second = Duration::from_secs(1);
        nodes.heard(&name(1), second);
        nodes.heard(&name(2), second);
        nodes.heard(&name(3), second * 100);
        nodes.left(&name(2));
        assert_eq!(nodes.list(second * 600), [name(1), name(3)]);
        assert_eq!(nodes.list(second * 601), [name(3)]);
        (0..=MAX_NODES).for_each(|n| nodes.heard(&name(n), second * (602 + n as u32)));
        assert_eq!(nodes.0.len(), MAX_NODES);
    }
}
