//! The number of relays of a node.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{MAX_RELAYS, Relays};
use crate::cluster::NodeName;
use crate::cluster::registry::{Me, Registry};
use crate::cluster::ticket::ClusterSecret;
use crate::context::Context;
use crate::core::auth::Auth;
use crate::core::bus::MemoryNet;
use crate::core::hub::{Origin as _, StreamName};
use crate::limits::LimitSettings;
use crate::net::worker::Workers;
use crate::remote::{Dialer, RemoteSettings};

#[tokio::test]
async fn streams_that_nobody_publishes_are_looked_for_up_to_a_number_and_forgotten() {
    let settings = LimitSettings { play_wait: 1, ..LimitSettings::default() };
    let context = Context::new(settings, Auth::default());
    let me = Me {
        node: NodeName::parse("a").unwrap(),
        region: String::new(),
        url: Arc::new(OnceLock::from(String::new())),
    };
    let bus = Arc::new(MemoryNet::default().node());
    let registry = Registry::new(bus, me, context.hub.clone(), 32, Handle::current());
    let (workers, stop) = (Workers::start(1).unwrap(), CancellationToken::new());
    let dialer = Dialer::new(&RemoteSettings::default()).unwrap();
    let secret = ClusterSecret::new("0123456789abcdef");
    let relays = Relays::new(registry, secret, dialer, (&context, &workers, &stop));
    let name = |n: usize| StreamName::parse(&format!("live/{n}")).unwrap();
    for n in 0..MAX_RELAYS + 10 {
        assert!(relays.wanted(&name(n)), "no other origin is asked");
    }
    assert_eq!((relays.running_count(), relays.count()), (MAX_RELAYS, 0));
    // A stream that is looked for already is not looked for twice.
    relays.want(&name(0));
    assert_eq!(relays.running_count(), MAX_RELAYS);
    stop.cancel();
    let ended = async {
        while relays.running_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("all end");
}
