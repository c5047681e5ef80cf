//! Covers a publisher that is connected and silent.

use std::sync::Arc;

use media::{Frame, Track};

use super::clock::Clock;
use super::frame_entry::FrameEntry;
use super::stream::Stream;

/// Sends frames in the place of a publisher that is connected and silent, on the stream's clock. The publisher keeps its
/// connection. It comes back with its next key frame, because a decoder cannot continue with other frames after these.
#[derive(Debug)]
pub struct StandIn {
    stream: Arc<Stream>,
    clock: Clock,
    /// Number of the publisher that is covered.
    turn: u64,
    first: bool,
}

impl StandIn {
    pub(super) fn new(stream: Arc<Stream>, turn: u64) -> Self {
        let clock = Clock::after(stream.newest());
        Self { stream, clock, turn, first: true }
    }

    /// Passes one frame to the viewers, as [`super::Publisher::push`] does. Returns false if the publisher is back, has
    /// left, or was replaced: the frame is dropped then, and all further ones.
    pub fn push(&mut self, mut frame: Frame) -> bool {
        self.clock.place(&mut frame);
        let start = match frame.track() {
            Track::Video => frame.key,
            Track::Audio => self.clock.video_is_silent(frame.dts),
        };
        let discontinuity = std::mem::take(&mut self.first);
        self.stream.push_covering(FrameEntry { frame, discontinuity, start }, self.turn)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stream.end_stand_in(self.turn);
    }
}

/// How a publisher goes on with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Covered {
    /// Nobody covers it.
    No,
    /// It is covered, and this frame cannot begin anew.
    Waits,
    /// It was covered until now, and begins anew with this frame.
    Returns,
}
