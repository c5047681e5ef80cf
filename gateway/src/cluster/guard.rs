//! The guards of a cluster: one identifies other nodes, one claims streams for publishers.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::files::PROTOCOL as FILES;
use super::registry::{ClaimError, Registry};
use super::relay::Relays;
use super::ticket::{ClusterSecret, PARAMETER};
use crate::core::admission::{Ask, Guard, Refusal, Usage};
use crate::core::client::{Act, Identity};

/// Identifies other nodes by their tickets. A node that shows a wrong one is refused, whoever else may come in.
#[derive(Debug)]
pub(super) struct NodeTickets {
    pub(super) secret: ClusterSecret,
    pub(super) registry: Registry,
    /// Set when the relays exist.
    pub(super) relays: std::sync::Arc<std::sync::OnceLock<Relays>>,
}

impl NodeTickets {
    fn identify(&self, ask: &Ask<'_>) -> Result<Option<Identity>, Refusal> {
        if ask.act != Act::Play {
            return Ok(None);
        }
        let query = form_urlencoded::parse(ask.credentials.query.as_bytes());
        let Some((_, ticket)) = { query }.find(|(name, _)| name == PARAMETER) else { return Ok(None) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let node =
            self.secret.check(&ticket, ask.stream, now).map_err(|error| Refusal::Rule(error.to_string()))?;
        let busy = |text: &str| Err(Refusal::Unavailable(text.to_owned()));
        if ask.client.protocol == FILES {
            // A request for a file makes no relay.
            return Ok(Some(Identity::Node(node.shared())));
        }
        if !self.registry.owns(ask.stream)
            && let Some(relays) = self.relays.get()
            && let Some(source) = relays.source(ask.stream)
        {
            // The tree has two levels, so there are no circles.
            if source == node || !relays.is_direct(ask.stream) {
                return busy("this node does not get the stream from its owner: ask the owner again");
            }
        }
        let children = self.registry.children().of(ask.stream);
        if children.len() >= self.registry.fanout() && !children.contains(&node) {
            return busy("this node serves as many others as cluster_fanout allows: ask the owner again");
        }
        Ok(Some(Identity::Node(node.shared())))
    }
}

impl Guard for NodeTickets {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        ready(self.identify(ask)).boxed()
    }

    fn restricts_play(&self) -> bool {
        // Viewers show no tickets.
        false
    }
}

/// Claims the streams of publishers, so that each has one publisher in the whole cluster.
#[derive(Debug)]
pub(super) struct StreamClaims(pub(super) Registry);

impl Guard for StreamClaims {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async move {
            // Admission refuses a client without an identity after all guards.
            if ask.act != Act::Publish || ask.usage != Usage::Consume || known.is_none() {
                return Ok(None);
            }
            match self.0.claim(ask.stream, ask.id).await {
                Ok(()) => Ok(None),
                Err(ClaimError::Taken(node)) => {
                    Err(Refusal::Taken(format!("someone else is publishing this stream, on the node {node}")))
                }
                Err(ClaimError::TooMany) => {
                    Err(Refusal::Unavailable("the gateway has too many streams: try another one".to_owned()))
                }
            }
        }
        .boxed()
    }

    fn withdraw(&self, ask: &Ask<'_>) {
        if ask.act == Act::Publish {
            self.0.release(ask.stream, ask.id);
        }
    }

    fn restricts_play(&self) -> bool {
        false
    }
}
