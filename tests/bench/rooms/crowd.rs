//! An audience of thousands of sockets on one thread, which costs little itself.
//!
//! The thread waits for no socket: it sleeps, reads whatever has come, and discards it. A thread that waits for sockets
//! is woken by each of the gateway's writes, which the gateway would pay for; clients on other machines cost it nothing.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Time between two rounds of reading.
const ROUND: Duration = Duration::from_millis(20);
/// Interval of the pongs. They come without a ping, which RFC 6455 (5.5.3) allows: the reader does not parse pings.
const PONGS: Duration = Duration::from_secs(15);
/// A pong without a payload, with the mask 0.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];
/// Files that the bench opens besides.
const OTHER_FILES: u64 = 300;

/// The sockets, read by their own thread.
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    /// CPU time of the thread in milliseconds.
    used: Arc<AtomicU64>,
    thread: JoinHandle<usize>,
}

impl Crowd {
    /// Returns the size of the largest crowd up to `wanted` that this process and the gateway may have. Raises their
    /// limit of open files.
    pub(super) fn largest(wanted: usize) -> usize {
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let needed = wanted as u64 + OTHER_FILES;
        let allowed = maximum.map_or(needed, |maximum| needed.min(maximum));
        if current.is_some_and(|current| current < allowed) {
            // The gateway inherits the limit. If the limit stays, the crowd is smaller.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum });
        }
        let files = getrlimit(Resource::Nofile).current.unwrap_or(needed);
        wanted.min(files.saturating_sub(OTHER_FILES) as usize)
    }

    /// Joins a room with this many sockets.
    pub(super) fn join(to: SocketAddr, room: &str, count: usize) -> Self {
        let request = request(to, room);
        let sockets = (0..count).map(|_| {
            let mut socket = TcpStream::connect(to).expect("the gateway listens");
            socket.write_all(&request).expect("a request can be sent");
            socket.set_nonblocking(true).expect("sockets can be non-blocking");
            socket
        });
        let sockets: Vec<TcpStream> = sockets.collect();
        let (stop, used) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (ends, counts) = (stop.clone(), used.clone());
        let thread = thread::spawn(move || read(sockets, &ends, &counts));
        Self { stop, used, thread }
    }

    /// Returns the CPU time of the reading thread.
    pub(super) fn cpu(&self) -> Duration {
        Duration::from_millis(self.used.load(Ordering::Relaxed))
    }

    /// Closes all sockets. Returns how many were still open.
    pub(super) fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the reader works")
    }
}

/// Returns the handshake, and right behind it the message `join`.
fn request(to: SocketAddr, room: &str) -> Vec<u8> {
    let head = format!(
        "GET /api/v1/rooms/{room} HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let join = br#"{"type":"join","version":1,"name":"A","role":"audience"}"#;
    let length = u8::try_from(join.len()).expect("a short message");
    assert!(length < 126, "a length of one byte");
    [head.as_bytes(), &[0x81, 0x80 | length, 0, 0, 0, 0], join].concat()
}

/// Reads and discards data from all sockets. Returns how many are still open at the end.
fn read(mut sockets: Vec<TcpStream>, stop: &AtomicBool, used: &AtomicU64) -> usize {
    let poll = epoll::create(CreateFlags::CLOEXEC).expect("an epoll");
    for (n, socket) in sockets.iter().enumerate() {
        epoll::add(&poll, socket, EventData::new_u64(n as u64), EventFlags::IN)
            .expect("a socket can be watched");
    }
    let mut open = sockets.len();
    let mut ready = Vec::with_capacity(1_024);
    let mut buffer = vec![0; 64 << 10];
    let mut ponged = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(ROUND);
        if ponged.elapsed() >= PONGS {
            ponged = Instant::now();
            for socket in &mut sockets {
                // A socket that takes nothing is closed, which reading finds.
                let _ = socket.write(&PONG);
            }
        }
        loop {
            ready.clear();
            let no_wait = Timespec { tv_sec: 0, tv_nsec: 0 };
            epoll::wait(&poll, rustix::buffer::spare_capacity(&mut ready), Some(&no_wait)).expect("an epoll");
            for Event { data, .. } in ready.iter().copied() {
                let socket = &mut sockets[data.u64() as usize];
                match socket.read(&mut buffer) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Ok(0) | Err(_) => {
                        open -= 1;
                        epoll::delete(&poll, &*socket).expect("a watched socket");
                    }
                }
            }
            if ready.len() < ready.capacity() {
                break;
            }
        }
        used.store(thread_cpu(), Ordering::Relaxed);
    }
    open
}

/// Returns the CPU time of this thread in milliseconds.
fn thread_cpu() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0) / 1_000_000
}
