//! What a player reads that shows pictures as they come: WebRTC's.

use std::sync::Arc;

use media::codec::h264::Place;
use media::time::{MILLI, Micros};

use super::pictures::{Disorder, Pictures, Reencoders};
use super::view::Held;
use super::{Sound, Source};
use crate::core::hub::{Entry, Start, Stream, Subscriber};

/// Pictures that were encoded anew follow the stream's own by less than this, once they are under way.
const NEAR: Micros = 500 * MILLI;

/// A stream's entries as [`Source`] has them, with pictures in the order they are shown in.
///
/// While they come in that order they are the stream's own. Else, where video is encoded, they are those of
/// [`Pictures`], from one of its key frames on. Until then, and where it fails, they are the stream's
/// without those that come late and that no other needs.
#[derive(Debug)]
pub struct InOrder {
    stream: Arc<Stream>,
    source: Source,
    /// None where video is not encoded.
    reencoders: Option<Reencoders>,
    disorder: Disorder,
    encoded: Option<Encoded>,
    /// Whether pictures are taken from there.
    taken: bool,
    /// The stream's own are of no use up to the next key frame.
    lost: bool,
    /// The stream's newest picture, and the newest that was handed out.
    newest: Micros,
    last: Option<Micros>,
}

#[derive(Debug)]
struct Encoded {
    cursor: Subscriber,
    _held: Held,
}

/// Where the next entry comes from.
enum Next {
    Source(Arc<Entry>),
    /// None when it is over.
    Encoded(Option<Arc<Entry>>),
}

impl InOrder {
    /// Reads `stream` from its newest key frame on. Inside a tokio runtime.
    pub fn new(stream: &Arc<Stream>, sound: Sound, reencoders: &Reencoders) -> Self {
        let mut reader = Self {
            stream: stream.clone(),
            source: Source::new(stream, sound, Start::Key),
            reencoders: reencoders.enabled().then(|| reencoders.clone()),
            disorder: Disorder::default(),
            encoded: None,
            taken: false,
            lost: false,
            newest: Micros::MIN,
            last: None,
        };
        if reader.reencoders.is_some() && known(stream, Start::Key).matters() {
            reader.open();
        }
        reader
    }

    /// The next entry; [`None`] when the stream is over. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Arc<Entry>> {
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
    pub fn try_next(&mut self) -> Option<Arc<Entry>> {
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
                // Trying again is its own affair, and it has done that.
                self.reencoders = None;
                None
            }
        }
    }

    /// One of the stream's own pictures.
    fn own(&mut self, entry: Arc<Entry>) -> Option<Arc<Entry>> {
        let frame = &entry.frame;
        let (place, new) = self.disorder.push(&entry);
        self.newest = frame.dts;
        // (Of the first it is known from what is cached.)
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

    /// A picture that was encoded anew.
    fn encoded(&mut self, entry: &Entry) -> Option<Arc<Entry>> {
        let near = || entry.frame.pts.saturating_add(NEAR) >= self.newest;
        self.taken |= entry.start && near();
        if !self.taken {
            return None;
        }
        let mut frame = entry.frame.clone();
        // What was shown of the stream's own a moment ago is run through in no time.
        if let Some(last) = self.last {
            frame.pts = frame.pts.max(last.saturating_add(MILLI));
        }
        frame.dts = frame.pts;
        self.last = Some(frame.pts);
        Some(Arc::new(Entry { frame, discontinuity: entry.discontinuity, start: entry.start }))
    }

    fn open(&mut self) {
        let Some(reencoders) = &self.reencoders else { return };
        let held = Pictures::of(&self.stream, reencoders);
        // Who comes while it runs begins with its newest key frame, at once.
        let runs = held.ring.newest().zip(self.stream.newest());
        self.taken = self.last.is_none() && runs.is_some_and(|(its, own)| its.saturating_add(NEAR) >= own);
        let start = if self.taken { Start::Key } else { Start::Live };
        self.encoded = Some(Encoded { cursor: held.ring.cursor(start), _held: held });
    }

    /// Back to the stream's own pictures.
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

/// What is known of the order of the pictures that are cached from `start` on.
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

/// Whether a stream's pictures come in another order than they are shown: it has B-frames.
pub fn reordered(stream: &Stream) -> bool {
    known(stream, Start::Oldest).found()
}

#[cfg(test)]
mod tests;
