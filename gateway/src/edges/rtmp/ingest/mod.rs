//! Converts a publisher's messages to frames, without I/O.

use bytes::Bytes;
use media::flv::{BodyDemuxer, Metadata, message};
use media::{Frame, Result};

use super::session::Event;

/// The content of a message.
#[derive(Debug)]
pub enum Input {
    /// A frame, with timestamps on the publisher's clock.
    Frame(Frame),
    /// The publisher's description of the stream.
    Metadata(Metadata),
    /// A message of an application to its viewers.
    Message(Bytes),
}

/// Reads one publisher's messages, and counts them. A malformed message is skipped.
#[derive(Debug)]
pub struct Ingest {
    demuxer: BodyDemuxer,
    said: Option<Input>,
    frames: u64,
    bad: u64,
}

impl Ingest {
    /// Creates an ingest for a new publisher.
    pub fn new() -> Self {
        Self { demuxer: BodyDemuxer::for_publisher(), said: None, frames: 0, bad: 0 }
    }

    /// Reads the next message. Call [`Ingest::next`] until it returns `None` before the next message.
    ///
    /// # Errors
    /// The message is malformed or its codec is not supported.
    pub fn read(&mut self, event: Event) -> Result<()> {
        let read = match event {
            Event::Audio(timestamp, body) => self.demuxer.audio(timestamp, body),
            Event::Video(timestamp, body) => self.demuxer.video(timestamp, body),
            Event::Script(body) => {
                self.said = message(&body).map(Input::Message);
                let found = self.demuxer.script(body);
                found.map(|found| self.said = found.map(Input::Metadata).or(self.said.take()))
            }
            _ => Ok(()),
        };
        self.bad += u64::from(read.is_err());
        read
    }

    /// Returns the next input: nothing for a sequence header, and possibly several frames for a message that
    /// completes a video frame.
    #[expect(clippy::should_implement_trait, reason = "none is not the end")]
    pub fn next(&mut self) -> Option<Input> {
        if let Some(said) = self.said.take() {
            return Some(said);
        }
        let frame = self.demuxer.next()?;
        self.frames += 1;
        Some(Input::Frame(frame))
    }

    /// Returns whether a video frame waits for its next part, or for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.demuxer.holds()
    }

    /// Passes on the waiting video frame: nothing more arrives, or not in time.
    pub fn flush(&mut self) {
        self.demuxer.flush();
    }

    /// Returns whether there are tracks that are not read.
    pub const fn has_other_tracks(&self) -> bool {
        self.demuxer.has_other_tracks()
    }

    /// Returns the number of frames so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Returns the number of malformed messages so far.
    pub const fn bad(&self) -> u64 {
        self.bad
    }
}

impl Default for Ingest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
