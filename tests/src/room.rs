//! A client of a room, which checks every message in both directions against `docs/rooms.schema.json`.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::ws;

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(60);

/// The schema's text.
pub const SCHEMA: &str = include_str!("../../docs/rooms.schema.json");

struct Checks {
    schemas: Schemas,
    to_gateway: SchemaIndex,
    batch: SchemaIndex,
}

fn checks() -> &'static Checks {
    static CHECKS: OnceLock<Checks> = OnceLock::new();
    CHECKS.get_or_init(|| {
        let url = "https://lianmai.invalid/rooms.schema.json";
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource(url, serde_json::from_str(SCHEMA).expect("JSON")).expect("a schema");
        let mut compile = |name: &str| {
            let compiled = compiler.compile(&format!("{url}#/$defs/{name}"), &mut schemas);
            compiled.unwrap_or_else(|error| panic!("{error:#}"))
        };
        let (to_gateway, batch) = (compile("to_gateway"), compile("batch"));
        Checks { schemas, to_gateway, batch }
    })
}

/// Checks a message to the gateway. The error says what the schema does not allow.
///
/// # Errors
/// The message is not in the schema.
pub fn check_request(message: &Value) -> Result<(), String> {
    let checks = checks();
    checks.schemas.validate(message, checks.to_gateway).map_err(|error| format!("{message}: {error}"))
}

#[track_caller]
fn check_batch(batch: &Value) {
    let checks = checks();
    if let Err(error) = checks.schemas.validate(batch, checks.batch) {
        panic!("the schema does not allow {batch}: {error}");
    }
}

/// Why a client is not in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code in the message `error`; empty if there was none.
    pub error: String,
    /// Its sentence.
    pub text: String,
    /// The seconds after which to try again.
    pub retry: Option<u64>,
    /// The code of the WebSocket's end.
    pub close: u16,
}

/// A participant.
#[derive(Debug)]
pub struct RoomClient {
    /// The connection, for raw messages.
    pub socket: ws::Socket,
    /// The gateway's answer to `join`.
    pub welcome: Value,
    /// Messages that nobody waited for.
    pending: VecDeque<Value>,
    pings: u64,
}

/// Returns the address of a room's socket. `room` includes its query, if there is one.
pub fn url(gateway: &Gateway, room: &str) -> String {
    format!("ws://{}/api/v1/rooms/{room}", gateway.http())
}

impl RoomClient {
    /// Joins as `name`; `more` has further fields of the message.
    #[track_caller]
    pub fn join(gateway: &Gateway, room: &str, name: &str, more: Value) -> Self {
        Self::try_join(gateway, room, name, more).unwrap_or_else(|no| panic!("{name}: {no:?}"))
    }

    /// The same; the error is the refusal.
    #[track_caller]
    pub fn try_join(gateway: &Gateway, room: &str, name: &str, more: Value) -> Result<Self, Refused> {
        Self::try_join_from(gateway, room, name, more, &[])
    }

