//! The first moments of a stream: which tracks are there?

use media::time::{MILLI, Micros, SECOND};
use media::{Frame, Track};

use super::slot;

/// A promised track is awaited this long on the clock …
const PATIENCE: Micros = 300 * MILLI;
/// … and this long in media time, when everything comes at once.
const SPAN: Micros = 500 * MILLI;
/// More than this is not held: the oldest goes.
const MOST: usize = 1_000;

/// Frames held until the tracks are known.
#[derive(Default)]
pub(super) struct Start {
    /// What the container said: video, audio.
    pub(super) promised: [bool; 2],
    /// Wall-clock time of the first frame.
    since: Option<Micros>,
    frames: Vec<Frame>,
}

impl Start {
    pub(super) fn promised(promised: [bool; 2]) -> Self {
        Self { promised, ..Self::default() }
    }

    pub(super) fn hold(&mut self, now: Micros, frame: Frame) {
        self.since.get_or_insert(now);
        if self.frames.len() >= MOST {
            self.frames.remove(0);
        }
        self.frames.push(frame);
    }

    /// Whether to begin. Pictures without a key frame are waited for; a broken promise is not.
    pub(super) fn ready(&self, now: Micros, missing: [bool; 2]) -> bool {
        let seen = |track| self.frames.iter().any(|frame| frame.track() == track);
        let has = |track| self.frames.iter().any(|frame| frame.track() == track && frame.key);
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
        let patience = if seen(Track::Video) && !has(Track::Video) { 10 * SECOND } else { PATIENCE };
        let span_limit = if patience == PATIENCE { SPAN } else { 10 * SECOND };
        any && (waited > patience || span > span_limit)
    }

    /// The held frames, from the first video key frame and the sound beside it.
    pub(super) fn into_frames(self) -> Vec<Frame> {
        let mut frames = self.frames;
        if let Some(key) = frames.iter().find(|frame| frame.is_video() && frame.key) {
            let from = key.dts;
            // Sound from just before it may have come later.
            frames.retain(|frame| frame.dts >= if frame.is_video() { from } else { from - 30 * MILLI });
        }
        frames
    }
}
