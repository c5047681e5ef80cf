//! The start of a stream: detects the tracks.

use media::time::{MILLI, Micros, SECOND};
use media::{Frame, Track};

use super::slot;

/// Maximum wait for a promised track, by the clock.
const PATIENCE: Micros = 300 * MILLI;
/// Maximum wait for a promised track in media time, for media that arrives faster than real time.
const SPAN: Micros = 500 * MILLI;
/// Maximum wait in MPEG-TS: its program map is reliable, and one packet may hold a second of audio.
const PATIENCE_TS: Micros = 2 * SECOND;
const SPAN_TS: Micros = 3 * SECOND;
/// Audio may start this much before the first video frame.
const EARLIER: Micros = 30 * MILLI;
/// Maximum number of held frames; the oldest is dropped.
const MOST: usize = 1_000;

/// Frames that are held until the tracks are known.
pub(super) struct Start {
    /// The tracks that the container announced: video, audio.
    pub(super) promised: [bool; 2],
    /// Whether the container is MPEG-TS.
    ts: bool,
    /// Wall-clock time of the first frame.
    since: Option<Micros>,
    frames: Vec<Frame>,
}

impl Start {
    pub(super) fn new(promised: [bool; 2], ts: bool) -> Self {
        Self { promised, ts, since: None, frames: Vec::new() }
    }

    pub(super) fn hold(&mut self, now: Micros, frame: Frame) {
        self.since.get_or_insert(now);
        if self.frames.len() >= MOST {
            self.frames.remove(0);
        }
        // Insert in order: audio in packets of a second is not late.
        let at = self.frames.iter().rposition(|other| other.dts <= frame.dts).map_or(0, |n| n + 1);
        self.frames.insert(at, frame);
    }

    /// Returns whether to start. Video without a key frame is awaited; a missing promised track only for a
    /// limited time.
    pub(super) fn ready(&self, now: Micros, missing: [bool; 2]) -> bool {
        let seen = |track| self.frames.iter().any(|frame| frame.track() == track);
        // Audio from before the first video frame is dropped.
        let from = self.key().map_or(Micros::MIN, |key| key - EARLIER);
        let has = |track| {
            self.frames.iter().any(|f| f.track() == track && f.key && (f.is_video() || f.dts >= from))
        };
        let settled =
            |track| has(track) || missing[slot(track)] || !self.promised[slot(track)] && !seen(track);
        let any = has(Track::Video) || has(Track::Audio);
        if any && settled(Track::Video) && settled(Track::Audio) {
            return true;
        }
        let waited = self.since.map_or(0, |since| now - since);
        let span = match (self.frames.first(), self.frames.last()) {
            (Some(first), Some(last)) => last.dts - first.dts,
            _ => 0,
        };
        // Video without a key frame so far deserves a longer wait than a track that never came.
        let (patience, span_limit) = match self.ts {
            _ if seen(Track::Video) && !has(Track::Video) => (10 * SECOND, 10 * SECOND),
            true => (PATIENCE_TS, SPAN_TS),
            false => (PATIENCE, SPAN),
        };
        any && (waited > patience || span > span_limit)
    }

    /// Returns the time of the first decodable video frame.
    fn key(&self) -> Option<Micros> {
        self.frames.iter().find(|frame| frame.is_video() && frame.key).map(|frame| frame.dts)
    }

    /// Returns the held frames from the first video key frame on, with the audio beside it.
    pub(super) fn into_frames(self) -> Vec<Frame> {
        let key = self.key();
        let mut frames = self.frames;
        if let Some(from) = key {
            // Audio from just before it may have arrived later.
            frames.retain(|frame| frame.dts >= if frame.is_video() { from } else { from - EARLIER });
        }
        frames
    }
}
