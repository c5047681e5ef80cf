//! Answers the other nodes, and hears what they tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::bans::{SharedBan, SharedClient};
use super::protocol::{self, AllAsk, Kicked, Listed, NodeAsk, NodeState, Route, Used};
use super::{Cluster, ListWanted, NodeName};
use crate::core::admission::MAX_DRAIN_WAIT;
use crate::core::auth::UsedToken;
use crate::core::bus::{MAX_PAYLOAD, Message, Subscription};
use crate::core::close::CloseReason;
use crate::core::hub::{PublisherKind, StreamName};

/// Maximum number of entries of a list for another node.
const MAX_LISTED: usize = 500;
/// Minimum time between requests to a publisher for key frames that other nodes want.
const KEY_EVERY: Duration = Duration::from_millis(500);
/// Maximum number of streams whose last request is remembered.
const MAX_KEYS: usize = 10_000;

/// The times of the last requests for key frames.
#[derive(Debug, Default)]
struct KeyRequests(Mutex<HashMap<StreamName, Instant>>);

impl KeyRequests {
    /// Returns whether a request for this stream may be made now, and remembers it. Beyond the maximum, none may be made
    /// until others are old.
    fn is_due(&self, name: &StreamName) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.get(name).is_some_and(|last| last.elapsed() < KEY_EVERY) {
            return false;
        }
        if last.len() >= MAX_KEYS {
            last.retain(|_, last| last.elapsed() < KEY_EVERY);
            if last.len() >= MAX_KEYS {
                return false;
            }
        }
        last.insert(name.clone(), Instant::now());
        true
    }
}

impl Cluster {
    /// Answers the other nodes until the returned values are dropped.
    pub(super) fn listen(&self) -> Vec<Subscription> {
        let bus = self.0.registry.bus();
        let (own, all, used) = (self.clone(), self.clone(), self.clone());
        let keys = KeyRequests::default();
        vec![
            bus.subscribe(protocol::node(self.node()), Arc::new(move |message| own.asked(&keys, message))),
            bus.subscribe(protocol::all(), Arc::new(move |message| all.all_asked(message))),
            bus.subscribe(protocol::used(), Arc::new(move |message| used.token_used(&message))),
        ]
    }

    /// Tells the other nodes which tokens for publishing are used here.
    pub(super) fn share_tokens(&self) {
        let Some(tokens) = &self.0.context.auth.tokens else { return };
        let (registry, node) = (self.0.registry.clone(), self.node().clone());
        tokens.tell_used(move |UsedToken { key, jti, until }| {
            let key = key.iter().map(|byte| format!("{byte:02x}")).collect();
            let used = Used { node: node.clone(), key, jti, until };
            registry.bus().publish(&protocol::used(), protocol::write(&used));
        });
    }

    fn token_used(&self, message: &Message) {
        let Some(used) = protocol::read::<Used>(&message.payload) else { return };
        let (Some(tokens), Some(key)) = (&self.0.context.auth.tokens, bytes_of(&used.key)) else { return };
        if used.node != *self.node() {
            tokens.mark_used(&UsedToken { key, jti: used.jti, until: used.until });
        }
    }

    fn asked(&self, keys: &KeyRequests, message: Message) {
        let Some(ask) = protocol::read::<NodeAsk>(&message.payload) else { return };
        let name = |stream: &str| StreamName::parse(stream).ok();
        match ask {
            NodeAsk::Lost { node, stream, since } => {
                if let Some(name) = name(&stream) {
                    self.0.registry.lost(&name, since, node);
                }
            }
            NodeAsk::KeyFrame { stream } => {
                let stream = name(&stream).and_then(|name| self.0.context.hub.stream(&name));
                if let Some(stream) = stream.filter(|stream| keys.is_due(stream.name())) {
                    stream.ask_key();
                }
            }
            NodeAsk::Route { stream } => {
                let relays = self.relays();
                let serves = name(&stream).is_some_and(|name| {
                    self.0.registry.children().of(&name).len() < self.0.registry.fanout()
                        && relays.is_some_and(|relays| relays.is_direct(&name))
                });
                let url = if serves { self.0.registry.me().url() } else { String::new() };
                message.answer(protocol::write(&Route { url }));
            }
            NodeAsk::Kick { client, minutes } => {
                let kicked = self.kick_here(client, minutes);
                message.answer(protocol::write(&kicked));
            }
            NodeAsk::Drain { wait } => {
                let wait = wait.map(|wait| wait.min(MAX_DRAIN_WAIT));
                message.answer(protocol::write(&self.drain_here(wait)));
            }
        }
    }

    /// Ends a client of this node, and keeps it out of all nodes if `minutes` is given.
    fn kick_here(&self, id: u64, minutes: Option<u64>) -> Kicked {
        let context = &self.0.context;
        let Some(client) = context.clients.get(id) else { return Kicked::Unknown };
        if let Some(minutes) = minutes {
            let Some(ban) = context.bans.add(&client, minutes) else { return Kicked::Job };
            self.share_ban(&ban);
        }
        tracing::info!(client = id, stream = %client.stream.name(), minutes, "client ended by an operator of another node");
        context.clients.close(id, CloseReason::Operator);
        Kicked::Done
    }

