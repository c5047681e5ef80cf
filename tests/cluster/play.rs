//! Publishing at one node, and playing at all.

use lianmai_tests::flv::VIDEO;
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Clip, Gateway, Nats, Process, gateway, http, rtmp, wait};

use crate::{LIMIT, SECRET, more_frames, node, publish, pulls, view};

#[test]
fn every_node_plays_what_any_node_publishes_by_every_protocol() {
    let nats = Nats::start();
    let [a, b, c] = ["a", "b", "c"].map(|name| node(&nats, name, &[]));
    // The first viewer waits for the publisher.
    let early = view(&b, "x");
    let publisher = publish(&a, "x", Clip::Baseline);
    let video = early.wait_frames(VIDEO, 60, LIMIT);
    assert!(video.windows(2).all(|pair| pair[1].tag.time - pair[0].tag.time <= 50), "a frame is missing");
    let second = view(&b, "x");
    second.wait_frames(VIDEO, 30, LIMIT);
    let mut player = rtmp::Client::play(c.rtmp(), "x").expect("RTMP plays at another node");
    let mut frames = 0;
    while frames < 30 {
        frames += player.video_times().expect("video goes on").len();
    }
    let peer = Peer::play(&Call::new(&b, "x"));
    peer.wait_frames(true, 30, LIMIT);
    for gateway in [&b, &c] {
        wait::until_true("HLS at another node", LIMIT, || {
            let playlist = gateway.get("/live/x.m3u8");
            playlist.status == 200 && playlist.text().contains("#EXTINF")
        });
    }
    // One pull for each node, and none of them is a viewer.
    wait::until_true("one pull for each node", LIMIT, || (pulls(&a), pulls(&b), pulls(&c)) == (2, 0, 0));
    let viewers = |path: &str| a.get(path).text();
    assert_eq!(viewers("/live/x/viewers"), r#"{"viewers":0}"#);
    assert_eq!(a.stream("x").map(|stream| stream["clients"].clone()), Some(1.into()), "the publisher");
    let metrics = a.get("/metrics").text();
    assert!(metrics.contains("lianmai_viewers{protocol=\"http-flv\"} 0"), "{metrics}");
    // The publisher moves to the node of a viewer, and back.
    drop(publisher);
    wait::until_true("the publisher to be gone", LIMIT, || {
        a.stream("x").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    let at_b = publish(&b, "x", Clip::Other);
    more_frames(&early, 60);
    wait::until_true("node c to follow", LIMIT, || pulls(&b) >= 1 && pulls(&a) == 0);
    drop(at_b);
    let _at_a = publish(&a, "x", Clip::Baseline);
    let video = more_frames(&early, 60);
    assert!(video.windows(2).all(|pair| pair[1].tag.time >= pair[0].tag.time), "times go back");
}

#[test]
fn only_the_owner_records_and_key_frames_are_asked_for_there() {
    let nats = Nats::start();
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &["--record", "live/x", "--operator-secret", "op"]));
    let publisher = publish(&a, "x", Clip::Av);
    view(&b, "x").wait_frames(VIDEO, 30, LIMIT);
    let recorded = |gateway: &Gateway| {
        let records = gateway.json(&gateway.operator("/api/v1/records"));
        records["streams"].as_array().map_or(0, Vec::len)
    };
    wait::until_true("a recording at the owner", LIMIT, || recorded(&a) == 1);
    assert_eq!(recorded(&b), 0, "another node publishes the stream");
    // Distant key frames, as from a browser. Nothing but the viewer asks for more.
    let camera = Peer::publish(&Call::new(&a, "cam"), Media::of(Clip::LongGop));
    let viewer = Peer::play(&Call::new(&b, "cam"));
    viewer.wait_frames(true, 30, LIMIT);
    let before = camera.key_requests();
    wait::until_true("a request at the camera", LIMIT, || {
        viewer.ask_key();
        camera.key_requests() > before
    });
    // A publisher that moves to the other node is recorded there from then on.
    drop(publisher);
    wait::until_true("the publisher to be gone", LIMIT, || {
        a.stream("x").is_none_or(|stream| stream["publish"]["active"] == false)
    });
    let _publisher = publish(&b, "x", Clip::Av);
    wait::until_true("a recording at the new owner", LIMIT, || recorded(&b) == 1);
}

#[test]
fn further_nodes_pull_from_those_that_have_the_stream() {
    let nats = Nats::start();
    let [a, b, c] = ["a", "b", "c"].map(|name| node(&nats, name, &["--cluster-fanout", "1"]));
    let _publisher = publish(&a, "x", Clip::Av);
    let first = view(&b, "x");
    first.wait_frames(VIDEO, 10, LIMIT);
    let second = view(&c, "x");
    second.wait_frames(VIDEO, 30, LIMIT);
    wait::until_true("node c to pull from node b", LIMIT, || (pulls(&a), pulls(&b)) == (1, 1));
    let relay = c.stream("x").map(|stream| stream["relay"].clone()).unwrap_or_default();
    assert_eq!((&relay["owner"], &relay["via"]), (&"a".into(), &"b".into()), "{relay}");
    // A parent that dies is replaced by the owner.
    b.process.signal("KILL");
    more_frames(&second, 60);
    wait::until_true("node c to pull from the owner", LIMIT, || pulls(&a) == 1);
    assert!(!second.over());
}

#[test]
fn nodes_and_the_bus_talk_over_tls() {
    // Its certificate is for localhost.
    let owner = Gateway::start(&[]);
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| owner.data().join(name));
    let nats = Nats::with_tls(&cert, &key);
    let (url, path) = (format!("tls://localhost:{}", nats.port()), cert.to_string_lossy().into_owned());
    let flags = ["--cluster", &url, "--cluster-secret", SECRET, "--remote-ca", &path];
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let https = listener.local_addr().expect("it listens").to_string();
    drop(listener);
    let key = key.to_string_lossy();
    let own_url = https.replace("127.0.0.1", "https://localhost");
    let more = ["--node", "a", "--https", &https, "--cert", &path, "--key", &key, "--cluster-url", &own_url];
    let a = Gateway::start(&[&flags[..], &more].concat());
    let b = Gateway::start(&[&flags[..], &["--node", "b"]].concat());
    let _publisher = publish(&a, "x", Clip::Av);
    view(&b, "x").wait_frames(VIDEO, 30, LIMIT);
    assert_eq!(pulls(&a), 1);
    // A certificate that nobody trusts.
    let flags = ["--cluster", &url, "--cluster-secret", SECRET, "--node", "c", "--play-wait", "1"];
    let c = Gateway::start(&flags);
    assert_eq!(c.get("/live/x.flv").status, 404);
}

