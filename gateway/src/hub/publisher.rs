//! The one who publishes a stream.

use std::sync::Arc;

use media::time::{MILLI, Micros, SECOND, Timeline};
use media::{Frame, Track};
use tokio::sync::watch;

use super::registry::Hub;
use super::stream::{Entry, Stream};

/// Times of a stream begin here, so that a track that starts a little earlier stays positive.
pub(super) const STREAM_START: Micros = SECOND;
/// Without video for this long, audio frames are places to start again.
const VIDEO_SILENCE: Micros = 3 * SECOND;

/// The stream's clock; it stays with the stream from one publisher to the next.
#[derive(Debug)]
pub(super) struct Clock {
    timeline: Timeline,
    last_video: Option<Micros>,
    last_audio: Option<Micros>,
    /// The distance of the last two video frames: what a joint between sources should look like.
    gap: Micros,
}

impl Default for Clock {
    fn default() -> Self {
        Self { timeline: Timeline::new(STREAM_START), last_video: None, last_audio: None, gap: 33 * MILLI }
    }
}

impl Clock {
    /// A clock that goes on after `newest`.
    pub(super) fn after(newest: Option<Micros>) -> Self {
        let mut clock = Self::default();
        if let Some(newest) = newest {
            clock.timeline = Timeline::new(newest);
            clock.timeline.offset(newest, 0);
        }
        clock
    }

    /// The next frame is another publisher's.
    pub(super) fn restart(&mut self) {
        self.timeline.restart(self.gap);
        self.last_video = None;
    }

    /// Lays `frame` on the stream's clock and tells whether the source's own clock jumped.
    fn place(&mut self, frame: &mut Frame) -> bool {
        let (offset, jumped) = self.timeline.offset(frame.dts, self.gap);
        let video = frame.is_video();
        let last = if video { &mut self.last_video } else { &mut self.last_audio };
        // Decode times never go back within a track: no muxer and no decoder takes that.
        let dts = frame.dts.saturating_add(offset).max(last.unwrap_or(0));
        let step = dts - last.unwrap_or(dts);
        *last = Some(dts);
        if video && !jumped && (MILLI..=SECOND).contains(&step) {
            self.gap = step;
        }
        frame.pts = frame.pts.saturating_add(offset);
        frame.dts = dts;
        jumped
    }
}

/// Publishes one stream; dropping it ends that.
#[derive(Debug)]
pub struct Publisher {
    hub: Hub,
    stream: Arc<Stream>,
    clock: Clock,
    /// Which of the stream's publishers this is.
    turn: u64,
    revoked: watch::Receiver<u64>,
    expected: Option<usize>,
    first: bool,
}

impl Publisher {
    pub(super) fn new(
        hub: Hub,
        stream: Arc<Stream>,
        clock: Clock,
        turn: u64,
        revoked: watch::Receiver<u64>,
    ) -> Self {
        Self { hub, stream, clock, turn, revoked, expected: None, first: true }
    }

    /// The stream it feeds.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// What the publisher's metadata promise, so that viewers need not wait for a track that will
    /// not come. A broken promise costs them a second.
    pub fn announce(&mut self, audio: bool, video: bool) {
        let tracks = usize::from(audio) + usize::from(video);
        self.expected = (tracks > 0).then_some(tracks);
    }

    /// Hands one frame, in decode order, to everyone who plays the stream.
    ///
    /// Times may start anywhere and may jump: they are laid on the stream's clock. Frames of a
    /// publisher that was ended go nowhere.
    pub fn push(&mut self, mut frame: Frame) {
        if *self.revoked.borrow() >= self.turn {
            return;
        }
        let jumped = self.clock.place(&mut frame);
        let silent = self.clock.last_video.is_none_or(|at| frame.dts - at > VIDEO_SILENCE);
        let start = match frame.track() {
            Track::Video => frame.key,
            Track::Audio => silent,
        };
        let discontinuity = jumped || std::mem::take(&mut self.first);
        self.stream.push(Entry { frame, discontinuity, start }, self.expected);
    }

    /// Resolves when this publisher was ended by an operator or replaced.
    pub async fn revoked(&self) {
        let mut revoked = self.revoked.clone();
        // The sender lives with the stream's place in the hub; when that is gone, so is our turn.
        let _ = revoked.wait_for(|turn| *turn >= self.turn).await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.hub.leave(&self.stream, self.turn, std::mem::take(&mut self.clock));
    }
}
