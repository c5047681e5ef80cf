//! Admission without a protocol.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::*;
use crate::core::auth::{Auth, AuthRequest, AuthSettings, Denied, Right, SigningKey, TokenRequest, Tokens};
use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::close::CloseReason;
use crate::core::hub::{Clients, Hub, HubConfig, StreamName};
use crate::limits::ClientLimits;

/// The refusal text of the guard [`Closed`].
pub(crate) const CLOSED: &str = "closed for repairs";

/// A recorded question: the act, the protocol, and the identity known so far.
pub(crate) type Asked = (Act, &'static str, Option<Identity>);

/// A guard that refuses everybody after a short wait, and records the questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closed(pub(crate) Arc<Mutex<Vec<Asked>>>);

impl Guard for Closed {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async move {
            // Like a guard that asks another server.
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.0.lock().unwrap().push((ask.act, ask.client.protocol, known.cloned()));
            Err(Refusal::Rule(CLOSED.to_owned()))
        }
        .boxed()
    }
}

/// A guard that identifies everybody by name.
#[derive(Debug)]
struct Room;

impl Guard for Room {
    fn check<'a>(
        &'a self,
        _: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        let member = Identity::Token { subject: "member".to_owned(), issuer: "room".to_owned() };
        async move { Ok(known.is_none().then_some(member)) }.boxed()
    }

    fn limit(&self, ask: &Ask<'_>, identity: &Identity, limits: &mut ClientLimits) {
        assert_eq!((ask.act, identity.kind()), (Act::Publish, "token"));
        limits.publish_timeout = Duration::from_secs(1);
    }
}

fn name() -> StreamName {
    StreamName::parse("live/x").unwrap()
}

fn client() -> ClientInfo {
    let peer = "127.0.0.1:9".parse().unwrap();
    ClientInfo { protocol: "test", peer, url: String::new(), agent: String::new() }
}

fn credentials<'a>(name: &'a StreamName, query: &'a str, host: &'a str) -> AuthRequest<'a> {
    AuthRequest::rtmp(name, query, Some(host), client().peer)
}

const HERE: &str = "localhost";
const ELSEWHERE: &str = "example.com";

async fn publisher(auth: Auth, query: &str, host: &str) -> Result<Identity, Refusal> {
    let name = name();
    let granted = admission(auth).publish(&name, &credentials(&name, query, host), client()).await;
    granted.map(|grant| grant.identity().clone())
}

fn admission(auth: impl Into<Arc<Auth>>) -> Admission {
    Admission::new(auth.into(), ClientLimits::default())
}

#[tokio::test]
async fn a_grant_says_who_the_client_is() {
    let secret = || Auth { secret: "s".into(), ..Auth::default() };
    assert_eq!(publisher(secret(), "", HERE).await, Ok(Identity::Local));
    assert_eq!(publisher(secret(), "secret=s", ELSEWHERE).await, Ok(Identity::Secret));
    assert_eq!(publisher(Auth { open: true, ..secret() }, "", ELSEWHERE).await, Ok(Identity::Open));
    assert_eq!(publisher(secret(), "", ELSEWHERE).await, Err(Refusal::Credentials(Denied::Missing)));
    assert_eq!(PublishGrant::for_job(&name(), "demo").identity(), &Identity::Job("demo"));
    let name = name();
    let play = admission(secret());
    let grant = play.play(&name, &credentials(&name, "", ELSEWHERE), client()).await.unwrap();
    assert_eq!((grant.identity(), grant.act()), (&Identity::Open, Act::Play));
}

