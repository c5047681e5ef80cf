//! Metering: what nodes tell of sessions and bytes, against the bytes that players received.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::nats_client::Heard;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Clip, Nats, NatsClient, wait};
use serde_json::{Value, json};

use crate::{LIMIT, node, publish, view};

/// Largest difference between metered and received bytes.
const TOLERANCE: f64 = 0.005;

/// Returns the last record of a node's clients of `live/x`.
fn last(client: &NatsClient, node: &str, act: &str) -> Option<Heard> {
    let is_wanted = |heard: &Heard| heard.json["node"] == node && heard.json["act"] == act;
    client.heard().into_iter().rfind(is_wanted)
}

fn number(record: &Value, field: &str) -> u64 {
    record[field].as_u64().unwrap_or_else(|| panic!("{field} in {record}"))
}

/// Returns the bytes that a viewer had received at a time: the header, and each tag with its own header and length.
fn received(viewer: &FlvViewer, until: Instant) -> u64 {
    let seen = viewer.seen();
    let tags = seen.iter().filter(|seen| seen.at <= until).map(|seen| 15 + seen.tag.body.len() as u64);
    13 + tags.sum::<u64>()
}

#[test]
fn metered_bytes_are_those_that_players_received_also_of_a_node_that_is_killed() {
    let nats = Nats::with_store();
    let created = NatsClient::request(
        &nats,
        "$JS.API.STREAM.CREATE.METER",
        &json!({"name": "METER", "subjects": ["lm.meter.>"], "retention": "limits", "storage": "file",
            "max_msgs_per_subject": 1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "max_consumers": -1,
            "discard": "old", "num_replicas": 1}),
    );
    assert!(created["error"].is_null(), "{created}");
    let records = NatsClient::subscribe(&nats, "lm.meter.>");
    let [a, mut b] = ["a", "b"].map(|name| node(&nats, name, &[]));
    let (clock, start) = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), Instant::now());
    let instant = |ms: u64| start + Duration::from_millis(ms).saturating_sub(clock);
    let _publisher = publish(&a, "x", Clip::Av);
    let (here, there) = (view(&a, "x"), view(&b, "x"));
    for viewer in [&here, &there] {
        viewer.wait_frames(VIDEO, 10, LIMIT);
    }
    // Two records, of which the second has much of the first interval.
    let enough = |act| last(&records, "a", act).is_some_and(|heard| number(&heard.json, "session_ms") > 4000);
    wait::until_true("records of node a", LIMIT, || ["publish", "play", "relay"].into_iter().all(enough));
    a.process.signal("KILL");
    let killed = Instant::now();
    wait::until_true("the end of the viewer", LIMIT, || here.over());
    let record = last(&records, "a", "play").expect("it was heard").json;
    assert_eq!((&record["stream"], &record["protocol"]), (&"live/x".into(), &"http-flv".into()));
    assert_eq!((number(&record, "sessions"), number(&record, "running")), (1, 1));
    let told = instant(number(&record, "to_ms"));
    let lost = killed - told;
    assert!(lost < Duration::from_secs(10), "{lost:?} are lost");
    // A busy machine delivers late, or stops between the sum and its time.
    let (sent, slack) = (number(&record, "sent_bytes") as f64, Duration::from_secs(1));
    let bounds = [received(&here, told - slack), received(&here, told + slack)].map(|bytes| bytes as f64);
    assert!(
        sent >= bounds[0] * (1.0 - TOLERANCE) && sent <= bounds[1] * (1.0 + TOLERANCE),
        "{sent} {bounds:?}"
    );
    // The publisher sends over a WebSocket: as much, with some framing.
    let publisher = last(&records, "a", "publish").expect("it was heard").json;
    assert!(number(&publisher, "received_bytes") as f64 > bounds[0] * 0.9, "{publisher}");
    let relay = last(&records, "a", "relay").expect("it was heard").json;
    assert!(number(&relay, "sent_bytes") > 0 && number(&relay, "sessions") >= 1, "{relay}");
    // A node that stops tells everything.
    b.stop();
    wait::until_true("the end of the viewer", LIMIT, || there.over());
    let ended = wait::until("the last record of node b", LIMIT, || {
        last(&records, "b", "play").filter(|heard| heard.json["running"] == 0)
    });
    let (sent, all) = (number(&ended.json, "sent_bytes") as f64, received(&there, Instant::now()) as f64);
    println!("metered {sent} of {all} bytes; {} ms lost by the kill", lost.as_millis());
    assert!((sent - all).abs() <= all * TOLERANCE, "metered {sent}, received {all}");
    // JetStream has kept the last record of each period.
    let stored = |subject: &str| {
        let asked = json!({"last_by_subj": subject});
        NatsClient::request(&nats, "$JS.API.STREAM.MSG.GET.METER", &asked)["message"]["data"].clone()
    };
    let text = |json: &Value| {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.decode(json.as_str().unwrap_or_default());
        serde_json::from_slice::<Value>(&data.unwrap_or_default()).unwrap_or_default()
    };
    for heard in [&ended, &last(&records, "a", "play").expect("it was heard")] {
        wait::until_true("the record in the store", LIMIT, || text(&stored(&heard.subject)) == heard.json);
    }
    let state = NatsClient::request(&nats, "$JS.API.STREAM.INFO.METER", &json!({}))["state"].clone();
    assert_eq!(state["messages"], state["num_subjects"], "{state}");
}
