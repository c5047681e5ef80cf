//! Asks all nodes, for the API.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::protocol::{self, AllAsk, Kicked, Listed, NodeAsk, NodeState};
use super::{Cluster, ListWanted, NodeName};
use crate::core::bus::NoAnswer;

/// Time for which the answers of all nodes are waited for.
const WAIT: Duration = Duration::from_millis(200);
/// Timeout of a question to one node.
const KICK_TIMEOUT: Duration = Duration::from_millis(500);
/// Maximum number of entries of this node in a list of all.
const MAX_OWN: usize = 500;

/// The answers of all nodes.
#[derive(Debug, Clone)]
pub struct Gathered<T> {
    /// The answers, sorted by node. This node is always among them.
    pub answers: Vec<T>,
    /// The nodes that are known and did not answer in time.
    pub silent: Vec<NodeName>,
}

/// A list of all nodes.
pub type GatheredList = Gathered<Listed>;

impl Cluster {
    pub(super) async fn gather<T: DeserializeOwned>(
        &self,
        ask: &AllAsk,
        wait: Duration,
        enough: usize,
    ) -> Vec<T> {
        let answers =
            self.0.registry.bus().gather(&protocol::all(), protocol::write(ask), wait, enough).await;
        answers.iter().filter_map(|answer| protocol::read(answer)).collect()
    }

    /// Asks all nodes. `own` is the answer of this one.
    async fn ask_all<T: DeserializeOwned>(
        &self,
        ask: AllAsk,
        own: T,
        node: fn(&T) -> &NodeName,
    ) -> Gathered<T> {
        let mut known = self.nodes_known().list(self.0.started.elapsed());
        if !known.contains(self.node()) {
            known.push(self.node().clone());
        }
        let mut answers: Vec<T> = self.gather(&ask, WAIT, known.len()).await;
        answers.retain(|answer| node(answer) != self.node());
        answers.push(own);
        answers.sort_by(|a, b| node(a).cmp(node(b)));
        for answer in &answers {
            self.nodes_known().heard(node(answer), self.0.started.elapsed());
        }
        known.retain(|name| answers.iter().all(|answer| node(answer) != name));
        Gathered { answers, silent: known }
    }

    /// Returns the states of all nodes.
    pub async fn nodes(&self) -> Gathered<NodeState> {
        self.ask_all(AllAsk::Nodes, self.state(), |state| &state.node).await
    }

    /// Returns a list of all nodes. Each node gives a part of its list at most.
    pub async fn lists(&self, wanted: &ListWanted) -> GatheredList {
        let ask = match wanted.clone() {
            ListWanted::Streams => AllAsk::Streams,
            ListWanted::Clients(stream) => AllAsk::Clients { stream },
        };
        self.ask_all(ask, self.list(wanted, MAX_OWN), |listed| &listed.node).await
    }

    /// Ends a client of another node, and keeps it out of all nodes if `minutes` is given.
    ///
    /// # Errors
    /// The node does not answer.
    pub async fn kick(&self, node: &NodeName, client: u64, minutes: Option<u64>) -> Result<Kicked, NoAnswer> {
        let ask = protocol::write(&NodeAsk::Kick { client, minutes });
        let answer = self.0.registry.bus().request(&protocol::node(node), ask, KICK_TIMEOUT).await?;
        protocol::read(&answer).ok_or(NoAnswer::Silent)
    }
}
