//! Collects frames into fragments.

use super::super::Sample;
use super::moof;
use crate::config::Track;
use crate::frame::Frame;
use crate::time::{MILLI, Micros};

/// Duration after which a fragment ends: what a crash may lose.
pub const FRAGMENT: Micros = 500 * MILLI;
/// A fragment without video, of a stream with video, ends after this.
const WITHOUT_VIDEO: Micros = 2 * FRAGMENT;
/// Maximum number of bytes, and of frames, of a fragment that is not complete; beyond it the fragment ends early.
pub(super) const MAX_BYTES: usize = 16 << 20;
pub(super) const MAX_FRAMES: usize = 4096;

/// A piece of the file: a `moof` and an `mdat` for each track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Time from the end of the fragment before to the end of this one.
    pub duration: Micros,
    /// Whether decoding may start here: its first video frame is a key frame, or there is no video.
    pub independent: bool,
}

/// A track, and its frames that are not written yet.
#[derive(Debug)]
struct Lane {
    kind: Track,
    id: u32,
    frames: Vec<Frame>,
    /// The duration of the last written frame, and the time at which it ends.
    duration: u32,
    end: Micros,
}

/// Makes fragments of frames. Every frame of the fragment before a key frame is in that fragment, so that a key frame
/// begins a fragment.
#[derive(Debug)]
pub struct Fragmenter {
    lanes: Vec<Lane>,
    sequence: u32,
    /// The time on the stream's clock that is 0 in the file; `None` until the next frame that can begin the file.
    base: Option<Micros>,
    /// The time in the file of that frame.
    resume: Micros,
    /// End of the last fragment, in the file.
    end: Micros,
    bytes: usize,
}

impl Fragmenter {
    /// Creates a fragmenter for tracks with these ids, at most one of each kind.
    pub fn new(tracks: &[(u32, Track)]) -> Self {
        let lane =
            |&(id, kind): &(u32, Track)| Lane { kind, id, frames: Vec::new(), duration: 33_333, end: 0 };
        Self {
            lanes: tracks.iter().map(lane).collect(),
            sequence: 0,
            base: None,
            resume: 0,
            end: 0,
            bytes: 0,
        }
    }

    /// Adds a frame. Returns the fragment that ends before it, if one does. Frames before the first one that can begin
    /// the file (a video key frame, if there is video) are left out, as are frames of other tracks.
    pub fn push(&mut self, frame: &Frame) -> Option<Fragment> {
        let kind = frame.track();
        let has_video = self.lanes.iter().any(|lane| lane.kind == Track::Video);
        let at = self.lanes.iter().position(|lane| lane.kind == kind)?;
        let base = match self.base {
            Some(base) => base,
            None if has_video && !(kind == Track::Video && frame.key) => return None,
            None => *self.base.insert(frame.dts.saturating_sub(self.resume)),
        };
        let mut frame = frame.clone();
        (frame.dts, frame.pts) = (frame.dts.saturating_sub(base), frame.pts.saturating_sub(base));
        if frame.dts < self.resume {
            return None;
        }
        let ended =
            if self.is_complete(at, &frame, has_video) { self.cut(Some((at, frame.dts))) } else { None };
        self.bytes += frame.data.len();
        self.lanes[at].frames.push(frame);
        ended
    }

    /// Returns whether the fragment ends before `frame` of track `at`.
    fn is_complete(&self, at: usize, frame: &Frame, has_video: bool) -> bool {
        let Some(first) = self.lanes[at].frames.first() else { return false };
        let count: usize = self.lanes.iter().map(|lane| lane.frames.len()).sum();
        if self.bytes + frame.data.len() > MAX_BYTES || count >= MAX_FRAMES {
            return true;
        }
        let limit = if has_video && !frame.is_video() { WITHOUT_VIDEO } else { FRAGMENT };
        // Audio usually comes in time with video, and then video decides.
        frame.dts - first.dts >= limit || frame.is_video() && frame.key
    }

    /// Returns the last fragment.
    pub fn finish(&mut self) -> Option<Fragment> {
        self.cut(None)
    }

    /// Frames are missing: ends the fragment, and continues without a gap at the next frame that can begin the file.
    pub fn skip(&mut self) -> Option<Fragment> {
        let last = self.cut(None);
        (self.base, self.resume) = (None, self.lanes.iter().map(|lane| lane.end).max().unwrap_or(0));
        last
    }

    /// Ends the fragment. `next` is the track and the time of the frame after it. The last frame of the other track
    /// stays for the next fragment, because its duration is not known yet; without `next`, its duration is a guess.
    fn cut(&mut self, next: Option<(usize, Micros)>) -> Option<Fragment> {
        let mut independent = self.lanes.iter().all(|lane| lane.kind != Track::Video);
        let (mut video_end, mut audio_end) = (None, None);
        let mut taken = Vec::with_capacity(self.lanes.len());
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            let (held, following) = match next {
                Some((track, time)) if track == at => (0, Some(time)),
                Some(_) => (1, None),
                None => (0, None),
            };
            let count = lane.frames.len().saturating_sub(held);
            let rest = lane.frames.split_off(count);
            let frames = std::mem::replace(&mut lane.frames, rest);
            if frames.is_empty() {
                continue;
            }
            let following = following.or(lane.frames.first().map(|frame| frame.dts));
            let durations = lane.durations(&frames, following);
            let last = frames.last().map_or(0, |last| last.dts) + Micros::from(lane.duration);
            lane.end = last;
            match lane.kind {
                Track::Video => (video_end, independent) = (Some(last), frames[0].key),
                Track::Audio => audio_end = Some(last),
            }
            taken.push((lane.id, frames, durations));
        }
        self.bytes = self.lanes.iter().flat_map(|lane| &lane.frames).map(|frame| frame.data.len()).sum();
        if taken.is_empty() {
            return None;
        }
        let tracks: Vec<_> = taken.iter().map(|(id, frames, times)| (*id, samples(frames, times))).collect();
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = Vec::new();
        moof::write(&mut bytes, self.sequence, &tracks);
        // Video decides when a fragment ends, if there is some.
        let end = self.end.max(video_end.or(audio_end).unwrap_or(0));
        let duration = end - std::mem::replace(&mut self.end, end);
        Some(Fragment { bytes, duration, independent })
    }
}

impl Lane {
    /// Returns the durations of `frames`, which the frame at the time `following` follows.
    fn durations(&mut self, frames: &[Frame], following: Option<Micros>) -> Vec<u32> {
        let next = frames.iter().skip(1).map(|frame| Some(frame.dts)).chain([following]);
        let duration = |(frame, next): (&Frame, Option<Micros>)| {
            if let Some(next) = next {
                self.duration = u32::try_from(next.saturating_sub(frame.dts).max(0)).unwrap_or(u32::MAX);
            }
            self.duration
        };
        frames.iter().zip(next).map(duration).collect()
    }
}

fn samples<'a>(frames: &'a [Frame], durations: &[u32]) -> Vec<Sample<'a>> {
    let sample = |(frame, &duration): (&'a Frame, &u32)| {
        let Frame { dts, pts, key, .. } = *frame;
        Sample { dts, pts, duration, key, data: &frame.data }
    };
    frames.iter().zip(durations).map(sample).collect()
}
