//! Answers questions about the streams of this node.

use tokio::time::Instant;

use super::{Rank, Registry, Step, Verdict, judge};
use crate::cluster::node::NodeName;
use crate::cluster::protocol::{self, NodeAsk, OriginAnswer, OriginAsk, Owner};
use crate::core::bus::Message;
use crate::core::hub::StreamName;

impl Registry {
    /// Answers a question about a stream to which this node has the claim `own`.
    pub(super) fn answer(&self, name: &StreamName, own: &Rank, message: Message) {
        let Some(ask) = protocol::read::<OriginAsk>(&message.payload) else { return };
        let Some(begun) = self.with(name, own, |claim| claim.begun) else { return };
        match ask {
            OriginAsk::Find { .. } => {
                let owner = self.owner(name, own, begun);
                message.answer(protocol::write(&OriginAnswer::Owner(owner)));
            }
            OriginAsk::Claim { node, since, .. } if node == own.node && since == own.since => {
                self.with(name, own, |claim| claim.confirmed = true);
                message.answer(protocol::write(&OriginAnswer::Taken { node: own.node.clone() }));
            }
            OriginAsk::Claim { node, since, entered } => {
                let other = Rank { since, node };
                let step = if entered { Step::Entered } else { Step::First };
                let answer = match judge(own, self.silence(name, begun), &other, step) {
                    Verdict::Keep => {
                        if entered {
                            // Its question may be answered by itself first.
                            let lost =
                                NodeAsk::Lost { node: own.node.clone(), stream: name.to_string(), since };
                            self.0.bus.publish(&protocol::node(&other.node), protocol::write(&lost));
                        }
                        OriginAnswer::Taken { node: own.node.clone() }
                    }
                    Verdict::Yield => {
                        self.lose(name, own, other.node);
                        OriginAnswer::Yielded { node: own.node.clone() }
                    }
                };
                message.answer(protocol::write(&answer));
            }
        }
    }

    /// Another node has an older claim than the one of this node that began at `since`.
    pub fn lost(&self, name: &StreamName, since: u64, to: NodeName) {
        let rank = Rank { since, node: self.0.me.node.clone() };
        self.lose(name, &rank, to);
    }

    fn owner(&self, name: &StreamName, own: &Rank, begun: Instant) -> Owner {
        let parents = self.0.children.of(name);
        let is_full = parents.len() >= self.0.fanout;
        let stream = self.0.hub.stream(name);
        Owner {
            node: own.node.clone(),
            url: self.0.me.url(),
            region: self.0.me.region.clone(),
            since: own.since,
            silence_ms: self.silence(name, begun).as_millis() as u64,
            parents: if is_full { parents } else { Vec::new() },
            is_full,
            key_on_request: stream.is_some_and(|stream| stream.promises_keys()),
        }
    }
}
