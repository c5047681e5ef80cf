//! FLV's framing: file header, tags, and the tag sizes between them.

use std::collections::VecDeque;

use bytes::Bytes;

use super::FORMAT;
use super::body::BodyDemuxer;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::Frame;

/// Maximum size of a tag in bytes. A larger tag ends the stream with an error.
pub const MAX_TAG_SIZE: usize = 16 << 20;

/// An element of an FLV stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The file header. Many servers announce both tracks, whether or not they send them.
    Header {
        /// Audio tags are announced.
        audio: bool,
        /// Video tags are announced.
        video: bool,
    },
    /// One frame.
    Frame(Frame),
    /// A script tag's body: [`super::Metadata::read`] parses it.
    Script(Bytes),
}

/// The next element of the byte stream.
#[derive(Debug, Clone, Copy)]
enum NextElement {
    FileHeader,
    /// Skips this many bytes: the rest of a long file header, and the size after it.
    Skip(usize),
    TagHeader,
    Body {
        kind: u8,
        timestamp: u32,
        size: usize,
    },
    /// The framing is lost: no more events follow.
    Failed,
}

/// Converts the bytes of an FLV stream, in chunks of any size, to events.
///
/// After an error about one tag (an unsupported codec, a malformed body) the following tags are still read:
/// keep calling [`Demuxer::next`]. If the framing is lost, no events follow the error and [`Demuxer::failed`]
/// returns true.
#[derive(Debug)]
pub struct Demuxer {
    chunks: VecDeque<Bytes>,
    /// The start of an element that spans several chunks.
    partial: Vec<u8>,
    /// Number of bytes consumed.
    offset: u64,
    state: NextElement,
    body: BodyDemuxer,
}

impl Default for Demuxer {
    fn default() -> Self {
        Self::new()
    }
}

impl Demuxer {
    /// Creates a demuxer for a stream from a server. It expects a file header first.
    pub fn new() -> Self {
        Self::with(BodyDemuxer::new())
    }

    /// Creates a demuxer for a publisher's stream: see [`BodyDemuxer::for_publisher`].
    pub fn for_publisher() -> Self {
        Self::with(BodyDemuxer::for_publisher())
    }

    fn with(body: BodyDemuxer) -> Self {
        let (chunks, partial) = (VecDeque::new(), Vec::new());
        Self { chunks, partial, offset: 0, state: NextElement::FileHeader, body }
    }

    /// Adds the next bytes. Frames that lie within one chunk share its memory.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && !self.failed() {
            self.chunks.push_back(bytes);
        }
    }

    /// Returns whether the framing is lost for good.
    pub const fn failed(&self) -> bool {
        matches!(self.state, NextElement::Failed)
    }

    /// Returns whether a video frame waits for its next part, or for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.body.holds()
    }

    /// Passes on the waiting video frame: nothing more arrives, or not in time.
    pub fn flush(&mut self) {
        self.body.flush();
    }

    /// Returns the demuxer of the tag bodies, with the newest configurations.
    pub const fn body(&self) -> &BodyDemuxer {
        &self.body
    }

    /// Returns the next event, or `None` until more bytes arrive.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: none is not the end")]
    pub fn next(&mut self) -> Option<Result<Event>> {
        loop {
            if let Some(frame) = self.body.next() {
                return Some(Ok(Event::Frame(frame)));
            }
            match self.state {
                NextElement::FileHeader => {
                    let head = self.take(9)?;
                    return Some(self.file_header(&head));
                }
                NextElement::Skip(0) => self.state = NextElement::TagHeader,
                NextElement::Skip(count) => {
                    let available = self.chunks.front()?.len();
                    let skipped = self.take(count.min(available))?.len();
                    self.state = NextElement::Skip(count - skipped);
                }
                NextElement::TagHeader => {
                    let head = self.take(11)?;
                    if let Err(error) = self.tag_header(&head) {
                        if matches!(self.state, NextElement::TagHeader) {
                            self.state = NextElement::Failed;
                            self.chunks.clear();
                        }
                        return Some(Err(error));
                    }
                }
                NextElement::Body { kind, timestamp, size } => {
                    let at = self.offset;
                    let body = self.take(size)?;
                    self.state = NextElement::Skip(4);
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
                NextElement::Failed => return None,
            }
        }
    }

    /// Returns the next `count` bytes in one piece once they have arrived.
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
                // The buffer grows with the received bytes, not with the claimed length, and in large steps.
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
            self.state = NextElement::Failed;
            self.chunks.clear();
            return Err(Error::invalid(FORMAT, self.offset - 9, "file header"));
        }
        self.state = NextElement::Skip(size - 9 + 4);
        Ok(Event::Header { audio: head[4] & 4 != 0, video: head[4] & 1 != 0 })
    }

    /// Reads a tag header. Leaves the state unchanged if the framing is lost.
    fn tag_header(&mut self, head: &[u8]) -> Result<()> {
        let at = self.offset - 11;
        if head.starts_with(b"FLV\x01") {
            // A second file in the same stream, which some servers send after a reconnect: 9 bytes of header
            // and 4 of size, two of which are left.
            self.state = NextElement::Skip(2);
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
            self.state = NextElement::Body { kind: 0, timestamp, size };
            return Err(Error::unsupported(FORMAT, at, "encrypted tag"));
        }
        self.state = NextElement::Body { kind, timestamp, size };
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
