//! A gateway that is killed while it records.

use std::time::{Duration, Instant};

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::publisher::ffmpeg_forever;
use lianmai_tests::random::Random;
use lianmai_tests::{Clip, Gateway};
use serde_json::Value;

use crate::kit::{is_finished, path, probe, wait_duration, wait_records};

/// Number of kills. `LIANMAI_KILLS` makes it more.
const KILLS: usize = 4;

#[test]
fn a_killed_gateway_loses_at_most_a_second() {
    let data = temp_dir("record-crash");
    let flags = ["--record", "live/*", "--data", data.to_str().unwrap()];
    let kills = std::env::var("LIANMAI_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut random = Random(7);
    let mut gateway = Gateway::start(&flags);
    let mut known: Vec<Value> = Vec::new();
    for kill in 0..kills {
        // Another name each time: the stream is not the one that was interrupted.
        let name = format!("x{kill}");
        let publisher = ffmpeg_forever(&Clip::Av.file(), &gateway.rtmp_url(&name));
        wait_duration(&gateway, &name, 1500);
        // At any moment of the second after it.
        let moment = Instant::now() + Duration::from_millis(random.below(1000) as u64);
        let published = loop {
            // Frames that the gateway has got, at 30 a second.
            let frames = gateway.stream(&name).and_then(|stream| stream["frames"].as_u64()).unwrap_or(0);
            if Instant::now() >= moment {
                break frames as f64 / 30.0;
            }
        };
        gateway.process.signal("KILL");
        gateway.process.wait(crate::kit::LIMIT);
        drop(publisher);
        gateway = Gateway::start(&flags);
        let record = wait_records(&gateway, &name, 1, is_finished).remove(0);
        let found = probe(path(&data, &record).to_str().unwrap());
        let lost = published - found.streams[0].1 as f64 / 30.0;
        println!("{published:.2} s published, {:.2} s recorded", found.streams[0].1 as f64 / 30.0);
        assert!(lost <= 1.0, "{lost} s are lost: {found:?}");
        let listed = probe(path(&data, &record).with_extension("m3u8").to_str().unwrap());
        assert_eq!(listed.streams, found.streams);
        // Recordings that were finished before stay as they are.
        known.push(record);
        for (number, record) in known.iter().enumerate() {
            assert_eq!(
                &wait_records(&gateway, &format!("x{number}"), 1, is_finished)[..],
                std::slice::from_ref(record)
            );
        }
    }
}
