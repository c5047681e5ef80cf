//! The first moments of a stream: which tracks are there?

use media::time::{MILLI, Micros, SECOND};
use media::{Frame, Track};

use super::slot;

/// A promised track is awaited this long on the clock …
const PATIENCE: Micros = 300 * MILLI;
/// … and this long in media time, when everything comes at once.
const SPAN: Micros = 500 * MILLI;
/// The same for MPEG-TS: its program map is to be believed, and one packet may have a second of audio.
const PATIENCE_TS: Micros = 2 * SECOND;
const SPAN_TS: Micros = 3 * SECOND;
/// Audio may begin so much before the first picture.
const EARLIER: Micros = 30 * MILLI;
/// More than this is not held: the oldest goes.
const MOST: usize = 1_000;

/// Frames held until the tracks are known.
pub(super) struct Start {
    /// What the container said: video, audio.
    pub(super) promised: [bool; 2],
    /// The container is MPEG-TS.
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
        // In order: audio that comes in packets of a second is not late.
        let at = self.frames.iter().rposition(|other| other.dts <= frame.dts).map_or(0, |n| n + 1);
        self.frames.insert(at, frame);
    }

    /// Whether to begin. Pictures without a key frame are waited for; a broken promise is not.
    pub(super) fn ready(&self, now: Micros, missing: [bool; 2]) -> bool {
        let seen = |track| self.frames.iter().any(|frame| frame.track() == track);
        // Audio from before the first picture does not stay.
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
        // Video that has no key frame yet is worth a longer wait than a track that never came.
        let (patience, span_limit) = match self.ts {
            _ if seen(Track::Video) && !has(Track::Video) => (10 * SECOND, 10 * SECOND),
            true => (PATIENCE_TS, SPAN_TS),
            false => (PATIENCE, SPAN),
        };
        any && (waited > patience || span > span_limit)
    }

    /// The time of the first picture that can be decoded.
    fn key(&self) -> Option<Micros> {
        self.frames.iter().find(|frame| frame.is_video() && frame.key).map(|frame| frame.dts)
    }

    /// The held frames, from the first video key frame and the sound beside it.
    pub(super) fn into_frames(self) -> Vec<Frame> {
        let key = self.key();
        let mut frames = self.frames;
        if let Some(from) = key {
            // Sound from just before it may have come later.
            frames.retain(|frame| frame.dts >= if frame.is_video() { from } else { from - EARLIER });
        }
        frames
    }
}
