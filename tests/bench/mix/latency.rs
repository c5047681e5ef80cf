//! The latency that a mix adds: from a host's frame on its way to the gateway, to the mixed frame that shows it at a
//! viewer. Both hosts send numbered pictures with audio. The number is read from the received frames after the
//! measurement, so the time of decoding them does not count.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::flv::{self, Tag, VIDEO};
use lianmai_tests::gateway::{self, temp_dir};
use lianmai_tests::player::FlvViewer;
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Gateway, http, rtmp, wait};
use serde_json::{Value, json};

use crate::{WINDOW, percentile};

const LIMIT: Duration = Duration::from_secs(30);
/// Number of pictures of the clip, and of the bits of their numbers.
const PICTURES: usize = 600;
const BITS: usize = 10;
/// Duration of the clip in milliseconds.
const PERIOD: u32 = 20_000;
/// Duration of the beginning that is not measured: the mix measures the delays of its inputs.
const SETTLE: Duration = Duration::from_secs(12);

/// The times at which a host sent each picture.
type SentAt = Arc<Mutex<BTreeMap<usize, Vec<Instant>>>>;

/// Returns the tags of a clip whose pictures show their number: black and white fields of 64x64 pixels in the corner.
fn clip() -> Vec<Tag> {
    let file = gateway::cache_dir().join("mix-numbers-720p30.flv");
    if !file.exists() {
        let part = file.with_extension("part.flv");
        let field = |bit: usize| {
            format!(
                "drawbox=x={}:w=64:h=64:t=fill:color=white:enable='mod(floor(n/{}),2)'",
                bit * 64,
                1 << bit
            )
        };
        let fields: Vec<String> = (0..BITS).map(field).collect();
        let video = format!(
            "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t,drawbox=w={}:h=64:t=fill:color=black,{}",
            BITS * 64,
            fields.join(",")
        );
        let options = "-c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -pix_fmt yuv420p -g 60 \
                       -keyint_min 60 -sc_threshold 0 -b:v 2M -maxrate 2M -bufsize 1M -c:a aac -b:a 64k -t 20";
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", &video]);
        ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]);
        ffmpeg.args(options.split_whitespace()).arg(&part);
        assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg makes the numbered clip");
        fs::rename(&part, &file).expect("the clip is kept");
    }
    flv::read(&fs::read(file).expect("the clip")).1
}

/// A host over RTMP: sends the tags in a loop until it is dropped.
struct RtmpHost {
    sent: SentAt,
    stop: Arc<AtomicBool>,
}

impl RtmpHost {
    fn start(gateway: &Gateway, name: &str, tags: Vec<Tag>) -> Self {
        let mut client = rtmp::Client::publish(gateway.rtmp(), name).expect("RTMP publish");
        let (sent, stop) = (SentAt::default(), Arc::new(AtomicBool::new(false)));
        let (noted, stopped) = (sent.clone(), stop.clone());
        thread::spawn(move || {
            let start = Instant::now();
            for turn in 0.. {
                let mut number = 0;
                for tag in tags.iter().filter(|tag| tag.kind != flv::SCRIPT) {
                    let time = tag.time + turn * PERIOD;
                    let due = start + Duration::from_millis(u64::from(time));
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    if stopped.load(Ordering::Relaxed)
                        || client.send_tag(&Tag { time, ..tag.clone() }).is_err()
                    {
                        return;
                    }
                    if tag.kind == VIDEO && tag.is_frame() {
                        noted.lock().expect("no panic").entry(number).or_default().push(Instant::now());
                        number += 1;
                    }
                }
            }
        });
        Self { sent, stop }
    }
}

