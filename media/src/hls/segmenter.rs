//! Cuts a stream into MPEG-TS segments.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::{h264, h265, nal};
use crate::config::{Codec, Config, Track};
use crate::error::Error;
use crate::frame::Frame;
use crate::time::{MILLI, Micros, SECOND};
use crate::ts::Muxer;

/// Time to wait for a second track, so that the tables of the first segment list both.
const SETTLE: Micros = SECOND;
/// Maximum number of frames that are held back meanwhile.
const MAX_HELD: usize = 1_000;
/// A stream without video for this long counts as audio only, and is cut by time.
const VIDEO_SILENCE: Micros = 3 * SECOND;
/// In a stream with a very low frame rate, the wait is this many frame distances instead, if that is longer.
const SLOW_PICTURES: Micros = 2;

/// Rules for segment boundaries.
#[derive(Debug, Clone, Copy)]
pub struct SegmenterConfig {
    /// Target duration. A segment ends with the first key frame after nine tenths of it: a group of pictures
    /// of exactly this duration stays one segment, in spite of rounded timestamps. A stream of audio only is
    /// cut at this duration.
    pub target: Micros,
    /// Maximum duration. A longer segment ends without a key frame; see [`Segmenter`].
    pub max_duration: Micros,
    /// Approximate maximum size in bytes. A larger segment ends in the same way.
    pub max_bytes: usize,
}

impl Default for SegmenterConfig {
    fn default() -> Self {
        Self { target: 2 * SECOND, max_duration: 60 * SECOND, max_bytes: 32 << 20 }
    }
}

/// A part of a stream that can be decoded without the other segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Decode time of its first frame.
    pub start: Micros,
    /// Display duration: until the start of the next segment, if that follows without a gap.
    pub duration: Micros,
    /// Whether tracks, encoding or timestamps change here, or frames were left out before.
    pub discontinuity: bool,
    /// Whether it can be decoded without the previous segment: it begins with an IDR picture, or has no
    /// video.
    pub independent: bool,
    /// The MPEG-TS, which begins with its tables.
    pub data: Bytes,
}

/// Cuts frames into segments. Frames of codecs that MPEG-TS does not support are left out.
///
/// Video is cut at key frames only. If a segment reaches its limits before a key frame, it ends there, and
/// frames are left out until the next key frame. The segment that begins with that key frame is a
/// discontinuity. This bounds the memory whatever the publisher does.
///
/// All audio of a segment has one configuration. A segment whose audio configuration differs from the
/// previous segment is a discontinuity. If the configuration changes within a segment, the segment is divided
/// at its last key frame: audio of the old configuration goes to the first part, audio of the new one to the
/// second. If there is no key frame to divide at, the shorter audio is left out: either the old audio, or the
/// new audio up to the next key frame. If audio starts within a segment, that segment becomes a
/// discontinuity.
#[derive(Debug)]
pub struct Segmenter {
    config: SegmenterConfig,
    muxer: Muxer,
    open: Option<OpenSegment>,
    /// Frames that are held back until the tracks are known.
    held: Vec<Frame>,
    /// Whether the next segment does not continue the previous one.
    discontinuity: bool,
    last_video: Option<Micros>,
    /// Distance of the last two video frames.
    video_step: Micros,
    /// Audio configuration of the segments so far.
    audio: Option<Arc<Config>>,
    /// Whether there was a segment before.
    continues: bool,
    /// Number of frames that the muxer refused since the last call of `take_refused`, and the first error.
    refused: (u64, Option<Error>),
}

/// The current segment.
#[derive(Debug)]
struct OpenSegment {
    start: Micros,
    /// Newest dts, and its distance to the previous one, of the track that determines the boundaries.
    newest: Micros,
    step: Micros,
    discontinuity: bool,
    video: Option<Arc<Config>>,
    audio: Option<Arc<Config>>,
    /// Whether audio of another configuration is left out until the next key frame, which ends the segment.
    mute: bool,
    frames: Vec<Frame>,
    /// Approximate size of the segment in bytes.
    bytes: usize,
}