#[test]
fn strangers_get_nothing_as_nodes_and_a_cluster_needs_a_secret() {
    let nats = Nats::start();
    let a = node(&nats, "a", &["--play-secret", "viewers only"]);
    let _publisher = publish(&a, "x", Clip::Av);
    // The ticket of a node with another secret.
    let url = nats.url();
    let stranger = gateway::Gateway::start(&[
        "--cluster",
        &url,
        "--cluster-secret",
        "another secret of 20",
        "--node",
        "z",
        "--play-wait",
        "3",
    ]);
    assert_eq!(stranger.get("/live/x.flv").status, 404);
    wait::until_true("the refusal in the log", LIMIT, || a.process.stderr().contains("ticket of the node"));
    for ticket in ["z~99999999999~00", "z~1~00", "nonsense", ""] {
        let answer = http::get(a.http(), &format!("/live/x.flv?cluster={ticket}"));
        assert_eq!(answer.status, 403, "{ticket}");
    }
    assert_eq!(a.get("/live/x.flv").status, 401, "viewers need their secret, nodes do not");
    let b = node(&nats, "b", &[]);
    view(&b, "x").wait_frames(VIDEO, 10, LIMIT);
    // No secret, no cluster.
    let mut process = Process::start(&mut gateway::serve(&["--cluster", &url]));
    assert!(!process.wait(LIMIT).success());
    assert!(process.stderr().contains("--cluster-secret"), "{}", process.stderr());
    let printed = gateway::subcommand("config")
        .args(["--print", "--cluster", "nats://me:geheim@h:1", "--cluster-secret", "geheim geheim geheim"])
        .output()
        .expect("it starts");
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("cluster_secret = is set, but not shown") && !printed.contains("geheim"));
}
