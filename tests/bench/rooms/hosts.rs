//! Cost of ten hosts who see and hear each other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::gateway::{anonymous_memory, rss};
use lianmai_tests::rtc::{Call, Media, Peer};
use lianmai_tests::{Clip, Gateway, RoomClient};
use serde_json::json;
use str0m::media::MediaKind;

use crate::WINDOW;
use crate::cpu::cpu;
use crate::whep::{Got, Viewers, wait, watch};

const HOSTS: usize = 10;
/// Interval at which the hosts read their messages. A host that answers no ping for 40 s loses the seat.
const READ_EVERY: Duration = Duration::from_secs(5);

/// A host, as its media connections need it.
struct Host {
    id: String,
    /// The query with the seat key.
    seat: String,
}

pub(super) fn run() {
    let gateway = Gateway::start(&["--workers", "1"]);
    let names = (0..HOSTS).map(|n| format!("H{n}"));
    let mut clients: Vec<RoomClient> =
        names.map(|name| RoomClient::join(&gateway, "bench", &name, json!({ "role": "host" }))).collect();
    let hosts: Vec<Host> = clients
        .iter()
        .map(|client| Host { id: client.id().to_owned(), seat: format!("seat={}", client.key()) })
        .collect();
    let (stop, stopped) = mpsc::channel::<()>();
    let reader = thread::spawn(move || {
        while stopped.recv_timeout(READ_EVERY) == Err(RecvTimeoutError::Timeout) {
            clients.iter_mut().for_each(RoomClient::sync);
        }
    });
    let call = |host: &Host, stream: &str| {
        Call::new(&gateway, &format!("{}{stream}", host.id)).app("bench").query(&host.seat)
    };
    let (full, small) = (Media::usual(), Media::of(Clip::Small).mute());
    let publishers: Vec<Peer> = hosts
        .iter()
        .flat_map(|host| {
            [Peer::publish(&call(host, ""), full.clone()), Peer::publish(&call(host, "~s"), small.clone())]
        })
        .collect();
    for publisher in &publishers {
        publisher.wait_connected(Duration::from_secs(60));
    }
    report(&gateway, 0, "nothing played");
    let play = |stream: &str, kind| {
        let got = Arc::new(Got::default());
        let others = hosts.iter().enumerate().flat_map(|(n, host)| {
            let others = hosts.iter().enumerate().filter(move |(m, _)| *m != n).map(|(_, other)| other);
            others.map(move |other| (host, other))
        });
        let calls = others.map(|(host, other)| Call { query: host.seat.clone(), ..call(other, stream) });
        let viewers = watch(calls.collect(), &[kind], got.clone());
        wait(|| got.connected.load(Ordering::Relaxed) == (HOSTS * (HOSTS - 1)) as u64);
        (viewers, got)
    };
    let (small, seen): (Viewers, Arc<Got>) = play("~s", MediaKind::Video);
    wait(|| seen.pictures.load(Ordering::Relaxed) > 90);
    thread::sleep(Duration::from_secs(3));
    let before = seen.pictures.load(Ordering::Relaxed);
    let cost = report(&gateway, 90, "each host plays the small video of nine others");
    let each = (seen.pictures.load(Ordering::Relaxed) - before) as f64 / WINDOW.as_secs_f64() / 90.0;
    println!("target <= 15 % and <= 40 MB: {cost:.1} %; {each:.1} pictures a second each");
    let (audio, _) = play("", MediaKind::Audio);
    thread::sleep(Duration::from_secs(3));
    report(&gateway, 180, "and their audio");
    drop((small, audio, stop));
    reader.join().expect("the hosts stay in the room");
}

/// Prints the use of CPU time and memory. Returns the percentage of a CPU.
fn report(gateway: &Gateway, plays: usize, what: &str) -> f64 {
    let pid = gateway.process.pid();
    let (begin, before) = (Instant::now(), cpu(pid));
    thread::sleep(WINDOW);
    let used = (cpu(pid) - before).as_secs_f64() / begin.elapsed().as_secs_f64() * 100.0;
    println!(
        "{HOSTS} hosts publish 320x180p30 with Opus and a small layer of 15 pictures a second; {plays} plays ({what}), one \
         worker, {} s: {used:.1} % of a CPU, {:.1} MB, {:.1} MB without the pages of the program",
        WINDOW.as_secs(),
        rss(pid) as f64 / 1e6,
        anonymous_memory(pid) as f64 / 1e6,
    );
    used
}
