//! Reads a stream with video in presentation order, for WebRTC players, which show frames in the order of arrival.

use std::sync::Arc;

use media::codec::h264::FrameRole;
use media::time::{MILLI, Micros};

use super::audio_switch::AudioSwitch;
use super::pictures::{Disorder, ReencodedVideo, Reencoders};
use crate::core::hub::{FrameEntry, Start, Stream, Subscriber};
use crate::derive::derived::{Derived, Holder};

/// Maximum distance of re-encoded video from the stream's newest frame when the encoder has caught up.
const NEAR: Micros = 500 * MILLI;

/// Reads the entries of an [`AudioSwitch`], with video frames in presentation order.
///
/// While the stream has no B-frames, its own video is passed on. Otherwise the video comes from
/// [`ReencodedVideo`], beginning with one of its key frames. Before that key frame, and where re-encoding is
/// off or fails, the stream's own video is passed on without B-frames that no other frame references.
#[derive(Debug)]
pub(super) struct InOrder {
    stream: Arc<Stream>,
    pub(super) input: AudioSwitch,
    /// `None` if video is not re-encoded.
    reencoders: Option<Reencoders>,
    disorder: Disorder,
    encoded: Option<Encoded>,
    /// Whether video is read from `encoded`.
    uses_encoded: bool,
    /// Whether the stream's own video cannot be decoded before its next key frame.
    lost: bool,
    /// Time of the stream's newest video frame.
    newest: Micros,
    /// Presentation time of the newest returned video frame.
    last: Option<Micros>,
}

#[derive(Debug)]
struct Encoded {
    cursor: Subscriber,
    _holder: Holder<ReencodedVideo>,
}

/// The next entry, by its origin.
enum Next {
    Own(Arc<FrameEntry>),
    /// `None` when the encoder has stopped.
    Encoded(Option<Arc<FrameEntry>>),
}

impl InOrder {
    /// Reads `input`, which begins at `start`. Must be called inside a tokio runtime.
    pub(super) fn new(
        stream: &Arc<Stream>,
        input: AudioSwitch,
        start: Start,
        reencoders: &Reencoders,
    ) -> Self {
        let mut reader = Self {
            stream: stream.clone(),
            input,
            reencoders: reencoders.enabled().then(|| reencoders.clone()),
            disorder: Disorder::default(),
            encoded: None,
            uses_encoded: false,
            lost: false,
            newest: Micros::MIN,
            last: None,
        };
        if reader.reencoders.is_some() && cached_order(stream, start).matters() {
            reader.open_encoded();
        }
        reader
    }

    /// Waits for the next entry. Returns [`None`] when the stream has ended. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Arc<FrameEntry>> {
        loop {
            let next = tokio::select! {
                biased;
                entry = self.input.next() => Next::Own(entry?),
                entry = next(&mut self.encoded) => Next::Encoded(entry),
            };
            if let Some(entry) = self.handle(next) {
                return Some(entry);
            }
        }
    }

    /// Returns the next entry if it is available.
    pub(super) fn try_next(&mut self) -> Option<Arc<FrameEntry>> {
        loop {
            let encoded = |this: &mut Self| this.encoded.as_mut()?.cursor.try_next();
            let next = match self.input.try_next() {
                Some(entry) => Next::Own(entry),
                None => Next::Encoded(Some(encoded(self)?)),
            };
            if let Some(entry) = self.handle(next) {
                return Some(entry);
            }
        }
    }

    fn handle(&mut self, next: Next) -> Option<Arc<FrameEntry>> {
        match next {
            Next::Own(entry) if entry.frame.is_video() => self.handle_own(entry),
            Next::Own(entry) => Some(entry),
            Next::Encoded(Some(entry)) => self.handle_encoded(&entry),
            Next::Encoded(None) => {
                self.close_encoded();
                // Final: the derived stream has already restarted the encoder several times.
                self.reencoders = None;
                None
            }
        }
    }

    /// Handles one of the stream's own video frames. Returns it if it is for the reader.
    fn handle_own(&mut self, entry: Arc<FrameEntry>) -> Option<Arc<FrameEntry>> {
        let frame = &entry.frame;
        let (role, new) = self.disorder.push(&entry);
        self.newest = frame.dts;
        // The first frame is not a change: [`InOrder::new`] has already looked at the cached frames.
        if new && self.last.is_some() {
            self.close_encoded();
        }
        if self.encoded.is_none() && self.disorder.matters() {
            self.open_encoded();
        }
        self.lost &= !entry.start;
        if self.uses_encoded || self.lost || role == FrameRole::Droppable {
            return None;
        }
        self.last = self.last.max(Some(frame.pts));
        Some(entry)
    }

    /// Handles a re-encoded video frame. Returns it if it is for the reader.
    fn handle_encoded(&mut self, entry: &FrameEntry) -> Option<Arc<FrameEntry>> {
        let near = || entry.frame.pts.saturating_add(NEAR) >= self.newest;
        self.uses_encoded |= entry.start && near();
        if !self.uses_encoded {
            return None;
        }
        let mut frame = entry.frame.clone();
        // The stream's own video was shown up to `last`. Re-encoded frames before that are needed for
        // decoding, so their times are compressed to a millisecond each.
        if let Some(last) = self.last {
            frame.pts = frame.pts.max(last.saturating_add(MILLI));
        }
        frame.dts = frame.pts;
        self.last = Some(frame.pts);
        Some(Arc::new(FrameEntry { frame, discontinuity: entry.discontinuity, start: entry.start }))
    }

    fn open_encoded(&mut self) {
        let Some(reencoders) = &self.reencoders else { return };
        let holder = Derived::of(&self.stream, ReencodedVideo { reencoders: reencoders.clone() });
        // If the encoder is running and has caught up, a new reader starts at its newest key frame at once.
        let runs = holder.newest().zip(self.stream.newest());
        self.uses_encoded =
            self.last.is_none() && runs.is_some_and(|(its, own)| its.saturating_add(NEAR) >= own);
        let start = if self.uses_encoded { Start::Key } else { Start::Live };
        self.encoded = Some(Encoded { cursor: holder.cursor(start), _holder: holder });
    }

    /// Returns to the stream's own video.
    fn close_encoded(&mut self) {
        self.lost |= std::mem::take(&mut self.uses_encoded);
        self.encoded = None;
    }
}

async fn next(encoded: &mut Option<Encoded>) -> Option<Arc<FrameEntry>> {
    match encoded {
        Some(encoded) => encoded.cursor.next().await,
        None => std::future::pending().await,
    }
}

/// Returns the frame order of the cached video from `start` on.
fn cached_order(stream: &Stream, start: Start) -> Disorder {
    let mut frames = stream.subscribe(start);
    let mut disorder = Disorder::default();
    while let Some(entry) = frames.try_next() {
        if entry.frame.is_video() {
            disorder.push(&entry);
        }
    }
    disorder
}

/// Returns whether a stream has B-frames, so that its video frames are not in presentation order.
pub fn reordered(stream: &Stream) -> bool {
    cached_order(stream, Start::Oldest).found()
}

#[cfg(test)]
mod tests;
