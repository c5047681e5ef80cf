//! `gateway::rooms`: the messages of clients, and the state of a room.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

#[path = "../../../gateway/src/rooms/id.rs"]
mod id;
#[allow(unused_imports, reason = "the rest of the gateway uses them")]
#[path = "../../../gateway/src/rooms/message/mod.rs"]
mod message;
#[path = "../../../gateway/src/rooms/role.rs"]
mod role;
#[allow(unused_imports, reason = "the rest of the gateway uses them")]
#[path = "../../../gateway/src/rooms/state/mod.rs"]
mod state;
#[path = "../../../gateway/src/rooms/text.rs"]
mod text;

use self::message::{Id, Live, Message, Request};
use self::role::Role;
use self::state::{Joining, OnAir, Output, PersonIdentity, Room, RoomLimits};

const SEATS: usize = 3;
const IDS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Maximum number of listed participants without a seat, and of chat messages that are kept.
const MAX_LISTED: usize = 100;
const MAX_HISTORY: usize = 200;

/// Lets things happen in a room, one per line: the first two bytes say what happens, and to whom; the rest of the line
/// is a message.
pub fn happen(bytes: &[u8]) {
    let mut room = Room::new("show", RoomLimits { seats: SEATS }, 0);
    let (mut now, mut next) = (0, 0);
    let mut connections = [0_u64; IDS.len()];
    // The participants that a client knows from the messages to all clients.
    let mut known = BTreeSet::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let [kind, who, rest @ ..] = line else { continue };
        let index = usize::from(*who) % IDS.len();
        let (id, choice) = (Id::from(IDS[index]), usize::from(*who) / IDS.len());
        let mut out = Vec::new();
        match kind % 8 {
            0 => {
                next += 1;
                let role = [Role::Waiting, Role::Audience, Role::Guest, Role::Host][choice % 4];
                let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, *who % 16));
                let joining = Joining {
                    connection: next,
                    name: IDS[index].to_owned(),
                    role,
                    id,
                    returns: choice % 8 >= 4,
                    keyless: choice % 16 >= 8,
                    identity: PersonIdentity {
                        invitation: (choice % 3 == 0).then(|| format!(".{}", choice % 5)),
                        ..PersonIdentity::at(address)
                    },
                    since: None,
                };
                if let Ok(welcome) = room.join(joining, now, &mut out) {
                    connections[index] = next;
                    assert!(welcome.chat.len() <= MAX_HISTORY);
                    assert!(serde_json::to_vec(&Message::Welcome(Box::new(welcome))).is_ok());
                }
            }
            1 => out = room.lose(&id, connections[index], now),
            2 => {
                let suffix = ["", "~s", "~screen"][choice % 3];
                let on_air = [OnAir::Yes, OnAir::Paused, OnAir::No][choice / 3 % 3];
                out = room.stream_changed(&format!("{id}{suffix}"), on_air, now);
            }
            3 => {
                now += u64::from(*who) * 100;
                out = room.tick(now);
                let levels: Vec<(Id, i8)> = room.on_air().into_iter().zip(-90..).collect();
                out.extend(room.levels(&levels, now));
                out.extend(room.broadcast_changed(Live { viewers: choice, ..Live::default() }));
            }
            _ => {
                if let Ok(request) = serde_json::from_slice::<Request>(rest) {
                    out = room.handle(&id, connections[index], request, now);
                }
            }
        }
        for output in &out {
            match output {
                Output::All(message, _) | Output::To(_, message) => {
                    assert!(serde_json::to_vec(message).is_ok_and(|json| json.len() < 16 << 10));
                }
                _ => {}
            }
            match output {
                Output::All(Message::Person { person }, _) => _ = known.insert(person.id.clone()),
                Output::All(Message::Left { id, .. }, _) => _ = known.remove(id),
                _ => {}
            }
        }
        check(&room, &known);
    }
}

/// Checks the rules that always hold.
fn check(room: &Room, known: &BTreeSet<Id>) {
    let people = room.people();
    assert!(room.seated() <= SEATS && people.len() <= SEATS + MAX_LISTED);
    let listed: BTreeSet<Id> = people.iter().map(|person| person.id.clone()).collect();
    assert_eq!(listed, *known, "what a client knows, compared with who is listed");
    for person in &people {
        let refused = room.publish_refusal(&person.id, true).is_some();
        assert_eq!(refused, !person.role.has_seat(), "who may publish");
    }
    let empty = people.is_empty() && room.audience() == 0;
    assert_eq!(room.empty_since().is_some(), empty);
    for input in room.scene().inputs {
        assert!(input.stream.starts_with("show/"));
    }
}
