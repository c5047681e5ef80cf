//! One truth for all nodes: claims, tokens, kicks, lists, drains.

use std::thread;
use std::time::Instant;

use ::gateway::core::auth::Act;
use lianmai_tests::flv::VIDEO;
use lianmai_tests::site::{self, Site, token};
use lianmai_tests::{Clip, Gateway, Nats, http, rtmp, wait};
use serde_json::Value;

use crate::{LIMIT, node, publish, view};

/// Races of two publishers, one after the other, and how many of these run at the same time: 200 in all.
const RACES: (usize, usize) = (25, 8);

/// Sends a request as the operator.
#[track_caller]
fn operate(gateway: &Gateway, method: &str, path: &str) -> (u16, Value) {
    let response = http::request(gateway.http(), method, &gateway.operator(path), &[]);
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

/// Returns the status for a viewer of `live/x` who asks and does not play.
#[track_caller]
fn head(gateway: &Gateway) -> u16 {
    http::request(gateway.http(), "HEAD", "/live/x.flv", &[]).status
}

/// Asks for a list of all nodes until it is complete, and returns it. The nodes have 200 ms to answer, which a busy
/// machine exceeds at times.
#[track_caller]
fn gathered(gateway: &Gateway, path: &str, list: &str, complete: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    wait::until(&format!("all of {path}"), LIMIT, || {
        let (_, answer) = operate(gateway, "GET", path);
        let all = answer[list].as_array()?;
        complete(all).then(|| all.clone())
    })
}

/// Ends a client of another node. Returns the status, and the number of answers before it that came too late.
#[track_caller]
fn kick(gateway: &Gateway, path: &str) -> (u16, usize) {
    let mut silent = 0;
    wait::until(&format!("an answer to DELETE {path}"), LIMIT, || {
        let (status, _) = operate(gateway, "DELETE", path);
        silent += usize::from(status == 504);
        (status != 504).then_some((status, silent))
    })
}

#[test]
fn a_stream_has_one_publisher_in_all_nodes() {
    let nats = Nats::start();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &[]));
    let to = [a.rtmp(), b.rtmp()];
    let race = |name: String| {
        let both = to.map(|to| {
            let name = name.clone();
            thread::spawn(move || rtmp::Client::publish(to, &name))
        });
        both.map(|one| one.join().expect("no panic"))
    };
    // Several races at a time.
    let lanes = (0..RACES.1).map(|lane| {
        let names = (0..RACES.0).map(move |n| format!("race{lane}-{n}"));
        move || names.map(race).collect::<Vec<_>>()
    });
    let (all, begun) = thread::scope(|scope| {
        let lanes: Vec<_> = lanes.map(|lane| scope.spawn(lane)).collect();
        let all: Vec<_> = lanes.into_iter().map(|lane| lane.join().expect("no panic")).collect();
        (all, Instant::now())
    });
    // A publisher that was let in may be closed a moment later.
    let names = |gateway: &Gateway| {
        let streams = gateway.json("/api/v1/streams?count=1000");
        let all = streams["streams"].as_array().into_iter().flatten();
        let active = all.filter(|stream| stream["publish"]["active"] == true);
        active.map(|stream| stream["name"].to_string()).collect::<Vec<_>>()
    };
    wait::until_true("exactly one publisher of each", LIMIT, || {
        let mut both = [&a, &b].map(names).concat();
        let count = both.len();
        both.sort();
        both.dedup();
        count == RACES.0 * RACES.1 && both.len() == count
    });
    let came_in = all.iter().flatten().flatten().filter(|one| one.is_ok()).count();
    println!(
        "{came_in} of {} came in; one of each {} ms later",
        2 * RACES.0 * RACES.1,
        begun.elapsed().as_millis()
    );
    drop(all);
    let _publisher = publish(&a, "x", Clip::Av);
    // On a busy machine the owner may answer too late: the second publisher comes in then, and is closed.
    let refused = wait::until("a refusal by RTMP", LIMIT, || rtmp::Client::publish(b.rtmp(), "x").err());
    assert!(refused.to_string().contains("BadName"), "{refused}");
    let by_http = wait::until("a refusal by HTTP", LIMIT, || {
        Some(http::request(b.http(), "POST", "/live/x.flv", &[])).filter(|answer| answer.status != 204)
    });
    assert_eq!(by_http.status, 409);
    assert!(by_http.text().contains("on the node a"), "{}", by_http.text());
}

#[test]
fn a_token_for_publishing_lets_in_once_at_one_node() {
    let nats = Nats::start();
    let key = site::key();
    let site = Site::start(&key);
    let url = site.url();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &["--auth-jwks", &url]));
    let token = token(&key, "x", Act::Publish);
    let post = |gateway: &Gateway| {
        let bearer = format!("Authorization: Bearer {token}");
        let answer = http::request(gateway.http(), "POST", "/live/x.flv", &[&bearer]);
        (answer.status, answer.text())
    };
    assert_eq!(post(&a).0, 204);
    let (status, text) = wait::until("the other node to hear of it", LIMIT, || {
        let (status, text) = post(&b);
        (status != 204).then_some((status, text))
    });
    assert!(status == 401 && text.contains("used already"), "{status} {text}");
}

