use std::iter;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;

use super::table::{LONGEST, MAX, PLACES};
use super::*;

const WEAK: &str = "s3cret";
/// Makes every guess different.
static NEXT: AtomicU32 = AtomicU32::new(0);
const SECOND: Duration = Duration::from_secs(1);

fn ip(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + n).into()
}

fn direct(n: u32) -> SecretOrigin {
    SecretOrigin::new(ip(n), ip(n))
}

/// A client that the proxy on this machine reports.
fn forwarded(n: u32) -> SecretOrigin {
    SecretOrigin::new(ip(n), Ipv4Addr::LOCALHOST.into())
}

fn show(guesses: &Guesses, origin: SecretOrigin, secret: &str) -> SecretCheck {
    guesses.judge(origin, "publish", &[secret.into()], &[WEAK])
}

/// Shows different wrong secrets until no more are compared; returns their number.
fn flood(guesses: &Guesses, origin: impl Fn(u32) -> SecretOrigin) -> u32 {
    let mut next = || NEXT.fetch_add(1, Ordering::Relaxed);
    let guess =
        |n: u32| matches!(show(guesses, origin(n), &format!("guess {n}")), SecretCheck::Wrong { new: 1, .. });
    iter::repeat_with(&mut next).take_while(|n| guess(*n)).count() as u32
}

#[tokio::test(start_paused = true)]
async fn an_address_that_tries_many_at_once_is_paused_and_no_other_is() {
    let guesses = Guesses::default();
    let mut compared = flood(&guesses, |_| direct(1));
    assert_eq!(compared, 5 + PLACES[0] as u32);
    assert!(matches!(show(&guesses, direct(1), WEAK), SecretCheck::Paused(wait) if wait <= 2 * SECOND));
    assert_eq!(show(&guesses, direct(2), WEAK), SecretCheck::Right);
    // One hour of it: 16 answers of 4 s at the same time.
    for _ in 0..3600 {
        tokio::time::advance(SECOND).await;
        compared += flood(&guesses, |_| direct(1));
    }
    assert!((10_000..=4 * 3600 + 200).contains(&compared), "{compared} guesses in an hour");
    // As soon as the attack stops, the right secret is accepted.
    tokio::time::advance(LONGEST).await;
    assert_eq!(show(&guesses, direct(1), WEAK), SecretCheck::Right);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_knew_the_secret_and_a_long_secret_are_let_in_during_a_flood() {
    let guesses = Guesses::default();
    assert_eq!(show(&guesses, direct(1), WEAK), SecretCheck::Right);
    for n in 0..PLACES[0] + 5 {
        show(&guesses, direct(1), &format!("some {n}"));
        assert_eq!(show(&guesses, direct(1), WEAK), SecretCheck::Right);
    }
    // There is a limit at this door, and the address is not known at other doors.
    assert_eq!(flood(&guesses, |_| direct(1)), (PLACES[1] - PLACES[0]) as u32);
    assert!(matches!(show(&guesses, direct(1), WEAK), SecretCheck::Paused(_)));
    let other = guesses.judge(direct(1), "operate", &[WEAK.into()], &[WEAK]);
    assert!(matches!(other, SecretCheck::Paused(_)));
    for (secret, long) in
        [("abcdefghijkmnpqr", true), ("aaaaaaaaaaaaaaaaaaaaaaaa", false), ("abcdefgh", false)]
    {
        let verdict = guesses.judge(direct(1), "publish", &[secret.into()], &[secret, WEAK]);
        assert_eq!(verdict == SecretCheck::Right, long, "{secret}");
    }
    assert!(is_long(&super::super::new_secret().unwrap()), "those the gateway makes");
}

#[tokio::test(start_paused = true)]
async fn a_pause_tells_nothing_about_the_secret() {
    let guesses = Guesses::default();
    flood(&guesses, |_| direct(1));
    let wrong = show(&guesses, direct(1), "another wrong one");
    assert_eq!(show(&guesses, direct(1), WEAK), wrong);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_one_client_may_choose_share_a_limit() {
    let sites = |n: u32| -> IpAddr { Ipv6Addr::new(0x2001, 0xdb8, 1, n as u16, 0, 0, 0, n as u16).into() };
    let network = |n| SecretOrigin::new(sites(n), sites(n));
    let choices: [&dyn Fn(u32) -> SecretOrigin; 2] = [&forwarded, &network];
    for origin in choices {
        let guesses = Guesses::default();
        // Another client behind the same proxy, which is known.
        assert_eq!(show(&guesses, origin(60_000), WEAK), SecretCheck::Right);
        let mut compared = flood(&guesses, origin);
        assert_eq!(compared, 40 + PLACES[2] as u32);
        for _ in 0..60 {
            tokio::time::advance(SECOND).await;
            compared += flood(&guesses, origin);
            assert_eq!(show(&guesses, origin(60_000), WEAK), SecretCheck::Right);
        }
        assert!(compared <= 104 + 16 * 60, "{compared} guesses in a minute");
        // Another proxy, another network.
        assert_eq!(show(&guesses, direct(1), WEAK), SecretCheck::Right);
        let verdict =
            guesses.judge(origin(1), "publish", &["abcdefghijkmnpqr".into()], &["abcdefghijkmnpqr"]);
        assert_eq!(verdict, SecretCheck::Right);
    }
}

#[tokio::test(start_paused = true)]
async fn one_wrong_secret_again_and_again_is_no_guess() {
    let guesses = Guesses::default();
    for n in 0..1000 {
        // All viewers of a page that shows an outdated secret.
        let verdict = show(&guesses, forwarded(n), "old");
        assert_eq!(verdict, SecretCheck::Wrong { new: 1, wait: Duration::ZERO });
        let again = show(&guesses, forwarded(n), "old");
        assert_eq!(again, SecretCheck::Wrong { new: 0, wait: Duration::ZERO });
    }
}

#[tokio::test(start_paused = true)]
async fn the_tables_and_the_answers_that_wait_are_bounded() {
    let guesses = Guesses::default();
    for n in 0..2 * MAX as u32 {
        show(&guesses, direct(n), "x");
        show(&guesses, direct(n), WEAK);
    }
    flood(&guesses, |_| direct(1));
    flood(&guesses, |_| forwarded(1));
    let [wrong, right, places] = guesses.0.table.lock().unwrap().sizes();
    assert_eq!((wrong, right), (MAX, MAX));
    assert!(places <= PLACES[1]);
    // Beyond the limit of delayed answers, answers are immediate.
    let mut held: Vec<_> = (0..MAX_HELD).map(|_| Box::pin(guesses.hold(LONGEST))).collect();
    assert!(held.iter_mut().all(|held| held.now_or_never().is_none()));
    assert_eq!(guesses.hold(LONGEST).now_or_never(), Some(()));
    held.pop();
    assert_eq!(guesses.hold(LONGEST).now_or_never(), None);
}
