//! Wire bytes, made once per stream and shared by all its viewers.
//!
//! A [`Wire`] is one task per stream and protocol that turns frames into [`Batch`]es: what is worth
//! one write to a socket. A video frame goes out at once, together with the sound that came before
//! it; sound alone waits at most one frame's time. A viewer is a [`Reader`]: a cursor into the ring
//! of batches that puts the sequence headers in front whenever it starts or had to skip.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::flv::amf0::Value;
use media::time::{MILLI, Micros, SECOND};
use media::{Config, Frame, Track};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::core::hub::ring::{Cursor, Item, Limits, Ring};
use crate::core::hub::{Demand, Entry, Fields, Note, Start, Stream};
use crate::derive::transcode::{Sound, Source};

/// How a protocol writes. One encoder serves all viewers of a stream, in stream order.
pub trait Encoder: Default + Send + 'static {
    /// What a viewer needs before a batch it starts at: metadata and sequence headers of `tracks`.
    ///
    /// What depends on the viewer or stands only at the very beginning (FLV's file header) is not
    /// here: a viewer that skipped gets this again.
    fn prelude(&mut self, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// The first or another configuration of a track, in mid-stream.
    fn config(&mut self, config: &Config, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// Other metadata of the publisher, in mid-stream.
    fn metadata(&mut self, _tracks: &Tracks, _out: &mut Vec<u8>) {}
    /// A message of an application, in AMF0.
    fn message(&mut self, _message: &[u8], _dts: Micros, _out: &mut Vec<u8>) {}
    /// A frame, whose configuration was written before.
    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>);
}

/// The tracks of a stream at some place in it.
#[derive(Debug, Clone, Default)]
pub struct Tracks {
    /// Pictures.
    pub video: Option<Arc<Config>>,
    /// Sound.
    pub audio: Option<Arc<Config>>,
    /// What the publisher says itself.
    pub fields: Option<Fields>,
}

impl Tracks {
    fn of(source: &Source, stream: &Stream) -> Self {
        let (video, audio) = (source.config(Track::Video), source.config(Track::Audio));
        Self { video, audio, fields: stream.fields() }
    }

    /// The publisher's own metadata.
    pub fn own_fields(&self) -> &[(String, Value)] {
        self.fields.as_deref().map(Vec::as_slice).unwrap_or_default()
    }

    fn slot(&mut self, track: Track) -> &mut Option<Arc<Config>> {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

/// Bytes for one write.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The frames.
    pub bytes: Bytes,
    /// What must precede it for a viewer that starts here; only where one may.
    pub prelude: Bytes,
    key: bool,
    time: Micros,
}

impl Item for Batch {
    fn key(&self) -> bool {
        self.key
    }
    fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
    fn time(&self) -> Micros {
        self.time
    }
}

const LIMITS: Limits = Limits { items: 4096, bytes: 32 << 20, span: 4 * SECOND };
/// Sound waits no longer than this for a picture, whatever the frame rate.
const MAX_WAIT: Micros = 40 * MILLI;
/// Sound that waits is never more than this, in frames: a burst has no time in it.
const MAX_FRAMES: usize = 16;
/// A publisher shows its tracks within this, or does not have them.
const SETTLE: Micros = SECOND + SECOND / 2;
/// A prelude may be this old where every batch is a start.
const PRELUDE_AGE: Micros = SECOND;

/// One stream as the batches of one protocol. Its task runs while someone holds it.
#[derive(Debug)]
pub struct Wire<E> {
    stream: Arc<Stream>,
    ring: Arc<Ring<Batch>>,
    task: AbortHandle,
    _keys: Demand,
    encoder: PhantomData<fn() -> E>,
}

impl<E: Encoder> Wire<E> {
    /// The wire of `stream`, shared with whoever plays it already. Inside a tokio runtime.
    pub fn of(stream: &Arc<Stream>) -> Arc<Self> {
        stream.derive(|stream| {
            let mut pump = Pump::<E>::new(stream);
            // What the stream has cached is there for the first viewer, and is not "to come" for
            // one who wants only that.
            while let Some(entry) = pump.frames.try_next() {
                pump.take(&entry);
            }
            let ring = pump.ring.clone();
            let task = tokio::spawn(pump.run()).abort_handle();
            let (stream, keys) = (stream.clone(), stream.demand_keys());
            Arc::new(Self { stream, ring, task, _keys: keys, encoder: PhantomData })
        })
    }

