//! Cutting a stream into MPEG-TS segments.

use std::sync::Arc;

use bytes::Bytes;

use crate::config::{Config, Track};
use crate::frame::Frame;
use crate::time::{MILLI, Micros, SECOND};
use crate::ts::Muxer;

/// How long a stream with one track is given to show the other, so that the first segment names both.
const SETTLE: Micros = SECOND;
/// As many frames are held back for that at most.
const MAX_HELD: usize = 1_000;
/// Without a picture for this long a stream counts as sound only, and is cut by time …
const VIDEO_SILENCE: Micros = 3 * SECOND;
/// … unless its pictures are so far apart: then for as many of them.
const SLOW_PICTURES: Micros = 2;

/// Where to cut.
#[derive(Debug, Clone, Copy)]
pub struct SegmenterConfig {
    /// A segment ends with the first key frame from (nine tenths of) this on: a group of pictures
    /// that lasts just this long stays one segment though its times were rounded. Sound alone is cut
    /// to this length.
    pub target: Micros,
    /// A segment that gets longer ends without a key frame; see [`Segmenter`].
    pub max_duration: Micros,
    /// A segment that gets larger (about, in bytes) ends alike.
    pub max_bytes: usize,
}

impl Default for SegmenterConfig {
    fn default() -> Self {
        Self { target: 2 * SECOND, max_duration: 60 * SECOND, max_bytes: 32 << 20 }
    }
}

/// A piece of a stream that can be decoded by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The dts of its first frame.
    pub start: Micros,
    /// How long it is to be shown: until the next segment's start, where that follows at once.
    pub duration: Micros,
    /// Tracks, encoding or times start anew here, or something was left out before.
    pub discontinuity: bool,
    /// An MPEG-TS, tables first.
    pub data: Bytes,
}

/// Takes frames, gives segments. Frames of codecs that MPEG-TS does not carry are left out.
///
/// Video is cut at key frames only. Where none comes before a segment reaches its limits, the
/// segment ends there, what follows is left out until the next key frame, and the segment that
/// begins with it is a discontinuity: so memory is bounded whatever the publisher does.
#[derive(Debug)]
pub struct Segmenter {
    config: SegmenterConfig,
    muxer: Muxer,
    open: Option<Open>,
    /// Frames since the start, until it is clear which tracks there are.
    held: Vec<Frame>,
    /// The next segment does not continue the one before.
    discontinuity: bool,
    last_video: Option<Micros>,
    /// The distance of the last two pictures.
    video_step: Micros,
    audio: Option<Arc<Config>>,
    /// The size of the last segment: the next is likely as large.
    size: usize,
}

/// The segment under way.
#[derive(Debug)]
struct Open {
    start: Micros,
    /// The newest dts and the distance to the one before, of the track that is cut by.
    newest: Micros,
    step: Micros,
    discontinuity: bool,
    video: Option<Arc<Config>>,
    data: Vec<u8>,
}

impl Segmenter {
    /// A segmenter whose first segment is a discontinuity only when its first frame is.
    pub fn new(config: SegmenterConfig) -> Self {
        Self {
            config,
            muxer: Muxer::new(),
            open: None,
            held: Vec::new(),
            discontinuity: false,
            last_video: None,
            video_step: 0,
            audio: None,
            size: 0,
        }
    }

    /// Takes the next frame in decode order; `discontinuity` when it does not continue the ones
    /// before. Answers the segment that ends before it.
    pub fn push(&mut self, frame: &Frame, discontinuity: bool) -> Option<Segment> {
        if !Muxer::supports(frame.config.codec) {
            self.discontinuity |= discontinuity;
            return None;
        }
        let mut done = None;
        if discontinuity {
            done = self.close(Some(frame.dts));
            self.discontinuity = true;
            self.held.clear();
            (self.last_video, self.audio) = (None, None);
        }
        let Some(open) = &self.open else {
            self.settle(frame);
            return done;
        };
        let elapsed = frame.dts - open.start;
        let silent = self.is_silent(frame.dts);
        let (cut, changed) = match (&open.video, frame.track()) {
            (Some(config), Track::Video) => {
                let changed = *config != frame.config;
                (frame.key && (changed || elapsed >= self.config.target / 10 * 9), changed)
            }
            (Some(_), Track::Audio) => (silent, silent),
            (None, Track::Video) => (frame.key, frame.key),
            (None, Track::Audio) => {
                let changed = self.audio.as_ref() != Some(&frame.config);
                (changed || elapsed >= self.config.target, changed)
            }
        };
        if cut {
            done = self.close(Some(frame.dts));
            self.discontinuity |= changed;
            self.begin(frame);
        } else if elapsed >= self.config.max_duration || open.data.len() >= self.config.max_bytes {
            done = self.close(Some(frame.dts));
            self.discontinuity = true;
            self.settle(frame);
            return done;
        }
        self.write(frame);
        done
    }

