//! Wrong keys, signatures, tokens and cookies: slow, counted together, and in nobody's way.

use std::time::Duration;

use tokio::time::Instant;

use super::tokens::Bench;
use super::*;
use crate::core::auth::guesses::SecretCheck;

/// A public gateway that knows all kinds of credentials, a right key, and a token's issuer.
fn bench(name: &str) -> (Bench, String) {
    let mut bench = Bench::new(name);
    bench.auth.public = true;
    bench.auth.publish_url_key = "0123456789abcdef".into();
    let streams = StreamPattern::try_from("live/*".to_owned()).unwrap();
    let (_, key) = bench.auth.keys.create("Anna", streams, true, false).unwrap();
    (bench, key)
}

fn at<'a>(ip: &str, query: &'a str) -> AuthRequest<'a> {
    let from = ip.parse().unwrap();
    AuthRequest { query, from, peer: (from, 9).into(), ..request() }
}

/// The query of the `n`th wrong credential.
fn wrong(n: usize) -> String {
    match n % 4 {
        0 => format!("key=lk_guess{n}"),
        1 => format!("expires=1800000060&sig={n:064x}"),
        2 => format!("txTime=6B49D23C&txSecret={n:032x}"),
        _ => format!("token=guess.{n}.x"),
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_wrong_credentials_are_slow_and_a_right_one_is_not() {
    let (bench, key) = bench("forged");
    let (stream, right) = (bench.stream.clone(), format!("key={key}"));
    let begin = Instant::now();
    for n in 0..200 {
        let query = wrong(n);
        let guess = AuthRequest { stream: Some(&stream), ..at("192.0.2.1", &query) };
        // The console's log-in and the API's operator are doors for tokens, too.
        let refused = match n % 8 {
            3 => bench.auth.operate(&AuthRequest { stream: None, ..guess }).await,
            _ => bench.auth.publish(&guess).await,
        };
        assert!(matches!(refused, Err(Denied::Key | Denied::Signature | Denied::Token(_))), "{refused:?}");
        // Somebody else behind the same address (NAT) has the right key, and everybody elsewhere.
        for ip in ["192.0.2.1", "192.0.2.2"] {
            let asked = AuthRequest { stream: Some(&stream), ..at(ip, &right) };
            assert_eq!(now(bench.auth.publish(&asked)), Ok(()));
        }
    }
    // Five at once, 15 after 1 s, 80 after 2 s, 100 after 4 s.
    assert_eq!(begin.elapsed(), Duration::from_secs(15 + 80 * 2 + 100 * 4));
    assert!(
        !bench.auth.refusals.count("wrong credential", "192.0.2.1".parse().unwrap()),
        "the log is bounded"
    );
}

#[tokio::test(start_paused = true)]
async fn two_hundred_at_once_are_bounded_and_pause_no_secret() {
    let (bench, key) = bench("forged-flood");
    let auth = Auth { secret: "weak".into(), ..bench.auth.clone() };
    let stream = bench.stream.clone();
    let (mut waiting, mut slow) = (0, 0);
    let queries: Vec<String> = (0..200).map(wrong).collect();
    // Different addresses of one IPv6 customer are one.
    let addresses: Vec<String> = (1..=200).map(|n| format!("2001:db8::{n:x}")).collect();
    let mut held = Vec::new();
    for (query, ip) in queries.iter().zip(&addresses) {
        let guess = AuthRequest { stream: Some(&stream), ..at(ip, query) };
        let (auth, guess) = (auth.clone(), guess.clone());
        let mut asked = Box::pin(async move { auth.publish(&guess).await });
        match (&mut asked).now_or_never() {
            Some(Err(Denied::Slow(1..=2))) => slow += 1,
            Some(refused) => assert!(refused.is_err(), "{query}"),
            None => {
                waiting += 1;
                held.push(asked);
            }
        }
    }
    assert_eq!((waiting, slow), (16, 200 - 5 - 16));
    for query in [format!("key={key}"), "secret=weak".to_owned()] {
        let asked = AuthRequest { stream: Some(&stream), ..at("2001:db8::1", &query) };
        assert_eq!(now(auth.publish(&asked)), Ok(()), "{query}");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_shown_in_good_faith_are_answered_at_once() {
    let (bench, _) = bench("faith");
    let (stream, begin) = (bench.stream.clone(), Instant::now());
    for _ in 0..100 {
        // A player that repeats an outdated key, and tokens that have expired.
        let expired = bench.token(serde_json::json!({
            "exp": own::now() - 10, "iat": own::now() - 70
        }));
        for query in ["key=lk_revoked".to_owned(), format!("token={expired}")] {
            let asked = AuthRequest { stream: Some(&stream), ..at("192.0.2.1", &query) };
            let refused = bench.auth.publish(&asked).await;
            let expected = matches!(refused, Err(Denied::Key | Denied::Token(TokenError::Expired(_))));
            assert!(expected, "{refused:?}");
        }
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_table_is_bounded() {
    let guesses = Guesses::default();
    for n in 0..10_000_u32 {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + n).into();
        let judged = guesses.judge_forged(guesses::SecretOrigin::new(ip, ip), "x");
        assert_eq!(judged, SecretCheck::Wrong { new: 1, wait: Duration::ZERO });
    }
    assert_eq!(guesses.forged_addresses(), 4096);
}