    /// Another viewer.
    pub fn reader(self: &Arc<Self>, start: Start) -> Reader<E> {
        // What is transcoded comes later than it is cached, and then is not what comes next either.
        let past = if start == Start::Live { self.stream.newest() } else { None };
        Reader { cursor: self.ring.cursor(start), past, started: false, time: 0, _wire: self.clone() }
    }
}

impl<E> Drop for Wire<E> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A viewer's place in a [`Wire`].
#[derive(Debug)]
pub struct Reader<E> {
    cursor: Cursor<Batch>,
    /// It starts after this time.
    past: Option<Micros>,
    started: bool,
    time: Micros,
    _wire: Arc<Wire<E>>,
}

impl<E> Reader<E> {
    /// What goes into one write after another is joined up to this many bytes when it is there.
    const ENOUGH: usize = 64 << 10;
    /// As many slices as one vectored write takes gladly.
    const MAX_SLICES: usize = 32;

    /// Waits for bytes and appends what is to be written now; false when the stream is over.
    ///
    /// May be dropped and called again: nothing is lost.
    pub async fn next(&mut self, out: &mut Vec<Bytes>) -> bool {
        let batch = loop {
            let Some(batch) = self.cursor.next().await else { return false };
            if self.past.is_none_or(|past| batch.key && batch.time > past) {
                break batch;
            }
        };
        self.past = None;
        let mut size = self.put(batch, out);
        while size < Self::ENOUGH && out.len() < Self::MAX_SLICES {
            let Some(batch) = self.cursor.try_next() else { break };
            size += self.put(batch, out);
        }
        true
    }

    fn put(&mut self, batch: Batch, out: &mut Vec<Bytes>) -> usize {
        let size = batch.prelude.len() + batch.bytes.len();
        let skipped = self.cursor.take_skip();
        if (!self.started || skipped) && !batch.prelude.is_empty() {
            out.push(batch.prelude);
        }
        self.started = true;
        self.time = batch.time;
        out.push(batch.bytes);
        size
    }

    /// The time of what was handed out last.
    pub const fn time(&self) -> Micros {
        self.time
    }

    /// Batches missed so far because the viewer was too slow.
    pub fn skipped(&self) -> u64 {
        self.cursor.skipped()
    }
}

/// Turns a stream's frames into batches.
struct Pump<E> {
    stream: Arc<Stream>,
    frames: Source,
    ring: Arc<Ring<Batch>>,
    encoder: E,
    tracks: Tracks,
    /// Notes of the publisher that were heard.
    heard: u64,
    /// Sound that waits for a picture: bytes, frames, dts of the first and when it came.
    waiting: Vec<u8>,
    count: usize,
    since: Option<(Micros, Instant)>,
    last_video: Option<Micros>,
    /// The distance of the last two pictures.
    interval: Micros,
    /// Where the present publisher began.
    began: Micros,
    prelude: (Micros, Bytes),
}

impl<E: Encoder> Pump<E> {
    fn new(stream: &Arc<Stream>) -> Self {
        let frames = Source::new(stream, Sound::Aac, Start::Key);
        let mut heard = 0;
        // What was said before there was a viewer is past.
        stream.said(&mut heard);
        Self {
            heard,
            stream: stream.clone(),
            tracks: Tracks::of(&frames, stream),
            frames,
            ring: Ring::new(LIMITS),
            encoder: E::default(),
            waiting: Vec::new(),
            count: 0,
            since: None,
            last_video: None,
            interval: MAX_WAIT,
            began: 0,
            prelude: (0, Bytes::new()),
        }
    }

