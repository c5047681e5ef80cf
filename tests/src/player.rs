//! Players: ffmpeg, and our own FLV viewer, which records the arrival times.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::WebSocket;

use crate::flv::{self, Tag};
use crate::http;
use crate::packets::{Packets, View};
use crate::process::Process;
use crate::tls;
use crate::wait;
use crate::ws;

/// ffmpeg that demuxes `url` and reports every packet.
#[derive(Debug)]
pub struct Player {
    /// The process.
    pub process: Process,
    url: String,
}

impl Player {
    /// Starts to play; waits for a publisher as long as the server allows.
    #[track_caller]
    pub fn start(url: &str, view: View) -> Self {
        let mut ffmpeg = Command::new("ffmpeg");
        // Packets read while probing are not lost; one second is sufficient to detect the tracks.
        ffmpeg.args(["-v", "error", "-analyzeduration", "1000000"]);
        if url.contains(".m3u8") {
            ffmpeg.args(["-live_start_index", "0"]);
        }
        ffmpeg.args(["-i", url]).args(view.options());
        Self { process: Process::start(&mut ffmpeg), url: url.to_owned() }
    }

    /// Returns the packets so far.
    pub fn packets(&self) -> Packets {
        Packets::parse(&self.process.stdout())
    }

    /// Waits until `enough` returns true for the packets so far.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration, enough: impl Fn(&Packets) -> bool) -> Packets {
        let what = format!("enough packets from {}", self.url);
        wait::until(&what, limit, || {
            let ended = self.process.ended();
            let packets = self.packets();
            if enough(&packets) {
                return Some(packets);
            }
            let seen = (packets.video.len(), packets.audio.len());
            assert!(ended.is_none(), "the player of {} ended after {seen:?} packets: {ended:?}", self.url);
            None
        })
    }
}

/// A tag, and the arrival time of its last byte.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The tag.
    pub tag: Tag,
    /// When it was complete.
    pub at: Instant,
}

#[derive(Debug, Default)]
struct State {
    flags: Option<u8>,
    tags: Vec<Seen>,
    over: bool,
    error: Option<String>,
    left: bool,
}

/// Plays FLV over HTTP or WebSocket in its own thread.
#[derive(Debug, Clone)]
pub struct FlvViewer {
    state: Arc<Mutex<State>>,
}

impl FlvViewer {
    /// Requests `GET path`; the status must be 200.
    #[track_caller]
    pub fn http(to: SocketAddr, path: &str) -> Self {
        Self::get(http::open, to, path)
    }

    /// The same over HTTPS.
    #[track_caller]
    pub fn https(to: SocketAddr, path: &str) -> Self {
        Self::get(tls::open, to, path)
    }

    fn get(open: fn(SocketAddr, &str, &str, &[&str]) -> http::Open, to: SocketAddr, path: &str) -> Self {
        let path = path.to_owned();
        Self::run(move |state| {
            let mut open = open(to, "GET", &path, &[]);
            assert_eq!(open.status, 200, "GET {path}");
            let mut reader = flv::Reader::default();
            let mut buffer = vec![0; 64 * 1024];
            let mut read = open.body.read(&mut buffer);
            while let Ok(n @ 1..) = read
                && !state.lock().unwrap().left
            {
                note(&state, &mut reader, &buffer[..n]);
                read = open.body.read(&mut buffer);
            }
            state.lock().unwrap().error = read.err().map(|error| error.to_string());
        })
    }

    /// Plays `ws://…`.
    #[track_caller]
    pub fn ws(url: &str) -> Self {
        let url = url.to_owned();
        Self::run(move |state| {
            listen(&state, ws::connect(&url).unwrap_or_else(|error| panic!("{url}: {error}")));
        })
    }

    /// Plays `wss://TO/path`.
    #[track_caller]
    pub fn wss(to: SocketAddr, path: &str) -> Self {
        let path = path.to_owned();
        Self::run(move |state| listen(&state, tls::websocket(to, &path)))
    }

    fn run(play: impl FnOnce(Arc<Mutex<State>>) + Send + 'static) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            play(Arc::clone(&shared));
            shared.lock().unwrap().over = true;
        });
        Self { state }
    }

    /// Closes the connection of a viewer over HTTP, with the next bytes that arrive.
    pub fn leave(self) {
        self.state.lock().unwrap().left = true;
    }

    /// Returns the file header's flags, once received.
    pub fn flags(&self) -> Option<u8> {
        self.state.lock().unwrap().flags
    }

    /// Returns everything received so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().tags.clone()
    }

    /// Returns the frames (no metadata, no sequence headers) of one kind so far.
    pub fn frames(&self, kind: u8) -> Vec<Seen> {
        let state = self.state.lock().unwrap();
        state.tags.iter().filter(|seen| seen.tag.kind == kind && seen.tag.is_frame()).cloned().collect()
    }

    /// Returns whether the server ended the response.
    pub fn over(&self) -> bool {
        self.state.lock().unwrap().over
    }

    /// Returns the error that ended the response early, if there was one.
    pub fn error(&self) -> Option<String> {
        self.state.lock().unwrap().error.clone()
    }

    /// Waits for a total number of frames of one kind.
    #[track_caller]
    pub fn wait_frames(&self, kind: u8, count: usize, limit: Duration) -> Vec<Seen> {
        wait::until(&format!("{count} frames of tag type {kind}"), limit, || {
            let frames = self.frames(kind);
            assert!(!self.over() || frames.len() >= count, "the stream ended after {} frames", frames.len());
            (frames.len() >= count).then_some(frames)
        })
    }
}

fn listen(state: &Mutex<State>, mut socket: WebSocket<impl Read + Write>) {
    let mut reader = flv::Reader::default();
    while let Ok(message) = socket.read() {
        if let ws::Message::Binary(bytes) = message {
            note(state, &mut reader, &bytes);
        }
    }
}

fn note(state: &Mutex<State>, reader: &mut flv::Reader, bytes: &[u8]) {
    let tags = reader.push(bytes);
    let at = Instant::now();
    let mut state = state.lock().unwrap();
    state.flags = reader.flags;
    state.tags.extend(tags.into_iter().map(|tag| Seen { tag, at }));
}
