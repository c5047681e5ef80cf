//! A mix: CPU time and memory of the gateway with its child processes, beside the classic FFmpeg command in the same
//! seconds; the latency; the longest gap when inputs come and go; the freeze when a child process dies.

mod latency;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use lianmai_tests::player::FlvViewer;
use lianmai_tests::process::Process;
use lianmai_tests::{Gateway, flv, gateway, http, publisher, wait};
use serde_json::{Value, json};

use crate::{WINDOW, stream};

const LIMIT: Duration = Duration::from_secs(30);
/// Clock ticks of `/proc` per second.
const TICKS: f64 = 100.0;
/// Number of changes of the inputs.
const CHANGES: usize = 100;

pub(crate) fn run() {
    let small = clip("mix-180p15.flv", "size=320x180:rate=15");
    let medium = clip("mix-360p30.flv", "size=640x360:rate=30");
    println!("{} s each; CPU and memory of the gateway and its child processes together", WINDOW.as_secs());
    beside_the_command();
    cost("4 x 360p30 -> 720p30", &vec![medium; 4], "at most 35 %, 300 MB");
    cost("10 x 180p15 -> 720p30", &vec![small; 10], "at most 50 %");
    latency::run();
    gaps();
}

/// Returns a clip with a tone, made once.
fn clip(name: &str, video: &str) -> PathBuf {
    let path = gateway::cache_dir().join(name);
    if !path.exists() {
        let part = path.with_extension("part.flv");
        let made = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-y",
                "-f",
                "lavfi",
                "-i",
                &format!("testsrc2={video}"),
                "-f",
                "lavfi",
                "-i",
            ])
            .args([
                "sine=frequency=440:sample_rate=48000",
                "-t",
                "20",
                "-c:v",
                "libx264",
                "-preset",
                "veryfast",
            ])
            .args(["-tune", "zerolatency", "-profile:v", "baseline", "-g", "60", "-pix_fmt", "yuv420p"])
            .args(["-c:a", "aac"])
            .arg(&part)
            .status();
        assert!(made.is_ok_and(|status| status.success()), "ffmpeg makes {name}");
        fs::rename(&part, &path).expect("the clip is kept");
    }
    path
}

fn api(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Value {
    let path = gateway.operator(path);
    let body = body.to_string();
    let response =
        http::send(gateway.http(), method, &path, &["Content-Type: application/json"], body.as_bytes());
    assert!(response.status < 300, "{method} {path}: {}", response.text());
    serde_json::from_slice(&response.body).expect("JSON")
}

/// Starts inputs and a mix of them. Returns the publishers and the id of the mix.
fn start(gateway: &Gateway, clips: &[PathBuf]) -> (Vec<Process>, String) {
    let publish = |(n, clip): (usize, &PathBuf)| {
        let publisher = publisher::ffmpeg_forever(clip, &gateway.rtmp_url(&format!("in{n}")));
        gateway.wait_published(&format!("in{n}"));
        publisher
    };
    let publishers: Vec<Process> = clips.iter().enumerate().map(publish).collect();
    let inputs: Vec<String> = (0..clips.len()).map(|n| format!("live/in{n}")).collect();
    let mix = api(gateway, "POST", "/api/v1/mixes", &json!({ "inputs": inputs, "output": "live/mix" }));
    let id = mix["mix"]["id"].as_str().expect("an id").to_owned();
    wait::until_true("all inputs", LIMIT, || {
        let mix = api(gateway, "GET", &format!("/api/v1/mixes/{id}"), &Value::Null);
        mix["mix"]["status"]["inputs"]
            .as_array()
            .is_some_and(|all| all.len() == clips.len() && all.iter().all(|input| input["state"] == "live"))
    });
    (publishers, id)
}

fn cost(name: &str, clips: &[PathBuf], reach: &str) {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let (_publishers, id) = start(&gateway, clips);
    let _viewer = FlvViewer::http(gateway.http(), "/live/mix.flv");
    thread::sleep(Duration::from_secs(3));
    let before = cpu(gateway.process.pid());
    thread::sleep(WINDOW);
    report(&gateway, &id, name, &before, reach);
}

fn beside_the_command() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let clip = stream::clip();
    let (_publishers, id) = start(&gateway, &[clip.clone(), clip]);
    let _viewer = FlvViewer::http(gateway.http(), "/live/mix.flv");
    let mut command = Command::new("ffmpeg");
    for n in 0..2 {
        command.args(["-f", "flv", "-i", &gateway.rtmp_url(&format!("in{n}"))]);
    }
    let graph = "[1:v]scale=w=96:h=72[ckout];[0:v][ckout]overlay=x=W-w-10:y=H-h-10[out]";
    command.args([
        "-v",
        "error",
        "-filter_complex",
        graph,
        "-map",
        "[out]",
        "-c:v",
        "libx264",
        "-profile:v",
        "high",
    ]);
    command.args(["-preset", "medium", "-filter_complex", "amix", "-c:a", "aac", "-f", "flv"]);
    let command = Process::start(command.arg(gateway.rtmp_url("merge")));
    gateway.wait_published("merge");
    thread::sleep(Duration::from_secs(3));
    let (before, theirs) = (cpu(gateway.process.pid()), cpu(command.pid()));
    thread::sleep(WINDOW);
    report(&gateway, &id, "2 x 720p30 -> 720p30", &before, "at most 38 %, 200 MB");
    let spent = spent(&theirs, &cpu(command.pid()));
    println!("  the FFmpeg command (medium) {spent:.0} % of a core, {}", memory(command.pid()));
}

