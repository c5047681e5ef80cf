//! Server CPU time in µs per viewer and second.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::player::FlvViewer;
use lianmai_tests::{publisher, rtmp, tls};

use crate::lag::Probe;
use crate::nginx::Nginx;
use crate::{WINDOW, stream};

const VIEWERS: usize = 300;
/// A server whose median viewer lag exceeds this is overloaded, and its cost is meaningless.
const MAX_LAG_MS: f64 = 10.0;
/// Maximum number of measured windows, until no server lags.
const WINDOWS: u32 = 3;

pub(crate) fn run() {
    println!(
        "{VIEWERS} viewers of 720p30 at 2 Mb/s + AAC for each, one worker each, {} s, all in the same seconds",
        WINDOW.as_secs()
    );
    let (flv, _flv_publisher) = stream::gateway(&["--workers", "1"]);
    let (secure, _secure_publisher) = stream::gateway(&["--workers", "1"]);
    let (own, _own_publisher) = stream::gateway(&["--workers", "1"]);
    let nginx = Nginx::start();
    let _nginx_publisher = nginx.as_ref().map(|nginx| {
        let publisher =
            publisher::ffmpeg_forever(&stream::clip(), &format!("rtmp://{}/live/bench", nginx.rtmp));
        // nginx does not report its streams. It lets viewers wait, so a fixed time is sufficient here.
        thread::sleep(Duration::from_secs(1));
        publisher
    });
    let (http, https) = (flv.http(), secure.https());
    // All probes measure their baseline before any viewer joins.
    let path = "/live/bench.flv";
    let mut probes = vec![
        Probe::flv(FlvViewer::http(http, path)),
        Probe::flv(FlvViewer::https(https, path)),
        Probe::rtmp(own.rtmp()),
    ];
    probes.extend(nginx.as_ref().map(|nginx| Probe::rtmp(nginx.rtmp)));
    let mut probes = probes.into_iter();
    let mut server = |name, pid, connect: &dyn Fn() -> TcpStream| {
        Server::new(name, pid, probes.next().expect("a probe for each server"), connect)
    };
    let mut servers = vec![
        server("lianmai, HTTP-FLV", flv.process.pid(), &|| http_flv(http)),
        server("lianmai, HTTPS-FLV", secure.process.pid(), &|| https_flv(https)),
        server("lianmai, RTMP", own.process.pid(), &|| play_rtmp(own.rtmp())),
    ];
    if let Some(nginx) = &nginx {
        servers.push(server("nginx-rtmp, RTMP", nginx.process.pid(), &|| play_rtmp(nginx.rtmp)));
    }
    // The cached frames that each viewer receives first are not part of the running cost.
    thread::sleep(Duration::from_secs(5));
    for window in 1..=WINDOWS {
        let (costs, lags) = measure(&servers);
        let worst = lags.into_iter().fold(0.0, f64::max);
        if worst <= MAX_LAG_MS {
            compare(&costs);
            break;
        }
        println!(
            "window {window} of {WINDOWS} is rejected: a server lags {worst:.1} ms at p50 (limit {MAX_LAG_MS} ms)"
        );
    }
    servers.into_iter().for_each(Server::stop);
}

/// Measures one window. Returns, per server, µs per viewer-second and the median lag in milliseconds.
fn measure(servers: &[Server]) -> (Vec<f64>, Vec<f64>) {
    let start = Instant::now();
    let before: Vec<_> = servers.iter().map(Server::now).collect();
    thread::sleep(WINDOW);
    let end = Instant::now();
    let after: Vec<_> = servers.iter().map(Server::now).collect();
    let readings = before.into_iter().zip(after);
    servers.iter().zip(readings).map(|(server, readings)| server.report(readings, start, end)).unzip()
}

fn compare(costs: &[f64]) {
    match *costs {
        [flv, secure, own, peer] => println!(
            "HTTP-FLV costs {:.2} x nginx-rtmp (target <= 0.5), HTTPS-FLV {:.2} x, RTMP {:.2} x",
            flv / peer,
            secure / peer,
            own / peer
        ),
        _ => println!("no comparison: nginx and its rtmp module (libnginx-mod-rtmp) are not installed"),
    }
}

/// A server with its viewers.
struct Server {
    name: &'static str,
    pid: u32,
    received: Arc<AtomicU64>,
    probe: Probe,
    stop: Arc<AtomicBool>,
    reader: thread::JoinHandle<usize>,
}

/// CPU time used, and bytes received by the viewers, up to some moment.
type Reading = (Duration, u64);

impl Server {
    fn new(name: &'static str, pid: u32, probe: Probe, connect: &dyn Fn() -> TcpStream) -> Self {
        let sockets: Vec<TcpStream> = (0..VIEWERS).map(|_| connect()).collect();
        let received = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (total, over) = (Arc::clone(&received), Arc::clone(&stop));
        let reader = thread::spawn(move || read_all(sockets, &total, &over));
        Self { name, pid, received, probe, stop, reader }
    }

    fn now(&self) -> Reading {
        (cpu(self.pid), self.received.load(Ordering::Relaxed))
    }

    /// Prints the line and returns µs per viewer-second and the median lag in milliseconds.
    fn report(&self, (before, after): (Reading, Reading), start: Instant, end: Instant) -> (f64, f64) {
        let seconds = (end - start).as_secs_f64();
        let bits = (after.1 - before.1) as f64 * 8.0 / seconds / VIEWERS as f64;
        let cost = (after.0 - before.0).as_secs_f64() * 1e6 / seconds / VIEWERS as f64;
        let (p50, p99) = self.probe.lag(start, end);
        println!(
            "{:<18} {cost:>6.0} µs of CPU per viewer-second; lag p50 {p50:.1}, p99 {p99:.1} ms; {:.2} Mb/s per viewer ({:.0} %)",
            self.name,
            bits / 1e6,
            bits / stream::BITRATE * 100.0
        );
        (cost, p50)
    }

    /// Stops the viewers, and reports how many were left if some were lost.
    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        let alive = self.reader.join().expect("the reader works");
        if alive < VIEWERS {
            println!("{}: {alive} of {VIEWERS} viewers were left at the end", self.name);
        }
    }
}

/// A viewer that has sent its request and is only read from now on.
fn http_flv(to: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(to).expect("the server listens");
    let request = format!("GET /live/bench.flv HTTP/1.1\r\nHost: {to}\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("a request can be sent");
    socket
}

/// The same over TLS. The data is not decrypted: only the server's work is measured.
fn https_flv(to: SocketAddr) -> TcpStream {
    let mut stream = tls::connect(to).expect("a handshake");
    let request = format!("GET /live/bench.flv HTTP/1.1\r\nHost: {to}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request can be sent");
    stream.sock
}

fn play_rtmp(to: SocketAddr) -> TcpStream {
    rtmp::Client::play(to, "bench").expect("RTMP play").socket
}

/// Reads and discards data from all sockets on one thread. Returns how many are still open.
pub(crate) fn read_all(sockets: Vec<TcpStream>, received: &AtomicU64, stop: &AtomicBool) -> usize {
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

/// User and system time of all threads of a process, in the kernel's 10 ms ticks.
pub(crate) fn cpu(pid: u32) -> Duration {
    let [user, kernel] = user_and_kernel(pid);
    user + kernel
}

/// The same, apart.
pub(crate) fn user_and_kernel(pid: u32) -> [Duration; 2] {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the server lives");
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut ticks =
        after_name.split_whitespace().skip(11).map(|n| n.parse::<u64>().expect("a number of ticks"));
    [(); 2].map(|()| Duration::from_millis(ticks.next().expect("the kernel tells the time") * 10))
}
