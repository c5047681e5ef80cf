//! Reads messages from the chunks that a peer sends (Adobe's RTMP 1.0, section 5.3).
//!
//! Chunk streams may be interleaved in any order. Memory is bounded by the received bytes, not by the lengths
//! in headers: there are at most [`MAX_CHUNK_STREAMS`] chunk streams, and all unfinished messages together
//! are at most as large as the largest allowed message plus [`SLACK`], or twice that message.

use std::fmt;

use bytes::Bytes;

use super::message::{Message, kind};

/// Maximum number of chunk streams of a peer; encoders use four or five.
pub const MAX_CHUNK_STREAMS: usize = 64;
/// Maximum size of unfinished messages in addition to the largest message.
pub const SLACK: usize = 256 << 10;
/// Maximum size of a chunk header: basic header, message header, extended timestamp.
const MAX_HEADER: usize = 3 + 11 + 4;
/// A timestamp field with this value means that an extended timestamp follows.
const EXTENDED: u32 = 0xff_ffff;
/// Minimum step by which a payload buffer grows as bytes arrive.
const GROW: usize = 1 << 10;

/// A protocol error in a peer's chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkError {
    /// The first chunk of a chunk stream has a header that refers to a previous chunk.
    NoHeader,
    /// More than [`MAX_CHUNK_STREAMS`] chunk streams.
    TooManyStreams,
    /// A message over the size limit, with its length.
    TooLong(usize),
    /// The unfinished messages together exceed the limit.
    TooMuchUnfinished,
    /// A Set Chunk Size message with 0, or too short.
    ChunkSize,
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("a chunk stream begins without a full header"),
            Self::TooManyStreams => f.write_str("too many chunk streams"),
            Self::TooLong(length) => write!(f, "a message of {length} bytes is too large"),
            Self::TooMuchUnfinished => f.write_str("too many unfinished messages"),
            Self::ChunkSize => f.write_str("the chunk size is 0 or too large"),
        }
    }
}

impl std::error::Error for ChunkError {}

/// Header fields that a chunk inherits from the previous chunk of its chunk stream.
#[derive(Debug, Default)]
struct ChunkStream {
    id: u32,
    timestamp: u32,
    /// The last timestamp field (section 5.3.1.2.4): a type 3 chunk that begins a message adds it.
    field: u32,
    extended: bool,
    length: usize,
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
    /// Whether a message is incomplete. Its payload may still be empty.
    open: bool,
}

/// Reads messages from bytes in any pieces.
#[derive(Debug)]
pub struct ChunkReader {
    chunk_size: usize,
    max_message: usize,
    streams: Vec<ChunkStream>,
    head: [u8; MAX_HEADER],
    have: usize,
    /// The chunk whose payload is being read: index of its chunk stream, and number of missing bytes.
    chunk: Option<(usize, usize)>,
    unfinished: usize,
    /// Whether the peer repeats the extended timestamp in continuing chunks, once that is known. The
    /// specification requires it, but some peers do not do it.
    repeats: Option<bool>,
}

