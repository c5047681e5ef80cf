mod property;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::rooms::message::{Change, ChatMode, Leaving, Message, Quality, Request, SeatReason, Welcome};

const SEATS: usize = 3;

fn identity(address: u8) -> PersonIdentity {
    PersonIdentity::at(IpAddr::V4(Ipv4Addr::new(192, 0, 2, address)))
}

fn room() -> Room {
    Room::new("show", RoomLimits { seats: SEATS }, 0)
}

fn joining(connection: Connection, id: &str, role: Role) -> Joining {
    let address = u8::try_from(connection % 250).unwrap();
    Joining {
        connection,
        name: id.to_owned(),
        role,
        id: id.into(),
        returns: false,
        keyless: false,
        identity: identity(address),
        since: None,
    }
}

fn join(room: &mut Room, connection: Connection, id: &str, role: Role) -> Result<Welcome, Code> {
    room.join(joining(connection, id, role), 0, &mut Vec::new()).map_err(|failure| failure.code)
}

fn say(room: &mut Room, connection: Connection, id: &str, request: Request, now: Millis) -> Vec<Output> {
    room.handle(&id.into(), connection, request, now)
}

/// The code of the error in `out`, if there is one.
fn code(out: &[Output]) -> Option<Code> {
    out.iter().find_map(|output| match output {
        Output::To(_, Message::Error(failure)) => Some(failure.code),
        _ => None,
    })
}

#[test]
fn a_guest_raises_a_hand_is_invited_and_sent_back() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    let welcome = join(&mut room, 2, "anna", Role::Audience).unwrap();
    // The audience is counted, not listed.
    assert_eq!((welcome.people.len(), welcome.room.audience), (1, 1));
    assert_eq!(
        room.publish_refusal("anna", true),
        Some("only participants with a seat may publish in this room")
    );

    assert_eq!(code(&say(&mut room, 2, "anna", Request::Accept, 1)), Some(Code::NotNow));
    say(&mut room, 2, "anna", Request::Hand { up: true }, 1);
    assert!(room.people().iter().any(|person| &*person.id == "anna" && person.hand));
    assert_eq!(
        code(&say(&mut room, 2, "anna", Request::Invite { id: "host".into() }, 1)),
        Some(Code::Forbidden)
    );
    let out = say(&mut room, 1, "host", Request::Invite { id: "anna".into() }, 1);
    assert!(out.contains(&Output::To(2, Message::Invited { by: "host".into() })));
    let out = say(&mut room, 2, "anna", Request::Accept, 2);
    let seat = |role, reason| Output::Seat { connection: 2, id: "anna".into(), role, reason };
    assert!(out.contains(&seat(Role::Guest, SeatReason::Accepted)), "{out:?}");
    assert_eq!(room.publish_refusal("anna", true), None);
    // A former host who is now a guest cannot become a host again with an older seat key.
    say(&mut room, 1, "host", Request::Promote { id: "anna".into(), role: Some(Role::Host) }, 2);
    say(&mut room, 1, "host", Request::Promote { id: "anna".into(), role: Some(Role::Guest) }, 2);
    assert_eq!(room.highest_role("anna"), Role::Guest);
    // A client without the seat key cannot publish on this seat.
    assert!(room.publish_refusal("anna", false).is_some());

    let out = say(&mut room, 1, "host", Request::Demote { id: "anna".into() }, 3);
    assert!(out.contains(&seat(Role::Audience, SeatReason::Demoted)));
    assert!(out.iter().any(|output| matches!(output, Output::EndMedia { id, .. } if &**id == "anna")));
    // The older seat key stays useless, even after the participant has left.
    say(&mut room, 2, "anna", Request::Leave, 4);
    assert!(room.publish_refusal("anna", true).is_some());
    let back = Joining { returns: true, ..joining(3, "anna", Role::Guest) };
    assert_eq!(room.join(back, 5, &mut Vec::new()).unwrap().role, Role::Audience);
}

