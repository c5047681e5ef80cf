//! One truth for all nodes: claims, tokens, kicks, lists, drains.

use std::thread;

use ::gateway::core::auth::Act;
use lianmai_tests::flv::VIDEO;
use lianmai_tests::site::{self, Site, token};
use lianmai_tests::{Clip, Gateway, Nats, http, rtmp, wait};
use serde_json::Value;

use crate::{LIMIT, node, publish, view};

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

/// Returns the clients of all nodes.
#[track_caller]
fn clients(gateway: &Gateway) -> Vec<Value> {
    let listed = gateway.json("/api/v1/clients?nodes=all&count=1000");
    listed["clients"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_stream_has_one_publisher_in_all_nodes() {
    let nats = Nats::start();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &[]));
    let to = [a.rtmp(), b.rtmp()];
    for n in 0..20 {
        let name = format!("race{n}");
        let both = to.map(|to| {
            let name = name.clone();
            thread::spawn(move || rtmp::Client::publish(to, &name))
        });
        let both: Vec<_> = both.into_iter().map(|one| one.join().expect("no panic")).collect();
        // One that came in may be closed a moment later.
        wait::until_true("exactly one publisher", LIMIT, || {
            let publishers = [&a, &b].map(|gateway| {
                gateway.stream(&name).is_some_and(|stream| stream["publish"]["active"] == true)
            });
            publishers.iter().filter(|active| **active).count() == 1
        });
        drop(both);
    }
    let _publisher = publish(&a, "x", Clip::Av);
    let refused = rtmp::Client::publish(b.rtmp(), "x").expect_err("node a has the publisher");
    assert!(refused.to_string().contains("BadName"), "{refused}");
    let by_http = http::request(b.http(), "POST", "/live/x.flv", &[]);
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
    let nodes = wait::until("three nodes", LIMIT, || {
        let (_, answer) = operate(&c, "GET", "/api/v1/nodes");
        let nodes = answer["nodes"].as_array().cloned().unwrap_or_default();
        (nodes.len() == 3).then_some(nodes)
    });
    let names: Vec<_> = nodes.iter().map(|node| node["node"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(nodes.iter().all(|node| node["answered"] == true && node["region"] == "eu"), "{nodes:?}");
    assert_eq!((&nodes[0]["publishers"], &nodes[0]["pulls"]), (&1.into(), &1.into()));
    assert_eq!((&nodes[1]["viewers"], &nodes[1]["relays"]), (&1.into(), &1.into()));
    assert_eq!((&nodes[2]["own"], &nodes[0]["own"]), (&true.into(), &false.into()));
    let streams = c.json("/api/v1/streams?nodes=all&count=1000");
    let at: Vec<_> = streams["streams"].as_array().into_iter().flatten().map(|s| s["node"].clone()).collect();
    assert_eq!(at, ["a", "b"]);
    assert_eq!(c.json("/api/v1/streams")["total"], 0, "without the parameter, only its own");
    // The viewer of node b is ended at node c, and kept out of all.
    let played = clients(&c)
        .into_iter()
        .find(|client| client["node"] == "b" && client["publish"] == false && client["identity"] != "node");
    let id = played.expect("the viewer")["id"].as_str().map(str::to_owned).expect("an id");
    assert_eq!(operate(&c, "DELETE", &format!("/api/v1/clients/{id}?node=nobody")).0, 404);
    assert_eq!(operate(&c, "DELETE", "/api/v1/clients/999999?node=b").0, 404);
    assert_eq!(operate(&c, "DELETE", &format!("/api/v1/clients/{id}?node=b&minutes=5")).0, 200);
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
    assert_eq!(operate(&a, "DELETE", "/api/v1/drain").0, 200);
    view(&a, "x").wait_frames(VIDEO, 10, LIMIT);
    operate(&a, "POST", "/api/v1/drain?wait=0");
    wait::until_true("the publisher to be closed", LIMIT, || publisher.ended());
}
