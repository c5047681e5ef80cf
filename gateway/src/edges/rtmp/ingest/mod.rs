//! A publisher's messages to frames, without I/O.

use bytes::Bytes;
use media::flv::{BodyDemuxer, Metadata, message};
use media::{Frame, Result};

use super::session::Event;

/// What one message brought.
#[derive(Debug)]
pub enum Input {
    /// A frame, on the publisher's clock.
    Frame(Frame),
    /// What the publisher says of its stream.
    Metadata(Metadata),
    /// A message of an application to its viewers.
    Message(Bytes),
}

/// Reads one publisher's messages, and counts them. A message that cannot be read costs only itself.
#[derive(Debug)]
pub struct Ingest {
    demuxer: BodyDemuxer,
    said: Option<Input>,
    frames: u64,
    bad: u64,
}

impl Ingest {
    /// An ingest at the begin of a publisher's messages.
    pub fn new() -> Self {
        Self { demuxer: BodyDemuxer::for_publisher(), said: None, frames: 0, bad: 0 }
    }

    /// Reads the next message. Take what [`Ingest::next`] has before the next one.
    ///
    /// # Errors
    /// When the message is malformed or of a codec that is not supported.
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

    /// The next of what the messages so far brought: nothing for a sequence header, perhaps several frames
    /// for one that proves that a picture is whole.
    #[expect(clippy::should_implement_trait, reason = "none is not the end")]
    pub fn next(&mut self) -> Option<Input> {
        if let Some(said) = self.said.take() {
            return Some(said);
        }
        let frame = self.demuxer.next()?;
        self.frames += 1;
        Some(Input::Frame(frame))
    }

    /// Whether a picture waits for its next part, or for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.demuxer.holds()
    }

    /// Nothing more comes, or not in time: the picture that waits is passed on.
    pub fn flush(&mut self) {
        self.demuxer.flush();
    }

    /// Whether there are tracks that are not read.
    pub const fn has_other_tracks(&self) -> bool {
        self.demuxer.has_other_tracks()
    }

    /// Frames so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Messages that could not be read so far.
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
