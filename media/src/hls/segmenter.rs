//! Cutting a stream into MPEG-TS segments.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::{h264, h265, nal};
use crate::config::{Codec, Config, Track};
use crate::error::Error;
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
    /// Everything in it can be decoded without the segment before: it begins with an IDR picture, or has no video.
    pub independent: bool,
    /// An MPEG-TS, tables first.
    pub data: Bytes,
}

/// Takes frames, gives segments. Frames of codecs that MPEG-TS does not carry are left out.
///
/// Video is cut at key frames only. Where none comes before a segment reaches its limits, the
/// segment ends there, what follows is left out until the next key frame, and the segment that
/// begins with it is a discontinuity: so memory is bounded whatever the publisher does.
///
/// A segment has audio of one configuration, and is a discontinuity where it is another than before. When it changes,
/// the segment under way is divided at its last key frame: what was heard of the old goes to the first part, the new to
/// the second. Where there is no key frame to divide at, the shorter is left out: the old, or the new up to the next
/// key frame. Audio that comes for the first time makes the segment under way a discontinuity.
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
    /// The audio of the segments so far.
    audio: Option<Arc<Config>>,
    /// Whether there was a segment before.
    continues: bool,
    /// Frames that the muxer refused since the last question, and the first one's reason.
    refused: (u64, Option<Error>),
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
    audio: Option<Arc<Config>>,
    /// Audio in another configuration is left out until the next key frame, which ends the segment.
    mute: bool,
    frames: Vec<Frame>,
    /// About as many bytes as the segment will have.
    bytes: usize,
}

/// About as many bytes as a frame takes in a transport stream.
fn muxed_size(frame: &Frame) -> usize {
    match frame.track() {
        Track::Video => (frame.data.len() + 60).div_ceil(184) * 188 + if frame.key { 376 } else { 0 },
        Track::Audio => frame.data.len() + 24,
    }
}

/// Whether a key frame's pictures can all be decoded without what came before: those shown before it too.
fn is_closed(frame: &Frame) -> bool {
    match frame.config.codec {
        Codec::H264 => h264::entry_point(&frame.data) == nal::Entry::Idr,
        Codec::H265 => {
            h265::length_prefixed(&frame.data).any(|nal| matches!(h265::nal_type_of(nal), 16..=20))
        }
        _ => true,
    }
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
            continues: false,
            refused: (0, None),
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
        if done.is_none() {
            done = self.divide(frame);
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
                (frame.key && (changed || open.mute || elapsed >= self.config.target / 10 * 9), changed)
            }
            (Some(_), Track::Audio) => (silent, silent),
            (None, Track::Video) => (frame.key, frame.key),
            (None, Track::Audio) => {
                let changed = open.audio.as_ref().is_some_and(|audio| *audio != frame.config);
                (changed || elapsed >= self.config.target, changed)
            }
        };
        if cut {
            done = self.close(Some(frame.dts));
            self.discontinuity |= changed;
            self.begin(frame);
        } else if done.is_none()
            && (elapsed >= self.config.max_duration || open.bytes >= self.config.max_bytes)
        {
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
        self.open = Some(Open {
            start: frame.dts,
            newest: frame.dts,
            // Until a second frame comes: as slow as they were.
            step: if video.is_some() { self.video_step } else { 0 },
            discontinuity: std::mem::take(&mut self.discontinuity),
            video,
            audio: None,
            mute: false,
            frames: Vec::new(),
            bytes: 0,
        });
    }

    /// Makes way for audio in another configuration than the segment under way has, if `frame` is the first of it.
    /// Answers the segment that ends before it.
    fn divide(&mut self, frame: &Frame) -> Option<Segment> {
        // Where there were no pictures for long, the audio goes on alone.
        let silent = self.is_silent(frame.dts);
        let open = self.open.as_mut().filter(|open| !silent && open.video.is_some() && !frame.is_video())?;
        let changed = open.audio.as_ref().is_some_and(|audio| *audio != frame.config);
        open.mute &= changed;
        if !changed || open.mute {
            return None;
        }
        let key = open.frames.iter().rposition(|f| f.is_video() && f.key).filter(|&at| at > 0);
        let Some(at) = key else {
            if frame.dts - open.start > self.config.target / 2 {
                open.mute = true;
            } else {
                open.frames.retain(Frame::is_video);
                open.audio = None;
            }
            return None;
        };
        let (rest, old): (Vec<_>, Vec<_>) = open.frames.drain(at..).partition(Frame::is_video);
        open.frames.extend(old);
        let done = rest.first().and_then(|key| self.close(Some(key.dts)));
        if let Some(key) = rest.first() {
            self.begin(key);
        }
        // These were counted before.
        let known = (self.last_video, self.video_step);
        rest.iter().for_each(|frame| self.write(frame));
        (self.last_video, self.video_step) = known;
        done
    }

    fn write(&mut self, frame: &Frame) {
        let Some(open) = &mut self.open else { return };
        if frame.is_video() {
            self.video_step = self.last_video.map_or(0, |at| frame.dts - at);
            self.last_video = Some(frame.dts);
            if open.video.is_none() {
                return;
            }
        } else if open.mute {
            return;
        } else {
            open.audio.get_or_insert_with(|| frame.config.clone());
        }
        if frame.is_video() == open.video.is_some() && frame.dts > open.newest {
            (open.step, open.newest) = (frame.dts - open.newest, frame.dts);
        }
        open.bytes += muxed_size(frame);
        open.frames.push(frame.clone());
    }

    /// Ends the segment under way: `at` the next one's start, or after the last frame.
    fn close(&mut self, at: Option<Micros>) -> Option<Segment> {
        let open = self.open.take()?;
        let other = open.audio.is_some() && open.audio != self.audio;
        let discontinuity = open.discontinuity || other && self.continues;
        self.audio = open.audio.or(self.audio.take());
        self.continues = true;
        let mut data = Vec::with_capacity(open.bytes + open.bytes / 16);
        let tracks: Vec<_> = open.video.iter().chain(&self.audio).collect();
        self.muxer.start(&tracks, &mut data);
        for frame in &open.frames {
            // A frame that is not what its configuration says costs only itself.
            if let Err(error) = self.muxer.frame(frame, &mut data) {
                self.refused.0 += 1;
                self.refused.1.get_or_insert(error);
            }
        }
        self.muxer.flush(&mut data);
        data.shrink_to_fit();
        let end = at.unwrap_or(open.newest + open.step);
        Some(Segment {
            start: open.start,
            duration: (end - open.start).max(MILLI),
            discontinuity,
            independent: open.video.is_none() || open.frames.first().is_some_and(is_closed),
            data: data.into(),
        })
    }

    /// How many frames the segments so far leave out because MPEG-TS cannot carry them as they are, and why the first
    /// one; counted from the last call on.
    pub fn take_refused(&mut self) -> (u64, Option<Error>) {
        std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests;
