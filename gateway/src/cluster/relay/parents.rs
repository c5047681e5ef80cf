//! Chooses the node from which a stream is pulled: the tree of relays.
//!
//! The owner names the nodes that pull from it when they are as many as it serves. A further node pulls from one of
//! them, and those serve only while they pull from the owner itself. So a tree has two levels, no circles, and for 32
//! pulls a node room for 32 + 32 × 32 nodes.

use crate::cluster::node::NodeName;
use crate::cluster::protocol::Owner;

/// Returns the node from which `me` pulls instead of the owner; `None` is the owner. `turn` is any number: nodes with
/// different numbers choose different parents.
pub fn choose(owner: &Owner, me: &NodeName, avoid: Option<&NodeName>, turn: u64) -> Option<NodeName> {
    if !owner.is_full || owner.parents.contains(me) {
        return None;
    }
    let fits = |node: &&NodeName| Some(*node) != avoid;
    let parents: Vec<&NodeName> = owner.parents.iter().filter(fits).collect();
    // A single parent that fails is still better than none.
    let parents = if parents.is_empty() { owner.parents.iter().collect() } else { parents };
    let count = parents.len().max(1) as u64;
    parents.get((turn % count) as usize).map(|node| (*node).clone())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn name(n: usize) -> NodeName {
        NodeName::parse(&format!("n{n}")).unwrap()
    }

    fn owner(parents: usize) -> Owner {
        Owner {
            node: name(1_000_000),
            url: String::new(),
            region: String::new(),
            since: 1,
            silence_ms: 0,
            parents: (0..parents).map(name).collect(),
            is_full: parents >= 32,
            key_on_request: false,
        }
    }

    #[test]
    fn further_nodes_pull_from_those_that_pull_from_the_owner() {
        assert_eq!(choose(&owner(31), &name(99), None, 7), None);
        let mut pulls = BTreeMap::<_, u32>::new();
        for turn in 0..1024 {
            *pulls.entry(choose(&owner(32), &name(99), None, turn).unwrap()).or_default() += 1;
        }
        assert!(pulls.len() == 32 && pulls.values().all(|count| *count == 32), "{pulls:?}");
        // One that pulls from the owner already stays there.
        assert_eq!(choose(&owner(32), &name(5), None, 7), None);
        assert!((0..64).all(|turn| choose(&owner(32), &name(99), Some(&name(3)), turn) != Some(name(3))));
        let mut only = owner(32);
        only.parents.truncate(1);
        assert_eq!(choose(&only, &name(99), Some(&name(0)), 1), Some(name(0)));
    }
}