#[test]
fn a_lost_connection_keeps_the_seat_for_a_while() {
    let mut room = room();
    join(&mut room, 1, "anna", Role::Guest).unwrap();
    join(&mut room, 2, "bert", Role::Guest).unwrap();
    room.lose(&"anna".into(), 1, 1_000);
    assert!(room.people().iter().any(|person| &*person.id == "anna" && person.away));
    assert!(room.tick(1_000 + KEEP_SEAT - 1).is_empty());
    // The page reconnects, and the room closes the page's older connection.
    let back = |connection| Joining { returns: true, ..joining(connection, "anna", Role::Guest) };
    let mut out = Vec::new();
    room.join(back(3), 10_000, &mut out).unwrap();
    assert!(!out.iter().any(|output| matches!(output, Output::Close(..))));
    room.join(back(4), 10_001, &mut out).unwrap();
    assert!(out.contains(&Output::Close(3, CloseCode::Replaced)));
    // The end of the older connection does not change the participant.
    assert!(room.lose(&"anna".into(), 3, 10_002).is_empty());
    room.lose(&"anna".into(), 4, 20_000);
    let out = room.tick(20_000 + KEEP_SEAT);
    let left = Message::Left { id: "anna".into(), reason: Leaving::Lost };
    assert!(out.contains(&Output::All(left, Urgency::Now)));
    assert!(out.iter().any(|output| matches!(output, Output::EndMedia { .. })));
}

#[test]
fn removed_and_locked_and_full() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    join(&mut room, 2, "troll", Role::Guest).unwrap();
    let out = say(&mut room, 1, "host", Request::Remove { id: "troll".into(), withdraw: false }, 1);
    assert!(out.contains(&Output::Close(2, CloseCode::Removed)));
    // A removed participant can return neither with the seat key nor from the same address.
    let mut back = Joining { returns: true, ..joining(9, "troll", Role::Guest) };
    assert_eq!(room.join(back.clone(), 2, &mut Vec::new()).unwrap_err().code, Code::Removed);
    back = Joining { identity: identity(2), ..joining(10, "new-name", Role::Audience) };
    assert_eq!(room.join(back, 2, &mut Vec::new()).unwrap_err().code, Code::Removed);
    assert!(room.publish_refusal("troll", true).is_some() && room.publish_refusal("troll~s", true).is_some());

    join(&mut room, 3, "anna", Role::Guest).unwrap();
    join(&mut room, 4, "bert", Role::Guest).unwrap();
    assert_eq!(join(&mut room, 5, "carl", Role::Guest), Err(Code::Full));
    assert_eq!(room.publish_refusal("obs", false), Some("the room has no free seat"));
    assert!(join(&mut room, 5, "carl", Role::Audience).is_ok());
    let lock = Request::Settings(Change { locked: Some(true), ..Change::default() });
    say(&mut room, 1, "host", lock, 3);
    assert_eq!(join(&mut room, 6, "dora", Role::Audience), Err(Code::Locked));
}

#[test]
fn a_removed_address_does_not_refuse_those_who_have_a_seat() {
    let mut room = room();
    let of = |connection, id| Joining { identity: identity(7), ..joining(connection, id, Role::Host) };
    room.join(of(1, "host"), 0, &mut Vec::new()).unwrap();
    room.join(of(2, "troll"), 0, &mut Vec::new()).unwrap();
    say(&mut room, 1, "host", Request::Silence { id: "troll".into(), seconds: 60 }, 1);
    assert_eq!(code(&say(&mut room, 1, "host", Request::Chat { text: "hi".into() }, 1)), None);
    say(&mut room, 1, "host", Request::Remove { id: "troll".into(), withdraw: false }, 1);
    // The host's socket breaks and comes back, behind the same address.
    room.lose(&"host".into(), 1, 2);
    assert!(room.join(Joining { returns: true, ..of(3, "host") }, 3, &mut Vec::new()).is_ok());
    assert_eq!(room.join(of(4, "other"), 3, &mut Vec::new()).unwrap_err().code, Code::Removed);
}

#[test]
fn a_token_is_remembered_behind_a_seat_key() {
    let mut room = room();
    let with = |connection, subject: Option<&str>, address| {
        let identity = PersonIdentity { subject: subject.map(str::to_owned), ..identity(address) };
        Joining { identity, ..joining(connection, "anna", Role::Guest) }
    };
    join(&mut room, 1, "host", Role::Host).unwrap();
    room.join(with(2, Some("7 site"), 20), 0, &mut Vec::new()).unwrap();
    room.lose(&"anna".into(), 2, 1);
    room.join(Joining { returns: true, ..with(3, None, 20) }, 2, &mut Vec::new()).unwrap();
    say(&mut room, 1, "host", Request::Remove { id: "anna".into(), withdraw: false }, 3);
    let again = Joining { id: "new".into(), ..with(4, Some("7 site"), 21) };
    assert_eq!(room.join(again, 4, &mut Vec::new()).unwrap_err().code, Code::Removed);
}

