//! Cost of a room's chat with a large audience, and the time until a message arrives.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::room::url;
use lianmai_tests::{Gateway, RoomClient, ws};
use serde_json::json;
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;

use crate::cpu::{cpu, read_all};
use crate::percentile;

/// The variable with the size of the audience.
const VARIABLE: &str = "LIANMAI_BENCH_AUDIENCE";
/// Its default.
const AUDIENCE: usize = 2_000;
/// Participants who write one message a second each: together as many as a room allows.
const WRITERS: u32 = 20;
/// Members of the audience whose messages are looked at.
const PROBES: usize = 20;
const SECONDS: u32 = 10;

pub(crate) fn run() {
    let audience = std::env::var(VARIABLE).ok().and_then(|n| n.parse().ok()).unwrap_or(AUDIENCE);
    let gateway = Gateway::start(&["--workers", "1", "--max-connections", "20000"]);
    let mut host = RoomClient::join(&gateway, "bench", "Host", json!({}));
    let before = gateway.rss();
    let began = Instant::now();
    let readers: Vec<ws::Socket> = (0..audience).map(|n| join(&gateway, &format!("A{n}"))).collect();
    host.wait("audience", |counts| counts["count"] == audience);
    let joined = began.elapsed();
    let mut writers: Vec<ws::Socket> = (0..WRITERS).map(|n| join(&gateway, &format!("W{n}"))).collect();
    let probes: Vec<ws::Socket> = (0..PROBES).map(|n| join(&gateway, &format!("P{n}"))).collect();
    let memory = gateway.rss().saturating_sub(before);

    let (stop, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut raw: Vec<TcpStream> = readers.iter().chain(&writers).map(tcp).collect();
    raw.push(tcp(&host.socket));
    let (over, total) = (stop.clone(), received.clone());
    let reader = thread::spawn(move || read_all(raw, &total, &over));
    let delays = Arc::new(Mutex::new(Vec::new()));
    for probe in probes {
        let delays = delays.clone();
        thread::spawn(move || watch(probe, began, &delays));
    }
    let pid = gateway.process.pid();
    let (start, used) = (Instant::now(), cpu(pid));
    let interval = Duration::from_secs(1) / WRITERS;
    for n in 0..SECONDS * WRITERS {
        if let Some(wait) = (interval * n).checked_sub(start.elapsed()) {
            thread::sleep(wait);
        }
        let text = format!("@{}@ nice stream, hello from the audience", began.elapsed().as_nanos());
        let message = json!({ "type": "chat", "text": text }).to_string();
        writers[(n % WRITERS) as usize].send(ws::Message::text(message)).expect("it can be sent");
    }
    let (seconds, used) = (start.elapsed().as_secs_f64(), cpu(pid) - used);
    thread::sleep(Duration::from_secs(1));
    let mut delays = std::mem::take(&mut *delays.lock().expect("no probe panics"));
    println!(
        "chat with {WRITERS} messages a second to an audience of {audience}, one worker, {SECONDS} s: {:.0} % of a CPU \
         ({:.2} µs per message and member), delivered after p50 {:.0} ms, p95 {:.0} ms ({} of {} messages arrived); \
         {:.1} kB of memory each; all joined in {:.1} s",
        used.as_secs_f64() / seconds * 100.0,
        used.as_secs_f64() * 1e6 / f64::from(SECONDS * WRITERS) / audience as f64,
        percentile(&mut delays, 0.5),
        percentile(&mut delays, 0.95),
        delays.len(),
        (SECONDS * WRITERS) as usize * PROBES,
        memory as f64 / 1e3 / audience as f64,
        joined.as_secs_f64(),
    );
    stop.store(true, Ordering::Relaxed);
    let left = reader.join().expect("the reader works");
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

fn tcp(socket: &ws::Socket) -> TcpStream {
    let MaybeTlsStream::Plain(tcp) = socket.get_ref() else { panic!("no TLS here") };
    tcp.try_clone().expect("another handle")
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
