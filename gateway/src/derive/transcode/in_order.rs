//! The frames of a stream for players that show video frames in the order of their arrival: WebRTC's.

use std::sync::Arc;

use media::codec::h264::Place;
use media::time::{MILLI, Micros};

use super::pictures::{Disorder, ReencodedVideo, Reencoders};
use super::source::Source;
use crate::core::hub::{Entry, Start, Stream, Subscriber};
use crate::derive::derived::{Derived, Holder};

/// Re-encoded video follows the stream's own by less than this, once it has caught up.
const NEAR: Micros = 500 * MILLI;

/// A stream's entries as [`Source`] has them, with video frames in presentation order.
///
/// While the stream has no B-frames, the video is the stream's own. Else it is that of [`ReencodedVideo`], from one of
/// its key frames on. Until then, and where encoding is off or fails, it is the stream's own without the frames that
/// come late and that no other frame needs.
#[derive(Debug)]
pub(super) struct InOrder {
    stream: Arc<Stream>,
    pub(super) source: Source,
    /// None where video is not re-encoded.
    reencoders: Option<Reencoders>,
    disorder: Disorder,
    encoded: Option<Encoded>,
    /// Whether video is taken from `encoded`.
    taken: bool,
    /// The stream's own video cannot be decoded before its next key frame.
    lost: bool,
    /// The time of the stream's newest video frame, and of the newest one handed out.
    newest: Micros,
    last: Option<Micros>,
}

#[derive(Debug)]
struct Encoded {
    cursor: Subscriber,
    _holder: Holder<ReencodedVideo>,
}

/// Where the next entry comes from.
enum Next {
    Source(Arc<Entry>),
    /// None when the encoder has stopped.
    Encoded(Option<Arc<Entry>>),
}

impl InOrder {
    /// Reads `source`, which begins at `start`. Inside a tokio runtime.
    pub(super) fn new(stream: &Arc<Stream>, source: Source, start: Start, reencoders: &Reencoders) -> Self {
        let mut reader = Self {
            stream: stream.clone(),
            source,
            reencoders: reencoders.enabled().then(|| reencoders.clone()),
            disorder: Disorder::default(),
            encoded: None,
            taken: false,
            lost: false,
            newest: Micros::MIN,
            last: None,
        };
        if reader.reencoders.is_some() && known(stream, start).matters() {
            reader.open();
        }
        reader
    }

    /// The next entry; [`None`] when the stream is over. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let next = tokio::select! {
                biased;
                entry = self.source.next() => Next::Source(entry?),
                entry = next(&mut self.encoded) => Next::Encoded(entry),
            };
            if let Some(entry) = self.take(next) {
                return Some(entry);
            }
        }
    }

    /// The next entry, if it is there already.
    pub(super) fn try_next(&mut self) -> Option<Arc<Entry>> {
        loop {
            let encoded = |this: &mut Self| this.encoded.as_mut()?.cursor.try_next();
            let next = match self.source.try_next() {
                Some(entry) => Next::Source(entry),
                None => Next::Encoded(Some(encoded(self)?)),
            };
            if let Some(entry) = self.take(next) {
                return Some(entry);
            }
        }
    }

    fn take(&mut self, next: Next) -> Option<Arc<Entry>> {
        match next {
            Next::Source(entry) if entry.frame.is_video() => self.own(entry),
            Next::Source(entry) => Some(entry),
            Next::Encoded(Some(entry)) => self.encoded(&entry),
            Next::Encoded(None) => {
                self.leave();
                // The encoder has tried again several times already.
                self.reencoders = None;
                None
            }
        }
    }

    /// Takes one of the stream's own video frames.
    fn own(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let frame = &entry.frame;
        let (place, new) = self.disorder.push(&entry);
        self.newest = frame.dts;
        // (The order of the first frames is known from the cache.)
        if new && self.last.is_some() {
            self.leave();
        }
        if self.encoded.is_none() && self.disorder.matters() {
            self.open();
        }
        self.lost &= !entry.start;
        if self.taken || self.lost || place == Place::Droppable {
            return None;
        }
        self.last = self.last.max(Some(frame.pts));
        Some(entry)
    }

    /// Takes a re-encoded video frame.
    fn encoded(&mut self, entry: &Entry) -> Option<Arc<Entry>> {
        let near = || entry.frame.pts.saturating_add(NEAR) >= self.newest;
        self.taken |= entry.start && near();
        if !self.taken {
            return None;
        }
        let mut frame = entry.frame.clone();
        // Frames of a time that the stream's own video has shown already are shown in no time.
        if let Some(last) = self.last {
            frame.pts = frame.pts.max(last.saturating_add(MILLI));
        }
        frame.dts = frame.pts;
        self.last = Some(frame.pts);
        Some(Arc::new(Entry { frame, discontinuity: entry.discontinuity, start: entry.start }))
    }

    fn open(&mut self) {
        let Some(reencoders) = &self.reencoders else { return };
        let holder = Derived::of(&self.stream, ReencodedVideo { reencoders: reencoders.clone() });
        // A reader that comes while it runs begins with its newest key frame, at once.
        let runs = holder.newest().zip(self.stream.newest());
        self.taken = self.last.is_none() && runs.is_some_and(|(its, own)| its.saturating_add(NEAR) >= own);
        let start = if self.taken { Start::Key } else { Start::Live };
        self.encoded = Some(Encoded { cursor: holder.cursor(start), _holder: holder });
    }

    /// Goes back to the stream's own video.
    fn leave(&mut self) {
        self.lost |= std::mem::take(&mut self.taken);
        self.encoded = None;
    }
}

async fn next(encoded: &mut Option<Encoded>) -> Option<Arc<Entry>> {
    match encoded {
        Some(encoded) => encoded.cursor.next().await,
        None => std::future::pending().await,
    }
}

/// The order of the video frames that are cached from `start` on.
fn known(stream: &Stream, start: Start) -> Disorder {
    let mut frames = stream.subscribe(start);
    let mut disorder = Disorder::default();
    while let Some(entry) = frames.try_next() {
        if entry.frame.is_video() {
            disorder.push(&entry);
        }
    }
    disorder
}

/// Whether a stream has B-frames: its video frames come in another order than they are shown.
pub fn reordered(stream: &Stream) -> bool {
    known(stream, Start::Oldest).found()
}

#[cfg(test)]
mod tests;
