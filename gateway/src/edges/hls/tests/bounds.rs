//! Limits of viewers and sessions.

use super::super::sessions::{self, Key, Sessions, Standing};
use super::super::viewers::{self, ClientOrigin, NetworkOrigin, Viewers};
use super::*;
use crate::core::admission::PlayGrant;

const PATIENCE: Duration = Duration::from_secs(6);

fn from(number: usize) -> NetworkOrigin {
    let request =
        Request::builder().header("x-forwarded-for", number.to_string()).body(()).expect("a request");
    ClientOrigin::of(&request.into_parts().0, "192.0.2.1:4000".parse().expect("an address")).from
}

fn token(number: usize) -> Key {
    Key::Token(from(number), "token".to_owned())
}

#[tokio::test(start_paused = true)]
async fn viewing_sessions_are_limited_over_all_streams_and_make_room_when_they_are_silent() {
    let sessions = Sessions::new(3600);
    let grants = ["live/a", "live/b"]
        .map(|name| PlayGrant::for_job(&StreamName::parse(name).expect("a name"), "test"));
    let first = sessions.open(grants[0].clone(), Err(token(0)), PATIENCE).expect("room");
    for number in 1..sessions::MAX {
        assert!(
            sessions.open(grants[number % 2].clone(), Err(token(number)), PATIENCE).is_some(),
            "{number}"
        );
    }
    for grant in &grants {
        assert_eq!(sessions.open(grant.clone(), Err(token(sessions::MAX)), PATIENCE), None);
    }
    // The other sessions are not affected.
    assert_eq!(sessions.ask(grants[0].name(), &first, PATIENCE), Standing::Open);
    tokio::time::advance(PATIENCE).await;
    let next = sessions.open(grants[1].clone(), Err(token(sessions::MAX)), PATIENCE).expect("room again");
    assert_eq!(sessions.ask(grants[1].name(), &next, PATIENCE), Standing::Open);
    assert_eq!(sessions.ask(grants[0].name(), &first, PATIENCE), Standing::Over);
}

#[tokio::test]
async fn viewers_over_the_limit_are_served_but_not_counted() {
    let hls = hls(SegmentRules::default(), Auth::default());
    let feed = Feed::new(&hls);
    let (context, stream) = (&hls.0.context, feed.publisher.stream());
    let grant = PlayGrant::for_job(stream.name(), "test");
    let register = || Some(context.clients.add(&grant, stream));
    let origin = |number| ClientOrigin { from: from(number), agent: String::new() };
    let viewers = Viewers::default();
    for number in 0..viewers::MAX {
        // Some share an address and a browser, and differ in the query.
        assert!(viewers.ask(&origin(number / 2), &number.to_string(), 1, register), "{number}");
    }
    let late = viewers::MAX;
    assert!(viewers.ask(&origin(late), "", 1, || panic!("the list of viewers is full")));
    assert!(!viewers.knows(&origin(late), "") && !viewers.sent(&origin(late), 1));
    assert!(viewers.knows(&origin(0), "0") && viewers.sent(&origin(0), 1));
    // There is room for the next viewer.
    viewers.expire(Duration::ZERO, &CloseReason::Left);
    assert!(viewers.ask(&origin(late), "", 1, register) && viewers.knows(&origin(late), ""));
}