    fn all_asked(&self, message: Message) {
        let Some(ask) = protocol::read::<AllAsk>(&message.payload) else { return };
        let now = self.0.started.elapsed();
        match ask {
            AllAsk::Hello { node, run } => {
                self.nodes_known().heard(&node, now);
                if node == *self.node() && run != self.0.run {
                    tracing::error!(%node, "another node of the cluster has the same name; choose another one with --node");
                }
                message.answer(protocol::write(&self.state()));
            }
            AllAsk::Bye { node } => self.nodes_known().left(&node),
            AllAsk::Nodes => message.answer(protocol::write(&self.state())),
            AllAsk::Streams => self.answer_list(&ListWanted::Streams, message),
            AllAsk::Clients { stream } => self.answer_list(&ListWanted::Clients(stream), message),
            AllAsk::Ban(ban) if ban.node != *self.node() => {
                if let Some(client) = ban.client.banned() {
                    self.0.context.bans.add_shared(ban.act, client, ban.seconds);
                }
            }
            AllAsk::Lift(ban) if ban.node != *self.node() => {
                if let Some(client) = ban.client.banned() {
                    self.0.context.bans.lift_shared(ban.act, &client);
                }
            }
            AllAsk::Ban(_) | AllAsk::Lift(_) => {}
        }
    }

    fn answer_list(&self, wanted: &ListWanted, message: Message) {
        let mut most = MAX_LISTED;
        loop {
            let answer = protocol::write(&self.list(wanted, most));
            // Entries have no fixed size.
            if answer.len() <= MAX_PAYLOAD || most == 0 {
                return message.answer(answer);
            }
            most /= 2;
        }
    }

    /// Returns a list of this node, with at most this many entries.
    pub(super) fn list(&self, wanted: &ListWanted, most: usize) -> Listed {
        let made = self.0.lists.get().map(|make| make(wanted, most));
        let (total, entries) = made.unwrap_or_default();
        Listed { node: self.node().clone(), total, entries }
    }

    /// Returns the state of this node.
    pub(super) fn state(&self) -> NodeState {
        let (me, context) = (self.0.registry.me(), &self.0.context);
        let streams = context.hub.streams();
        let own = streams.iter().filter(|s| s.kind() == PublisherKind::Own && s.publishing().is_some());
        NodeState {
            node: me.node.clone(),
            run: self.0.run,
            url: me.url(),
            region: me.region.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.0.started.elapsed().as_secs(),
            publishers: own.count(),
            relays: self.relays().map_or(0, super::Relays::count),
            viewers: context.clients.list().iter().filter(|client| client.is_viewer()).count(),
            pulls: self.0.registry.children().count(),
            draining: context.drain.is_draining(),
        }
    }

    /// Says hello whenever the bus is reached, and goodbye at the end.
    pub(super) async fn greet(self, stop: CancellationToken) {
        let mut connected = self.0.registry.bus().connected();
        loop {
            if *connected.borrow_and_update() {
                self.say_hello().await;
            }
            tokio::select! {
                Ok(()) = connected.changed() => {}
                () = stop.cancelled() => break,
            }
        }
        let bye = AllAsk::Bye { node: self.node().clone() };
        self.0.registry.bus().publish(&protocol::all(), protocol::write(&bye));
    }

    fn heard(&self, node: &NodeName) {
        self.nodes_known().heard(node, self.0.started.elapsed());
    }

    async fn say_hello(&self) {
        let hello = AllAsk::Hello { node: self.node().clone(), run: self.0.run };
        for state in self.gather::<NodeState>(&hello, Duration::from_secs(1), usize::MAX).await {
            if state.node == *self.node() && state.run != self.0.run {
                tracing::error!(node = %state.node, "another node of the cluster has the same name; choose another one with --node");
            }
            self.heard(&state.node);
        }
    }

    /// Tells the other nodes of a ban.
    pub fn share_ban(&self, ban: &crate::core::admission::Ban) {
        if let Some(ban) = self.shared(ban) {
            self.0.registry.bus().publish(&protocol::all(), protocol::write(&AllAsk::Ban(ban)));
        }
    }

    /// Tells the other nodes that a ban is lifted.
    pub fn share_lift(&self, ban: &crate::core::admission::Ban) {
        if let Some(ban) = self.shared(ban) {
            self.0.registry.bus().publish(&protocol::all(), protocol::write(&AllAsk::Lift(ban)));
        }
    }

    fn shared(&self, ban: &crate::core::admission::Ban) -> Option<SharedBan> {
        let seconds = ban.until.saturating_duration_since(Instant::now()).as_secs();
        let client = SharedClient::of(&ban.client)?;
        Some(SharedBan { node: self.node().clone(), act: ban.act, client, seconds })
    }
}

/// Reads hexadecimal digits.
fn bytes_of(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * n..2 * n + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn key_frames_are_asked_for_twice_a_second_and_their_memory_is_bounded() {
        let keys = KeyRequests::default();
        let name = |n: usize| StreamName::parse(&format!("live/{n}")).unwrap();
        assert!(keys.is_due(&name(0)) && !keys.is_due(&name(0)) && keys.is_due(&name(1)));
        tokio::time::advance(KEY_EVERY).await;
        assert!(keys.is_due(&name(0)));
        (2..MAX_KEYS).for_each(|n| assert!(keys.is_due(&name(n)), "{n}"));
        assert!(keys.is_due(&name(MAX_KEYS)), "stream 1 is old");
        assert!(!keys.is_due(&name(MAX_KEYS + 1)));
        tokio::time::advance(KEY_EVERY).await;
        assert!(keys.is_due(&name(MAX_KEYS + 1)));
        assert_eq!(keys.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn keys_are_read_as_hexadecimal_digits() {
        assert_eq!(bytes_of(&"0f".repeat(32)), Some([15; 32]));
        for bad in ["", "0f", &"0g".repeat(32), &"é".repeat(32)] {
            assert_eq!(bytes_of(bad), None, "{bad}");
        }
    }
}
