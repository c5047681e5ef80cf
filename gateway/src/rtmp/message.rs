//! RTMP messages (Adobe's RTMP 1.0, sections 5.4 and 7.1) and their writer.

use bytes::Bytes;
use media::flv::amf0::{self, Value};
use rml_rtmp::chunk_io::ChunkSerializer;
use rml_rtmp::messages::MessagePayload;
use rml_rtmp::time::RtmpTimestamp;

/// Message types.
pub mod kind {
    /// Set Chunk Size.
    pub const SET_CHUNK_SIZE: u8 = 1;
    /// Abort.
    pub const ABORT: u8 = 2;
    /// Acknowledgement.
    pub const ACKNOWLEDGEMENT: u8 = 3;
    /// User Control.
    pub const USER_CONTROL: u8 = 4;
    /// Window Acknowledgement Size.
    pub const WINDOW_SIZE: u8 = 5;
    /// Set Peer Bandwidth.
    pub const PEER_BANDWIDTH: u8 = 6;
    /// Audio.
    pub const AUDIO: u8 = 8;
    /// Video.
    pub const VIDEO: u8 = 9;
    /// Data in AMF3; in practice a 0 followed by AMF0.
    pub const DATA_AMF3: u8 = 15;
    /// A command in AMF3; in practice a 0 followed by AMF0.
    pub const COMMAND_AMF3: u8 = 17;
    /// Data in AMF0.
    pub const DATA: u8 = 18;
    /// A command in AMF0.
    pub const COMMAND: u8 = 20;
    /// Several messages in one.
    pub const AGGREGATE: u8 = 22;
}

/// User control events.
pub mod control {
    /// Stream Begin.
    pub const STREAM_BEGIN: u16 = 0;
    /// Stream EOF.
    pub const STREAM_EOF: u16 = 1;
    /// Set Buffer Length.
    pub const SET_BUFFER_LENGTH: u16 = 3;
    /// Ping Request.
    pub const PING_REQUEST: u16 = 6;
    /// Ping Response.
    pub const PING_RESPONSE: u16 = 7;
}

/// The only message stream of a connection, as in nginx: a client with two streams uses two connections. So the
/// messages have the same bytes for every player.
pub const STREAM: u32 = 1;

/// The chunk size that this server announces and uses: nearly every frame fits one chunk.
pub const CHUNK_SIZE: u32 = 64 << 10;

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Timestamp in milliseconds; it wraps.
    pub timestamp: u32,
    /// One of [`kind`].
    pub kind: u8,
    /// Id of the message stream; 0 for the connection itself.
    pub stream: u32,
    /// The content.
    pub payload: Bytes,
}

/// Writes messages as chunks. Every message starts with a full header, so that messages of several writers
/// can follow each other on one connection.
pub struct Writer(ChunkSerializer);

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Creates a writer for a new connection: chunks of 128 bytes until [`Writer::announce_chunk_size`].
    pub fn new() -> Self {
        Self(ChunkSerializer::new())
    }

    /// Creates a writer for a connection where [`CHUNK_SIZE`] was announced.
    pub fn announced() -> Self {
        let mut writer = Self::new();
        writer.announce_chunk_size(&mut Vec::new());
        writer
    }

    /// Announces [`CHUNK_SIZE`] to the peer and uses it from now on.
    pub fn announce_chunk_size(&mut self, out: &mut Vec<u8>) {
        // This fails only for sizes over 2^31.
        if let Ok(packet) = self.0.set_max_chunk_size(CHUNK_SIZE, RtmpTimestamp::new(0)) {
            out.extend_from_slice(&packet.bytes);
        }
    }

    /// Appends a message. A message over 2^24 bytes cannot be written and is dropped.
    pub fn write(&mut self, kind: u8, timestamp: u32, stream: u32, data: Bytes, out: &mut Vec<u8>) {
        let payload = MessagePayload {
            timestamp: RtmpTimestamp::new(timestamp),
            type_id: kind,
            message_stream_id: stream,
            data,
        };
        if let Ok(packet) = self.0.serialize(&payload, false, true) {
            out.extend_from_slice(&packet.bytes);
        }
    }

    /// Appends a command or data message with these values.
    pub fn values(&mut self, kind: u8, stream: u32, values: &[Value], out: &mut Vec<u8>) {
        let mut data = Vec::new();
        values.iter().for_each(|value| amf0::write(&mut data, value));
        self.write(kind, 0, stream, data.into(), out);
    }

    /// Appends a user control message with `value`.
    pub fn user_control(&mut self, event: u16, value: u32, out: &mut Vec<u8>) {
        let data = [&event.to_be_bytes()[..], &value.to_be_bytes()].concat();
        self.write(kind::USER_CONTROL, 0, 0, data.into(), out);
    }

    /// Appends a player's buffer length in milliseconds.
    pub fn buffer_length(&mut self, stream: u32, milliseconds: u32, out: &mut Vec<u8>) {
        let event = control::SET_BUFFER_LENGTH.to_be_bytes();
        let data = [&event[..], &stream.to_be_bytes(), &milliseconds.to_be_bytes()].concat();
        self.write(kind::USER_CONTROL, 0, 0, data.into(), out);
    }
}

/// Creates an AMF0 object.
pub fn object(properties: &[(&str, Value)]) -> Value {
    Value::Object(properties.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}