#[tokio::test]
async fn a_token_gives_its_subject_and_is_used_once() {
    let data = std::env::temp_dir().join(format!("lianmai-admission-{}", std::process::id()));
    let key = SigningKey::kept(&data).unwrap();
    let tokens = Some(Arc::new(Tokens::new(&AuthSettings::default(), &data).unwrap()));
    let auth = Auth { tokens, publish_tokens: true, ..Auth::default() };
    let (name, act) = (name(), Act::Publish);
    let right = Right::Stream { stream: &name, act };
    let request = TokenRequest { issuer: "site", audience: "lianmai", subject: "alice", right, ttl: 60 };
    let query = format!("token={}", key.mint(&request).unwrap());
    let admission = self::admission(auth);
    let credentials = credentials(&name, &query, HERE);
    admission.probe(act, &name, &credentials, &client()).await.unwrap();
    // A guard before the token guard costs no token, and knows no identity yet.
    let closed = Closed::default();
    let first = admission.clone().with_first(closed.clone());
    assert!(first.publish(&name, &credentials, client()).await.is_err());
    assert_eq!(*closed.0.lock().unwrap(), [(act, "test", None)]);
    let grant = admission.publish(&name, &credentials, client()).await.unwrap();
    let alice = Identity::Token { subject: "alice".to_owned(), issuer: "site".to_owned() };
    assert_eq!(grant.identity(), &alice);
    assert!(admission.publish(&name, &credentials, client()).await.is_err());
    std::fs::remove_dir_all(&data).unwrap();
}

#[tokio::test]
async fn guards_are_asked_in_order_until_one_refuses() {
    let auth = Arc::new(Auth { public: true, ..Auth::default() });
    let (before, after) = (Closed::default(), Closed::default());
    let name = name();
    let credentials = credentials(&name, "", HERE);
    // The room admits a client that has neither a secret nor a token.
    let room = admission(auth.clone()).with(Room);
    let grant = room.publish(&name, &credentials, client()).await.unwrap();
    assert_eq!(grant.identity().kind(), "token");
    let lowered = ClientLimits { publish_timeout: Duration::from_secs(1), ..ClientLimits::default() };
    assert_eq!(grant.limits(), &lowered);
    let both = room.with(before.clone()).with(after.clone());
    let refused = both.publish(&name, &credentials, client()).await.unwrap_err();
    assert_eq!((refused.to_string().as_str(), refused.status().as_u16()), (CLOSED, 403));
    assert_eq!(*before.0.lock().unwrap(), [(Act::Publish, "test", Some(grant.identity().clone()))]);
    assert!(after.0.lock().unwrap().is_empty());
    assert!(!admission(auth).restricts_play() && both.restricts_play());
}

/// A guard that lets everybody pass, and counts how often this was taken back.
#[derive(Debug, Clone, Default)]
struct Counts(Arc<Mutex<usize>>);

impl Guard for Counts {
    fn check<'a>(
        &'a self,
        _: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async { Ok(None) }.boxed()
    }

    fn withdraw(&self, _: &Ask<'_>) {
        *self.0.lock().unwrap() += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_is_told_when_a_later_one_refuses_or_the_client_gives_up() {
    let (counts, name) = (Counts::default(), name());
    let credentials = credentials(&name, "", HERE);
    let withdrawn = || *counts.0.lock().unwrap();
    let open = admission(Auth::default()).with(counts.clone());
    let _grant = open.publish(&name, &credentials, client()).await.unwrap();
    assert_eq!(withdrawn(), 0);
    let closed = open.clone().with(Closed::default());
    assert!(closed.publish(&name, &credentials, client()).await.is_err());
    assert_eq!(withdrawn(), 1);
    // The later guard takes a moment.
    assert!(closed.publish(&name, &credentials, client()).now_or_never().is_none());
    assert_eq!(withdrawn(), 2);
    // A guard that was not asked has nothing to take back.
    let first = open.with_first(Closed::default());
    assert!(first.publish(&name, &credentials, client()).await.is_err());
    assert_eq!(withdrawn(), 2);
    let nobody = admission(Auth { public: true, ..Auth::default() }).with(counts.clone());
    assert!(nobody.publish(&name, &credentials, client()).await.is_err());
    assert_eq!(withdrawn(), 3, "no guard has identified the client");
}

#[tokio::test]
async fn a_revoked_grant_ends_its_publisher_and_no_other() {
    let (hub, clients) = (Hub::new(HubConfig::default()), Clients::new());
    let start = || Publishing::start(&hub, &clients, &PublishGrant::for_job(&name(), "test"));
    let first = start().unwrap();
    assert!(clients.close(first.client.client().id, CloseReason::Operator));
    assert!(!clients.close(first.client.client().id, CloseReason::Shutdown), "it was ended already");
    assert_eq!(first.revoked().await, CloseReason::Operator);
    let id = first.client.client().id;
    drop(first);
    let second = start().unwrap();
    assert!(!clients.close(id, CloseReason::Operator));
    assert!(second.revoked().now_or_never().is_none());
}
