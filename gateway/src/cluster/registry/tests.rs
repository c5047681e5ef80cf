//! Claims of several nodes over a bus in memory. Time is virtual.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use media::{Audio, Codec, Config, Format, Frame};
use tokio::time::sleep;

use super::*;
use crate::cluster::protocol;
use crate::cluster::relay::Found;
use crate::core::admission::PublishGrant;
use crate::core::bus::{MemoryBus, MemoryNet};
use crate::core::close::CloseReason;
use crate::core::hub::{HubConfig, Publisher};
use tokio_util::sync::CancellationToken;

struct Node {
    bus: Arc<MemoryBus>,
    hub: Hub,
    registry: Registry,
}

fn node_with(net: &MemoryNet, name: &str, max: usize) -> Node {
    let (bus, hub) = (Arc::new(net.node()), Hub::new(HubConfig::default()));
    let url = Arc::new(OnceLock::from(format!("http://{name}")));
    let me = Me { node: NodeName::parse(name).unwrap(), region: String::new(), url };
    let registry = Registry::with_max(bus.clone(), me, hub.clone(), (2, max), Handle::current());
    // A claim that is lost is told to its node by name.
    let own = registry.clone();
    let handler = move |message: crate::core::bus::Message| {
        if let Some(protocol::NodeAsk::Lost { node, stream, since }) = protocol::read(&message.payload) {
            own.lost(&StreamName::parse(&stream).unwrap(), since, node);
        }
    };
    std::mem::forget(bus.subscribe(protocol::node(&registry.me().node), Arc::new(handler)));
    Node { bus, hub, registry }
}

fn node(net: &MemoryNet, name: &str) -> Node {
    node_with(net, name, MAX_CLAIMS)
}

