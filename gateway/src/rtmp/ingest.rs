//! A publisher's messages to frames, without I/O.

use media::flv::{BodyDemuxer, Metadata};
use media::{Frame, Result};

use super::session::Event;

/// What one message brought.
#[derive(Debug)]
pub enum Input {
    /// A frame, on the publisher's clock.
    Frame(Frame),
    /// What the publisher says of its stream.
    Metadata(Metadata),
}

/// Reads one publisher's messages, and counts them. A message that cannot be read costs only itself.
#[derive(Debug)]
pub struct Ingest {
    demuxer: BodyDemuxer,
    frames: u64,
    bad: u64,
}

impl Ingest {
    /// An ingest at the begin of a publisher's messages.
    pub const fn new() -> Self {
        Self { demuxer: BodyDemuxer::new(), frames: 0, bad: 0 }
    }

    /// Reads the next message. None for one without a frame, such as a sequence header.
    ///
    /// # Errors
    /// When the message is malformed or of a codec that is not supported.
    pub fn read(&mut self, event: Event) -> Result<Option<Input>> {
        let input = match event {
            Event::Audio(timestamp, body) => self.demuxer.audio(timestamp, body).map(frame),
            Event::Video(timestamp, body) => self.demuxer.video(timestamp, body).map(frame),
            Event::Script(body) => self.demuxer.script(body).map(|found| found.map(Input::Metadata)),
            _ => Ok(None),
        };
        match &input {
            Ok(Some(Input::Frame(_))) => self.frames += 1,
            Ok(_) => {}
            Err(_) => self.bad += 1,
        }
        input
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

fn frame(frame: Option<Frame>) -> Option<Input> {
    frame.map(Input::Frame)
}

#[cfg(test)]
mod tests;
