//! A mix whose encoder is too slow lowers its quality, restarts, and what the metrics say about both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lianmai_tests::player::FlvViewer;
use lianmai_tests::{Gateway, flv, wait};
use serde_json::{Value, json};

use crate::children::{children, signal};
use crate::kit::{BLUE, LIMIT, RED, api, change, configurations, json_of, mix, publish, shown, wait_live};

/// Slows down a process: it runs for a small part of the time only.
struct Slow {
    id: u32,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Slow {
    fn new(id: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            // The process ends when another encoder takes over.
            while !stopped.load(Ordering::Relaxed) && exists(id) {
                signal("STOP", id);
                thread::sleep(Duration::from_millis(400));
                if exists(id) {
                    signal("CONT", id);
                    thread::sleep(Duration::from_millis(100));
                }
            }
        });
        Self { id, stop, thread: Some(thread) }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if exists(self.id) {
            signal("CONT", self.id);
        }
    }
}

fn exists(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/cmdline")).is_ok_and(|line| line.contains("libx264"))
}

/// Returns the value of a line of the metrics.
fn metric(gateway: &Gateway, line: &str) -> Option<f64> {
    let text = api(gateway, "GET", "/metrics", &Value::Null).text();
    text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok())
}

#[test]
fn an_encoder_that_is_too_slow_is_replaced_by_a_faster_one_and_viewers_see_no_break() {
    let gateway = Gateway::start(&["--mix-quality", "auto"]);
    let _inputs = [publish(&gateway, "live/a", RED), publish(&gateway, "live/b", BLUE)];
    // The pipe to the encoder holds three pictures of this size, fewer than come while the encoder is stopped.
    let request = json!({ "inputs": ["live/a", "live/b"], "output": "live/merge", "width": 640, "height": 360, "rate": 20 });
    let id = mix(&gateway, &request);
    wait_live(&gateway, &id);
    let viewer = FlvViewer::http(gateway.http(), "/live/merge.flv");
    viewer.wait_frames(flv::VIDEO, 20, LIMIT);
    let slow = Slow::new(children(&gateway, "libx264")[0]);
    let status = wait::until("a lower quality", LIMIT, || {
        let status = shown(&gateway, &id)["status"].clone();
        (status["quality"] != "full").then_some(status)
    });
    assert!(status["limited_by"].as_str().is_some_and(|text| text.contains("too")), "{status}");
    assert!(status["quality_steps"].as_u64() >= Some(1) && status["drops"].as_u64() > Some(0), "{status}");
    let own = "{mix=\"live/merge\"}";
    assert!(metric(&gateway, &format!("lianmai_mix_quality_steps{own}")) >= Some(1.0));
    assert!(metric(&gateway, &format!("lianmai_mix_dropped_total{own}")) > Some(0.0));
    // The faster encoder is another process.
    wait::until_true("the faster encoder alone", LIMIT, || {
        let encoders = children(&gateway, "libx264");
        encoders.len() == 1 && encoders[0] != slow.id
    });
    let from = viewer.frames(flv::VIDEO).len();
    viewer.wait_frames(flv::VIDEO, from + 40, LIMIT);
    drop(slow);
    assert!(viewer.error().is_none() && !viewer.over());
    let tags = viewer.seen();
    let video: Vec<_> = tags.iter().filter(|seen| seen.tag.kind == flv::VIDEO).collect();
    assert!(video.windows(2).all(|pair| pair[0].tag.time <= pair[1].tag.time), "the times rise");
    // Another preset may have another configuration: then it begins with a key frame.
    for pair in video.windows(2).filter(|pair| !pair[0].tag.is_frame()) {
        assert!(pair[1].tag.is_key());
    }
    let audio: Vec<u32> = viewer.frames(flv::AUDIO).iter().map(|seen| seen.tag.time).collect();
    let gap = audio.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(gap <= Some(24) && configurations(&viewer, flv::AUDIO) == 1, "{gap:?}");
}

#[test]
fn a_mix_that_is_restarted_takes_its_own_stream_over_at_once() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let _input = publish(&gateway, "live/a", RED);
    let id = mix(
        &gateway,
        &json!({ "inputs": ["live/a"], "output": "live/merge", "width": 320, "height": 180, "rate": 10 }),
    );
    wait_live(&gateway, &id);
    for n in 1..=5 {
        let response = api(&gateway, "POST", &format!("/api/v1/jobs/{id}/restart"), &Value::Null);
        assert_eq!(response.status, 200, "{}", response.text());
        wait::until_true("another run", LIMIT, || {
            let jobs = json_of(&api(&gateway, "GET", "/api/v1/jobs", &Value::Null));
            let job = jobs["jobs"].as_array().unwrap().iter().find(|job| job["id"] == id.as_str()).cloned();
            job.is_some_and(|job| {
                assert_eq!(job["failure"], Value::Null, "{job}");
                job["restarts"] == n && job["state"] == "running"
            })
        });
    }
    wait_live(&gateway, &id);
}

#[test]
fn metrics_count_the_pictures_of_a_mix_and_of_its_inputs() {
    let gateway = Gateway::start(&["--mix-quality", "full", "--mix-max", "3"]);
    assert_eq!(
        (metric(&gateway, "lianmai_mixes"), metric(&gateway, "lianmai_mixes_max")),
        (Some(0.0), Some(3.0))
    );
    let _input = publish(&gateway, "live/c", crate::kit::GREEN);
    // The input has 15 pictures per second, so every second one is repeated.
    let request = json!({ "inputs": ["live/c", "live/nobody"], "output": "live/merge", "width": 320, "height": 180, "rate": 30 });
    let id = mix(&gateway, &request);
    let own = "{mix=\"live/merge\"}";
    let input = |name: &str, stream: &str| {
        metric(&gateway, &format!("lianmai_mix_input_{name}{{mix=\"live/merge\",input=\"live/{stream}\"}}"))
    };
    wait::until_true("pictures in the metrics", LIMIT, || {
        input("pictures_total", "c") > Some(30.0) && input("repeated_total", "c") > Some(20.0)
    });
    assert_eq!(metric(&gateway, "lianmai_mixes"), Some(1.0));
    assert!(metric(&gateway, &format!("lianmai_mix_pictures_total{own}")) > Some(30.0));
    assert!(metric(&gateway, &format!("lianmai_mix_cpu_seconds_total{own}")) > Some(0.0));
    assert_eq!(metric(&gateway, &format!("lianmai_mix_inputs{own}")), Some(1.0));
    assert_eq!(
        (input("pictures_total", "nobody"), input("decoder_restarts_total", "c")),
        (Some(0.0), Some(0.0))
    );
    signal("KILL", children(&gateway, "rawvideo")[0]);
    wait::until_true("the decoder's restart", LIMIT, || input("decoder_restarts_total", "c") == Some(1.0));
    // An input that leaves the mix leaves the metrics.
    change(&gateway, &id, &json!({ "inputs": ["live/c"] }));
    wait::until_true("its lines to go", LIMIT, || input("pictures_total", "nobody").is_none());
    assert_eq!(api(&gateway, "DELETE", &format!("/api/v1/mixes/{id}"), &Value::Null).status, 200);
    wait::until_true("the lines of the mix to go", LIMIT, || {
        metric(&gateway, &format!("lianmai_mix_pictures_total{own}")).is_none()
    });
    assert_eq!(metric(&gateway, "lianmai_mixes"), Some(0.0));
}