fn stream(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

fn frame(dts: i64) -> Frame {
    let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
    let config = Arc::new(Config { codec: Codec::Opus, format, description: Bytes::new() });
    Frame { number: 0, config, dts, pts: dts, key: true, data: Bytes::from_static(b"opus") }
}

impl Node {
    /// Claims and publishes `live/x`, as a client does.
    async fn publish(&self) -> Result<Publisher, ClaimError> {
        self.registry.claim(&stream("live/x"), 1).await?;
        let mut publisher = self.hub.publish(&PublishGrant::for_job(&stream("live/x"), "test")).unwrap();
        publisher.push(frame(0));
        Ok(publisher)
    }

    async fn owner(&self) -> Option<String> {
        match self.registry.find(&stream("live/x")).await {
            Found::Owner(owner) => Some(owner.node.to_string()),
            _ => None,
        }
    }
}

fn taken(node: &str) -> ClaimError {
    ClaimError::Taken(NodeName::parse(node).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_one_publisher_and_is_found_until_it_leaves() {
    let net = MemoryNet::default();
    let (a, b) = (node(&net, "a"), node(&net, "b"));
    assert_eq!(b.owner().await, None);
    let publisher = a.publish().await.unwrap();
    assert_eq!(b.owner().await, None, "nobody is remembered for a second");
    b.registry.appeared(&stream("live/x"));
    assert_eq!(b.owner().await.as_deref(), Some("a"));
    assert_eq!(b.publish().await.unwrap_err(), taken("a"));
    assert_eq!(b.registry.count(), 0);
    // A second publisher of the same node is left to its hub; the claim lasts until both have left.
    a.registry.claim(&stream("live/x"), 2).await.unwrap();
    a.registry.release(&stream("live/x"), 1);
    assert_eq!(b.owner().await.as_deref(), Some("a"));
    a.registry.release(&stream("live/x"), 2);
    drop(publisher);
    assert_eq!((b.owner().await, a.registry.count()), (None, 0));
    sleep(Duration::from_secs(1)).await;
    assert!(b.publish().await.is_ok());
    assert_eq!(a.owner().await.as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_publisher_is_replaced_and_a_dead_node_too() {
    let net = MemoryNet::default();
    let (a, b, c) = (node(&net, "a"), node(&net, "b"), node(&net, "c"));
    let silent = a.publish().await.unwrap();
    sleep(Duration::from_secs(4)).await;
    assert_eq!(b.publish().await.unwrap_err(), taken("a"));
    sleep(Duration::from_secs(1)).await;
    let second = b.publish().await.unwrap();
    assert_eq!(silent.revoked().await, CloseReason::Replaced);
    assert_eq!((a.registry.count(), c.owner().await.as_deref()), (0, Some("b")));
    // A node that hangs is asked twice.
    b.bus.hang(true);
    let begun = Instant::now();
    let _third = c.publish().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(a.owner().await.as_deref(), Some("c"));
    // When it goes on, its claim is checked, and it learns that it was silent.
    sleep(Duration::from_secs(5)).await;
    b.bus.hang(false);
    let stop = CancellationToken::new();
    tokio::spawn(c.registry.clone().follow(stop.clone()));
    sleep(Duration::from_secs(11)).await;
    assert_eq!((b.registry.count(), second.revoked().await), (0, CloseReason::Replaced));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn of_many_that_claim_at_once_exactly_one_stays() {
    for _ in 0..50 {
        let net = MemoryNet::default();
        let nodes: Vec<Node> = ["a", "b", "c", "d", "e"].map(|name| node(&net, name)).into();
        let published = join_all(nodes.iter().map(Node::publish)).await;
        sleep(Duration::from_millis(300)).await;
        let holders: Vec<_> =
            nodes.iter().filter(|node| node.registry.owns(&stream("live/x"))).map(Node::owner).collect();
        assert_eq!(holders.len(), 1);
        let alive = published
            .iter()
            .flatten()
            .filter(|publisher| futures_util::FutureExt::now_or_never(publisher.revoked()).is_none());
        assert_eq!(alive.count(), 1, "the others are closed");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_partition_the_older_claim_stays() {
    let net = MemoryNet::default();
    let (a, b) = (node(&net, "b"), node(&net, "a"));
    let stop = CancellationToken::new();
    for node in [&a, &b] {
        tokio::spawn(node.registry.clone().follow(stop.clone()));
    }
    let mut older = a.publish().await.unwrap();
    b.bus.cut(true);
    sleep(Duration::from_millis(10)).await;
    // Claims are ranked by the wall clock, which virtual time does not move.
    std::thread::sleep(Duration::from_millis(2));
    let mut younger = b.publish().await.unwrap();
    for n in 1..20 {
        older.push(frame(n * 1_000_000));
        younger.push(frame(n * 1_000_000));
        sleep(Duration::from_secs(1)).await;
        if n == 5 {
            assert!(a.registry.owns(&stream("live/x")) && b.registry.owns(&stream("live/x")));
            b.bus.cut(false);
        }
    }
    assert!(a.registry.owns(&stream("live/x")) && !b.registry.owns(&stream("live/x")));
    assert_eq!(younger.revoked().await, CloseReason::Replaced);
    assert!(futures_util::FutureExt::now_or_never(older.revoked()).is_none());
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn without_the_bus_publishers_come_in_and_are_found_when_it_is_back() {
    let net = MemoryNet::default();
    let (a, b) = (node(&net, "a"), node(&net, "b"));
    a.bus.set_connected(false);
    let begun = Instant::now();
    let _publisher = a.publish().await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(10));
    assert_eq!(b.owner().await, None);
    a.bus.set_connected(true);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(b.owner().await.as_deref(), Some("a"));
    assert_eq!(b.publish().await.unwrap_err(), taken("a"));
}

#[tokio::test(start_paused = true)]
async fn jobs_are_claimed_and_stopgaps_are_not() {
    let net = MemoryNet::default();
    let (a, b) = (node(&net, "a"), node(&net, "b"));
    let stop = CancellationToken::new();
    tokio::spawn(a.registry.clone().follow(stop.clone()));
    sleep(Duration::from_millis(10)).await;
    let grant = PublishGrant::for_job(&stream("live/x"), "slate");
    let stopgap = a.hub.publish_filling(&grant).unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(a.registry.count(), 0);
    drop(stopgap);
    let mix = a.hub.publish(&PublishGrant::for_job(&stream("live/x"), "mix")).unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(b.owner().await.as_deref(), Some("a"));
    drop(mix);
    sleep(Duration::from_millis(10)).await;
    assert_eq!((a.registry.count(), b.owner().await), (0, None));
    stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_gives_up_keeps_no_claim_and_their_number_is_bounded() {
    let net = MemoryNet::default();
    let (a, b) = (node_with(&net, "a", 2), node(&net, "b"));
    let _held = b.publish().await.unwrap();
    b.bus.hang(true);
    // The other node does not answer for 400 ms.
    let name = stream("live/x");
    let given_up = tokio::time::timeout(Duration::from_millis(100), a.registry.claim(&name, 7));
    assert!(given_up.await.is_err());
    assert_eq!(a.registry.count(), 0);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(a.registry.count(), 0);
    for (n, name) in ["live/1", "live/2"].iter().enumerate() {
        a.registry.claim(&stream(name), n as u64 + 1).await.unwrap();
    }
    assert_eq!(a.registry.claim(&stream("live/3"), 3).await, Err(ClaimError::TooMany));
    a.registry.release(&stream("live/1"), 1);
    assert_eq!(a.registry.claim(&stream("live/3"), 3).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_owner_names_parents_when_it_serves_enough_nodes() {
    let net = MemoryNet::default();
    let (a, b) = (node(&net, "a"), node(&net, "b"));
    let _publisher = a.publish().await.unwrap();
    let owner = async || match b.registry.find(&stream("live/x")).await {
        Found::Owner(owner) => owner,
        other => panic!("{other:?}"),
    };
    let child = |name: &str| NodeName::parse(name).unwrap();
    a.registry.children().add(&stream("live/x"), 11, child("c"));
    let found = owner().await;
    assert_eq!((found.url.as_str(), found.is_full, found.parents.len()), ("http://a", false, 0));
    a.registry.children().add(&stream("live/x"), 12, child("d"));
    let found = owner().await;
    assert_eq!((found.is_full, found.parents), (true, vec![child("c"), child("d")]));
}