    /// The stream is over: answers what there is of its last segment.
    pub fn finish(&mut self) -> Option<Segment> {
        if self.open.is_none() {
            self.settled(true);
        }
        self.close(None)
    }

    /// Whether there is no video at the time `now`.
    fn is_silent(&self, now: Micros) -> bool {
        let patience = VIDEO_SILENCE.max(self.video_step.saturating_mul(SLOW_PICTURES));
        self.last_video.is_none_or(|at| now - at > patience)
    }

    /// Holds a frame back until the tracks are known.
    fn settle(&mut self, frame: &Frame) {
        self.held.push(frame.clone());
        let over = frame.dts - self.held[0].dts >= SETTLE;
        // Times may stand still, and so may sizes be nothing.
        let many = self.held.len() >= MAX_HELD;
        let full = many || self.held.iter().map(|f| f.data.len()).sum::<usize>() > self.config.max_bytes;
        self.settled(over || full);
    }

    /// Begins the first segment if the tracks are known, or must be `now`.
    fn settled(&mut self, now: bool) {
        let first_key = self.held.iter().position(|f| f.is_video() && f.key);
        let video = self.held.iter().any(Frame::is_video);
        let audio = self.held.iter().any(|f| !f.is_video());
        let newest = self.held.last().map_or(0, |f| f.dts);
        let known = first_key.is_some() && audio;
        if !now && !known {
            return;
        }
        let silent = self.is_silent(newest);
        let mut held = std::mem::take(&mut self.held);
        if let Some(at) = first_key {
            let start = held[at].dts;
            // What cannot be shown with the first picture is not part of the segment.
            let mut index = 0;
            held.retain(|f| {
                index += 1;
                index > at || !f.is_video() && f.dts >= start
            });
            let key = held.iter().position(Frame::is_video).unwrap_or(0);
            held[..=key].rotate_right(1);
        } else if video || !silent {
            // Pictures, but none to start with: the sound waits for one, and this is too long ago.
            self.last_video = held.iter().rev().find(|f| f.is_video()).map(|f| f.dts).or(self.last_video);
            return;
        }
        self.audio = held.iter().find(|f| !f.is_video()).map(|f| f.config.clone()).or(self.audio.take());
        if let Some(first) = held.first() {
            self.begin(first);
        }
        for frame in &held {
            self.write(frame);
        }
    }

    /// Opens a segment that `frame` will be the first of.
    fn begin(&mut self, frame: &Frame) {
        let video = frame.is_video().then(|| frame.config.clone());
        if video.is_none() {
            self.audio = Some(frame.config.clone());
        }
        let mut data = Vec::with_capacity(self.size + self.size / 8);
        let tracks: Vec<_> = video.iter().chain(&self.audio).collect();
        self.muxer.start(&tracks, &mut data);
        let discontinuity = std::mem::take(&mut self.discontinuity);
        // Until a second frame comes: as slow as they were.
        let step = if video.is_some() { self.video_step } else { 0 };
        self.open = Some(Open { start: frame.dts, newest: frame.dts, step, discontinuity, video, data });
    }

    fn write(&mut self, frame: &Frame) {
        let Some(open) = &mut self.open else { return };
        if frame.is_video() {
            self.video_step = self.last_video.map_or(0, |at| frame.dts - at);
            self.last_video = Some(frame.dts);
            if open.video.is_none() {
                return;
            }
        } else {
            // In ADTS the sound says itself what it is now; players are told with the next cut.
            self.discontinuity |= self.audio.as_ref().is_some_and(|audio| *audio != frame.config);
            self.audio = Some(frame.config.clone());
        }
        if frame.is_video() == open.video.is_some() && frame.dts > open.newest {
            (open.step, open.newest) = (frame.dts - open.newest, frame.dts);
        }
        // A frame that is not what its configuration says costs only itself.
        let _ = self.muxer.frame(frame, &mut open.data);
    }

    /// Ends the segment under way: `at` the next one's start, or after the last frame.
    fn close(&mut self, at: Option<Micros>) -> Option<Segment> {
        let mut open = self.open.take()?;
        self.muxer.flush(&mut open.data);
        self.size = open.data.len();
        open.data.shrink_to_fit();
        let end = at.unwrap_or(open.newest + open.step);
        Some(Segment {
            start: open.start,
            duration: (end - open.start).max(MILLI),
            discontinuity: open.discontinuity,
            data: open.data.into(),
        })
    }
}

#[cfg(test)]
mod tests;
