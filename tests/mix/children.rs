//! Child processes that die, hang or get hostile input.

use std::fs;
use std::process::Command;

use lianmai_tests::player::FlvViewer;
use lianmai_tests::process::Process;
use lianmai_tests::{Gateway, flv, wait};
use serde_json::json;

use crate::kit::{BLUE, LIMIT, RED, configurations, longest_gap, mix, publish, shown, wait_live};

/// Longest freeze after the death of a child process on a busy machine, in milliseconds of the stream.
const FREEZE: u32 = 6_000;

/// Returns the ids of the gateway's child processes whose command line contains `word`.
pub(crate) fn children(gateway: &Gateway, word: &str) -> Vec<u32> {
    let folder = format!("/proc/{}/task", gateway.process.pid());
    let tasks = fs::read_dir(folder).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let ids: Vec<u32> = lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect();
    let is =
        |id: &u32| fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(word));
    ids.into_iter().filter(is).collect()
}

/// Sends a signal to a process, such as KILL.
pub(crate) fn signal(name: &str, id: u32) {
    let sent = Command::new("kill").args([format!("-{name}"), id.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "kill -{name} {id}");
}

/// A mix of two inputs with a viewer who sees it.
struct Watched {
    gateway: Gateway,
    _inputs: [Process; 2],
    id: String,
    viewer: FlvViewer,
}

#[track_caller]
fn watched() -> Watched {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let inputs = [publish(&gateway, "live/a", RED), publish(&gateway, "live/b", BLUE)];
    let request = json!({ "inputs": ["live/a", "live/b"], "output": "live/merge", "width": 640, "height": 360, "rate": 20 });
    let id = mix(&gateway, &request);
    wait_live(&gateway, &id);
    let viewer = FlvViewer::http(gateway.http(), "/live/merge.flv");
    viewer.wait_frames(flv::VIDEO, 30, LIMIT);
    Watched { gateway, _inputs: inputs, id, viewer }
}

#[test]
fn a_killed_decoder_and_a_killed_encoder_are_back_within_a_second() {
    let Watched { gateway, id, viewer, .. } = &watched();
    let (decoders, encoders) = (children(gateway, "rawvideo"), children(gateway, "libx264"));
    assert_eq!((decoders.len(), encoders.len()), (2, 1));
    signal("KILL", decoders[0]);
    wait::until_true("another decoder", LIMIT, || {
        let now = children(gateway, "rawvideo");
        now.len() == 2 && !now.contains(&decoders[0])
    });
    wait_live(gateway, id);
    signal("KILL", encoders[0]);
    let before = viewer.frames(flv::VIDEO).len();
    viewer.wait_frames(flv::VIDEO, before + 30, LIMIT);
    let gap = longest_gap(viewer, flv::VIDEO);
    assert!(gap <= FREEZE, "{gap} ms");
    assert_eq!(configurations(viewer, flv::VIDEO), 1, "the same parameter sets");
    let status = &shown(gateway, id)["status"];
    assert_eq!(status["encoder_restarts"], 1, "{status}");
    let restarts = |input: &serde_json::Value| input["decoder_restarts"].as_u64().unwrap_or(0);
    assert_eq!(status["inputs"].as_array().unwrap().iter().map(restarts).sum::<u64>(), 1, "{status}");
}

#[test]
fn a_decoder_that_is_stopped_holds_nobody_up() {
    let Watched { gateway, id, viewer, .. } = &watched();
    let memory = gateway.rss();
    let stopped = children(gateway, "rawvideo")[0];
    signal("STOP", stopped);
    // The decoder is found to hang after some seconds, and is replaced.
    wait::until_true("another decoder", LIMIT, || !children(gateway, "rawvideo").contains(&stopped));
    wait_live(gateway, id);
    let gap = longest_gap(viewer, flv::VIDEO);
    assert!(gap <= 2_000, "{gap} ms");
    let grown = gateway.rss().saturating_sub(memory);
    assert!(grown < 80 << 20, "{grown} bytes more");
}

#[test]
fn damaged_video_spoils_one_input_only() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let _red = publish(&gateway, "live/a", RED);
    // Valid FLV with damaged pictures: the bytes of every slice are replaced.
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=30"]);
    ffmpeg.args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p"]);
    ffmpeg.args(["-bsf:v", "noise=amount=30", "-f", "flv", &format!("rtmp://{}/live/bad", gateway.rtmp())]);
    let _bad = Process::start(&mut ffmpeg);
    crate::kit::wait_on_air(&gateway, "live/bad");
    let request = json!({ "inputs": ["live/a", "live/bad"], "output": "live/merge", "width": 640, "height": 360, "rate": 20 });
    let id = mix(&gateway, &request);
    wait::until_true("the good input", LIMIT, || {
        shown(&gateway, &id)["status"]["inputs"][0]["state"] == "live"
    });
    let viewer = FlvViewer::http(gateway.http(), "/live/merge.flv");
    viewer.wait_frames(flv::VIDEO, 150, LIMIT);
    let status = &shown(&gateway, &id)["status"];
    assert_eq!(
        (&status["encoder_restarts"], &status["inputs"][0]["decoder_restarts"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(status["inputs"][0]["state"], "live", "{status}");
}
