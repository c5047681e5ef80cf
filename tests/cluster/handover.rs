//! Nodes and servers that die, hang and come back. The bounds are wide for a busy machine; `cargo xtask bench cluster`
//! measures.

use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::VIDEO;
use lianmai_tests::{Clip, Gateway, Nats, wait};

use crate::{LIMIT, SECRET, longest_silence, more_frames, node, publish, view};

/// Waits on purpose: the time without a publisher is what the test is about.
fn publisher_is_away() {
    thread::sleep(Duration::from_secs(1));
}

#[test]
fn viewers_of_a_third_node_stay_when_the_owner_dies_or_hangs() {
    let nats = Nats::start();
    let [b, c] = ["b", "c"].map(|name| node(&nats, name, &[]));
    for (signal, pause, most) in [
        ("KILL", None, Duration::from_secs(5)),
        ("KILL", Some(publisher_is_away as fn()), Duration::from_secs(7)),
        ("STOP", Some(publisher_is_away as fn()), Duration::from_secs(8)),
    ] {
        let a = node(&nats, "a", &[]);
        let first = publish(&a, "x", Clip::Av);
        let viewer = view(&b, "x");
        viewer.wait_frames(VIDEO, 60, LIMIT);
        a.process.signal(signal);
        if let Some(pause) = pause {
            pause();
        }
        let begun = Instant::now();
        let second = publish(&c, "x", Clip::Av);
        assert!(begun.elapsed() < Duration::from_secs(20), "{signal}: {:?}", begun.elapsed());
        let video = more_frames(&viewer, 120);
        let silence = longest_silence(&video);
        println!("{signal}: {} ms without a frame", silence.as_millis());
        assert!(silence < most, "{signal}: {silence:?} without a frame");
        assert!(!viewer.over() && viewer.error().is_none());
        // A process that is stopped cannot be waited for by its publisher.
        drop(a);
        drop((first, second, viewer));
        wait::until_true("the stream to be over", LIMIT, || {
            c.stream("x").is_none_or(|s| s["publish"]["active"] == false)
        });
    }
}

#[test]
fn the_death_of_the_bus_changes_nothing_that_runs() {
    let mut nats = Nats::start();
    let [a, b, c] = ["a", "b", "c"].map(|name| node(&nats, name, &[]));
    let _publisher = publish(&a, "x", Clip::Av);
    let viewers = [view(&a, "x"), view(&b, "x")];
    viewers.iter().for_each(|viewer| drop(viewer.wait_frames(VIDEO, 30, LIMIT)));
    let (mut late, mut started, url) = (None, None, nats.url());
    let mut late_at_d = None;
    nats.restart(|| {
        for gateway in [&a, &b, &c] {
            wait::until_true("the loss in the log", LIMIT, || {
                gateway.process.stderr().contains("cluster disconnected")
            });
            assert_eq!((gateway.get("/healthz").status, gateway.get("/readyz").status), (200, 200));
        }
        // New publishers come in, too, and a node starts.
        late = Some(publish(&c, "late", Clip::Av));
        let flags = ["--cluster", &url, "--cluster-secret", SECRET, "--node", "d"];
        let d = started.insert(Gateway::start(&flags));
        late_at_d = Some(publish(d, "at-d", Clip::Av));
        view(d, "at-d").wait_frames(VIDEO, 10, LIMIT);
        viewers.iter().for_each(|viewer| drop(more_frames(viewer, 60)));
    });
    for viewer in &viewers {
        let video = more_frames(viewer, 30);
        assert!(video.windows(2).all(|pair| pair[1].tag.time - pair[0].tag.time <= 50), "a frame is missing");
    }
    // The bus is found again: by the relays of new streams, and of those that began meanwhile.
    view(&b, "late").wait_frames(VIDEO, 30, LIMIT);
    view(&a, "at-d").wait_frames(VIDEO, 30, LIMIT);
    view(&c, "x").wait_frames(VIDEO, 30, LIMIT);
    // A server that hangs is noticed.
    nats.process.signal("STOP");
    wait::until_true("the loss in the log", LIMIT, || {
        a.process.stderr().matches("cluster disconnected").count() == 2
    });
    nats.process.signal("CONT");
    viewers.iter().for_each(|viewer| drop(more_frames(viewer, 30)));
    assert!(viewers.iter().all(|viewer| !viewer.over()));
}