#[test]
fn a_host_whose_media_comes_first_is_host_again() {
    let mut room = room();
    room.stream_changed("anna", OnAir::Yes, 1);
    let back = Joining { returns: true, ..joining(1, "anna", Role::Host) };
    assert_eq!(room.join(back, 2, &mut Vec::new()).unwrap().role, Role::Host);
    // A role that was lowered stays low.
    join(&mut room, 2, "bert", Role::Host).unwrap();
    say(&mut room, 1, "anna", Request::Promote { id: "bert".into(), role: Some(Role::Guest) }, 3);
    say(&mut room, 2, "bert", Request::Leave, 4);
    room.stream_changed("bert", OnAir::Yes, 5);
    let back = Joining { returns: true, ..joining(3, "bert", Role::Host) };
    assert_eq!(room.join(back, 6, &mut Vec::new()).unwrap().role, Role::Guest);
    // Somebody who was demoted does not return as an encoder.
    say(&mut room, 1, "anna", Request::Demote { id: "bert".into() }, 7);
    say(&mut room, 3, "bert", Request::Leave, 8);
    let out = room.stream_changed("bert", OnAir::Yes, 9);
    assert!(matches!(&out[..], [Output::EndMedia { .. }]), "{out:?}");
}

#[test]
fn removing_one_program_of_this_machine_leaves_the_others() {
    let mut room = room();
    let local = PersonIdentity::at(Ipv4Addr::LOCALHOST.into());
    let of = |connection, id| Joining { identity: local.clone(), ..joining(connection, id, Role::Host) };
    room.join(of(1, "host"), 0, &mut Vec::new()).unwrap();
    room.join(of(2, "anna"), 0, &mut Vec::new()).unwrap();
    say(&mut room, 1, "host", Request::Remove { id: "anna".into(), withdraw: false }, 1);
    assert!(room.join(of(3, "bert"), 2, &mut Vec::new()).is_ok());
}

#[test]
fn an_invitation_does_not_bring_a_removed_guest_back() {
    let mut room = room();
    let local = PersonIdentity::at(Ipv4Addr::LOCALHOST.into());
    let of = |connection, id, invitation: &str, address| Joining {
        identity: PersonIdentity { invitation: Some(invitation.to_owned()), ..PersonIdentity::at(address) },
        ..joining(connection, id, Role::Audience)
    };
    let (here, there) = (Ipv4Addr::LOCALHOST.into(), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)));
    let join = |room: &mut Room, joining| room.join(joining, 0, &mut Vec::new()).map_err(|no| no.code);
    join(&mut room, Joining { identity: local.clone(), ..joining(1, "host", Role::Host) }).unwrap();
    join(&mut room, Joining { role: Role::Guest, ..of(2, "troll", ".1", here) }).unwrap();
    join(&mut room, of(3, "friend", ".1", there)).unwrap();
    // The room remembers the invitation when the guest comes back with the seat key.
    room.lose(&"troll".into(), 2, 1);
    let back = Joining { returns: true, identity: local, ..joining(4, "troll", Role::Guest) };
    join(&mut room, back).unwrap();
    say(&mut room, 1, "host", Request::Remove { id: "troll".into(), withdraw: false }, 2);
    assert_eq!(join(&mut room, of(5, "new", ".1", here)).unwrap_err(), Code::Removed);
    // Others use the same invitation, and other invitations are good on the same machine.
    assert!(join(&mut room, of(6, "other", ".1", Ipv4Addr::new(192, 0, 2, 10).into())).is_ok());
    assert!(join(&mut room, of(7, "local", ".2", here)).is_ok());
    // A host withdraws the invitation: nobody new comes with it, and those who came stay.
    say(&mut room, 1, "host", Request::Remove { id: "other".into(), withdraw: true }, 3);
    assert_eq!(
        join(&mut room, of(8, "late", ".1", Ipv4Addr::new(192, 0, 2, 11).into())).unwrap_err(),
        Code::Forbidden
    );
    assert!(join(&mut room, Joining { returns: true, ..of(9, "friend", ".1", there) }).is_ok());
    assert!(join(&mut room, of(10, "more", ".2", there)).is_ok());
}

