//! Who may join, and in which role.

use lianmai_tests::gateway::{subcommand, temp_dir};
use lianmai_tests::{Gateway, RoomClient};
use serde_json::json;

use crate::{ROOM, host, invite, invited, join, public};

#[test]
fn on_this_machine_everybody_may_be_host_and_everybody_is_known() {
    let gateway = Gateway::start(&[]);
    let mut anna = RoomClient::join(&gateway, ROOM, " Anna \u{202e}", json!({}));
    assert_eq!((anna.role(), &anna.welcome["name"]), ("host", &json!("Anna")));
    assert!(anna.id().starts_with("anna-"), "{}", anna.id());
    assert_eq!(anna.welcome["room"]["title"], ROOM);
    let bert = join(&gateway, "Bert", "guest");
    let carl = join(&gateway, "安娜", "audience");
    assert_eq!((bert.role(), carl.role()), ("guest", "audience"));
    assert!(carl.id().starts_with("host-"), "{}", carl.id());
    // Those with a seat are listed, the audience is counted.
    let ids: Vec<&str> =
        carl.welcome["people"].as_array().unwrap().iter().map(|p| p["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [anna.id(), bert.id()]);
    let told = anna.wait_person(bert.id(), |_| true);
    assert_eq!((&told["person"]["name"], &told["person"]["role"]), (&json!("Bert"), &json!("guest")));
    anna.wait("audience", |counts| counts["count"] == 1);
    assert!(!anna.has("person", |person| person["person"]["id"] == carl.id()));
    // Leaving is told at once, and not that of the audience.
    let mut bert = bert;
    bert.send(&json!({ "type": "leave" }));
    assert_eq!(bert.closed(), 1000);
    let id = bert.id().to_owned();
    anna.wait("left", |left| left["id"] == *id && left["reason"] == "left");
    drop(carl);
    anna.wait("audience", |counts| counts["count"] == 0);
}

#[test]
fn in_public_a_secret_makes_hosts_and_an_invitation_guests() {
    let gateway = public(&[]);
    let nobody = RoomClient::try_join(&gateway, ROOM, "Anna", json!({})).expect_err("nobody opened it");
    assert_eq!((nobody.error.as_str(), nobody.retry, nobody.close), ("no_room", Some(5), 4003));
    let mut host = host(&gateway);
    assert_eq!(host.role(), "host");
    let stranger = RoomClient::join(&gateway, ROOM, "Anna", json!({}));
    assert_eq!(stranger.role(), "audience");
    for role in ["host", "guest"] {
        let no = RoomClient::try_join(&gateway, ROOM, "Anna", json!({ "role": role })).expect_err("not so");
        assert_eq!((no.error.as_str(), no.close), ("forbidden", 4003));
        assert!(no.text.contains("needs an invitation"), "{no:?}");
    }
    // A wrong secret is no better than none.
    let wrong = RoomClient::try_join(&gateway, "show?secret=wrong", "Anna", json!({ "role": "host" }));
    assert_eq!(wrong.expect_err("it is wrong").error, "forbidden");

    let guest = invited(&gateway, &mut host, "Bert", "guest");
    assert_eq!(guest.role(), "guest");
    assert_eq!(invited(&gateway, &mut host, "Dora", "host").role(), "host");
    let invite = invite(&mut host, "guest");
    let text = invite.as_str().unwrap();
    // An invitation is for one room and one role.
    let more = json!({ "invite": text, "role": "host" });
    assert_eq!(RoomClient::try_join(&gateway, ROOM, "Eve", more).unwrap_err().error, "forbidden");
    let raised = json!({ "invite": text.replacen('g', "h", 1) });
    let no = RoomClient::try_join(&gateway, ROOM, "Eve", raised).unwrap_err();
    assert!(no.error == "forbidden" && no.text.contains("invitation"), "{no:?}");
    let _other = RoomClient::join(&gateway, "other?secret=right", "Host", json!({}));
    let elsewhere = RoomClient::try_join(&gateway, "other", "Eve", json!({ "invite": text }));
    assert_eq!(elsewhere.unwrap_err().error, "forbidden");
    // A guest may not do what hosts may.
    let mut guest = guest;
    for message in [
        json!({ "type": "make_invite", "role": "host", "minutes": 1 }),
        json!({ "type": "remove", "id": host.id() }),
        json!({ "type": "settings", "locked": true }),
        json!({ "type": "make_encoder", "name": "OBS" }),
    ] {
        assert_eq!(guest.refused(&message), "forbidden", "{message}");
    }
}

/// Returns a token for a room, made by `lianmai token`.
#[track_caller]
fn token(data: &str, room: &str, role: &str) -> String {
    let args = ["--room", room, "--role", role, "--sub", "anna", "--data", data];
    let output = subcommand("token").args(args).output().expect("lianmai runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn a_token_names_a_room_and_a_role_and_works_once() {
    let dir = temp_dir("room-token");
    let data = dir.to_str().expect("a plain path");
    let gateway = public(&["--data", data]);
    let host = token(data, ROOM, "host");
    let mut host = RoomClient::join(&gateway, ROOM, "Host", json!({ "token": host }));
    assert_eq!(host.role(), "host");
    let guest = token(data, ROOM, "guest");
    let as_host = json!({ "token": token(data, ROOM, "guest"), "role": "host" });
    assert_eq!(RoomClient::try_join(&gateway, ROOM, "Bert", as_host).unwrap_err().error, "forbidden");
    let mut bert = RoomClient::join(&gateway, ROOM, "Bert", json!({ "token": guest }));
    assert_eq!(bert.role(), "guest");
    let again = RoomClient::try_join(&gateway, ROOM, "Bert", json!({ "token": guest })).unwrap_err();
    assert!(again.text.contains("used already"), "{again:?}");
    let other = json!({ "token": token(data, "other", "host") });
    let other = RoomClient::try_join(&gateway, ROOM, "Eve", other).unwrap_err();
    assert!(other.text.contains("another room"), "{other:?}");
    // Somebody who was removed does not come back with another token of the same person.
    host.send(&json!({ "type": "remove", "id": bert.id() }));
    assert_eq!(bert.closed(), 4001);
    let back = json!({ "token": token(data, ROOM, "guest") });
    assert_eq!(RoomClient::try_join(&gateway, ROOM, "Robert", back).unwrap_err().error, "removed");
    // `token` for a stream is no token for a room.
    let stream =
        subcommand("token").args(["--stream", "show/x", "--act", "publish", "--data", data]).output();
    let stream = String::from_utf8(stream.expect("lianmai runs").stdout).unwrap();
    let no = RoomClient::try_join(&gateway, ROOM, "Eve", json!({ "token": stream.trim() })).unwrap_err();
    assert!(no.text.contains("lacks the claim room"), "{no:?}");
}

#[test]
fn a_page_of_another_site_is_audience_on_this_machines_gateway() {
    let gateway = Gateway::start(&[]);
    let _host = join(&gateway, "Host", "host");
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("x-forwarded-for", "203.0.113.7")],
        &[("host", "evil.example")],
    ] {
        let asks = |role: &str| {
            let more = if role.is_empty() { json!({}) } else { json!({ "role": role }) };
            RoomClient::try_join_from(&gateway, ROOM, "Eve", more, headers)
        };
        assert_eq!(asks("host").expect_err("it is foreign").error, "forbidden", "{headers:?}");
        assert_eq!(asks("guest").expect_err("it is foreign").error, "forbidden", "{headers:?}");
        let mut eve = asks("").expect("anybody may watch");
        assert_eq!(eve.role(), "audience", "{headers:?}");
        assert_eq!(eve.refused(&json!({ "type": "settings", "locked": true })), "forbidden");
    }
    // Nor does such a page open a room.
    let foreign = [("origin", "https://evil.example")];
    let no = RoomClient::try_join_from(&gateway, "new", "Eve", json!({}), &foreign).unwrap_err();
    assert_eq!(no.error, "no_room");
    let own = format!("http://{}", gateway.http());
    let own = RoomClient::try_join_from(&gateway, ROOM, "Anna", json!({}), &[("origin", &own)]);
    assert_eq!(own.expect("our own page").role(), "host");
}

#[test]
fn the_list_has_the_rooms_with_hosts() {
    let gateway = Gateway::start(&[]);
    let list = || gateway.json("/api/v1/rooms")["rooms"].clone();
    assert_eq!(list(), json!([]));
    let anna = join(&gateway, "Anna", "host");
    let _eve = join(&gateway, "Eve", "audience");
    let site = RoomClient::join(&gateway, "site%2Fshow", "Dora", json!({}));
    assert_eq!(site.welcome["room"]["name"], "site/show");
    let rooms = list();
    assert_eq!((&rooms[0]["name"], &rooms[1]["name"]), (&json!(ROOM), &json!("site/show")), "by audience");
    assert_eq!((&rooms[0]["audience"], &rooms[0]["seats"]), (&json!(1), &json!(10)));
    assert_eq!(
        rooms[0]["hosts"],
        json!([{ "id": anna.id(), "name": "Anna", "stream": null, "small": null }])
    );
    assert_eq!(gateway.get("/api/v1/rooms/").status, 200);
    assert_eq!(lianmai_tests::http::request(gateway.http(), "POST", "/api/v1/rooms", &[]).status, 405);
    assert_eq!(gateway.get("/api/v1/rooms/show").status, 426);

    let closed = public(&["--play-secret", "see"]);
    assert_eq!(closed.get("/api/v1/rooms").status, 401);
    assert_eq!(closed.get("/api/v1/rooms?secret=see").status, 200);
    let without = Gateway::start(&["--max-rooms", "0"]);
    assert_eq!(without.get("/api/v1/rooms").status, 404);
}