fn report(gateway: &Gateway, id: &str, name: &str, before: &BTreeMap<u32, f64>, reach: &str) {
    let pid = gateway.process.pid();
    let spent = spent(before, &cpu(pid));
    let mix = &api(gateway, "GET", &format!("/api/v1/mixes/{id}"), &Value::Null)["mix"]["status"];
    println!(
        "  {name}: {spent:.0} % of a core, {} (reach: {reach}); {} pictures/s, {} lost, encoder {} ms, delays {:?} ms",
        memory(pid),
        mix["fps"],
        mix["drops"],
        mix["encoder_ms"],
        delays(mix),
    );
}

/// Returns the delays of the inputs in milliseconds.
fn delays(status: &Value) -> Vec<i64> {
    let inputs = status["inputs"].as_array().into_iter().flatten();
    inputs.filter_map(|input| input["delay_ms"].as_i64()).collect()
}

/// The longest gap over many joins and leaves, and after the death of each kind of child.
fn gaps() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let clip = stream::clip();
    let (_publishers, id) = start(&gateway, &[clip.clone(), clip]);
    let path = format!("/api/v1/mixes/{id}");
    let viewer = FlvViewer::http(gateway.http(), "/live/mix.flv");
    viewer.wait_frames(flv::VIDEO, 30, LIMIT);
    for n in 0..CHANGES {
        let inputs: &[&str] = if n % 2 == 0 { &["live/in0"] } else { &["live/in0", "live/in1"] };
        let layout = ["grid", "side", "speaker", "pip"][n % 4];
        api(&gateway, "PATCH", &path, &json!({ "inputs": inputs, "layout": layout }));
        let seen = viewer.frames(flv::VIDEO).len();
        viewer.wait_frames(flv::VIDEO, seen + 6, LIMIT);
    }
    let configurations =
        viewer.seen().iter().filter(|seen| seen.tag.kind == flv::VIDEO && !seen.tag.is_frame()).count();
    println!(
        "  {CHANGES} joins and leaves: longest gap {} ms of video, {} ms of audio (reach: 100), {configurations} configuration",
        gap(&viewer, flv::VIDEO, 0),
        gap(&viewer, flv::AUDIO, 0),
    );
    for (name, word) in [("decoder", "rawvideo"), ("encoder", "libx264")] {
        let from = viewer.frames(flv::VIDEO).len();
        let Some(child) = children(gateway.process.pid()).into_iter().find(|id| {
            fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains(word))
        }) else {
            continue;
        };
        let _ = Command::new("kill").args(["-KILL", &child.to_string()]).status();
        viewer.wait_frames(flv::VIDEO, from + 60, LIMIT);
        println!(
            "  {name} killed: longest gap {} ms (reach: 1000)",
            gap(&viewer, flv::VIDEO, from.saturating_sub(5))
        );
    }
}

fn gap(viewer: &FlvViewer, kind: u8, from: usize) -> u32 {
    let times: Vec<u32> = viewer.frames(kind).iter().skip(from).map(|seen| seen.tag.time).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}

/// Returns the child processes of a process.
fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers =
        |list: String| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>();
    lists.flat_map(numbers).collect()
}

/// Returns the CPU time of a process and of its children in seconds.
fn cpu(pid: u32) -> BTreeMap<u32, f64> {
    let all = std::iter::once(pid).chain(children(pid));
    let time = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let fields: Vec<f64> = stat
            .rsplit_once(") ")?
            .1
            .split(' ')
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse().ok())
            .collect();
        Some((id, fields.iter().sum::<f64>() / TICKS))
    };
    all.filter_map(time).collect()
}

/// Returns the CPU time between two readings, in per cent of a core.
fn spent(before: &BTreeMap<u32, f64>, after: &BTreeMap<u32, f64>) -> f64 {
    let sum: f64 = after.iter().map(|(id, time)| time - before.get(id).unwrap_or(&0.0)).sum();
    sum * 100.0 / WINDOW.as_secs_f64()
}

/// Describes the memory of a process and of its children. RSS counts a page that several processes share once for each
/// of them; PSS divides it among them, as if it was counted once.
fn memory(pid: u32) -> String {
    let all: Vec<u32> = std::iter::once(pid).chain(children(pid)).collect();
    let sum = |name: &str| all.iter().map(|id| rollup(*id, name)).sum::<u64>() >> 10;
    let each: Vec<String> = all.iter().map(|id| (rollup(*id, "Pss:") >> 10).to_string()).collect();
    format!("{} MB of memory (PSS: {}), {} MB RSS", sum("Pss:"), each.join(" + "), sum("Rss:"))
}

/// Returns a line of `/proc/PID/smaps_rollup` in kB.
fn rollup(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