#[test]
fn lists_of_the_past_have_an_end() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    for n in 0..u64::try_from(MAX_REMEMBERED).unwrap() + 1 {
        let identity = PersonIdentity {
            subject: Some(format!("s{n}")),
            invitation: Some(format!(".{n}")),
            ..identity(7)
        };
        let id = format!("p{n}");
        let joining = Joining { identity, ..joining(n + 2, &id, Role::Audience) };
        room.join(joining, n, &mut Vec::new()).unwrap();
        say(&mut room, 1, "host", Request::Silence { id: id.as_str().into(), seconds: 80_000 }, n);
        say(&mut room, 1, "host", Request::Promote { id: id.as_str().into(), role: None }, n);
        say(&mut room, 1, "host", Request::Show { id: id.as_str().into(), shown: false }, n);
        say(&mut room, 1, "host", Request::Remove { id: id.as_str().into(), withdraw: true }, n);
    }
    let lengths = [
        room.removed.len(),
        room.removed_ids.len(),
        room.withdrawn.len(),
        room.lowered.len(),
        room.silenced.len(),
        room.hidden.len(),
    ];
    assert_eq!(lengths, [MAX_REMEMBERED; 6]);
    // The oldest entry made way.
    assert!(!room.is_removed(&"p0".into()) && room.is_removed(&"p1".into()));
}

#[test]
fn guests_wait_in_the_lobby() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    let lobby = Request::Settings(Change { lobby: Some(true), ..Change::default() });
    say(&mut room, 1, "host", lobby, 1);
    let welcome = join(&mut room, 2, "anna", Role::Guest).unwrap();
    assert_eq!((welcome.role, welcome.people.len()), (Role::Waiting, 0));
    assert_eq!(
        code(&say(&mut room, 2, "anna", Request::Chat { text: "hi".into() }, 2)),
        Some(Code::Forbidden)
    );
    assert_eq!(
        code(&say(&mut room, 1, "host", Request::Promote { id: "anna".into(), role: None }, 2)),
        Some(Code::NotNow)
    );
    let out = say(&mut room, 1, "host", Request::Admit { id: "anna".into() }, 3);
    assert!(out.iter().any(|output| matches!(output, Output::Seat { role: Role::Guest, .. })));
    let several = out.iter().find_map(|output| match output {
        Output::Several(2, messages) => Some(messages),
        _ => None,
    });
    assert!(several.unwrap().iter().any(|message| matches!(message, Message::Settings { .. })));
}

#[test]
fn an_encoder_takes_a_seat_and_frees_it() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    room.stream_changed("obs", OnAir::Yes, 1);
    let encoder = room.people().into_iter().find(|person| &*person.id == "obs").unwrap();
    assert!(encoder.encoder && encoder.stream.as_deref() == Some("show/obs"));
    // A paused encoder keeps its seat. A small stream without a main stream does not become a participant.
    room.stream_changed("obs", OnAir::Paused, 2);
    room.stream_changed("ghost~s", OnAir::Yes, 2);
    assert_eq!(room.people().len(), 2);
    room.stream_changed("obs", OnAir::No, 3);
    assert_eq!(room.people().len(), 1);

    // In the room with the usual application name, encoders do not become participants.
    let mut live = Room::new(USUAL_APP, RoomLimits { seats: 1 }, 0);
    live.stream_changed("livestream", OnAir::Yes, 1);
    assert!(live.people().is_empty());
    assert_eq!(live.publish_refusal("livestream", false), None);
}

#[test]
fn somebody_off_the_air_is_silent() {
    let mut room = room();
    join(&mut room, 1, "anna", Role::Host).unwrap();
    let levels = |out: Vec<Output>| {
        out.into_iter().find_map(|output| match output {
            Output::All(Message::Levels { levels }, _) => levels.get("anna").copied(),
            _ => None,
        })
    };
    assert_eq!(levels(room.levels(&[("anna".into(), -20)], 0)), Some(-20));
    assert_eq!(levels(room.levels(&[], 200)), Some(LOWEST_LEVEL));
    assert_eq!(levels(room.levels(&[], 400)), None);
}

#[test]
fn a_waving_hand_is_slowed_down() {
    let mut room = room();
    join(&mut room, 1, "anna", Role::Audience).unwrap();
    let wave = |room: &mut Room, n: u32, now| {
        code(&say(room, 1, "anna", Request::Hand { up: n.is_multiple_of(2) }, now))
    };
    let codes: Vec<_> = (0..12).map(|n| wave(&mut room, n, 0)).collect();
    assert_eq!((codes[9], codes[10], codes[11]), (None, Some(Code::SlowDown), None), "down is down already");
    assert_eq!(wave(&mut room, 0, 500), None);
}

