//! The client's side of an RTMP connection as a state machine: bytes in, events and bytes out. No I/O and no clock.
//!
//! The owner passes bytes to [`ClientSession::read`], handles the [`ClientEvent`]s, and sends the bytes from
//! [`ClientSession::take_output`]. After [`ClientEvent::Accepted`] a publisher sends the messages of its stream.

mod address;
mod reply;

use std::fmt;

use bytes::Bytes;
use media::flv::amf0::Value;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};

pub use self::address::ClientAddress;
use super::aggregate::Aggregate;
use super::chunk::{ChunkError, ChunkReader};
use super::message::{Message, Writer, control, kind, object};

/// Maximum size in bytes of a message from a server, except media.
const MAX_COMMAND: usize = 64 << 10;
/// Acknowledgement window in bytes, for both directions.
const WINDOW: u32 = 2_500_000;
/// Minimum number of bytes between acknowledgements.
const MIN_WINDOW: u32 = 16 << 10;
/// Size in bytes of S0 with S1, and S2.
const HANDSHAKE: usize = 1 + 1536 + 1536;
/// Transactions of the commands that the server answers.
const CONNECT: f64 = 1.0;
const CREATE_STREAM: f64 = 4.0;
/// Buffer length in milliseconds that a player announces. Servers send so much at once.
const BUFFER_MS: u32 = 1000;
/// The software's name for the server.
const AGENT: &str = concat!("FMLE/3.0 (compatible; Lianmai/", env!("CARGO_PKG_VERSION"), ")");
/// The property of `connect` in which a gateway gives its id, so that it recognizes its own stream.
pub const SENT_BY: &str = "lianmaiSentBy";

/// What a client wants to do with the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Publish it. The id is that of this gateway.
    Publish,
    /// Play it; messages have at most this number of bytes.
    Play(usize),
}

/// An event on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The server accepts the request.
    Accepted,
    /// The server refuses the request, or ends the stream, with its reason.
    Refused(String),
    /// The stream is over, or its publisher left.
    Ended,
    /// Audio of the played stream: timestamp in milliseconds, and an FLV tag body.
    Audio(u32, Bytes),
    /// Video of the played stream, in the same form.
    Video(u32, Bytes),
    /// Metadata or another AMF0 message of the played stream.
    Script(Bytes),
}

