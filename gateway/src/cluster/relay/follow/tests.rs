use super::*;

const MS: Duration = Duration::from_millis(1);

fn name(node: &str) -> NodeName {
    NodeName::parse(node).unwrap()
}

fn owner(node: &str, silence_ms: u64) -> Owner {
    Owner {
        node: name(node),
        url: format!("http://{node}"),
        region: String::new(),
        since: 1,
        silence_ms,
        parents: Vec::new(),
        is_full: false,
        key_on_request: false,
    }
}

fn answer(follow: &mut Follow, now: Duration, found: Found) {
    assert_eq!(follow.next(now), Action::Ask);
    follow.found(now, found, |_, _| None);
}

/// Answers the question, and returns the node that the relay then connects to.
fn connected(follow: &mut Follow, now: Duration, found: Owner) -> NodeName {
    answer(follow, now, Found::Owner(Box::new(found)));
    match follow.next(now) {
        Action::Connect(source) => source.owner.node,
        other => panic!("{other:?}"),
    }
}

/// Returns a relay that gets media from `a` until `now`.
fn receiving(now: Duration) -> Follow {
    let mut follow = Follow::new(Duration::ZERO);
    assert_eq!(connected(&mut follow, Duration::ZERO, owner("a", 0)), name("a"));
    follow.bytes(now);
    follow
}

#[test]
fn a_relay_asks_once_connects_and_does_nothing_while_media_come() {
    let mut follow = Follow::new(Duration::ZERO);
    assert_eq!(follow.next(Duration::ZERO), Action::Ask);
    assert!(matches!(follow.next(Duration::ZERO), Action::Wait(_)), "it waits for the answer");
    follow.found(5 * MS, Found::Owner(Box::new(owner("a", 0))), |_, _| None);
    assert!(matches!(follow.next(5 * MS), Action::Connect(_)));
    for n in 1..100 {
        follow.bytes(n * 40 * MS);
        assert_eq!(follow.next(n * 40 * MS), Action::Wait(n * 40 * MS + SILENT_AFTER));
    }
}

#[test]
fn a_dead_owner_is_replaced_as_soon_as_another_one_is_known() {
    let mut follow = receiving(500 * MS);
    follow.broken(600 * MS);
    answer(&mut follow, 600 * MS, Found::Nobody);
    assert_eq!(follow.next(601 * MS), Action::Wait(1600 * MS));
    // News of the new owner come before the next look.
    follow.appeared(700 * MS);
    assert_eq!(connected(&mut follow, 700 * MS, owner("c", 0)), name("c"));
    // Without news, it is found a second later.
    let mut follow = receiving(500 * MS);
    follow.broken(600 * MS);
    answer(&mut follow, 600 * MS, Found::Nobody);
    assert_eq!(connected(&mut follow, 1600 * MS, owner("c", 0)), name("c"));
}

#[test]
fn a_silent_owner_is_kept_while_its_publisher_is_silent_and_left_when_another_has_it() {
    let mut follow = receiving(500 * MS);
    answer(&mut follow, 1500 * MS, Found::Owner(Box::new(owner("a", 1000))));
    assert_eq!(follow.next(1500 * MS), Action::Wait(2500 * MS), "it keeps the connection");
    answer(&mut follow, 2500 * MS, Found::Nobody);
    assert!(follow.source().is_some(), "the publisher may come back to the same node");
    assert_eq!(connected(&mut follow, 3500 * MS, owner("c", 0)), name("c"));
    // The owner's publisher sends, but nothing comes from there: the connection is dead.
    let mut follow = receiving(500 * MS);
    assert_eq!(connected(&mut follow, 1500 * MS, owner("a", 20)), name("a"));
}

#[test]
fn media_that_come_while_it_asks_end_the_search() {
    let mut follow = receiving(500 * MS);
    assert_eq!(follow.next(1500 * MS), Action::Ask);
    follow.bytes(1510 * MS);
    follow.found(1520 * MS, Found::Owner(Box::new(owner("a", 0))), |_, _| None);
    assert!(matches!(follow.next(1520 * MS), Action::Wait(_)));
    // A new owner is news even then: the old one may be a slate that goes on.
    follow.appeared(1600 * MS);
    assert_eq!(connected(&mut follow, 1600 * MS, owner("c", 0)), name("c"));
}

#[test]
fn news_during_a_question_make_it_ask_again() {
    let mut follow = Follow::new(Duration::ZERO);
    assert_eq!(follow.next(Duration::ZERO), Action::Ask);
    follow.appeared(MS);
    follow.found(2 * MS, Found::Nobody, |_, _| None);
    assert_eq!(connected(&mut follow, 2 * MS, owner("c", 0)), name("c"));
}

#[test]
fn without_the_bus_the_last_source_is_tried_with_pauses() {
    let mut follow = receiving(500 * MS);
    let (mut now, mut tries) = (600 * MS, 0);
    while now < 10_000 * MS {
        follow.broken(now);
        loop {
            match follow.next(now) {
                Action::Ask => follow.found(now, Found::Away, |_, _| None),
                Action::Wait(until) => now = until,
                Action::Connect(source) => {
                    assert_eq!(source.owner.node, name("a"));
                    tries += 1;
                    break;
                }
            }
        }
        now += 10 * MS;
    }
    assert!((8..=20).contains(&tries), "{tries}");
    // A source that is there is not left because the bus is away.
    let mut follow = receiving(500 * MS);
    answer(&mut follow, 1500 * MS, Found::Away);
    assert_eq!(follow.next(1500 * MS), Action::Wait(2500 * MS));
}

#[test]
fn a_parent_that_fails_is_avoided() {
    let mut follow = Follow::new(Duration::ZERO);
    let ask = |follow: &mut Follow, now, avoided: Option<&str>| {
        assert_eq!(follow.next(now), Action::Ask);
        follow.found(now, Found::Owner(Box::new(owner("a", 0))), |_, avoid| {
            assert_eq!(avoid.map(NodeName::as_str), avoided);
            Some(name("b"))
        });
        assert!(matches!(follow.next(now), Action::Connect(source) if source.via == Some(name("b"))));
    };
    ask(&mut follow, Duration::ZERO, None);
    follow.bytes(500 * MS);
    // The owner says that its publisher sends: then the parent is at fault.
    ask(&mut follow, 1500 * MS, Some("b"));
    follow.broken(1600 * MS);
    ask(&mut follow, 1600 * MS, Some("b"));
}