impl Drop for RtmpHost {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Returns when each picture of a WebRTC host was sent. The host sends the clip in a loop, without leaving out any.
fn sent_by(peer: &Peer) -> BTreeMap<usize, Vec<Instant>> {
    let mut all: BTreeMap<usize, Vec<Instant>> = BTreeMap::new();
    for (n, frame) in peer.sent().iter().filter(|frame| frame.video).enumerate() {
        all.entry(n % PICTURES).or_default().push(frame.at);
    }
    all
}

/// Decodes received frames, and reads both numbers of each: of the picture on the left and on the right.
fn numbers(format: &str, bytes: &[u8]) -> Vec<[usize; 2]> {
    let folder: PathBuf = temp_dir("latency");
    let (input, output) = (folder.join("in"), folder.join("out"));
    fs::write(&input, bytes).expect("the frames are written");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-flags", "low_delay", "-f", format, "-i"]).arg(&input);
    // A field is 32x32 pixels in the mix. Its middle alone counts.
    ffmpeg.args(["-vf", "crop=1280:16:0:8,scale=80:1:flags=area", "-an", "-fps_mode", "passthrough"]);
    ffmpeg.args(["-pix_fmt", "gray", "-f", "rawvideo"]).arg(&output);
    assert!(ffmpeg.status().is_ok_and(|status| status.success()), "ffmpeg decodes the mix");
    let lines = fs::read(&output).expect("pictures");
    let _ = fs::remove_dir_all(&folder);
    // Two samples for each field.
    let number = |half: &[u8]| {
        (0..BITS).filter(|bit| half[2 * bit].midpoint(half[2 * bit + 1]) > 127).map(|bit| 1 << bit).sum()
    };
    lines.chunks_exact(80).map(|line| [number(&line[..40]), number(&line[40..])]).collect()
}

/// Returns the latencies of the pictures of both hosts, from the arrival times of the frames and their numbers.
fn latencies(
    arrivals: &[Instant],
    numbers: &[[usize; 2]],
    sent: [&BTreeMap<usize, Vec<Instant>>; 2],
    from: Instant,
) -> [Vec<Duration>; 2] {
    assert_eq!(arrivals.len(), numbers.len(), "each received frame is one picture");
    let mut all = [Vec::new(), Vec::new()];
    for (at, numbers) in arrivals.iter().zip(numbers).filter(|(at, _)| **at > from) {
        for ((number, sent), latencies) in numbers.iter().zip(sent).zip(&mut all) {
            let times = sent.get(number);
            latencies.extend(
                times.and_then(|times| times.iter().rfind(|then| *then <= at)).map(|then| *at - *then),
            );
        }
    }
    all
}

pub(super) fn run() {
    let gateway = Gateway::start(&["--mix-quality", "full"]);
    let tags = clip();
    let media = Media { whole: true, ..Media::of_tags(&tags) };
    let web = Peer::publish(&Call::new(&gateway, "web"), media);
    let encoder = RtmpHost::start(&gateway, "encoder", tags);
    gateway.wait_published("web");
    gateway.wait_published("encoder");
    let regions = json!([
        { "source": 0, "x": 0, "y": 0, "w": 640, "h": 360 }, { "source": 1, "x": 640, "y": 0, "w": 640, "h": 360 }
    ]);
    let request = json!({
        "inputs": ["live/web", "live/encoder"], "output": "live/mix", "names": false, "border": false, "fade": false,
        "layout": { "regions": regions }
    });
    super::api(&gateway, "POST", "/api/v1/mixes", &request);
    let flv = wait::until("the mix", LIMIT, || {
        let open = http::open(gateway.http(), "GET", "/live/mix.flv", &[]).status == 200;
        open.then(|| FlvViewer::http(gateway.http(), "/live/mix.flv"))
    });
    flv.wait_frames(VIDEO, 60, LIMIT);
    let whep = Peer::play(&Call::new(&gateway, "mix"));
    whep.wait_frames(true, 30, LIMIT);
    let from = Instant::now() + SETTLE;
    thread::sleep(SETTLE + WINDOW);
    let status = &super::api(&gateway, "GET", "/api/v1/mixes", &Value::Null)["mixes"][0]["status"];
    let delays: Vec<i64> = super::delays(status);
    let (frames, pictures) = (flv.seen(), whep.frames(true));
    let sent = (sent_by(&web), encoder.sent.lock().expect("no panic").clone());
    drop((web, encoder));
    println!(
        "  added latency, host to viewer, both with audio, {} s (delays of the inputs {delays:?} ms, encoder {} ms):",
        WINDOW.as_secs(),
        status["encoder_ms"]
    );
    let report = |viewer: &str, arrivals: &[Instant], numbers: &[[usize; 2]]| {
        let hosts = ["WHIP", "RTMP"].into_iter().zip(latencies(arrivals, numbers, [&sent.0, &sent.1], from));
        for (host, mut times) in hosts {
            println!(
                "    {host} -> mix -> {viewer}: p50 {:.0} ms, p95 {:.0} ms, {} pictures",
                percentile(&mut times, 0.5),
                percentile(&mut times, 0.95),
                times.len()
            );
        }
    };
    let contiguous = pictures.iter().all(|frame| frame.contiguous);
    let arrivals: Vec<Instant> = pictures.iter().map(|frame| frame.at).collect();
    let bytes: Vec<u8> = pictures.iter().flat_map(|frame| frame.data.iter().copied()).collect();
    if contiguous {
        report("WHEP", &arrivals, &numbers("h264", &bytes));
    } else {
        println!("    over WHEP: not measured, datagrams were lost");
    }
    let video: Vec<_> = frames.iter().filter(|seen| seen.tag.kind == VIDEO).collect();
    let mut bytes = flv::header(1).to_vec();
    video.iter().for_each(|seen| bytes.extend(seen.tag.bytes()));
    let arrivals: Vec<Instant> =
        video.iter().filter(|seen| seen.tag.is_frame()).map(|seen| seen.at).collect();
    report("FLV", &arrivals, &numbers("flv", &bytes));
    drop((flv, whep));
}