#[test]
fn the_chat_is_bounded_and_has_limits() {
    let mut room = room();
    join(&mut room, 1, "host", Role::Host).unwrap();
    let chat = |text: &str| Request::Chat { text: text.to_owned() };
    let mut now = 0;
    for n in 0..500 {
        now += 1_000;
        assert_eq!(code(&say(&mut room, 1, "host", chat(&n.to_string()), now)), None);
    }
    assert_eq!(room.chat.len(), chat::MAX_HISTORY);
    assert_eq!(room.chat.after(Some(498)).len(), 2);
    // This number is from before a restart of the gateway.
    assert_eq!(room.chat.after(Some(10_000)).len(), chat::MAX_HISTORY);
    // Long texts leave room for fewer.
    for _ in 0..100 {
        now += 1_000;
        assert_eq!(code(&say(&mut room, 1, "host", chat(&"安".repeat(300)), now)), None);
    }
    assert_eq!(room.chat.len(), (32 << 10) / 900);
    room.tick(now + 4 * 3_600_000);
    assert_eq!(room.chat.len(), 0);

    for (text, expected) in
        [("", Code::TooLong), (" \u{200b}", Code::TooLong), (&"x".repeat(301), Code::TooLong)]
    {
        assert_eq!(code(&say(&mut room, 1, "host", chat(text), now)), Some(expected));
    }
    join(&mut room, 2, "anna", Role::Audience).unwrap();
    let mut codes: Vec<_> = (0..7).map(|_| code(&say(&mut room, 2, "anna", chat("x"), now))).collect();
    codes.dedup();
    assert_eq!(codes, [None, Some(Code::SlowDown)]);
    // Many participants together exceed the rate limit of the room.
    let mut all = 0;
    for n in 0..20 {
        let id = format!("p{n}");
        join(&mut room, 100 + n, &id, Role::Audience).unwrap();
        all += (0..5).filter(|_| code(&say(&mut room, 100 + n, &id, chat("x"), now)).is_none()).count();
    }
    assert!((10..=20).contains(&all), "{all}");

    now += 60_000;
    let settings = |change| Request::Settings(change);
    say(&mut room, 1, "host", settings(Change { slow: Some(30), ..Change::default() }), now);
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now)), None);
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now + 10_000)), Some(Code::SlowDown));
    say(&mut room, 1, "host", settings(Change { chat: Some(ChatMode::Hosts), ..Change::default() }), now);
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now + 60_000)), Some(Code::ChatClosed));
    say(&mut room, 1, "host", settings(Change { chat: Some(ChatMode::All), ..Change::default() }), now);
    say(&mut room, 1, "host", Request::Silence { id: "anna".into(), seconds: 90 }, now);
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now + 60_000)), Some(Code::Silenced));
    // A silenced participant stays silenced after a reconnection and under another name.
    room.lose(&"anna".into(), 2, now);
    room.join(Joining { returns: true, ..joining(2, "anna", Role::Audience) }, now, &mut Vec::new()).unwrap();
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now + 60_000)), Some(Code::Silenced));
    join(&mut room, 252, "other", Role::Audience).unwrap();
    assert_eq!(code(&say(&mut room, 252, "other", chat("x"), now + 60_000)), Some(Code::Silenced));
    assert_eq!(code(&say(&mut room, 2, "anna", chat("x"), now + 90_000)), None);
    let seq = room.chat.after(None).last().unwrap().seq;
    join(&mut room, 3, "bert", Role::Audience).unwrap();
    assert_eq!(code(&say(&mut room, 3, "bert", Request::Delete { seq }, now)), Some(Code::Forbidden));
    assert_eq!(code(&say(&mut room, 2, "anna", Request::Delete { seq }, now)), None);
}

#[test]
fn only_so_many_of_the_audience_are_listed() {
    let mut room = room();
    for n in 0..u64::try_from(MAX_LISTED + 5).unwrap() {
        let id = format!("p{n}");
        join(&mut room, n, &id, Role::Audience).unwrap();
        // As quick as the room takes them.
        say(&mut room, n, &id, Request::Hand { up: true }, n * 50);
    }
    assert_eq!(room.people().len(), MAX_LISTED);
    for n in 0..30 {
        say(&mut room, n, &format!("p{n}"), Request::Hand { up: false }, 100_000);
    }
    assert_eq!(room.people().len(), MAX_LISTED - HANDS_RATE as usize);
    for n in 0..30 {
        say(&mut room, n, &format!("p{n}"), Request::Hand { up: true }, 200_000);
    }
    assert_eq!(room.people().len(), MAX_LISTED);
}
