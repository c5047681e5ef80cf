//! One RTMP connection as a state machine: bytes in, events and bytes out. No I/O and no clock.
//!
//! The owner passes bytes to [`Session::read`], handles the [`Event`]s, replies to a publish or play request
//! with one of the `accept_…` methods or [`Session::refuse`], and sends the bytes from
//! [`Session::take_output`].

mod command;
mod reply;

use std::fmt;

use bytes::Bytes;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};

use super::address::Address;
use crate::rtmp::aggregate::Aggregate;
use crate::rtmp::chunk::{ChunkError, ChunkReader};
use crate::rtmp::message::{Message, Writer, control, kind};

/// Maximum size of a message before the client publishes: `connect` may contain an address of 4 kB, with a
/// token, three times.
const MAX_COMMAND: usize = 16 << 10;
/// Maximum size of a message from a client that plays.
const MAX_PLAYER: usize = 4 << 10;
/// Acknowledgement window in bytes, for both directions.
const WINDOW: u32 = 2_500_000;
/// Minimum number of bytes between acknowledgements.
const MIN_WINDOW: u32 = 16 << 10;
/// Size in bytes of C0 with C1, and C2.
const HANDSHAKE: usize = 1 + 1536 + 1536;

/// A client's request, which needs a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The requested stream.
    pub address: Address,
    /// The client's software (`flashVer`); may be empty.
    pub agent: String,
    /// The page that contains the player (`pageUrl`); may be empty.
    pub page: String,
    /// Whether the client declares support for Opus (Enhanced RTMP).
    pub supports_opus: bool,
    /// Id of the gateway that forwards the stream; empty for other clients.
    pub sent_by: String,
}

/// An event on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The client wants to publish. Reply before the next read.
    Publish(Request),
    /// The client wants to play. Reply before the next read, or at the latest before the next `Play`.
    Play(Request),
    /// Audio of the published stream: timestamp in milliseconds, and an FLV tag body.
    Audio(u32, Bytes),
    /// Video of the published stream: timestamp in milliseconds, and an FLV tag body.
    Video(u32, Bytes),
    /// Data (`onMetaData`): an FLV script tag's body.
    Script(Bytes),
    /// The player pauses or resumes.
    Pause(bool),
    /// The client stopped to publish or play; it may send another request.
    Stop,
}

/// An error that ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionError {
    /// The handshake is not that of RTMP.
    Handshake,
    /// The chunks are malformed.
    Chunk(ChunkError),
    /// The client broke a rule of the protocol; the text names it.
    Protocol(&'static str),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake => {
                f.write_str("the data is not RTMP: the handshake does not begin with version 3")
            }
            Self::Chunk(why) => why.fmt(f),
            Self::Protocol(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for SessionError {}

impl From<ChunkError> for SessionError {
    fn from(why: ChunkError) -> Self {
        Self::Chunk(why)
    }
}

/// The state of the client's only message stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Idle,
    /// The client has sent a request that has no reply yet.
    Asking,
    Publishing,
    Playing,
}

/// The values of the client's `connect` command.
#[derive(Debug, Clone, Default)]
struct Connect {
    tc_url: String,
    app: String,
    agent: String,
    page: String,
    supports_opus: bool,
    sent_by: String,
}

/// The state after the handshake.
#[derive(Debug)]
struct OpenSession {
    chunks: ChunkReader,
    writer: Writer,
    connect: Option<Connect>,
    activity: Activity,
    aggregate: Option<Aggregate>,
}

enum Stage {
    New,
    Handshake(Box<Handshake>, usize),
    Open(Box<OpenSession>),
}

/// The state of a connection.
pub struct Session {
    stage: Stage,
    max_message: usize,
    out: Vec<u8>,
    received: u64,
    acknowledged: u64,
    window: u32,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("received", &self.received).finish_non_exhaustive()
    }
}

