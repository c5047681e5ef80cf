//! Which of two nodes keeps a stream. Pure: the same answer at both nodes, without a third one to ask.

use std::time::Duration;

use crate::cluster::node::NodeName;

/// A publisher that is silent for this long can be replaced, as by the hub's own rule.
pub(super) const REPLACEABLE_AFTER: Duration = Duration::from_secs(5);

/// The rank of a claim: the older one wins; of two of the same age, the one of the first name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// When the claim began, in microseconds since 1970.
    pub since: u64,
    /// The node.
    pub node: NodeName,
}

/// The step of a claim at which a node asks another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Before it has entered its claim: whoever has one was first.
    First,
    /// After that: two may have entered claims at the same time, or in two parts of a network.
    Entered,
}

/// What the node that is asked does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps the stream.
    Keep,
    /// It gives the stream up.
    Yield,
}

/// Returns whether the claim `own`, whose publisher has been silent for `silence`, outlasts the claim `other`.
pub fn judge(own: &Rank, silence: Duration, other: &Rank, step: Step) -> Verdict {
    let keeps = silence < REPLACEABLE_AFTER && (step == Step::First || own < other);
    if keeps { Verdict::Keep } else { Verdict::Yield }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rank(since: u64, node: &str) -> Rank {
        Rank { since, node: NodeName::parse(node).unwrap() }
    }

    #[test]
    fn who_was_first_keeps_the_stream_unless_it_is_silent() {
        let (own, younger) = (rank(5, "b"), rank(9, "a"));
        let alive = Duration::from_secs(4);
        assert_eq!(judge(&own, alive, &younger, Step::First), Verdict::Keep);
        assert_eq!(judge(&own, REPLACEABLE_AFTER, &younger, Step::First), Verdict::Yield);
        // The clocks of machines differ: one that asks before it has entered its claim is later.
        assert_eq!(judge(&own, alive, &rank(1, "a"), Step::First), Verdict::Keep);
        assert_eq!(judge(&own, alive, &rank(1, "a"), Step::Entered), Verdict::Yield);
        assert_eq!(judge(&own, alive, &younger, Step::Entered), Verdict::Keep);
        assert_eq!(judge(&own, alive, &rank(5, "a"), Step::Entered), Verdict::Yield);
    }

    proptest! {
        #[test]
        fn of_two_claims_exactly_one_stays(a in 0_u64..4, b in 0_u64..4, names in prop::sample::select(vec![("a", "b"), ("b", "a")])) {
            let (one, other) = (rank(a, names.0), rank(b, names.1));
            let silence = Duration::from_secs(1);
            let kept = [judge(&one, silence, &other, Step::Entered), judge(&other, silence, &one, Step::Entered)];
            prop_assert_eq!(kept.iter().filter(|verdict| **verdict == Verdict::Keep).count(), 1);
        }
    }
}
