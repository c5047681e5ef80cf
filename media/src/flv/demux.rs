//! FLV's framing: header, tags, and the sizes between them.

use std::collections::VecDeque;

use bytes::Bytes;

use super::FORMAT;
use super::body::BodyDemuxer;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::Frame;

/// Larger tags end the stream with an error.
pub const MAX_TAG_SIZE: usize = 16 << 20;

/// What an FLV stream holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The file header's promise. Many servers write both, whatever follows.
    Header {
        /// There will be audio tags.
        audio: bool,
        /// There will be video tags.
        video: bool,
    },
    /// One frame.
    Frame(Frame),
    /// A script tag's body: [`super::Metadata::read`] reads it for those who want to know.
    Script(Bytes),
}

#[derive(Debug, Clone, Copy)]
enum State {
    FileHeader,
    /// Bytes to pass over: the rest of a long file header, and the size after it.
    Skip(usize),
    TagHeader,
    Body {
        kind: u8,
        timestamp: u32,
        size: usize,
    },
    /// The framing is lost; nothing more comes.
    Failed,
}

/// Turns the bytes of an FLV stream, in any pieces, into events.
///
/// An error about one tag (an unsupported codec, a bad body) leaves the following ones readable: keep
/// calling [`Demuxer::next`]. When the framing itself is lost, the error is followed by nothing more
/// and [`Demuxer::failed`] says so.
#[derive(Debug)]
pub struct Demuxer {
    chunks: VecDeque<Bytes>,
    /// The beginning of a piece that spans chunks.
    partial: Vec<u8>,
    /// Bytes consumed.
    offset: u64,
    state: State,
    body: BodyDemuxer,
}

impl Default for Demuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl Demuxer {
    /// A demuxer that awaits a file header, and then a server's stream.
    pub fn new() -> Self {
        Self::with(BodyDemuxer::new())
    }

    /// A demuxer of what an encoder publishes: see [`BodyDemuxer::for_publisher`].
    pub fn for_publisher() -> Self {
        Self::with(BodyDemuxer::for_publisher())
    }

    fn with(body: BodyDemuxer) -> Self {
        let (chunks, partial) = (VecDeque::new(), Vec::new());
        Self { chunks, partial, offset: 0, state: State::FileHeader, body }
    }

    /// Hands in the next bytes. Frames that lie within one piece share its memory.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && !self.failed() {
            self.chunks.push_back(bytes);
        }
    }

    /// Whether the framing is lost for good.
    pub const fn failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Whether a picture waits for its next part, or for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.body.holds()
    }

    /// The picture that waits is passed on: nothing more comes, or not in time.
    pub fn flush(&mut self) {
        self.body.flush();
    }

    /// The tag bodies' state: the newest configurations.
    pub const fn body(&self) -> &BodyDemuxer {
        &self.body
    }

    /// The next event, or none until more bytes come.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: none is not the end")]
    pub fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(frame) = self.body.next() {
                return Some(Ok(Event::Frame(frame)));
            }
            match self.state {
                State::FileHeader => {
                    let head = self.take(9)?;
                    return Some(self.file_header(&head));
                }
                State::Skip(0) => self.state = State::TagHeader,
                State::Skip(count) => {
                    let available = self.chunks.front()?.len();
                    let skipped = self.take(count.min(available))?.len();
                    self.state = State::Skip(count - skipped);
                }
                State::TagHeader => {
                    let head = self.take(11)?;
                    if let Err(error) = self.tag_header(&head) {
                        if matches!(self.state, State::TagHeader) {
                            self.state = State::Failed;
                            self.chunks.clear();
                        }
                        return Some(Err(error));
                    }
                }
                State::Body { kind, timestamp, size } => {
                    let at = self.offset;
                    let body = self.take(size)?;
                    self.state = State::Skip(4);
                    let read = match kind {
                        8 => self.body.audio(timestamp, body),
                        9 => self.body.video(timestamp, body),
                        18 => return Some(Ok(Event::Script(body))),
                        _ => Ok(()),
                    };
                    if let Err(error) = read {
                        let offset = at.saturating_add(error.offset);
                        return Some(Err(error.at(offset)));
                    }
                }
                State::Failed => return None,
            }
        }
    }

    /// The next `count` bytes in one piece, once they are there.
    fn take(&mut self, count: usize) -> Option<Bytes> {
        if self.partial.is_empty() {
            let front = match self.chunks.front_mut() {
                Some(front) => front,
                None if count == 0 => return Some(Bytes::new()),
                None => return None,
            };
            if front.len() >= count {
                let piece = front.split_to(count);
                if front.is_empty() {
                    self.chunks.pop_front();
                }
                self.offset += count as u64;
                return Some(piece);
            }
        }
        while self.partial.len() < count {
            let mut chunk = self.chunks.pop_front()?;
            let missing = count - self.partial.len();
            if chunk.len() > missing {
                self.chunks.push_front(chunk.split_off(missing));
            }
            if self.partial.capacity() == 0 {
                // Grow with what came, not with what is claimed, and without copying often.
                self.partial.reserve(count.min(64 << 10).max(chunk.len()));
            }
            self.partial.extend_from_slice(&chunk);
        }
        self.offset += count as u64;
        let mut piece = std::mem::take(&mut self.partial);
        piece.shrink_to_fit();
        Some(piece.into())
    }

    fn file_header(&mut self, head: &[u8]) -> Result<Event> {
        let size = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
        if !head.starts_with(b"FLV\x01") || !(9..=1024).contains(&size) {
            self.state = State::Failed;
            self.chunks.clear();
            return Err(Error::invalid(FORMAT, self.offset - 9, "file header"));
        }
        self.state = State::Skip(size - 9 + 4);
        Ok(Event::Header { audio: head[4] & 4 != 0, video: head[4] & 1 != 0 })
    }

    /// Moves on to the tag's body; leaves the state as it is when the framing is lost.
    fn tag_header(&mut self, head: &[u8]) -> Result<()> {
        let at = self.offset - 11;
        if head.starts_with(b"FLV\x01") {
            // A second file in the same stream, as some servers send after a reconnect: 9 bytes of
            // header and 4 of size, two of which are left.
            self.state = State::Skip(2);
            return Ok(());
        }
        let kind = head[0] & 0x1f;
        let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
        if head[0] & 0xc0 != 0 || !matches!(kind, 8 | 9 | 18 | 15) || head[8..11] != [0; 3] {
            return Err(Error::invalid(FORMAT, at, "tag header"));
        }
        if size > MAX_TAG_SIZE {
            return Err(Error::new(FORMAT, at + 1, ErrorKind::TooLarge("tag")));
        }
        let timestamp = u32::from_be_bytes([head[7], head[4], head[5], head[6]]);
        if head[0] & 0x20 != 0 {
            self.state = State::Body { kind: 0, timestamp, size };
            return Err(Error::unsupported(FORMAT, at, "encrypted tag"));
        }
        self.state = State::Body { kind, timestamp, size };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_size_allocates_nothing_of_note() {
        let mut demuxer = Demuxer::new();
        demuxer.push(super::super::mux::header(false, true));
        demuxer.push(Bytes::from_static(&[9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0]));
        demuxer.push(Bytes::from_static(&[0x17, 1, 0]));
        while let Some(event) = demuxer.next() {
            assert!(matches!(event, Ok(Event::Header { .. })));
        }
        assert!(demuxer.partial.capacity() <= 64 << 10);
    }
}