    /// The same with these header lines, like a page's.
    #[track_caller]
    pub fn try_join_from(
        gateway: &Gateway,
        room: &str,
        name: &str,
        more: Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Refused> {
        let mut client = Self::connect(gateway, room, headers);
        let mut join = json!({ "type": "join", "version": 1, "name": name });
        for (field, value) in more.as_object().expect("fields") {
            join[field] = value.clone();
        }
        client.send(&join);
        client.enter()
    }

    /// Connects without joining.
    #[track_caller]
    pub fn connect(gateway: &Gateway, room: &str, headers: &[(&'static str, &str)]) -> Self {
        let url = url(gateway, room);
        let socket = ws::connect_with(&url, headers).unwrap_or_else(|error| panic!("{url}: {error}"));
        Self { socket, welcome: Value::Null, pending: VecDeque::new(), pings: 0 }
    }

    /// Waits for the answer to `join`.
    ///
    /// # Errors
    /// The refusal.
    #[track_caller]
    pub fn enter(mut self) -> Result<Self, Refused> {
        let mut refused = Refused { error: String::new(), text: String::new(), retry: None, close: 0 };
        loop {
            match self.read() {
                Ok(()) => {}
                Err(close) => return Err(Refused { close, ..refused }),
            }
            while let Some(message) = self.pending.pop_front() {
                match message["type"].as_str() {
                    Some("welcome") => {
                        self.welcome = message;
                        return Ok(self);
                    }
                    Some("error") => {
                        let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
                        refused.error = text("code");
                        refused.text = text("text");
                        refused.retry = message["retry"].as_u64();
                    }
                    _ => panic!("{message} comes before the welcome"),
                }
            }
        }
    }

    /// Reads one batch. The error is the code of the end, 1006 without one.
    #[track_caller]
    fn read(&mut self) -> Result<(), u16> {
        let start = Instant::now();
        loop {
            // Pings come all the time, so the timeout of the socket is not enough.
            assert!(start.elapsed() < LIMIT, "waited in vain; not waited for: {:?}", self.pending);
            match self.socket.read() {
                Ok(ws::Message::Text(text)) => {
                    let batch: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
                    check_batch(&batch);
                    self.pending.extend(batch.as_array().cloned().unwrap_or_default());
                    return Ok(());
                }
                Ok(ws::Message::Close(frame)) => {
                    let code = frame.map_or(1005, |frame| u16::from(frame.code));
                    // Answers the close message.
                    while self.socket.read().is_ok() {}
                    return Err(code);
                }
                Ok(_) => {}
                Err(ws::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!("waited in vain; not waited for: {:?}", self.pending)
                }
                Err(_) => return Err(1006),
            }
        }
    }

    /// Sends a message.
    #[track_caller]
    pub fn send(&mut self, message: &Value) {
        check_request(message).unwrap_or_else(|error| panic!("the schema does not allow {error}"));
        self.say(&message.to_string());
    }

    /// Sends any text.
    #[track_caller]
    pub fn say(&mut self, text: &str) {
        self.socket.send(ws::Message::text(text)).expect("it can be sent");
    }

    /// Waits for a message of this type for which `is` returns true. Others stay.
    #[track_caller]
    pub fn wait(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            if let Some(message) = self.find(kind, &is) {
                return message;
            }
            assert!(start.elapsed() < LIMIT, "waited in vain for {kind}; instead: {:?}", self.pending);
            if let Err(close) = self.read() {
                panic!("closed with {close} before {kind}; instead: {:?}", self.pending);
            }
        }
    }

    fn find(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> Option<Value> {
        let at = self.pending.iter().position(|message| message["type"] == kind && is(message))?;
        self.pending.remove(at)
    }

    /// Waits until the gateway has handled everything sent so far. Returns whether such a message came.
    #[track_caller]
    pub fn has(&mut self, kind: &str, is: impl Fn(&Value) -> bool) -> bool {
        self.sync();
        self.find(kind, is).is_some()
    }

    /// Returns the messages of this type that have arrived.
    pub fn take_all(&mut self, kind: &str) -> Vec<Value> {
        let (taken, rest): (Vec<_>, Vec<_>) =
            self.pending.drain(..).partition(|message| message["type"] == kind);
        self.pending = rest.into();
        taken
    }

    /// Waits until the gateway has handled everything sent so far.
    #[track_caller]
    pub fn sync(&mut self) {
        self.pings += 1;
        let n = self.pings;
        self.send(&json!({ "type": "ping", "n": n }));
        self.wait("pong", |pong| pong["n"] == n);
    }

    /// Sends a message that has no effect; returns the code of the error.
    #[track_caller]
    pub fn refused(&mut self, message: &Value) -> String {
        self.send(message);
        let error = self.wait("error", |error| error["about"] == message["type"]);
        error["code"].as_str().expect("a code").to_owned()
    }

    /// Waits until the gateway closes the connection; returns the code.
    #[track_caller]
    pub fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.read() {
                return code;
            }
        }
    }

    /// Returns the participant's identifier.
    pub fn id(&self) -> &str {
        self.welcome["id"].as_str().expect("an identifier")
    }

    /// Returns the seat key of the welcome.
    pub fn key(&self) -> &str {
        self.welcome["key"].as_str().expect("a key")
    }

    /// Returns the role of the welcome.
    pub fn role(&self) -> &str {
        self.welcome["role"].as_str().expect("a role")
    }

    /// Waits until the person `id` is announced in a state for which `is` returns true.
    #[track_caller]
    pub fn wait_person(&mut self, id: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.wait("person", |message| message["person"]["id"] == id && is(&message["person"]))
    }
}
