//! Protected streams.

use super::*;
use crate::core::auth::{Act, AuthSettings, Right, SigningKey, TokenRequest, Tokens};

const FIRST: &str = "192.0.2.1:4000";
const SECOND: &str = "192.0.2.2:4000";

/// A gateway that requires tokens from viewers, and its signing key.
struct Few {
    hls: Hls,
    feed: Feed,
    key: SigningKey,
    dir: std::path::PathBuf,
}

impl Few {
    async fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("lianmai-hls-{name}-{}", std::process::id()));
        let settings = AuthSettings::default();
        let auth = Auth {
            play_secret: "open sesame".into(),
            tokens: Some(Arc::new(Tokens::new(&settings, &dir).expect("settings"))),
            play_tokens: true,
            ..Auth::default()
        };
        let key = SigningKey::kept(&dir).expect("a key");
        let hls = hls(SegmentRules::default(), auth);
        let mut feed = Feed::new(&hls);
        feed.run(7).await;
        Self { hls, feed, key, dir }
    }

    fn token(&self, stream: &str, act: Act) -> String {
        let stream = StreamName::parse(stream).expect("a name");
        let right = Right::Stream { stream: &stream, act };
        let request = TokenRequest { issuer: "me", audience: "lianmai", subject: "7", right, ttl: 60 };
        self.key.mint(&request).expect("a token")
    }

    async fn get(&self, peer: &str, address: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().uri(address).header("host", "127.0.0.1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let (parts, body) = self.hls.serve(peer.parse().expect("an address"), request).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Requests a playlist, and follows the redirection to the address with a pass. Returns that address, and those of
    /// the segments.
    async fn play(&self, peer: &str, address: &str, headers: &[(&str, &str)]) -> (String, Vec<String>) {
        let sent = self.get(peer, address, headers).await;
        assert_eq!(sent.status, 302, "{}", words(&sent));
        assert_eq!(sent.headers["cache-control"], "no-store");
        let to = sent.headers["location"].to_str().expect("text").replace("../", "/");
        let list = format!("/{}", to.trim_start_matches('/'));
        let segments = self.segments(peer, &list).await;
        (list, segments)
    }

    /// Returns the addresses of segments of the playlist at an address with a pass.
    async fn segments(&self, peer: &str, list: &str) -> Vec<String> {
        let answer = self.get(peer, list, &[]).await;
        let text = words(&answer);
        assert_eq!(answer.status, 200, "{text}");
        assert_eq!(answer.headers["cache-control"], "public, max-age=1");
        let (folder, _) = list.rsplit_once('/').expect("a folder");
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| format!("{folder}/{line}")).collect()
    }
}

/// Returns an address without its pass.
fn bare(address: &str) -> String {
    let (_, rest) = address.trim_start_matches("/k/").split_once('/').expect("a pass");
    format!("/{rest}")
}

