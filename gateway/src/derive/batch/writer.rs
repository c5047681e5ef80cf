//! Turns a stream's frames into batches.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::time::{MILLI, Micros, SECOND};
use media::{Frame, Track};
use tokio::time::Instant;

use super::{Batch, Tracks, WireMuxer};
use crate::core::hub::{FrameEntry, Note, Start, Stream};
use crate::derive::derived::Output;
use crate::derive::transcode::{Frames, Want};

/// Maximum time that audio waits for a video frame, at any frame rate.
const MAX_WAIT: Micros = 40 * MILLI;
/// Maximum number of waiting audio frames: in a burst, many arrive within [`MAX_WAIT`].
const MAX_FRAMES: usize = 16;
/// Time after which a publisher is assumed to have sent all its tracks.
const SETTLE: Micros = SECOND + SECOND / 2;
/// Maximum age of a prelude in a stream without video. There, viewers may start at every batch, and not each of them
/// needs a prelude of its own.
const PRELUDE_AGE: Micros = SECOND;

/// Reads a stream's frames and writes batches.
pub(super) struct BatchWriter {
    stream: Arc<Stream>,
    frames: Frames,
    output: Output<Batch>,
    muxer: Box<dyn WireMuxer>,
    tracks: Tracks,
    /// Number of the publisher's notes that were passed on.
    heard: u64,
    /// Audio that waits for a video frame: the bytes, the number of frames, and the first one's dts and arrival time.
    waiting: Vec<u8>,
    count: usize,
    since: Option<(Micros, Instant)>,
    last_video: Option<Micros>,
    /// Time between the newest two video frames.
    interval: Micros,
    /// Time of the current publisher's first frame.
    began: Micros,
    /// The newest prelude, and its time in the stream. The bytes are empty once the prelude is outdated.
    prelude: (Micros, Bytes),
}

impl BatchWriter {
    pub(super) fn new(
        stream: &Arc<Stream>,
        want: &Want,
        muxer: Box<dyn WireMuxer>,
        output: Output<Batch>,
    ) -> Self {
        let frames = Frames::new(stream, want, Start::Key);
        let mut heard = 0;
        // Notes from before the first viewer are outdated.
        stream.notes_since(&mut heard);
        Self {
            heard,
            stream: stream.clone(),
            tracks: Tracks::of(&frames, stream),
            frames,
            output,
            muxer,
            waiting: Vec::new(),
            count: 0,
            since: None,
            last_video: None,
            interval: MAX_WAIT,
            began: 0,
            prelude: (0, Bytes::new()),
        }
    }

    /// Writes the cached frames.
    pub(super) fn write_cached(&mut self) {
        while let Some(entry) = self.frames.try_next() {
            self.write(&entry);
        }
    }

    pub(super) async fn run(mut self) {
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
            self.write(&entry);
        }
        self.flush();
    }

    fn write(&mut self, entry: &FrameEntry) {
        let frame = &entry.frame;
        if entry.discontinuity {
            // A viewer may have to start between the two publishers, so their frames are in different batches.
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
            self.muxer.config(&frame.config, &self.tracks, frame.dts, &mut self.waiting);
        }
        if !frame.is_video() && !entry.start {
            self.since.get_or_insert_with(|| (frame.dts, Instant::now()));
            self.muxer.frame(frame, &mut self.waiting);
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
        self.muxer.frame(frame, &mut self.waiting);
        let prelude = if entry.start { self.make_prelude(frame) } else { Bytes::new() };
        self.push(frame.dts, entry.start, prelude);
    }

    /// Writes the notes that the publisher sent since the previous frame.
    fn pass_on_notes(&mut self, dts: Micros) {
        for note in self.stream.notes_since(&mut self.heard) {
            match note {
                Note::Message(message) => self.muxer.message(&message, dts, &mut self.waiting),
                Note::Metadata => {
                    self.tracks.fields = self.stream.fields();
                    self.prelude.1.clear();
                    self.muxer.metadata(&self.tracks, &mut self.waiting);
                }
            }
        }
    }

    /// Sends the waiting audio.
    fn flush(&mut self) {
        if let Some((dts, _)) = self.since {
            self.push(dts, false, Bytes::new());
        }
    }

    fn push(&mut self, time: Micros, key: bool, prelude: Bytes) {
        let bytes = std::mem::take(&mut self.waiting).into();
        self.since = None;
        self.count = 0;
        self.output.push(Batch { bytes, prelude, key, time });
    }

    fn make_prelude(&mut self, frame: &Frame) -> Bytes {
        let (made, prelude) = &self.prelude;
        if prelude.is_empty() || frame.is_video() || frame.dts - made > PRELUDE_AGE {
            let mut out = Vec::new();
            self.muxer.prelude(&self.tracks, frame.dts, &mut out);
            self.prelude = (frame.dts, out.into());
        }
        self.prelude.1.clone()
    }

    /// Removes the tracks that only an earlier publisher sent, so that the metadata no longer list them.
    fn forget_gone_tracks(&mut self) {
        for track in [Track::Video, Track::Audio] {
            if !self.stream.has(track) {
                *self.tracks.slot(track) = None;
            }
        }
        self.tracks.fields = self.stream.fields();
    }
}
