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

    /// Returns the segment addresses of a playlist.
    fn segments(answer: &Answer) -> Vec<String> {
        let text = std::str::from_utf8(&answer.body).expect("text");
        assert_eq!(answer.status, 200, "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines.map(|line| format!("/live/{line}")).collect()
    }
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
    let answer = few.get(FIRST, &address, &[("accept-encoding", "gzip")]).await;
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    assert!(!words(&answer).contains("token"), "{}", words(&answer));
    let segments = Few::segments(&answer);
    assert!(segments.len() >= 3 && segments.iter().all(|uri| uri.contains(".ts?session=")), "{segments:?}");
    // A segment's address is sufficient, even from another network.
    let segment = few.get(SECOND, &segments[0], &[]).await;
    assert_eq!((segment.status, segment.body.first()), (200, Some(&0x47)));
    assert_eq!(segment.headers["cache-control"], "private, max-age=86400, immutable");
    let (bare, session) = segments[0].split_once("?session=").expect("a session");
    for stranger in [bare.to_owned(), format!("{bare}?session=0"), format!("{bare}?session=")] {
        let refused = few.get(FIRST, &stranger, &[]).await;
        assert_eq!(refused.status, 401, "{stranger}");
        assert!(refused.headers["www-authenticate"].to_str().expect("text").contains("invalid_token"));
    }
    // The original playlist address works only from the same network; the session works from anywhere.
    assert_eq!(Few::segments(&few.get(FIRST, &address, &[]).await), segments);
    let used = few.get(SECOND, &address, &[]).await;
    assert_eq!(used.status, 401);
    assert!(words(&used).contains("used already"), "{}", words(&used));
    let by_session = format!("/live/x.m3u8?session={session}");
    assert_eq!(Few::segments(&few.get(SECOND, &by_session, &[]).await), segments);
    // There is one viewer, with the number of bytes it was sent.
    let clients = few.hls.0.context.clients.list();
    assert_eq!(clients.len(), 1);
    assert!(clients[0].sent.total() > segment.body.len() as u64);
    assert!(!clients[0].info.url.contains("token"));
}

#[tokio::test]
async fn a_session_is_for_one_stream_and_a_token_for_one_act() {
    let few = Few::new("bound").await;
    let mut second = Feed::named(&few.hls, "live/y");
    second.run(7).await;
    let y = format!("/live/y.m3u8?token={}", few.token("live/y", Act::Play));
    let y = Few::segments(&few.get(FIRST, &y, &[]).await);
    let bearer = format!("Bearer {}", few.token("live/x", Act::Play));
    let x = few.get(FIRST, "/live/x.m3u8", &[("authorization", &bearer)]).await;
    let x = Few::segments(&x);
    let session = |uri: &str| uri.split_once("?session=").expect("a session").1.to_owned();
    let stem = |uri: &str| uri.split_once('?').expect("a session").0.to_owned();
    let crossed = format!("{}?session={}", stem(&y[0]), session(&x[0]));
    assert_eq!(few.get(FIRST, &crossed, &[]).await.status, 401);
    assert_eq!(few.get(FIRST, &format!("/live/y.m3u8?session={}", session(&x[0])), &[]).await.status, 401);
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
    assert_eq!(Few::segments(&one), Few::segments(&two));
}

#[tokio::test]
async fn a_session_ends_by_silence_and_by_an_operator() {
    let mut few = Few::new("ends").await;
    let open = async |few: &Few| {
        let address = format!("/live/x.m3u8?token={}", few.token("live/x", Act::Play));
        let segments = Few::segments(&few.get(FIRST, &address, &[]).await);
        (address, segments)
    };
    let (kept, kept_segments) = open(&few).await;
    let (silent, silent_segments) = open(&few).await;
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
    assert_eq!(few.get(FIRST, &silent_segments[0], &[]).await.status, 401);
    tokio::time::resume();
    assert_eq!(few.get(FIRST, &silent, &[]).await.status, 401);
    assert!(clients.close(clients.list()[0].id, CloseReason::Operator));
    let refused = few.get(FIRST, &kept_segments[0], &[]).await;
    assert_eq!(refused.status, 403);
    assert!(words(&refused).contains("operator"), "{}", words(&refused));
    assert_eq!(few.get(FIRST, &kept, &[]).await.status, 403);
}

#[tokio::test]
async fn with_the_secret_the_list_and_what_it_names_can_be_had() {
    let few = Few::new("secret").await;
    assert_eq!(few.get(FIRST, "/live/x.m3u8?secret=sesame", &[]).await.status, 401);
    let answer = few.get(FIRST, "/live/x.m3u8?secret=open+sesame", &[]).await;
    assert!(!words(&answer).contains("sesame"));
    let segments = Few::segments(&answer);
    assert_eq!(few.get(FIRST, &segments[0], &[]).await.status, 200);
    let bare = segments[0].split('?').next().expect("a path");
    assert_eq!(few.get(FIRST, bare, &[]).await.status, 401);
    assert_eq!(few.get(FIRST, &format!("{bare}?secret=open+sesame"), &[]).await.status, 200);
    // A client that keeps asking counts as one viewer.
    assert_eq!(Few::segments(&few.get(FIRST, "/live/x.m3u8?secret=open+sesame", &[]).await), segments);
    assert_eq!(few.hls.0.context.clients.list().len(), 1);
}