impl Drop for Few {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn words(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("text")
}

#[tokio::test]
async fn a_token_opens_a_session_that_the_addresses_carry() {
    let few = Few::new("session").await;
    assert_eq!(few.get(FIRST, "/live/x.m3u8", &[]).await.status, 401);
    let address = format!("/live/x.m3u8?token={}", few.token("live/x", Act::Play));
    let (list, segments) = few.play(FIRST, &address, &[]).await;
    assert!(
        !list.contains("token") && list.starts_with("/k/") && segments.len() >= 3,
        "{list}: {segments:?}"
    );
    // A segment's address is sufficient, even from another network.
    let segment = few.get(SECOND, &segments[0], &[]).await;
    assert_eq!((segment.status, segment.body.first()), (200, Some(&0x47)));
    assert_eq!(segment.headers["cache-control"], "public, max-age=86400, immutable");
    let wrong = segments[0].replacen("/k/1", "/k/2", 1);
    for stranger in [bare(&segments[0]), wrong, bare(&list)] {
        let refused = few.get(FIRST, &stranger, &[]).await;
        assert_eq!(refused.status, 401, "{stranger}");
        assert_eq!(refused.headers["cache-control"], "no-store");
    }
    // The original playlist address works only from the same network; the pass works from anywhere.
    assert_eq!(bare(&few.play(FIRST, &address, &[]).await.1[0]), bare(&segments[0]));
    let used = few.get(SECOND, &address, &[]).await;
    assert_eq!(used.status, 401);
    assert!(words(&used).contains("used already"), "{}", words(&used));
    assert_eq!(few.segments(SECOND, &list).await, segments);
    // There is one viewer, with the number of bytes it was sent.
    let clients = few.hls.0.context.clients.list();
    assert_eq!(clients.len(), 1);
    assert!(clients[0].sent.total() > segment.body.len() as u64);
    assert!(!clients[0].info.url.contains("token") && !clients[0].info.url.contains("/k/"));
}

#[tokio::test]
async fn a_pass_is_for_one_stream_and_a_token_for_one_act() {
    let few = Few::new("bound").await;
    let mut second = Feed::named(&few.hls, "live/y");
    second.run(7).await;
    let y = format!("/live/y.m3u8?token={}", few.token("live/y", Act::Play));
    let (_, y) = few.play(FIRST, &y, &[]).await;
    let bearer = format!("Bearer {}", few.token("live/x", Act::Play));
    let (list, _) = few.play(FIRST, "/live/x.m3u8", &[("authorization", &bearer)]).await;
    let with_pass_of_x = |path: &str| list.replacen("/live/x.m3u8", path, 1);
    assert_eq!(few.get(FIRST, &with_pass_of_x(&bare(&y[0])), &[]).await.status, 401);
    assert_eq!(few.get(FIRST, &with_pass_of_x("/live/y.m3u8"), &[]).await.status, 401);
    for (token, says) in [
        (few.token("live/y", Act::Play), "another stream"),
        (few.token("live/x", Act::Publish), "another action"),
    ] {
        let refused = few.get(FIRST, &format!("/live/x.m3u8?token={token}"), &[]).await;
        assert_eq!(refused.status, 403);
        assert!(words(&refused).contains(says), "{}", words(&refused));
    }
}

#[tokio::test]
async fn two_at_once_with_one_token_from_one_place_are_one_session() {
    let few = Few::new("twice").await;
    let address = format!("/live/x.m3u8?token={}", few.token("live/x", Act::Play));
    let (one, two) = tokio::join!(few.get(FIRST, &address, &[]), few.get(FIRST, &address, &[]));
    let id = |answer: &Answer| {
        let to = answer.headers["location"].to_str().expect("text").to_owned();
        to.split('-').nth(1).expect("an id").to_owned()
    };
    assert_eq!((one.status, two.status, id(&one)), (302, 302, id(&two)));
}

#[tokio::test]
async fn silence_ends_a_session_and_an_operator_ends_a_viewer_for_good() {
    let mut few = Few::new("ends").await;
    let open = async |few: &Few| {
        let address = format!("/live/x.m3u8?token={}", few.token("live/x", Act::Play));
        let (list, segments) = few.play(FIRST, &address, &[]).await;
        (address, list, segments)
    };
    let (kept, kept_list, kept_segments) = open(&few).await;
    let (silent, silent_list, _) = open(&few).await;
    let clients = few.hls.0.context.clients.clone();
    let stream = few.feed.publisher.stream().clone();
    assert_eq!(stream.viewers(), 2);
    tokio::time::pause();
    for _ in 0..4 {
        tokio::time::advance(Duration::from_secs(8)).await;
        assert_eq!(few.get(FIRST, &kept_segments[0], &[]).await.status, 200);
    }
    few.feed.run(3).await;
    assert_eq!(stream.viewers(), 1);
    // The token was used, but the pass is good for longer: the viewer is counted again.
    assert_eq!(few.get(FIRST, &silent, &[]).await.status, 401);
    few.segments(FIRST, &silent_list).await;
    assert_eq!(stream.viewers(), 2);
    let first = clients.list().into_iter().map(|client| client.id).min().expect("a viewer");
    assert!(clients.close(first, CloseReason::Operator));
    assert_eq!(few.get(FIRST, &kept, &[]).await.status, 403);
    for _ in 0..3 {
        for address in [&kept_segments[0], &kept_list] {
            let refused = few.get(FIRST, address, &[]).await;
            assert_eq!(refused.status, 403, "{address}");
            assert!(words(&refused).contains("operator"), "{}", words(&refused));
        }
        // After a silence, the session is forgotten, and the pass is not.
        tokio::time::advance(Duration::from_secs(60)).await;
        few.feed.run(3).await;
    }
    assert_eq!(few.get(FIRST, &kept, &[]).await.status, 401);
}

#[tokio::test]
async fn another_gateway_with_the_key_admits_by_the_pass_and_counts_the_viewer() {
    let (few, other) = (Few::new("one").await, Few::new("other").await);
    let address = format!("/live/x.m3u8?token={}", few.token("live/x", Act::Play));
    let (list, _) = few.play(FIRST, &address, &[]).await;
    let segments = other.segments(SECOND, &list).await;
    assert_eq!(other.get(SECOND, &segments[0], &[]).await.status, 200);
    let clients = other.hls.0.context.clients.clone();
    assert_eq!(clients.list().len(), 1);
    assert!(clients.close(clients.list()[0].id, CloseReason::Operator));
    assert_eq!(other.get(SECOND, &list, &[]).await.status, 403);
    // With another key it is nothing.
    let stranger = Passes::new("another key of tests", 3600);
    let pass = stranger.issue(&StreamName::parse("live/x").expect("a name"), "1");
    assert_eq!(other.get(SECOND, &format!("/k/{pass}/live/x.m3u8"), &[]).await.status, 401);
}

#[tokio::test]
async fn a_pass_is_renewed_in_time() {
    let few = Few::new("renewed").await;
    let name = StreamName::parse("live/x").expect("a name");
    let old = Passes::new("a key of the tests", 1700).issue(&name, "abc");
    let (list, _) = few.play(FIRST, &format!("/k/{old}/live/x.m3u8"), &[]).await;
    assert!(list.contains("-abc-") && !list.contains(&old), "{list}");
}

#[tokio::test]
async fn with_the_secret_the_list_and_what_it_names_can_be_had() {
    let few = Few::new("secret").await;
    assert_eq!(few.get(FIRST, "/live/x.m3u8?secret=sesame", &[]).await.status, 401);
    let (list, segments) = few.play(FIRST, "/live/x.m3u8?secret=open+sesame", &[]).await;
    assert!(!list.contains("sesame"));
    assert_eq!(few.get(FIRST, &segments[0], &[]).await.status, 200);
    let bare = bare(&segments[0]);
    assert_eq!(few.get(FIRST, &bare, &[]).await.status, 401);
    let answer = few.get(FIRST, &format!("{bare}?secret=open+sesame"), &[]).await;
    assert!(
        answer.status == 200 && answer.headers["cache-control"].to_str().expect("text").contains("private")
    );
    // A client that keeps asking counts as one viewer.
    few.play(FIRST, "/live/x.m3u8?secret=open+sesame", &[]).await;
    assert_eq!(few.hls.0.context.clients.list().len(), 1);
}

#[test]
fn closed_viewers_that_are_remembered_are_bounded() {
    use crate::core::client::Identity;
    use crate::edges::hls::sessions::{MAX_CLOSED, Standing};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (sessions, name) = (Sessions::new(1000), StreamName::parse("live/x").expect("a name"));
        let (patience, step) = (Duration::from_secs(25), Duration::from_millis(1));
        for n in 0..=MAX_CLOSED {
            let grant = PlayGrant::of_identity(&name, Identity::SignedUrl);
            grant.revocation().revoke(CloseReason::Operator);
            sessions.open(grant, Ok(format!("{n:x}")), patience).expect("a place");
            tokio::time::advance(step).await;
            sessions.expire(&name, step);
        }
        assert_eq!(sessions.ask(&name, "0", patience), Standing::Over, "the oldest is forgotten");
        assert_eq!(sessions.ask(&name, &format!("{MAX_CLOSED:x}"), patience), Standing::Kicked);
        tokio::time::advance(Duration::from_secs(1000)).await;
        assert_eq!(sessions.ask(&name, &format!("{MAX_CLOSED:x}"), patience), Standing::Over);
    });
}
