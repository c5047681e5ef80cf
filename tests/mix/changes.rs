//! People come and go: viewers see no break.

use std::time::Duration;

use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Gateway, flv, wait};
use serde_json::{Value, json};

use crate::kit::{
    BLUE, GREEN, LIMIT, RED, api, change, configurations, longest_gap, mix, publish, shown, wait_live,
};

/// Number of changes of the inputs and the layout.
const CHANGES: usize = 100;
/// Longest gap between the times of two pictures on a busy machine, in milliseconds. One ffmpeg with a fixed graph stops
/// for many seconds when an input leaves; `bench mix` measures the gap on a quiet machine.
const GAP: u32 = 1_500;

#[test]
fn a_hundred_joins_leaves_and_layouts_make_no_gap_and_no_new_configuration() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let mut inputs = vec![publish(&gateway, "live/a", RED), publish(&gateway, "live/b", BLUE)];
    let id = mix(
        &gateway,
        &json!({ "inputs": ["live/a"], "output": "live/merge", "width": 640, "height": 360, "rate": 20 }),
    );
    wait_live(&gateway, &id);
    let viewer = FlvViewer::http(gateway.http(), "/live/merge.flv");
    viewer.wait_frames(flv::VIDEO, 10, LIMIT);
    let layouts = ["grid", "side", "speaker", "pip", "screen"];
    for n in 0..CHANGES {
        let streams: &[&str] = match n % 4 {
            0 => &["live/a", "live/b"],
            1 => &["live/b"],
            2 => &["live/b", "live/a", "live/nobody"],
            _ => &["live/a"],
        };
        change(&gateway, &id, &json!({ "inputs": streams, "layout": layouts[n % layouts.len()] }));
        // The publishers themselves come and go too.
        match n {
            30 => drop(inputs.pop()),
            60 => inputs.push(publish(&gateway, "live/b", GREEN)),
            _ => {}
        }
        let seen = viewer.frames(flv::VIDEO).len();
        viewer.wait_frames(flv::VIDEO, seen + 3, LIMIT);
    }
    let video = viewer.frames(flv::VIDEO);
    assert!(viewer.error().is_none() && !viewer.over());
    assert!(video.len() > 3 * CHANGES, "{}", video.len());
    let gaps = (longest_gap(&viewer, flv::VIDEO), longest_gap(&viewer, flv::AUDIO));
    // A busy machine may leave out pictures; the audio is complete in any case.
    assert!(gaps.0 <= GAP && gaps.1 <= 24, "{gaps:?}");
    assert_eq!((configurations(&viewer, flv::VIDEO), configurations(&viewer, flv::AUDIO)), (1, 1));
    let status = &shown(&gateway, &id)["status"];
    assert_eq!(status["encoder_restarts"], 0, "{status}");
}

#[test]
fn a_mix_ends_with_its_last_card() {
    let gateway = Gateway::start(&["--reconnect", "0"]);
    let id = mix(&gateway, &json!({ "inputs": [], "output": "live/merge", "width": 320, "height": 180 }));
    // Without inputs the mix is on air too.
    let viewer = FlvViewer::http(gateway.http(), "/live/merge.flv");
    viewer.wait_frames(flv::VIDEO, 5, LIMIT);
    let path = format!("/api/v1/mixes/{id}");
    let response = api(&gateway, "DELETE", &format!("{path}?card=See%20you%20on%20Friday"), &Value::Null);
    assert_eq!(response.status, 200, "{}", response.text());
    let before = viewer.frames(flv::VIDEO).len();
    viewer.wait_frames(flv::VIDEO, before + 30, LIMIT);
    wait::until_true("the stream to end", LIMIT, || viewer.over());
    wait::until_true("the mix to leave the list", Duration::from_secs(10), || {
        api(&gateway, "GET", &path, &Value::Null).status == 404
    });
}