impl Session {
    /// Creates a session for a new connection. A publisher's messages have at most `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self { stage: Stage::New, max_message, out: Vec::new(), received: 0, acknowledged: 0, window: WINDOW }
    }

    /// Returns the bytes to send to the client; usually empty.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Returns the number of bytes received so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Returns whether the handshake is complete.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Returns the number of bytes in incomplete messages.
    pub fn unfinished(&self) -> usize {
        match &self.stage {
            Stage::Open(open) => open.chunks.unfinished(),
            _ => 0,
        }
    }

    /// Reads from the front of `input` until the next event; `None` if the input ends first.
    ///
    /// # Errors
    /// The peer does not speak RTMP, or breaks its rules. [`Session::take_output`] may still contain a
    /// message that explains the error to the client.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Event>, SessionError> {
        let before = input.len();
        let result = self.advance(input);
        self.received += (before - input.len()) as u64;
        self.acknowledge();
        result
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Event>, SessionError> {
        loop {
            match &mut self.stage {
                Stage::New if input.is_empty() => return Ok(None),
                Stage::New => self.stage = Stage::Handshake(Box::new(Handshake::new(PeerType::Server)), 0),
                Stage::Handshake(handshake, done) => {
                    if input.is_empty() {
                        return Ok(None);
                    }
                    let (bytes, rest) = input.split_at(input.len().min(HANDSHAKE - *done));
                    *input = rest;
                    *done += bytes.len();
                    match handshake.process_bytes(bytes) {
                        Ok(HandshakeProcessResult::InProgress { response_bytes }) => {
                            self.out.extend_from_slice(&response_bytes);
                        }
                        Ok(HandshakeProcessResult::Completed { response_bytes, .. }) => {
                            self.out.extend_from_slice(&response_bytes);
                            self.stage = Stage::Open(Box::new(OpenSession {
                                chunks: ChunkReader::new(MAX_COMMAND),
                                writer: Writer::new(),
                                connect: None,
                                activity: Activity::Idle,
                                aggregate: None,
                            }));
                        }
                        Err(_) => return Err(SessionError::Handshake),
                    }
                }
                Stage::Open(open) => {
                    let message = match open.aggregate.as_mut().map(Iterator::next) {
                        Some(Some(message)) => message,
                        Some(None) => {
                            open.aggregate = None;
                            continue;
                        }
                        None => match open.chunks.read(input)? {
                            Some(message) => message,
                            None => return Ok(None),
                        },
                    };
                    if let Some(event) = self.message(message)? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    fn open(&mut self) -> Option<&mut OpenSession> {
        match &mut self.stage {
            Stage::Open(open) => Some(open),
            _ => None,
        }
    }

    fn message(&mut self, message: Message) -> Result<Option<Event>, SessionError> {
        let publishing = self.open().is_some_and(|open| open.activity == Activity::Publishing);
        let payload = message.payload;
        match message.kind {
            kind::AUDIO if publishing => return Ok(Some(Event::Audio(message.timestamp, payload))),
            kind::VIDEO if publishing => return Ok(Some(Event::Video(message.timestamp, payload))),
            kind::DATA if publishing => return Ok(Some(Event::Script(payload))),
            kind::DATA_AMF3 if publishing => return Ok(Some(Event::Script(amf0_in_amf3(payload)))),
            kind::AGGREGATE if publishing => {
                if let Some(open) = self.open() {
                    open.aggregate = Some(Aggregate::new(message.timestamp, payload));
                }
            }
            kind::COMMAND => return self.command(&payload),
            kind::COMMAND_AMF3 => return self.command(&amf0_in_amf3(payload)),
            kind::WINDOW_SIZE => {
                if let Some(bytes) = payload.first_chunk() {
                    self.window = u32::from_be_bytes(*bytes).max(MIN_WINDOW);
                }
            }
            kind::USER_CONTROL => self.user_control(&payload),
            // Acknowledgements, bandwidth, shared objects, and media from a client that does not publish.
            _ => {}
        }
        Ok(None)
    }

    fn user_control(&mut self, payload: &[u8]) {
        let Some((event, rest)) = payload.split_first_chunk() else { return };
        if let (control::PING_REQUEST, Some(time)) = (u16::from_be_bytes(*event), rest.first_chunk()) {
            self.control(control::PING_RESPONSE, u32::from_be_bytes(*time));
        }
    }

    /// Acknowledges (section 5.4.3) all bytes so far, including the handshake, modulo 2^32.
    fn acknowledge(&mut self) {
        if self.received - self.acknowledged < self.window.into() {
            return;
        }
        let total = self.received as u32;
        if let Stage::Open(open) = &mut self.stage {
            let data = Bytes::copy_from_slice(&total.to_be_bytes());
            open.writer.write(kind::ACKNOWLEDGEMENT, 0, 0, data, &mut self.out);
            self.acknowledged = self.received;
        }
    }
}

/// Removes the first byte of an AMF3 message: real clients send a 0 and then AMF0.
fn amf0_in_amf3(mut payload: Bytes) -> Bytes {
    if payload.first() == Some(&0) { payload.split_off(1) } else { payload }
}

#[cfg(test)]
mod tests;