#[test]
fn the_operator_sees_and_ends_clients_of_all_nodes() {
    let nats = Nats::start();
    let region = ["--region", "eu", "--operator-secret", "op"];
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &region));
    let c = node(&nats, "c", &region);
    let _publisher = publish(&a, "x", Clip::Av);
    let viewer = view(&b, "x");
    viewer.wait_frames(VIDEO, 10, LIMIT);
    assert_eq!(c.get("/api/v1/nodes").status, 401);
    let nodes = gathered(&c, "/api/v1/nodes", "nodes", |nodes| {
        nodes.len() == 3
            && nodes.iter().all(|node| node["answered"] == true)
            && (&nodes[0]["publishers"], &nodes[0]["pulls"]) == (&1.into(), &1.into())
            && (&nodes[1]["viewers"], &nodes[1]["relays"]) == (&1.into(), &1.into())
    });
    let names: Vec<_> = nodes.iter().map(|node| node["node"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(nodes.iter().all(|node| node["region"] == "eu"), "{nodes:?}");
    assert_eq!((&nodes[2]["own"], &nodes[0]["own"]), (&true.into(), &false.into()));
    let streams = gathered(&c, "/api/v1/streams?nodes=all&count=1000", "streams", |all| all.len() == 2);
    let at: Vec<_> = streams.iter().map(|stream| stream["node"].clone()).collect();
    assert_eq!(at, ["a", "b"]);
    let relay = &streams[1]["relay"];
    assert_eq!(
        (&relay["owner"], &relay["via"], &streams[0]["relay"]),
        (&"a".into(), &Value::Null, &Value::Null)
    );
    assert!(relay["received_bytes"].as_u64() > Some(0), "{relay}");
    assert_eq!(c.json("/api/v1/streams")["total"], 0, "without the parameter, only its own");
    // The viewer of node b is ended at node c, and kept out of all.
    let is_viewer =
        |client: &&Value| client["node"] == "b" && client["publish"] == false && client["identity"] != "node";
    let clients = gathered(&c, "/api/v1/clients?nodes=all&count=1000", "clients", |all| {
        all.iter().any(|client| is_viewer(&client))
    });
    let id = clients.iter().find(is_viewer).and_then(|viewer| viewer["id"].as_str()).expect("an id");
    assert_eq!(operate(&c, "DELETE", &format!("/api/v1/clients/{id}?node=nobody")).0, 404);
    assert_eq!(kick(&c, "/api/v1/clients/999999?node=b").0, 404);
    let (status, silent) = kick(&c, &format!("/api/v1/clients/{id}?node=b&minutes=5"));
    // An answer that came too late was that of a client that is gone by now.
    assert!(status == 200 || (status == 404 && silent > 0), "{status} after {silent} late answers");
    wait::until_true("the viewer to be ended", LIMIT, || viewer.over());
    for gateway in [&a, &b, &c] {
        wait::until_true("the ban at every node", LIMIT, || head(gateway) == 403);
    }
    let bans = operate(&c, "GET", "/api/v1/bans").1;
    let ban = bans["bans"][0]["id"].as_str().map(str::to_owned).expect("a ban");
    assert_eq!(operate(&c, "DELETE", &format!("/api/v1/bans/{ban}")).0, 200);
    wait::until_true("the end of the ban", LIMIT, || head(&a) == 200);
    view(&a, "x").wait_frames(VIDEO, 10, LIMIT);
    // A node that hangs is named.
    b.process.signal("STOP");
    let nodes = operate(&c, "GET", "/api/v1/nodes").1;
    assert_eq!(nodes["nodes"][1]["answered"], false, "{nodes}");
    let streams = c.json("/api/v1/streams?nodes=all");
    assert_eq!(streams["nodes"][1], serde_json::json!({"node": "b", "answered": false}));
    b.process.signal("CONT");
}

#[test]
fn a_node_is_drained_without_cutting_its_publisher() {
    let nats = Nats::start();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &[]));
    let publisher = publish(&a, "x", Clip::Av);
    let (here, there) = (view(&a, "x"), view(&b, "x"));
    for viewer in [&here, &there] {
        viewer.wait_frames(VIDEO, 10, LIMIT);
    }
    assert_eq!(a.get("/readyz").status, 200);
    assert_eq!(http::request(a.http(), "POST", "/api/v1/drain", &[]).status, 401);
    let (status, progress) = operate(&a, "POST", "/api/v1/drain?wait=600");
    assert_eq!((status, &progress["drain"]["draining"]), (200, &true.into()), "{progress}");
    assert_eq!((a.get("/readyz").status, a.get("/healthz").status), (503, 200));
    wait::until_true("the viewer to be closed", LIMIT, || here.over());
    assert_eq!(a.get("/live/x.flv").status, 503);
    assert!(rtmp::Client::publish(a.rtmp(), "y").is_err());
    // The other node goes on, and another one may join.
    let c = node(&nats, "c", &[]);
    view(&c, "x").wait_frames(VIDEO, 30, LIMIT);
    assert!(!there.over() && !publisher.ended());
    // Any node ends the drain of another one, and begins it.
    assert_eq!(operate(&b, "POST", "/api/v1/drain?node=nobody").0, 404);
    let at_b = |method: &str, path: &str| {
        wait::until("an answer of the other node", LIMIT, || {
            Some(operate(&b, method, path)).filter(|(status, _)| *status != 504)
        })
    };
    assert_eq!(at_b("DELETE", "/api/v1/drain?node=a").0, 200);
    assert_eq!(a.get("/readyz").status, 200);
    let (status, progress) = at_b("POST", "/api/v1/drain?node=a&wait=600");
    assert_eq!((status, &progress["drain"]["draining"]), (200, &true.into()), "{progress}");
    assert_eq!((a.get("/readyz").status, b.get("/readyz").status), (503, 200));
    assert_eq!(operate(&a, "DELETE", "/api/v1/drain").0, 200);
    view(&a, "x").wait_frames(VIDEO, 10, LIMIT);
    operate(&a, "POST", "/api/v1/drain?wait=0");
    wait::until_true("the publisher to be closed", LIMIT, || publisher.ended());
}
