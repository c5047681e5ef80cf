//! Cost of a room's chat with a large audience, and the time until a message arrives.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::room::url;
use lianmai_tests::{Gateway, RoomClient, ws};
use serde_json::json;

use super::crowd::Crowd;
use crate::cpu::user_and_kernel;
use crate::percentile;

/// The variable with the size of the audience.
const VARIABLE: &str = "LIANMAI_BENCH_AUDIENCE";
/// Its default.
const AUDIENCE: usize = 10_000;
/// Participants who write one message a second each: together as many as a room allows.
const WRITERS: u32 = 20;
/// Members of the audience whose messages are looked at.
const PROBES: usize = 20;
const SECONDS: u32 = 10;

pub(super) fn run() {
    let wanted = std::env::var(VARIABLE).ok().and_then(|n| n.parse().ok()).unwrap_or(AUDIENCE);
    let audience = Crowd::largest(wanted);
    if audience < wanted {
        println!(
            "a process may open {audience} sockets here, not {wanted}: raise the limit with `ulimit -n`"
        );
    }
    let most = (audience + 1_000).to_string();
    let gateway =
        Gateway::start(&["--workers", "1", "--max-connections", &most, "--max-connections-per-ip", &most]);
    let mut host = RoomClient::join(&gateway, "bench", "Host", json!({}));
    let before = gateway.rss();
    let began = Instant::now();
    let crowd = Crowd::join(gateway.http(), "bench", audience);
    host.wait("audience", |counts| counts["count"] == audience);
    let joined = began.elapsed();
    let memory = gateway.rss().saturating_sub(before);
    let mut writers: Vec<ws::Socket> = (0..WRITERS).map(|n| join(&gateway, &format!("W{n}"))).collect();
    let probes: Vec<ws::Socket> = (0..PROBES).map(|n| join(&gateway, &format!("P{n}"))).collect();
    let delays = Arc::new(Mutex::new(Vec::new()));
    for probe in probes {
        let delays = delays.clone();
        thread::spawn(move || watch(probe, began, &delays));
    }
    let pid = gateway.process.pid();
    let (start, used, read) = (Instant::now(), user_and_kernel(pid), crowd.cpu());
    let interval = Duration::from_secs(1) / WRITERS;
    for n in 0..SECONDS * WRITERS {
        if let Some(wait) = (interval * n).checked_sub(start.elapsed()) {
            thread::sleep(wait);
        }
        let text = format!("@{}@ nice stream, hello from the audience", began.elapsed().as_nanos());
        let message = json!({ "type": "chat", "text": text }).to_string();
        writers[(n % WRITERS) as usize].send(ws::Message::text(message)).expect("it can be sent");
    }
    let seconds = start.elapsed().as_secs_f64();
    let [user, kernel] = user_and_kernel(pid);
    let (kernel, read) = (kernel - used[1], crowd.cpu() - read);
    let used = user - used[0] + kernel;
    thread::sleep(Duration::from_secs(1));
    let mut delays = std::mem::take(&mut *delays.lock().expect("no probe panics"));
    println!(
        "chat with {WRITERS} messages a second to an audience of {audience}, one worker, {SECONDS} s: {:.0} % of a CPU, \
         {:.0} % in the kernel, which sends (target <= 30; {:.2} µs per message and member), delivered after p50 {:.0} ms, p95 {:.0} ms (target <= 300; {} \
         of {} messages arrived); {:.1} kB of memory each; all joined in {:.1} s; the reader of this bench used {:.0} % \
         of a CPU besides",
        used.as_secs_f64() / seconds * 100.0,
        kernel.as_secs_f64() / seconds * 100.0,
        used.as_secs_f64() * 1e6 / f64::from(SECONDS * WRITERS) / audience as f64,
        percentile(&mut delays, 0.5),
        percentile(&mut delays, 0.95),
        delays.len(),
        (SECONDS * WRITERS) as usize * PROBES,
        memory as f64 / 1e3 / audience as f64,
        joined.as_secs_f64(),
        read.as_secs_f64() / seconds * 100.0,
    );
    let left = crowd.stop();
    if left < audience {
        println!("{left} of {audience} were left at the end");
    }
}

/// Joins as audience, without reading anything.
fn join(gateway: &Gateway, name: &str) -> ws::Socket {
    let mut socket = ws::connect(&url(gateway, "bench")).expect("a WebSocket");
    let join = json!({ "type": "join", "version": 1, "name": name, "role": "audience" });
    socket.send(ws::Message::text(join.to_string())).expect("it can be sent");
    socket
}

/// Notes how long each message took.
fn watch(mut socket: ws::Socket, began: Instant, delays: &Mutex<Vec<Duration>>) {
    while let Ok(message) = socket.read() {
        let now = began.elapsed();
        let text = message.to_text().unwrap_or_default();
        // Between two signs is the time at which the message was sent.
        let sent = text.split('@').skip(1).step_by(2).filter_map(|nanos| nanos.parse().ok());
        let mut delays = delays.lock().expect("no probe panics");
        delays.extend(sent.map(|nanos| now.saturating_sub(Duration::from_nanos(nanos))));
    }
}