/// Returns the approximate size of a frame in a transport stream, in bytes.
fn muxed_size(frame: &Frame) -> usize {
    match frame.track() {
        Track::Video => (frame.data.len() + 60).div_ceil(184) * 188 + if frame.key { 376 } else { 0 },
        Track::Audio => frame.data.len() + 24,
    }
}

/// Returns whether everything from this key frame on can be decoded without earlier frames, including frames
/// that are shown before it (closed GOP).
fn is_closed(frame: &Frame) -> bool {
    match frame.config.codec {
        Codec::H264 => h264::entry_point(&frame.data) == nal::EntryPoint::Idr,
        Codec::H265 => {
            h265::length_prefixed(&frame.data).any(|nal| matches!(h265::nal_type_of(nal), 16..=20))
        }
        _ => true,
    }
}

impl Segmenter {
    /// Creates a segmenter. Its first segment is a discontinuity only if the first frame is.
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

    /// Adds the next frame in decode order. `discontinuity` says that it does not continue the frames before.
    /// Returns the segment that ends before this frame, if one does.
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

    /// Ends the stream: returns the last, incomplete segment.
    pub fn finish(&mut self) -> Option<Segment> {
        if self.open.is_none() {
            self.settled(true);
        }
        self.close(None)
    }

    /// Returns whether there is no video at the time `now`.
    fn is_silent(&self, now: Micros) -> bool {
        let patience = VIDEO_SILENCE.max(self.video_step.saturating_mul(SLOW_PICTURES));
        self.last_video.is_none_or(|at| now - at > patience)
    }

    /// Holds a frame back until the tracks are known.
    fn settle(&mut self, frame: &Frame) {
        self.held.push(frame.clone());
        let over = frame.dts - self.held[0].dts >= SETTLE;
        // The limit is needed because timestamps may stand still and frames may be empty.
        let many = self.held.len() >= MAX_HELD;
        let full = many || self.held.iter().map(|f| f.data.len()).sum::<usize>() > self.config.max_bytes;
        self.settled(over || full);
    }

    /// Starts the first segment if the tracks are known, or `now` demands it.
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
            // Frames that cannot be shown together with the first video frame are not part of the segment.
            let mut index = 0;
            held.retain(|f| {
                index += 1;
                index > at || !f.is_video() && f.dts >= start
            });
            let key = held.iter().position(Frame::is_video).unwrap_or(0);
            held[..=key].rotate_right(1);
        } else if video || !silent {
            // There is video but no key frame: the audio waits for one, and the held frames are too old.
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

    /// Opens a segment with `frame` as its first frame.
    fn begin(&mut self, frame: &Frame) {
        let video = frame.is_video().then(|| frame.config.clone());
        self.open = Some(OpenSegment {
            start: frame.dts,
            newest: frame.dts,
            // Until the second frame arrives, assume the previous frame distance.
            step: if video.is_some() { self.video_step } else { 0 },
            discontinuity: std::mem::take(&mut self.discontinuity),
            video,
            audio: None,
            mute: false,
            frames: Vec::new(),
            bytes: 0,
        });
    }

    /// Ends the current segment if `frame` is the first with another audio configuration. Returns the segment
    /// that ends before it.
    fn divide(&mut self, frame: &Frame) -> Option<Segment> {
        // If there was no video for long, audio continues alone.
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
        // These frames were counted before.
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

    /// Ends the current segment: at `at`, the start of the next one, or after the last frame.
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
            // A frame that does not match its configuration is dropped; the segment continues.
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

    /// Returns the number of frames that were left out because MPEG-TS cannot carry them, and the error of
    /// the first one. Counts from the previous call.
    pub fn take_refused(&mut self) -> (u64, Option<Error>) {
        std::mem::take(&mut self.refused)
    }
}

#[cfg(test)]
mod tests;
