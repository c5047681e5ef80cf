//! The rules of a room hold in every order of events.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// An event in a room. It concerns one of six participants.
#[derive(Debug, Clone)]
enum Step {
    Join(Role, bool),
    Say(Request),
    Lose,
    Stream(&'static str, OnAir),
    Tick(u64),
    Level(i8),
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let ids = || select(vec!["a", "b", "c", "d", "e", "f"]).prop_map(Id::from);
    let role = || select(vec![Role::Waiting, Role::Audience, Role::Guest, Role::Host]);
    let request = prop_oneof![
        1 => any::<(bool, bool)>().prop_map(|(audio, video)| Request::Mute { audio, video }),
        1 => Just(Request::Quality { quality: Quality::Poor }),
        1 => any::<bool>().prop_map(|up| Request::Hand { up }),
        1 => Just(Request::Accept),
        1 => Just(Request::Decline),
        1 => Just(Request::Leave),
        // An invitation is often repeated before the answer.
        3 => ids().prop_map(|id| Request::Invite { id }),
        1 => (ids(), role()).prop_map(|(id, role)| Request::Promote { id, role: Some(role) }),
        1 => ids().prop_map(|id| Request::Demote { id }),
        1 => ids().prop_map(|id| Request::Admit { id }),
        1 => (ids(), any::<bool>()).prop_map(|(id, withdraw)| Request::Remove { id, withdraw }),
        1 => any::<bool>().prop_map(|lobby| Request::Settings(Change { lobby: Some(lobby), ..Change::default() })),
        1 => ids().prop_map(|id| Request::Settings(Change { spotlight: Some(Some(id)), ..Change::default() })),
        1 => Just(Request::Chat { text: "hello".to_owned() }),
        1 => (0..9_u64).prop_map(|seq| Request::Delete { seq }),
        1 => Just(Request::MakeEncoder { name: "a".to_owned() }),
        1 => select(vec![None, Some(Layout::Grid), Some(Layout::Screen)])
            .prop_map(|layout| Request::GoLive { layout }),
        1 => (0..120_usize).prop_map(|length| Request::StopLive { card: "x".repeat(length) }),
        3 => (ids(), any::<bool>()).prop_map(|(id, shown)| Request::Show { id, shown }),
    ];
    let step = prop_oneof![
        3 => (role(), any::<bool>()).prop_map(|(role, returns)| Step::Join(role, returns)),
        6 => request.prop_map(Step::Say),
        1 => Just(Step::Lose),
        2 => (select(vec!["", "~s", "~screen"]), select(vec![OnAir::Yes, OnAir::Paused, OnAir::No]))
            .prop_map(|(kind, on_air)| Step::Stream(kind, on_air)),
        1 => (0..20_000_u64).prop_map(Step::Tick),
        1 => (-100..0_i8).prop_map(Step::Level),
    ];
    (0..6_usize, step)
}

/// Checks the rules of the broadcast after a step.
fn check_live(
    room: &Room,
    out: &[Output],
    now: Millis,
    starts: &mut VecDeque<Millis>,
) -> Result<(), TestCaseError> {
    for output in out {
        match output {
            Output::GoLive { connection } | Output::StopLive { connection, .. } => {
                let asked = room.people.values().find(|person| person.connection == Some(*connection));
                prop_assert_eq!(asked.map(|person| person.role), Some(Role::Host));
                if matches!(output, Output::GoLive { .. }) {
                    starts.push_back(now);
                }
            }
            Output::To(connection, Message::Invited { by }) => {
                // A repeated invitation counts once, and is answered to the host who asked last.
                let invited = room.people.values().find(|person| person.connection == Some(*connection));
                prop_assert_eq!(invited.and_then(|person| person.invited_by.as_ref()), Some(by));
                prop_assert_eq!(invited.map(|person| person.role), Some(Role::Audience));
            }
            _ => {}
        }
        if let Output::StopLive { card, .. } = output {
            prop_assert!(card.len() <= 100);
        }
    }
    while starts.front().is_some_and(|at| at + 1_000 <= now) {
        starts.pop_front();
    }
    prop_assert!(starts.len() <= STARTS as usize + 1);
    // The scene has the streams of those with a seat only, each once, and says who is hidden.
    let scene = room.scene();
    let mut streams = BTreeSet::new();
    for input in &scene.inputs {
        let (id, _) = participant_and_kind(input.stream.strip_prefix("show/").unwrap_or_default());
        let person = room.people.get(id);
        prop_assert!(person.is_some_and(|person| person.role.has_seat() && person.shown != input.hidden));
        prop_assert!(streams.insert(&input.stream));
    }
    prop_assert!(room.hidden.iter().all(|id| room.people.get(id).is_none_or(|person| !person.shown)));
    prop_assert!(room.hidden.len() <= 6);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_rules_hold(steps in proptest::collection::vec(step(), 1..120)) {
        let ids = ["a", "b", "c", "d", "e", "f"];
        let mut room = room();
        let (mut now, mut next) = (0, 0);
        let mut connections = [None; 6];
        // The participants that a client knows from the messages to all clients.
        let mut known = BTreeSet::new();
        let mut starts = VecDeque::new();
        for (who, step) in steps {
            let id = Id::from(ids[who]);
            let mut out = Vec::new();
            match step {
                Step::Join(role, returns) => {
                    next += 1;
                    let joining = Joining { returns, ..joining(next, &id, role) };
                    if room.join(joining, now, &mut out).is_ok() {
                        connections[who] = Some(next);
                    }
                }
                Step::Say(request) => {
                    out = room.handle(&id, connections[who].unwrap_or(0), request, now);
                }
                Step::Lose => out = room.lose(&id, connections[who].take().unwrap_or(0), now),
                Step::Stream(kind, on_air) => {
                    out = room.stream_changed(&format!("{id}{kind}"), on_air, now);
                    // A main stream without a seat is ended.
                    let seated = room.people.get(&id).is_some_and(|person| person.role.has_seat());
                    let ends = out.iter().any(|output| matches!(output, Output::EndMedia { .. }));
                    prop_assert!(seated || ends || on_air != OnAir::Yes || !kind.is_empty());
                }
                Step::Level(level) => {
                    let levels: Vec<_> = room.on_air().into_iter().map(|id| (id, level)).collect();
                    out = room.levels(&levels, now);
                }
                Step::Tick(passed) => {
                    now += passed;
                    out = room.tick(now);
                }
            }
            for output in &out {
                match output {
                    Output::All(Message::Person { person }, _) => { known.insert(person.id.clone()); }
                    Output::All(Message::Left { id, .. }, _) => { known.remove(id); }
                    _ => {}
                }
            }
            check_live(&room, &out, now, &mut starts)?;
            prop_assert!(room.seated() <= SEATS);
            prop_assert!(room.people.len() <= ids.len());
            let missed = room.people.values().filter(|person| person.is_notable());
            prop_assert_eq!(missed.map(Person::id).find(|id| !room.notable.contains(id)), None);
            prop_assert!(room.notable.iter().all(|id| room.people.contains_key(id)));
            let audience = room.people.values().filter(|person| person.role == Role::Audience).count();
            prop_assert_eq!(room.audience(), audience);
            let people = room.people();
            let listed: BTreeSet<Id> = people.iter().map(|person| person.id.clone()).collect();
            // A client that follows the messages knows exactly the listed participants.
            prop_assert_eq!(&listed, &known);
            for person in &people {
                let seated = person.role.has_seat();
                prop_assert_eq!(room.publish_refusal(&person.id, true).is_none(), seated);
            }
            prop_assert!(room.spotlight.as_ref().is_none_or(|id| listed.contains(id)));
            prop_assert!(room.chat.len() <= chat::MAX_HISTORY);
            prop_assert_eq!(room.empty_since().is_some(), room.people.is_empty());
        }
    }
}
