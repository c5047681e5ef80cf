use std::net::SocketAddr;

use super::*;
use crate::core::admission::{Admission, Publishing};
use crate::core::auth::{Auth, AuthRequest};
use crate::core::client::ClientInfo;
use crate::core::hub::{Clients, Hub, HubConfig};
use crate::limits::ClientLimits;

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn peer(ip: &str) -> SocketAddr {
    (ip.parse::<IpAddr>().unwrap(), 9).into()
}

fn info(peer: SocketAddr) -> ClientInfo {
    ClientInfo { protocol: "test", peer, url: String::new(), agent: String::new() }
}

fn admission(bans: &Bans) -> Admission {
    let auth = Auth { open: true, public: true, ..Auth::default() };
    Admission::new(auth.into(), ClientLimits::default()).with(bans.clone())
}

/// Asks to publish as a client at `from` over a connection from `by`.
async fn ask(bans: &Bans, stream: &str, by: &str, from: &str) -> Result<(), String> {
    let (stream, peer) = (name(stream), peer(by));
    let credentials =
        AuthRequest { from: from.parse().unwrap(), ..AuthRequest::rtmp(&stream, "", None, peer) };
    let granted = admission(bans).publish(&stream, &credentials, info(peer)).await;
    granted.map(drop).map_err(|refusal| refusal.to_string())
}

fn address(ip: &str, stream: &str) -> BannedClient {
    BannedClient::of(&Identity::Secret, ip.parse().unwrap(), &name(stream))
}

fn minutes(count: u64) -> Instant {
    Instant::now() + Duration::from_secs(60 * count)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_shares_its_secret_is_kept_from_its_stream_until_the_ban_ends() {
    let (hub, clients, bans) = (Hub::new(HubConfig::default()), Clients::new(), Bans::default());
    let stream = name("live/x");
    // Behind a proxy that reports the address.
    let proxy = peer("127.0.0.1");
    let credentials =
        AuthRequest { from: "192.0.2.1".parse().unwrap(), ..AuthRequest::rtmp(&stream, "", None, proxy) };
    let grant = admission(&bans).publish(&stream, &credentials, info(proxy)).await.unwrap();
    let publishing = Publishing::start(&hub, &clients, &grant).unwrap();
    let ban = bans.add(publishing.client.client(), 2).unwrap();
    assert_eq!((ban.act, &ban.client), (Act::Publish, &address("192.0.2.1", "live/x")));
    let refused = ask(&bans, "live/x", "127.0.0.1", "192.0.2.1").await.unwrap_err();
    assert!(refused.contains("for 2 min"), "{refused}");
    tokio::time::advance(Duration::from_secs(90)).await;
    // Without the proxy, and with a claim to be one.
    for (by, from) in [("192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.5")] {
        let refused = ask(&bans, "live/x", by, from).await.unwrap_err();
        assert!(refused.contains("for 1 min"), "{refused}");
    }
    for (stream, by, from) in [
        ("live/y", "127.0.0.1", "192.0.2.1"),
        ("live/x", "127.0.0.1", "192.0.2.2"),
        ("live/x", "127.0.0.1", "127.0.0.1"),
    ] {
        assert_eq!(ask(&bans, stream, by, from).await, Ok(()), "{stream} {by} {from}");
    }
    let viewer = info(peer("192.0.2.1"));
    let about = AuthRequest::rtmp(&stream, "", None, viewer.peer);
    assert!(admission(&bans).play(&stream, &about, viewer).await.is_ok(), "a ban is for one act");
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(ask(&bans, "live/x", "127.0.0.1", "192.0.2.1").await, Ok(()));
    assert_eq!(bans.list(), []);
    // A job does not ask for admission.
    let grant = crate::core::admission::PublishGrant::for_job(&name("live/job"), "demo");
    let job = Publishing::start(&hub, &clients, &grant).unwrap();
    assert_eq!(bans.add(job.client.client(), 2), None);
}

#[tokio::test(start_paused = true)]
async fn a_person_with_a_name_is_kept_from_every_stream_and_from_every_address() {
    let token = |subject: &str| Identity::Token { subject: subject.to_owned(), issuer: "site".to_owned() };
    let bans = Bans::default();
    let ip = "192.0.2.1".parse().unwrap();
    bans.insert(Act::Publish, BannedClient::of(&token("7"), ip, &name("live/x")), minutes(1));
    let (stream, other) = (name("live/y"), peer("192.0.2.9"));
    let (credentials, client) = (AuthRequest::rtmp(&stream, "", None, other), info(other));
    let ask = Ask {
        id: 1,
        act: Act::Publish,
        stream: &stream,
        credentials: &credentials,
        client: &client,
        usage: super::super::ask::Usage::Consume,
    };
    assert!(bans.refusal(&ask, Some(&token("7"))).is_some());
    assert_eq!(bans.refusal(&ask, Some(&token("8"))), None);
    assert_eq!(bans.refusal(&ask, None), None);
    // Visitors without a name are known by their address.
    for nobody in ["", "0"] {
        assert_eq!(BannedClient::of(&token(nobody), ip, &stream), address("192.0.2.1", "live/y"));
    }
}

#[tokio::test(start_paused = true)]
async fn bans_are_few_end_early_when_lifted_and_replace_each_other() {
    let bans = Bans::default();
    let first = bans.insert(Act::Publish, address("192.0.2.1", "live/x"), minutes(9));
    let again = bans.insert(Act::Publish, address("192.0.2.1", "live/x"), minutes(2));
    assert_eq!(bans.list(), std::slice::from_ref(&again));
    assert!(!bans.lift(first.id) && bans.lift(again.id) && !bans.lift(again.id));
    // One customer has all addresses of an IPv6 /64.
    assert_eq!(address("2001:db8::1", "live/x"), address("2001:db8::2:3", "live/x"));
    let shortest = bans.insert(Act::Publish, address("192.0.2.1", "live/x"), minutes(1));
    for n in 0..MAX_BANS {
        bans.insert(Act::Publish, address("192.0.2.1", &format!("live/s{n}")), minutes(5));
    }
    let list = bans.list();
    assert_eq!(list.len(), MAX_BANS);
    assert!(!list.contains(&shortest), "the ban that would end first makes way");
    tokio::time::advance(Duration::from_secs(301)).await;
    assert_eq!(bans.list(), []);
}
