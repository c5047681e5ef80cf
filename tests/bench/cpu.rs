//! µs of server CPU that one viewer costs in one second.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::{publisher, rtmp};

use crate::nginx::Nginx;
use crate::{WINDOW, stream};

const VIEWERS: usize = 300;

pub(crate) fn run() {
    println!("{VIEWERS} viewers of 720p30 at 2 Mb/s + AAC, one worker, {} s each", WINDOW.as_secs());
    let flv = {
        let (gateway, _publisher) = stream::gateway(&["--workers", "1"]);
        let (http, pid) = (gateway.http(), gateway.process.pid());
        measure("lianmai, HTTP-FLV", pid, || http_flv(http))
    };
    let own_rtmp = {
        let (gateway, _publisher) = stream::gateway(&["--workers", "1"]);
        let (rtmp, pid) = (gateway.rtmp(), gateway.process.pid());
        measure("lianmai, RTMP", pid, || play_rtmp(rtmp))
    };
    let Some(nginx) = Nginx::start() else {
        println!("nginx with its rtmp module is not installed (Debian's libnginx-mod-rtmp): no comparison");
        return;
    };
    let url = format!("rtmp://{}/live/bench", nginx.rtmp);
    let _publisher = publisher::ffmpeg_forever(&stream::clip(), &url);
    // nginx tells nothing; a player that gets bytes shows that the publisher is there.
    thread::sleep(Duration::from_secs(1));
    let peer = measure("nginx-rtmp, RTMP", nginx.process.pid(), || play_rtmp(nginx.rtmp));
    println!("HTTP-FLV costs {:.2} x nginx-rtmp (target <= 0.5), RTMP {:.2} x", flv / peer, own_rtmp / peer);
}

/// A viewer that asked and is now only read.
fn http_flv(to: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(to).expect("the server listens");
    let request = format!("GET /live/bench.flv HTTP/1.1\r\nHost: {to}\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("a request can be sent");
    socket
}

fn play_rtmp(to: SocketAddr) -> TcpStream {
    rtmp::Client::play(to, "bench").expect("RTMP play").socket
}

/// Connects the viewers, lets them settle, and answers µs per viewer-second.
fn measure(name: &str, pid: u32, connect: impl Fn() -> TcpStream) -> f64 {
    let sockets: Vec<TcpStream> = (0..VIEWERS).map(|_| connect()).collect();
    let received = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let reader = {
        let (received, stop) = (Arc::clone(&received), Arc::clone(&stop));
        thread::spawn(move || read_all(sockets, &received, &stop))
    };
    // The cached pictures that each gets at first are not part of the running cost.
    thread::sleep(Duration::from_secs(4));
    let (start, before, bytes) = (Instant::now(), cpu(pid), received.load(Ordering::Relaxed));
    thread::sleep(WINDOW);
    let seconds = start.elapsed().as_secs_f64();
    let used = cpu(pid) - before;
    let bits = (received.load(Ordering::Relaxed) - bytes) as f64 * 8.0 / seconds / VIEWERS as f64;
    stop.store(true, Ordering::Relaxed);
    let alive = reader.join().expect("the reader works");
    let cost = used.as_secs_f64() * 1e6 / seconds / VIEWERS as f64;
    println!(
        "{name:<18} {cost:>6.0} µs of CPU per viewer-second; {alive} viewers got {:.2} Mb/s each ({:.0} %)",
        bits / 1e6,
        bits / stream::BITRATE * 100.0
    );
    cost
}

/// Reads and forgets what comes on all sockets, on one thread; answers how many are still open.
fn read_all(sockets: Vec<TcpStream>, received: &AtomicU64, stop: &AtomicBool) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let closed = Arc::new(AtomicU64::new(0));
    let viewers = sockets.len();
    runtime.block_on(tokio::task::LocalSet::new().run_until(async {
        let total = Arc::new(AtomicU64::new(0));
        for socket in sockets {
            socket.set_nonblocking(true).expect("sockets can be non-blocking");
            let socket = tokio::net::TcpStream::from_std(socket).expect("a runtime is here");
            let (closed, total) = (Arc::clone(&closed), Arc::clone(&total));
            tokio::task::spawn_local(async move {
                let mut buffer = vec![0; 64 * 1024];
                while socket.readable().await.is_ok() {
                    match socket.try_read(&mut buffer) {
                        Ok(0) => break,
                        Ok(n) => _ = total.fetch_add(n as u64, Ordering::Relaxed),
                        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                        Err(_) => break,
                    }
                }
                closed.fetch_add(1, Ordering::Relaxed);
            });
        }
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            received.store(total.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }));
    viewers - closed.load(Ordering::Relaxed) as usize
}

/// User and system time of all of a process's threads, in the kernel's 10 ms ticks.
fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server lives");
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|n| n.parse::<u64>().expect("a number of ticks")).sum();
    Duration::from_millis(ticks * 10)
}
