//! Drains other nodes, for the API.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::protocol::{self, NodeAsk};
use super::{Cluster, NodeName};
use crate::core::bus::NoAnswer;
use crate::core::facts::Fact;

/// Timeout of the request to a node.
const TIMEOUT: Duration = Duration::from_millis(500);

/// The answer to [`NodeAsk::Drain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drained {
    /// Whether the node takes no new clients.
    pub draining: bool,
    /// Its viewers.
    pub viewers: usize,
    /// Its publishers.
    pub publishers: usize,
    /// Seconds after which publishers are closed.
    pub seconds_left: u64,
}

impl Cluster {
    /// Drains another node, and waits for its publishers for `wait` seconds; `None` ends the drain.
    ///
    /// # Errors
    /// The node does not exist, or does not answer.
    pub async fn drain(&self, node: &NodeName, wait: Option<u64>) -> Result<Drained, NoAnswer> {
        let ask = protocol::write(&NodeAsk::Drain { wait });
        let answer = self.0.registry.bus().request(&protocol::node(node), ask, TIMEOUT).await?;
        protocol::read(&answer).ok_or(NoAnswer::Silent)
    }

    /// Drains this node, or ends its drain, for another one.
    pub(super) fn drain_here(&self, wait: Option<u64>) -> Drained {
        let context = &self.0.context;
        match wait {
            Some(wait) => {
                context.drain.begin(&context.clients, Duration::from_secs(wait));
                tracing::info!(wait, "drain begun by an operator at another node");
                context.facts.push(Fact { what: "drain_begun", ..Fact::default() });
            }
            None => {
                if context.drain.cancel() {
                    tracing::info!("drain ended by an operator at another node");
                    context.facts.push(Fact { what: "drain_ended", ..Fact::default() });
                }
            }
        }
        let progress = context.drain.progress(&context.clients);
        progress.map_or_else(Drained::default, |progress| Drained {
            draining: true,
            viewers: progress.viewers,
            publishers: progress.publishers,
            seconds_left: progress.seconds_left,
        })
    }
}
