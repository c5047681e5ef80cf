//! Two publishers of one name at once, on two nodes.

use std::time::Duration;

use gateway::cluster::NodeName;
use gateway::cluster::registry::{Rank, Step, Verdict, judge};

use super::plan::Random;

const DOUBLES: u32 = 200;
/// The second publisher comes at most so many microseconds after the first one: before it can hear of it.
const WITHIN: u32 = 1_000;

/// Lets two nodes claim each of some names, and prints how many of them one node has in the end.
pub(super) fn run() {
    let mut random = Random::new(7);
    let mut one_stays = 0;
    for _ in 0..DOUBLES {
        let rank = |random: &mut Random, name: &str| {
            NodeName::parse(name).ok().map(|node| Rank { since: u64::from(random.below(WITHIN)), node })
        };
        let (Some(a), Some(b)) = (rank(&mut random, "a"), rank(&mut random, "b")) else { continue };
        let keeps =
            |own: &Rank, other: &Rank| judge(own, Duration::ZERO, other, Step::Entered) == Verdict::Keep;
        if keeps(&a, &b) != keeps(&b, &a) {
            one_stays += 1;
        }
    }
    println!("two publishers of one name at once: exactly one stays in {one_stays} of {DOUBLES}");
    if one_stays != DOUBLES {
        std::process::exit(1);
    }
}
