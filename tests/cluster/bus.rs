//! The bus itself: logins, several servers, and networks that are cut.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::nkey::jwt;
use lianmai_tests::proxy::Cable;
use lianmai_tests::{Clip, Gateway, Nats, gateway, http, wait};
use nkeys::KeyPair;
use serde_json::json;

use crate::{LIMIT, SECRET, more_frames, node, node_at, publish, view};

fn seed_of(key: &KeyPair) -> String {
    key.seed().expect("a private key")
}

/// Returns whether a node gets answers of another one.
fn hears(gateway: &Gateway, other: &str) -> bool {
    let answer = http::get(gateway.http(), &gateway.operator("/api/v1/nodes"));
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let nodes = answer["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().any(|node| node["node"] == other && node["answered"] == true)
}

#[test]
fn nodes_log_in_with_passwords_nkeys_and_credentials() {
    let dir = gateway::temp_dir("credentials");
    let file = |name: &str, text: &str| {
        fs::write(dir.join(name), text).expect("a writable folder");
        dir.join(name).to_string_lossy().into_owned()
    };
    // One server with TLS, users with passwords, and users with nkeys who may use the subjects of the cluster only.
    let owner = Gateway::start(&[]);
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| owner.data().join(name).to_string_lossy().into_owned());
    let user = KeyPair::new_user();
    let nats = Nats::with_config(&format!(
        "tls {{ cert_file: \"{cert}\", key_file: \"{key}\" }}
        may = {{ publish: [\"lm.>\", \"_INBOX.>\"], subscribe: [\"lm.>\", \"_INBOX.>\"] }}
        authorization {{ users: [
            {{ user: me, password: \"ge@heim\" }}
            {{ nkey: {}, permissions: $may }}
        ] }}",
        user.public_key()
    ));
    let place = format!("localhost:{}", nats.port());
    let ca = ["--remote-ca", cert.as_str()];
    let a = node_at(&format!("tls://me:ge%40heim@{place}"), "a", &ca);
    let seed = file("seed", &format!("{}\n", seed_of(&user)));
    let b = node_at(&format!("tls://{place}"), "b", &[&ca[..], &["--cluster-credentials", &seed]].concat());
    let publisher = publish(&a, "x", Clip::Av);
    view(&b, "x").wait_frames(VIDEO, 10, LIMIT);
    assert!(!b.process.stderr().contains("Permissions Violation"), "{}", b.process.stderr());
    drop(publisher);
    // A wrong password, another key, and a file without a key.
    let other = file("other", &seed_of(&KeyPair::new_user()));
    for (url, credentials) in
        [(format!("tls://me:falsch@{place}"), ""), (format!("tls://{place}"), other.as_str())]
    {
        let mut flags = vec!["--cluster", &url, "--cluster-secret", SECRET, ca[0], ca[1]];
        if !credentials.is_empty() {
            flags.extend(["--cluster-credentials", credentials]);
        }
        let refused = Gateway::start(&flags);
        wait::until_true("the refusal in the log", LIMIT, || {
            refused.process.stderr().contains("authorization violation")
        });
        let log = refused.process.stderr();
        assert!(!log.contains("falsch") && !log.contains("cluster connected"), "{log}");
    }
    let account = file("account", &seed_of(&KeyPair::new_account()));
    let flags =
        ["--cluster", "nats://127.0.0.1:1", "--cluster-secret", SECRET, "--cluster-credentials", &account];
    let mut process = lianmai_tests::Process::start(&mut gateway::serve(&flags));
    assert!(!process.wait(LIMIT).success());
    assert!(
        process.stderr().contains("nkey seed") && process.stderr().contains("account"),
        "{}",
        process.stderr()
    );
    assert!(!process.stderr().contains("SAA"), "the seed is shown");
    // A server of an operator, with accounts and credentials files.
    let [operator, account] = [KeyPair::new_operator(), KeyPair::new_account()];
    let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
        "conn": -1, "leaf": -1});
    let own = jwt(&operator, &operator, "operator", json!({}));
    let of_account = jwt(&operator, &account, "account", json!({"limits": limits}));
    let of_user = jwt(&account, &user, "user", json!({"subs": -1, "data": -1, "payload": -1}));
    let nats = Nats::with_config(&format!(
        "operator: {own}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}",
        account.public_key()
    ));
    let creds = file(
        "node.creds",
        &format!(
            "-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            seed_of(&user)
        ),
    );
    let [a, b] = ["a", "b"].map(|name| node(&nats, name, &["--cluster-credentials", &creds]));
    wait::until_true("both nodes to hear each other", LIMIT, || hears(&a, "b") && hears(&b, "a"));
    let _ = fs::remove_dir_all(&dir);
}

#[test]
fn a_login_over_tls_is_not_sent_to_a_server_without_tls() {
    let owner = Gateway::start(&[]);
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| owner.data().join(name).to_string_lossy().into_owned());
    // Two servers of one cluster, of which one has no TLS.
    let common = "cluster { name: test, listen: \"127.0.0.1:-1\"";
    let plain = Nats::with_config(&format!("{common} }}"));
    let nats = Nats::with_config(&format!(
        "{common}, routes: [\"{}\"] }}
        tls {{ cert_file: \"{cert}\", key_file: \"{key}\" }}
        authorization {{ user: me, password: geheim }}",
        plain.route()
    ));
    wait::until_true("the one to name the other", LIMIT, || {
        let mut info = String::new();
        let socket = TcpStream::connect(("127.0.0.1", nats.port())).expect("nats-server listens");
        BufReader::new(socket).read_line(&mut info).is_ok() && info.contains(&format!(":{}\"", plain.port()))
    });
    let a = node_at(&format!("tls://me:geheim@localhost:{}", nats.port()), "a", &["--remote-ca", &cert]);
    nats.process.signal("KILL");
    let connections = || a.process.stderr().matches("cluster connected").count();
    // The server takes the beginning of TLS for a wrong command.
    wait::until_true("node a at the server without TLS", LIMIT, || {
        plain.process.stderr().contains("parser ERROR") || connections() > 1
    });
    assert_eq!(connections(), 1, "{}", a.process.stderr());
}

#[test]
fn nodes_go_to_another_server_when_theirs_dies() {
    let [first, second] = Nats::pair();
    // Each knows one server only, and hears of the other one from it.
    let (a, b) = (node(&first, "a", &[]), node(&second, "b", &[]));
    wait::until_true("the nodes to hear each other", LIMIT, || hears(&b, "a") && hears(&a, "b"));
    let _publisher = publish(&a, "x", Clip::Av);
    let viewer = view(&b, "x");
    viewer.wait_frames(VIDEO, 30, LIMIT);
    first.process.signal("KILL");
    let killed = Instant::now();
    wait::until_true("node a at the other server", LIMIT, || {
        a.process.stderr().matches("cluster connected").count() == 2
    });
    let gap = killed.elapsed();
    wait::until_true("the nodes to hear each other", LIMIT, || hears(&b, "a") && hears(&a, "b"));
    println!("connected again after {} ms, heard after {} ms", gap.as_millis(), killed.elapsed().as_millis());
    assert!(gap < Duration::from_secs(5), "{gap:?} without a server");
    // Node b finds a new stream by the other server, and the first stream has lost no frame.
    let _second = publish(&a, "y", Clip::Av);
    view(&b, "y").wait_frames(VIDEO, 10, LIMIT);
    let video = more_frames(&viewer, 30);
    assert!(video.windows(2).all(|pair| pair[1].tag.time - pair[0].tag.time <= 50), "a frame is missing");
}

#[test]
fn after_a_partition_the_older_of_two_publishers_stays() {
    let nats = Nats::start();
    let cable = Cable::start(SocketAddr::from(([127, 0, 0, 1], nats.port())));
    let a = node_at(&format!("nats://{}", cable.addr), "a", &[]);
    let b = node(&nats, "b", &[]);
    let at_a = publish(&a, "before", Clip::Av);
    wait::until_true("node b to know node a", LIMIT, || hears(&b, "a"));
    cable.cut(true);
    wait::until_true("node a to notice", LIMIT, || a.process.stderr().contains("cluster disconnected"));
    // Both sides take publishers of the same names: of streams from before and from during the partition.
    let during = [publish(&a, "during", Clip::Av), publish(&b, "during", Clip::Av)];
    let at_b = publish(&b, "before", Clip::Av);
    let viewer = view(&b, "before");
    viewer.wait_frames(VIDEO, 10, LIMIT);
    cable.cut(false);
    wait::until_true("the younger ones to be closed", LIMIT, || at_b.ended() && during[1].ended());
    assert!(!at_a.ended() && !during[0].ended(), "the older ones stay");
    // The viewer of the part that has lost sees the older one.
    more_frames(&viewer, 60);
    assert!(a.stream("before").is_some_and(|stream| stream["publish"]["active"] == true));
    wait::until_true("one publisher of each", LIMIT, || {
        ["before", "during"].iter().all(|name| {
            let active = |gateway: &Gateway| {
                gateway.stream(name).is_some_and(|s| s["publish"]["active"] == true && s["remote"] != true)
            };
            active(&a) && !active(&b)
        })
    });
}
