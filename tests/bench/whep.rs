//! Cost of a WebRTC viewer, and the time until its first video frame.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lianmai_tests::Gateway;
use lianmai_tests::gateway::rss;
use lianmai_tests::rtc::{Call, Offered, offer_of};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;

use crate::cpu::cpu;
use crate::{WINDOW, percentile, stream};

const VIEWERS: usize = 200;
const JOINS: u32 = 60;

/// The total of what all viewers have received.
#[derive(Default)]
pub(crate) struct Got {
    bytes: AtomicU64,
    pub(crate) pictures: AtomicU64,
    pub(crate) connected: AtomicU64,
}

pub(crate) fn run() {
    let (gateway, _publisher) = stream::gateway(&["--workers", "1"]);
    let got = Arc::new(Got::default());
    let (load, count) = (got.clone(), got.clone());
    // The first viewer starts the audio transcoder and the packetizer; the difference is the cost of viewers.
    let first = start(&gateway, 1, got.clone());
    wait(|| got.pictures.load(Ordering::Relaxed) > 0);
    let memory = rss(gateway.process.pid());
    let viewers = start(&gateway, VIEWERS - 1, load);
    wait(|| count.connected.load(Ordering::Relaxed) == VIEWERS as u64);
    // The cached frames that each viewer receives first are not part of the running cost.
    thread::sleep(Duration::from_secs(5));
    let pid = gateway.process.pid();
    let read = || (cpu(pid), count.bytes.load(Ordering::Relaxed), count.pictures.load(Ordering::Relaxed));
    let (begin, before) = (Instant::now(), read());
    thread::sleep(WINDOW);
    let (seconds, after) = (begin.elapsed().as_secs_f64(), read());
    let each = |n: u64| n as f64 / seconds / VIEWERS as f64;
    println!(
        "{VIEWERS} WHEP viewers of 720p30 at 2 Mb/s with Opus, one worker, {} s: {:.0} µs of CPU per viewer-second \
         (target <= 800), {:.0} kB each (target <= 100); each got {:.2} Mb/s and {:.1} pictures a second",
        WINDOW.as_secs(),
        (after.0 - before.0).as_secs_f64() * 1e6 / seconds / VIEWERS as f64,
        (rss(pid).saturating_sub(memory)) as f64 / 1e3 / VIEWERS as f64,
        each(after.1 - before.1) * 8.0 / 1e6,
        each(after.2 - before.2),
    );
    drop((first, viewers));
    joins();
}

/// Waits for a condition.
pub(crate) fn wait(mut is: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < limit, "the viewers do not get there");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Time from the request to the first complete video frame: signalling, ICE, DTLS and media.
fn joins() {
    let (gateway, _publisher) = stream::gateway(&[]);
    thread::sleep(Duration::from_secs(3));
    let mut times = Vec::new();
    for n in 0..JOINS {
        let (got, begin) = (Arc::new(Got::default()), Instant::now());
        let viewer = start(&gateway, 1, got.clone());
        while got.pictures.load(Ordering::Relaxed) == 0 {
            assert!(begin.elapsed() < Duration::from_secs(20), "a picture comes");
            thread::sleep(Duration::from_millis(1));
        }
        times.push(begin.elapsed());
        drop(viewer);
        // Spread over the group of pictures.
        thread::sleep(Duration::from_millis(u64::from(37 + n % 10)));
    }
    println!(
        "WHEP request to first whole picture, {JOINS} joins of a stream with a key frame every 2 s: p50 {:.0} ms, \
         p95 {:.0} ms, worst {:.0} ms (target p95 <= 500)",
        percentile(&mut times, 0.5),
        percentile(&mut times, 0.95),
        percentile(&mut times, 1.0),
    );
}

/// Several viewers on their own thread, until this is dropped.
pub(crate) struct Viewers {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Drop for Viewers {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(thread::JoinHandle::join);
    }
}

fn start(gateway: &Gateway, viewers: usize, got: Arc<Got>) -> Viewers {
    watch(vec![Call::new(gateway, "bench"); viewers], &[MediaKind::Audio, MediaKind::Video], got)
}

/// Plays all these streams, with media of these kinds.
pub(crate) fn watch(calls: Vec<Call>, kinds: &[MediaKind], got: Arc<Got>) -> Viewers {
    let kinds = kinds.to_vec();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(tokio::task::LocalSet::new().run_until(async move {
            for call in calls {
                let (rtc, socket) = join(&call, &kinds);
                let socket = UdpSocket::from_std(socket).expect("a runtime is here");
                tokio::task::spawn_local(view(rtc, socket, got.clone()));
                tokio::task::yield_now().await;
            }
            // The sender is dropped.
            let _ = stopped.await;
        }));
    });
    Viewers { stop: Some(stop), thread: Some(thread) }
}

fn join(call: &Call, kinds: &[MediaKind]) -> (Rtc, std::net::UdpSocket) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_nonblocking(true).expect("sockets can be non-blocking");
    let local = socket.local_addr().expect("a bound port");
    let candidate = Candidate::host(local, Protocol::Udp).expect("a candidate");
    let Offered { mut rtc, sdp, pending } = offer_of(kinds, Direction::RecvOnly, Some(candidate));
    let answer = call.answer(call.post(false, &sdp)).unwrap_or_else(|no| panic!("{}", no.text()));
    let answer = SdpAnswer::from_sdp_string(&answer).expect("an answer");
    rtc.sdp_api().accept_answer(pending, answer).expect("an answer to the offer");
    (rtc, socket)
}

async fn view(mut rtc: Rtc, socket: UdpSocket, got: Arc<Got>) {
    let local: SocketAddr = socket.local_addr().expect("a bound port");
    let mut buffer = vec![0; 2048];
    loop {
        let next = loop {
            match rtc.poll_output().expect("the peer works") {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => {
                    // A lost datagram is sent again.
                    let _ = socket.try_send_to(&transmit.contents, transmit.destination);
                }
                Output::Event(Event::Connected) => _ = got.connected.fetch_add(1, Ordering::Relaxed),
                Output::Event(Event::MediaData(data)) => {
                    got.bytes.fetch_add(data.data.len() as u64, Ordering::Relaxed);
                    if data.params.spec().codec.is_video() {
                        got.pictures.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Output::Event(_) => {}
            }
        };
        let received = tokio::select! {
            biased;
            received = socket.recv_from(&mut buffer) => received.ok(),
            () = tokio::time::sleep_until(next.into()) => None,
        };
        let now = Instant::now();
        let input = match received {
            Some((n, from)) => match Receive::new(Protocol::Udp, from, local, &buffer[..n]) {
                Ok(receive) => Input::Receive(now, receive),
                Err(_) => continue,
            },
            None => Input::Timeout(now),
        };
        rtc.handle_input(input).expect("the peer works");
    }
}