    async fn run(mut self) {
        loop {
            let entry = match self.since {
                None => self.frames.next().await,
                Some((_, since)) => {
                    let wait = Duration::from_micros(self.interval.clamp(0, MAX_WAIT) as u64);
                    match tokio::time::timeout_at(since + wait, self.frames.next()).await {
                        Ok(entry) => entry,
                        Err(_) => {
                            self.flush();
                            continue;
                        }
                    }
                }
            };
            let Some(entry) = entry else { break };
            self.take(&entry);
        }
        self.flush();
        self.ring.close();
    }

    fn take(&mut self, entry: &Entry) {
        let frame = &entry.frame;
        if entry.discontinuity {
            // Nothing of one publisher goes out together with another's.
            self.flush();
            self.began = frame.dts;
            self.last_video = None;
        }
        if entry.start {
            self.flush();
            if frame.dts - self.began > SETTLE {
                self.forget_gone_tracks();
            }
        }
        self.pass_on_notes(frame.dts);
        let known = self.tracks.slot(frame.track());
        let changed = !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &frame.config));
        if changed {
            *known = Some(frame.config.clone());
            self.prelude.1.clear();
            self.encoder.config(&frame.config, &self.tracks, frame.dts, &mut self.waiting);
        }
        if !frame.is_video() && !entry.start {
            self.since.get_or_insert_with(|| (frame.dts, Instant::now()));
            self.encoder.frame(frame, &mut self.waiting);
            self.count += 1;
            if self.tracks.video.is_none() || self.count >= MAX_FRAMES {
                self.flush();
            }
            return;
        }
        if let Some(last) = self.last_video.filter(|_| frame.is_video()) {
            self.interval = frame.dts - last;
        }
        if frame.is_video() {
            self.last_video = Some(frame.dts);
        }
        self.waiting.reserve(frame.data.len() + 256);
        self.encoder.frame(frame, &mut self.waiting);
        let prelude = if entry.start { self.make_prelude(frame) } else { Bytes::new() };
        self.push(frame.dts, entry.start, prelude);
    }

    /// Writes what the publisher said since the frame before.
    fn pass_on_notes(&mut self, dts: Micros) {
        for note in self.stream.said(&mut self.heard) {
            match note {
                Note::Message(message) => self.encoder.message(&message, dts, &mut self.waiting),
                Note::Metadata => {
                    self.tracks.fields = self.stream.fields();
                    self.prelude.1.clear();
                    self.encoder.metadata(&self.tracks, &mut self.waiting);
                }
            }
        }
    }

    /// Sends the sound that waits.
    fn flush(&mut self) {
        if let Some((dts, _)) = self.since {
            self.push(dts, false, Bytes::new());
        }
    }

    fn push(&mut self, time: Micros, key: bool, prelude: Bytes) {
        let bytes = std::mem::take(&mut self.waiting).into();
        self.since = None;
        self.count = 0;
        self.ring.push(Batch { bytes, prelude, key, time });
    }

    fn make_prelude(&mut self, frame: &Frame) -> Bytes {
        let (made, prelude) = &self.prelude;
        if prelude.is_empty() || frame.is_video() || frame.dts - made > PRELUDE_AGE {
            let mut out = Vec::new();
            self.encoder.prelude(&self.tracks, frame.dts, &mut out);
            self.prelude = (frame.dts, out.into());
        }
        self.prelude.1.clone()
    }

    /// A track of the publisher before that the present one does not send is not promised for ever.
    fn forget_gone_tracks(&mut self) {
        for track in [Track::Video, Track::Audio] {
            if !self.stream.has(track) {
                *self.tracks.slot(track) = None;
            }
        }
        self.tracks.fields = self.stream.fields();
    }
}

#[cfg(test)]
mod tests;