/// A protocol error of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientError {
    /// The peer does not speak RTMP.
    Handshake,
    /// The chunks are malformed.
    Chunk(ChunkError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake => f.write_str("the server does not speak RTMP"),
            Self::Chunk(error) => write!(f, "the server sends malformed RTMP: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<ChunkError> for ClientError {
    fn from(error: ChunkError) -> Self {
        Self::Chunk(error)
    }
}

/// The state after the handshake.
#[derive(Debug)]
struct OpenSession {
    chunks: ChunkReader,
    writer: Writer,
    aggregate: Option<Aggregate>,
    /// Whether the server has answered `connect`.
    connected: bool,
    /// Id of the message stream, once the server has created it.
    stream: Option<u32>,
    accepted: bool,
    /// The video codecs that the server lists (Enhanced RTMP).
    codecs: Vec<String>,
}

enum Stage {
    Handshake(Box<Handshake>, usize),
    Open(Box<OpenSession>),
}

/// The state of a connection to a server.
pub struct ClientSession {
    stage: Stage,
    address: ClientAddress,
    purpose: Purpose,
    /// Id of this gateway.
    id: String,
    out: Vec<u8>,
    received: u64,
    acknowledged: u64,
    window: u32,
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSession").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}

impl ClientSession {
    /// Creates a session for a new connection, and its first output. `id` is that of this gateway.
    pub fn new(address: ClientAddress, purpose: Purpose, id: &str) -> Self {
        let mut handshake = Box::new(Handshake::new(PeerType::Client));
        // This does not fail: the library returns a `Result` everywhere.
        let out = handshake.generate_outbound_p0_and_p1().unwrap_or_default();
        let (stage, id) = (Stage::Handshake(handshake, 0), id.to_owned());
        Self { stage, address, purpose, id, out, received: 0, acknowledged: 0, window: WINDOW }
    }

    /// Returns the bytes to send to the server; usually empty.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Returns the id of the message stream, once the server has accepted the request.
    pub const fn stream(&self) -> Option<u32> {
        match &self.stage {
            Stage::Open(open) if open.accepted => open.stream,
            _ => None,
        }
    }

    /// Returns whether the server says that it takes video with this FourCC (Enhanced RTMP).
    pub fn takes(&self, fourcc: &str) -> bool {
        match &self.stage {
            Stage::Open(open) => open.codecs.iter().any(|codec| codec == fourcc || codec == "*"),
            Stage::Handshake(..) => false,
        }
    }

    /// Returns the number of bytes in incomplete messages.
    pub fn unfinished(&self) -> usize {
        match &self.stage {
            Stage::Open(open) => open.chunks.unfinished(),
            Stage::Handshake(..) => 0,
        }
    }

    /// Reads from the front of `input` until the next event; `None` if the input ends first.
    ///
    /// # Errors
    /// The server does not speak RTMP, or breaks its rules.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, ClientError> {
        let before = input.len();
        let result = self.advance(input);
        self.received += (before - input.len()) as u64;
        self.acknowledge();
        result
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<ClientEvent>, ClientError> {
        loop {
            match &mut self.stage {
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
                            self.open();
                        }
                        Err(_) => return Err(ClientError::Handshake),
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
                    if let Some(event) = self.message(message) {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    /// Begins with `connect`, after the handshake.
    fn open(&mut self) {
        let mut writer = Writer::new();
        writer.announce_chunk_size(&mut self.out);
        let all = |codecs: &[&str]| {
            object(&codecs.iter().map(|codec| (*codec, Value::Number(4.0))).collect::<Vec<_>>())
        };
        let (video, audio) = (["avc1", "hvc1", "av01", "vp08", "vp09"], ["mp4a", ".mp3", "Opus"]);
        let list = video.iter().chain(&audio).map(|codec| Value::from(*codec)).collect();
        let mut properties = vec![
            ("app", Value::from(self.address.app.as_str())),
            ("type", "nonprivate".into()),
            ("flashVer", AGENT.into()),
            ("tcUrl", self.address.tc_url.as_str().into()),
            (SENT_BY, self.id.as_str().into()),
        ];
        if let Purpose::Play(_) = self.purpose {
            // All audio and video codecs of Flash, and the seek of its player.
            let flash =
                [("fpad", 0.0), ("capabilities", 15.0), ("audioCodecs", 4071.0), ("videoCodecs", 252.0)];
            properties.extend(flash.map(|(name, value)| (name, Value::Number(value))));
            properties.push(("videoFunction", Value::Number(1.0)));
        }
        properties.push(("fourCcList", Value::StrictArray(list)));
        properties.push(("videoFourCcInfoMap", all(&video)));
        properties.push(("audioFourCcInfoMap", all(&audio)));
        let values = ["connect".into(), Value::Number(CONNECT), object(&properties)];
        writer.values(kind::COMMAND, 0, &values, &mut self.out);
        let chunks = ChunkReader::new(MAX_COMMAND);
        self.stage = Stage::Open(Box::new(OpenSession {
            chunks,
            writer,
            aggregate: None,
            connected: false,
            stream: None,
            accepted: false,
            codecs: Vec::new(),
        }));
    }

    fn message(&mut self, message: Message) -> Option<ClientEvent> {
        let Stage::Open(open) = &mut self.stage else { return None };
        let playing = open.accepted && matches!(self.purpose, Purpose::Play(_));
        let payload = message.payload;
        match message.kind {
            kind::AUDIO if playing => return Some(ClientEvent::Audio(message.timestamp, payload)),
            kind::VIDEO if playing => return Some(ClientEvent::Video(message.timestamp, payload)),
            kind::DATA if playing => return Some(ClientEvent::Script(payload)),
            kind::DATA_AMF3 if playing => return Some(ClientEvent::Script(amf0_in_amf3(payload))),
            kind::AGGREGATE if playing => {
                open.aggregate = Some(Aggregate::new(message.timestamp, payload));
            }
            kind::COMMAND => return self.command(&payload),
            kind::COMMAND_AMF3 => return self.command(&amf0_in_amf3(payload)),
            kind::WINDOW_SIZE => {
                if let Some(bytes) = payload.first_chunk() {
                    self.window = u32::from_be_bytes(*bytes).max(MIN_WINDOW);
                }
            }
            kind::PEER_BANDWIDTH => {
                let size = Bytes::copy_from_slice(&WINDOW.to_be_bytes());
                open.writer.write(kind::WINDOW_SIZE, 0, 0, size, &mut self.out);
            }
            kind::USER_CONTROL => {
                let (event, rest) = payload.split_first_chunk()?;
                let value = rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
                match (u16::from_be_bytes(*event), value) {
                    (control::PING_REQUEST, Some(time)) => {
                        open.writer.user_control(control::PING_RESPONSE, time, &mut self.out);
                    }
                    (control::STREAM_EOF, _) if playing => return Some(ClientEvent::Ended),
                    _ => {}
                }
            }
            _ => {}
        }
        None
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

    /// Writes a data message of the published stream, at time 0.
    pub fn send_data(&mut self, body: Bytes) {
        let Some(stream) = self.stream() else { return };
        if let Stage::Open(open) = &mut self.stage {
            open.writer.write(kind::DATA, 0, stream, body, &mut self.out);
        }
    }

    /// Ends the published or played stream.
    pub fn finish(&mut self) {
        let Some(stream) = self.stream() else { return };
        let key = Value::from(self.address.key.as_str());
        let publishing = self.purpose == Purpose::Publish;
        if publishing {
            self.values(0, &["FCUnpublish".into(), Value::Number(6.0), Value::Null, key]);
        }
        let id = Value::Number(stream.into());
        self.values(0, &["deleteStream".into(), Value::Number(7.0), Value::Null, id]);
    }

    fn values(&mut self, stream: u32, values: &[Value]) {
        if let Stage::Open(open) = &mut self.stage {
            open.writer.values(kind::COMMAND, stream, values, &mut self.out);
        }
    }
}

/// Removes the first byte of an AMF3 message: real servers send a 0 and then AMF0.
fn amf0_in_amf3(mut payload: Bytes) -> Bytes {
    if payload.first() == Some(&0) { payload.split_off(1) } else { payload }
}

#[cfg(test)]
mod tests;
