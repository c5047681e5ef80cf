//! One host: its socket, its two streams, and its return after an interruption.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lianmai_tests::Plain;
use lianmai_tests::rtc::{Api, Call, Media, Peer};
use lianmai_tests::ws;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::stream::MaybeTlsStream;

/// Timeout of ICE and DTLS on a busy machine.
const CONNECT: Duration = Duration::from_secs(30);
/// Interval between two attempts to come back.
const AGAIN: Duration = Duration::from_millis(250);
/// Interval at which a host checks whether it is to leave.
const LOOK: Duration = Duration::from_millis(50);

/// The room, and what is published in it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) http: SocketAddr,
    pub(crate) webrtc: SocketAddr,
    pub(crate) room: String,
    pub(crate) detail: bool,
}

/// A host, until it is dropped: then it leaves.
pub(crate) struct Host {
    leave: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Joins in a thread of its own.
    pub(crate) fn join(place: &Place, name: &str, colour: &str, hertz: u32) -> Self {
        let (leave, leaves) = channel();
        let (place, name, colour) = (place.clone(), name.to_owned(), colour.to_owned());
        let thread = thread::spawn(move || {
            let clip = |size, rate, detail: &'static str| Plain {
                colour: colour.clone(),
                hertz,
                size,
                rate,
                detail: place.detail.then_some(detail),
            };
            // As loud as speech.
            let full = Media::plain(&clip("640x360", 30, "1000k")).loud(-25);
            let small = Media::plain(&clip("320x180", 15, "150k")).mute();
            Presence { place, name, full, small, key: Value::Null }.stay(&leaves);
        });
        Self { leave: Some(leave), thread: Some(thread) }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.leave = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A host's part in the room, over all its connections.
struct Presence {
    place: Place,
    name: String,
    full: Media,
    small: Media,
    /// The key of the seat, once there is one.
    key: Value,
}

impl Presence {
    /// Stays in the room until the other end of `leaves` is gone.
    fn stay(mut self, leaves: &Receiver<()>) {
        loop {
            match self.visit(leaves) {
                Ok(()) => return self.tell("left", Value::Null),
                Err(why) => self.tell("lost", why.into()),
            }
            if leaves.try_recv() == Err(TryRecvError::Disconnected) {
                return;
            }
            thread::sleep(AGAIN);
        }
    }

    /// Joins, publishes, and stays. The error says how the room was lost.
    fn visit(&mut self, leaves: &Receiver<()>) -> Result<(), String> {
        let Place { http, room, .. } = &self.place;
        let mut socket =
            ws::connect(&format!("ws://{http}/api/v1/rooms/{room}")).map_err(|e| e.to_string())?;
        let mut join = json!({ "type": "join", "version": 1, "name": self.name, "role": "host" });
        if self.key.is_string() {
            join["key"] = self.key.clone();
        }
        say(&mut socket, &join)?;
        let id = loop {
            let messages = read(&mut socket)?;
            if let Some(welcome) = messages.iter().find(|message| message["type"] == "welcome") {
                self.key = welcome["key"].clone();
                break welcome["id"].as_str().ok_or("a welcome without an id")?.to_owned();
            }
        };
        say(&mut socket, &json!({ "type": "mute", "audio": true, "video": true }))?;
        let publishers = [self.publish(&id, &self.full)?, self.publish(&format!("{id}~s"), &self.small)?];
        for publisher in &publishers {
            publisher.wait_connected(CONNECT);
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
        publishers.iter().for_each(Peer::go);
        self.tell("live", (at.as_secs_f64() * 1e3).into());
        if let MaybeTlsStream::Plain(tcp) = socket.get_mut() {
            tcp.set_read_timeout(Some(LOOK)).map_err(|error| error.to_string())?;
        }
        loop {
            if leaves.try_recv() == Err(TryRecvError::Disconnected) {
                // As a page does: the streams end before the seat is given up.
                drop(publishers);
                say(&mut socket, &json!({ "type": "leave" }))?;
                // The gateway closes the socket when it has handled this.
                while read(&mut socket).is_ok() {}
                return Ok(());
            }
            read(&mut socket)?;
            if let Some(why) = publishers.iter().find_map(Peer::over) {
                return Err(why);
            }
        }
    }

    fn publish(&self, stream: &str, media: &Media) -> Result<Peer, String> {
        let Place { http, webrtc, room, .. } = &self.place;
        let call = Call {
            http: *http,
            webrtc: *webrtc,
            app: room.clone(),
            name: stream.to_owned(),
            api: Api::Path,
            query: format!("seat={}", self.key.as_str().unwrap_or_default()),
            headers: Vec::new(),
            tcp: false,
            video_only: media.sounds.is_empty(),
        };
        Peer::try_hold(&call, media.clone()).map_err(|no| format!("{}: {}", no.status, no.text()))
    }

    fn tell(&self, event: &str, detail: Value) {
        let field = if event == "live" { "at" } else { "why" };
        println!("{}", json!({ "name": self.name, "event": event, field: detail }));
    }
}

fn say(socket: &mut ws::Socket, message: &Value) -> Result<(), String> {
    socket.send(ws::Message::text(message.to_string())).map_err(|error| error.to_string())
}

/// Reads what the gateway sent; nothing if it sent nothing for a moment.
fn read(socket: &mut ws::Socket) -> Result<Vec<Value>, String> {
    match socket.read() {
        Ok(ws::Message::Text(text)) => serde_json::from_str(&text).map_err(|error| error.to_string()),
        Ok(ws::Message::Close(frame)) => Err(format!("closed: {frame:?}")),
        Ok(_) => Ok(Vec::new()),
        Err(ws::Error::Io(error)) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.to_string()),
    }
}