impl ChunkReader {
    /// Creates a reader for messages of at most `max_message` bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            chunk_size: 128,
            max_message,
            streams: Vec::new(),
            head: [0; MAX_HEADER],
            have: 0,
            chunk: None,
            unfinished: 0,
            repeats: None,
        }
    }

    /// Changes the size limit for messages that begin from now on.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.max_message = bytes;
    }

    /// Returns the number of bytes in incomplete messages.
    pub fn unfinished(&self) -> usize {
        self.unfinished
    }

    /// Reads from the front of `input` until a message is complete or the input ends.
    ///
    /// Set Chunk Size and Abort are handled here and not returned.
    ///
    /// # Errors
    /// The chunks are malformed or exceed a limit. The reader cannot be used after that.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, ChunkError> {
        loop {
            let (index, missing) = match self.chunk {
                Some(chunk) => chunk,
                None => match self.header(input)? {
                    Some(chunk) => chunk,
                    None => return Ok(None),
                },
            };
            let count = missing.min(input.len());
            let (bytes, rest) = input.split_at(count);
            *input = rest;
            self.take(index, bytes)?;
            if count < missing {
                self.chunk = Some((index, missing - count));
                return Ok(None);
            }
            self.chunk = None;
            let stream = &mut self.streams[index];
            if stream.payload.len() < stream.length {
                continue;
            }
            stream.open = false;
            self.unfinished -= stream.payload.len();
            let message = Message {
                timestamp: stream.timestamp,
                kind: stream.kind,
                stream: stream.stream,
                payload: Bytes::from(std::mem::take(&mut stream.payload)),
            };
            match message.kind {
                kind::SET_CHUNK_SIZE => self.set_chunk_size(&message.payload)?,
                kind::ABORT => self.abort(&message.payload),
                _ => return Ok(Some(message)),
            }
        }
    }

    fn take(&mut self, index: usize, bytes: &[u8]) -> Result<(), ChunkError> {
        if self.unfinished + bytes.len() > self.max_message.saturating_add(SLACK.min(self.max_message)) {
            return Err(ChunkError::TooMuchUnfinished);
        }
        self.unfinished += bytes.len();
        let stream = &mut self.streams[index];
        let have = stream.payload.len();
        if stream.payload.capacity() - have < bytes.len() {
            let step = bytes.len().max(have).max(GROW);
            stream.payload.reserve_exact(step.min(stream.length - have));
        }
        stream.payload.extend_from_slice(bytes);
        Ok(())
    }

    /// Reads a chunk's header. Returns `None` if the input ends within it.
    fn header(&mut self, input: &mut &[u8]) -> Result<Option<(usize, usize)>, ChunkError> {
        loop {
            let need = self.header_length();
            if self.have == need {
                break;
            }
            let count = (need - self.have).min(input.len());
            if count == 0 {
                return Ok(None);
            }
            let (bytes, rest) = input.split_at(count);
            self.head[self.have..self.have + count].copy_from_slice(bytes);
            self.have += count;
            *input = rest;
        }
        let length = std::mem::take(&mut self.have);
        self.begin_chunk(length).map(Some)
    }

    /// Returns the length of the header, as far as the bytes read so far determine it.
    fn header_length(&self) -> usize {
        if self.have == 0 {
            return 1;
        }
        let (format, basic) = (self.head[0] >> 6, self.basic_length());
        let fields = [11, 7, 3, 0][usize::from(format)];
        if self.have < basic + fields {
            return basic + fields;
        }
        let extended = match format {
            3 => self.find(self.chunk_stream_id()).is_some_and(|index| self.extended_follows(index)),
            _ => u24(&self.head[basic..]) == EXTENDED,
        };
        basic + fields + if extended { 4 } else { 0 }
    }

    fn extended_follows(&self, index: usize) -> bool {
        let stream = &self.streams[index];
        stream.extended && !(stream.open && self.repeats == Some(false))
    }

    fn basic_length(&self) -> usize {
        match self.head[0] & 0x3f {
            0 => 2,
            1 => 3,
            _ => 1,
        }
    }

    fn chunk_stream_id(&self) -> u32 {
        match self.head[0] & 0x3f {
            0 => 64 + u32::from(self.head[1]),
            1 => 64 + u32::from(self.head[1]) + 256 * u32::from(self.head[2]),
            id => id.into(),
        }
    }

    fn find(&self, id: u32) -> Option<usize> {
        self.streams.iter().position(|stream| stream.id == id)
    }

    /// Applies the header in `head`; the payload follows.
    fn begin_chunk(&mut self, length: usize) -> Result<(usize, usize), ChunkError> {
        let (format, id) = (self.head[0] >> 6, self.chunk_stream_id());
        let fields = &self.head[self.basic_length()..length];
        let index = match self.streams.iter().position(|stream| stream.id == id) {
            Some(index) => index,
            // Some clients begin with a type 1 chunk. It only lacks the message stream, which is 0 then.
            None if format > 1 => return Err(ChunkError::NoHeader),
            None if self.streams.len() == MAX_CHUNK_STREAMS => return Err(ChunkError::TooManyStreams),
            None => {
                self.streams.push(ChunkStream { id, ..ChunkStream::default() });
                self.streams.len() - 1
            }
        };
        let stream = &mut self.streams[index];
        if format == 3 {
            let extended = fields.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
            return self.continue_or_repeat(index, extended);
        }
        let mut field = u24(fields);
        stream.extended = field == EXTENDED;
        if let Some(bytes) = fields.last_chunk().filter(|_| stream.extended) {
            field = u32::from_be_bytes(*bytes);
        }
        let (mut new_length, mut new_kind) = (stream.length, stream.kind);
        if format < 2 {
            (new_length, new_kind) = (u24(&fields[3..]) as usize, fields[6]);
        }
        let timestamp = if format == 0 { field } else { stream.timestamp.wrapping_add(field) };
        let same = (new_length, new_kind, timestamp) == (stream.length, stream.kind, stream.timestamp);
        (stream.field, stream.length, stream.kind, stream.timestamp) =
            (field, new_length, new_kind, timestamp);
        if format == 0 {
            stream.stream = fields.get(7..11).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        }
        // Some senders repeat the full header in every chunk of a message.
        if stream.open && format == 0 && same {
            return Ok((index, self.payload_length(index)));
        }
        self.begin_message(index)
    }

    fn continue_or_repeat(
        &mut self,
        index: usize,
        extended: Option<u32>,
    ) -> Result<(usize, usize), ChunkError> {
        let stream = &mut self.streams[index];
        if !stream.open {
            let delta = extended.unwrap_or(stream.field);
            stream.field = delta;
            stream.timestamp = stream.timestamp.wrapping_add(delta);
            return self.begin_message(index);
        }
        let length = self.payload_length(index);
        let Some(value) = extended else { return Ok((index, length)) };
        if self.repeats.is_none() && length >= 4 {
            let repeats = value == self.streams[index].field;
            self.repeats = Some(repeats);
            if !repeats {
                self.take(index, &value.to_be_bytes())?;
                return Ok((index, length - 4));
            }
        }
        Ok((index, length))
    }

    fn begin_message(&mut self, index: usize) -> Result<(usize, usize), ChunkError> {
        let stream = &mut self.streams[index];
        // A header in the middle of a message begins a new message: the old one stays incomplete.
        self.unfinished -= stream.payload.len();
        stream.payload = Vec::new();
        if stream.length > self.max_message {
            return Err(ChunkError::TooLong(stream.length));
        }
        stream.open = true;
        Ok((index, self.payload_length(index)))
    }

    /// Returns the payload length of the current chunk.
    fn payload_length(&self, index: usize) -> usize {
        let stream = &self.streams[index];
        (stream.length - stream.payload.len()).min(self.chunk_size)
    }

    fn set_chunk_size(&mut self, payload: &[u8]) -> Result<(), ChunkError> {
        let Some(bytes) = payload.first_chunk() else { return Err(ChunkError::ChunkSize) };
        // The first bit must be 0, but some peers set it.
        let size = u32::from_be_bytes(*bytes) & 0x7fff_ffff;
        if size == 0 {
            return Err(ChunkError::ChunkSize);
        }
        self.chunk_size = size as usize;
        Ok(())
    }

    fn abort(&mut self, payload: &[u8]) {
        let Some(bytes) = payload.first_chunk() else { return };
        if let Some(index) = self.find(u32::from_be_bytes(*bytes)) {
            let stream = &mut self.streams[index];
            self.unfinished -= stream.payload.len();
            stream.payload = Vec::new();
            stream.open = false;
        }
    }
}

fn u24(bytes: &[u8]) -> u32 {
    match bytes {
        [a, b, c, ..] => u32::from_be_bytes([0, *a, *b, *c]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
