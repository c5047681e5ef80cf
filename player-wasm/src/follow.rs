//! Follows an HLS playlist: which segment to fetch next, at which media time it begins, and when to reload.

mod list;

use media::time::{MILLI, Micros, SECOND};

use crate::pacing::Latency;
use list::{Entry, List};
pub use list::{Foreign, Variant};

/// Media time at the start of a live playlist's window: early enough for MSE, late enough for frames before
/// the first one.
const LIVE_BEGIN: Micros = SECOND;
/// Maximum difference between a segment's end and its duration in the playlist. Beyond it, the playlist is
/// used.
const BELIEVED: Micros = 2 * SECOND;

/// A segment to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The address as written in the playlist.
    pub uri: String,
    /// Whether its timestamps do not continue those of the segment before.
    pub discontinuity: bool,
    /// First byte and number of bytes, if it is a part of the resource.
    pub range: Option<(u64, u64)>,
    /// Media time of its start.
    pub start: Micros,
    /// Whether it must be placed at `start`, because it does not follow the previous segment.
    pub placed: bool,
}

/// The next step after reading a playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Load one of these playlists instead: the variants of a master playlist, in its order.
    Variants(Vec<Variant>),
    /// Fetch the segments from [`Follower::next`], then reload after [`Follower::reload`].
    Segments,
    /// The text is not a playlist.
    Invalid,
}

/// Follows one media playlist.
#[derive(Debug, Default)]
pub struct Follower {
    entries: Vec<Entry>,
    /// The number of the first entry.
    first: u64,
    /// Number of the segment after the last one taken.
    next: Option<u64>,
    /// Number of a segment, and the media time of its start.
    anchor: (u64, Micros),
    /// Whether the next segment must be placed.
    placed: bool,
    /// Whether the next segment is a discontinuity, whatever the playlist says.
    jumped: bool,
    ended: bool,
    reload: Micros,
    foreign: Foreign,
}

impl Follower {
    /// Creates a follower that has read no playlist.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a loaded playlist.
    pub fn playlist(&mut self, text: &str, latency: Latency) -> Step {
        let Some(list) = list::read(text.as_bytes()) else { return Step::Invalid };
        self.foreign = self.foreign | list.foreign;
        if !list.variants.is_empty() {
            return Step::Variants(list.variants);
        }
        self.media(list, latency);
        Step::Segments
    }

    fn media(&mut self, media: List, latency: Latency) {
        let first = media.sequence;
        let end = first.saturating_add(media.entries.len() as u64);
        self.ended = media.ended;
        let newest = media.entries.last().map_or(SECOND, |segment| segment.duration);
        // Before old entries are removed, calculate the start time of the new list.
        if self.next.is_some() && self.anchor.0 < first {
            self.anchor = (first, self.start_of(first));
        }
        (self.first, self.entries) = (first, media.entries);
        let next = match self.next {
            // The numbers went back, as after a restart of the server.
            Some(next) if next > end => {
                let live = self.live_start(latency);
                (self.anchor, self.jumped) = ((live, self.anchor.1), true);
                live
            }
            // The next segment was removed: the player was too slow.
            Some(next) if next < first => {
                self.jumped = true;
                first
            }
            Some(next) => next,
            None => {
                self.placed = true;
                self.anchor = (first, if self.ended { 0 } else { LIVE_BEGIN });
                if self.ended { first } else { self.live_start(latency) }
            }
        };
        self.next = Some(next);
        // The next segment is due one duration after this one; reloading too early costs little.
        let wait = if next < end { newest / 2 } else { newest / 4 };
        self.reload = wait.clamp(200 * MILLI, 5 * SECOND);
    }

    /// Returns the next segment to fetch.
    #[allow(clippy::should_implement_trait, reason = "none is not the end")]
    pub fn next(&mut self) -> Option<Segment> {
        loop {
            let number = self.next?;
            let entry = self.entries.get(usize::try_from(number.checked_sub(self.first)?).ok()?)?;
            self.next = Some(number.saturating_add(1));
            if entry.gap {
                self.placed = true;
                continue;
            }
            return Some(Segment {
                uri: entry.uri.clone(),
                discontinuity: std::mem::take(&mut self.jumped) || entry.discontinuity,
                range: entry.range,
                start: self.start_of(number),
                placed: std::mem::take(&mut self.placed),
            });
        }
    }

    /// Reports that the media of the last taken segment ends at the media time `end`.
    pub fn finished(&mut self, end: Micros) {
        let Some(next) = self.next else { return };
        let expected = self.start_of(next);
        let end = if (end - expected).abs() < BELIEVED { end } else { expected };
        self.anchor = (next, end);
    }

    /// Announces that the next segment follows other media, which ends at `end`.
    pub fn joined(&mut self, end: Micros) {
        self.anchor = (self.next.unwrap_or_default(), end);
        self.placed = false;
    }

    /// Makes [`Follower::next`] return the last segment again.
    pub fn again(&mut self) {
        self.next = self.next.map(|next| next.saturating_sub(1).max(self.first));
        self.placed = true;
    }

    /// Reports that the last taken segment is not available: the next one must be placed.
    pub const fn skip(&mut self) {
        self.placed = true;
    }

    /// Continues with the segment at the media time `time`, or the nearest one.
    pub fn seek(&mut self, time: Micros) {
        let mut end = self.start_of(self.first);
        let before = self.entries.iter().take_while(|entry| {
            end += entry.duration;
            end <= time
        });
        let last = (self.entries.len() as u64).saturating_sub(1);
        self.next = Some(self.first.saturating_add((before.count() as u64).min(last)));
        self.placed = true;
    }

    /// Continues near live.
    pub fn go_live(&mut self, latency: Latency) {
        self.next = Some(self.live_start(latency));
        self.placed = true;
    }

    /// Returns start and end of the playlist in media time.
    pub fn window(&self) -> (Micros, Micros) {
        (self.start_of(self.first), self.start_of(self.first.saturating_add(self.entries.len() as u64)))
    }

    /// Returns the media time of a segment's start.
    fn start_of(&self, number: u64) -> Micros {
        let (anchor, time) = self.anchor;
        let sum = |from: u64, to: u64| -> Micros {
            let index = |number: u64| (number.saturating_sub(self.first) as usize).min(self.entries.len());
            self.entries[index(from)..index(to)].iter().map(|entry| entry.duration).sum()
        };
        if number >= anchor { time + sum(anchor, number) } else { time - sum(number, anchor) }
    }

    /// Returns how long to wait before reloading the playlist.
    pub const fn reload(&self) -> Micros {
        self.reload
    }

    /// Returns whether no segments follow.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Returns the unsupported features of the playlists read so far.
    pub const fn foreign(&self) -> Foreign {
        self.foreign
    }

    /// Returns the number of the segment to start with near live.
    fn live_start(&self, latency: Latency) -> u64 {
        let back = match latency {
            Latency::Realtime => 1,
            Latency::Low => 2 * SECOND,
            Latency::Normal => 6 * SECOND,
        };
        let mut left = 0;
        let taken = self.entries.iter().rev().take_while(|segment| {
            let enough = left >= back;
            left += segment.duration;
            !enough
        });
        self.first.saturating_add((self.entries.len() - taken.count()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(sequence: u64, count: u64, tail: &str) -> String {
        let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
        for n in sequence..sequence + count {
            text += &format!("#EXTINF:2.0,\ns{n}.ts\n");
        }
        text + tail
    }

    fn take(follower: &mut Follower) -> Vec<(String, bool)> {
        std::iter::from_fn(|| follower.next()).map(|s| (s.uri, s.discontinuity)).collect()
    }

    #[test]
    fn a_live_playlist_is_joined_near_its_end_and_followed() {
        let mut follower = Follower::new();
        assert_eq!(follower.playlist(&list(10, 6, ""), Latency::Realtime), Step::Segments);
        assert_eq!(take(&mut follower), [("s15.ts".into(), false)]);
        follower.playlist(&list(10, 6, ""), Latency::Realtime);
        assert_eq!(take(&mut follower), []);
        assert_eq!(follower.reload(), 500 * MILLI);
        follower.playlist(&list(11, 6, ""), Latency::Realtime);
        assert_eq!(take(&mut follower), [("s16.ts".into(), false)]);
        let mut slower = Follower::new();
        slower.playlist(&list(10, 6, ""), Latency::Normal);
        assert_eq!(take(&mut slower).len(), 3);
    }

    #[test]
    fn falling_behind_and_a_restarted_server_are_joined_as_discontinuities() {
        let mut follower = Follower::new();
        follower.playlist(&list(10, 2, ""), Latency::Realtime);
        take(&mut follower);
        follower.playlist(&list(20, 2, ""), Latency::Realtime);
        assert_eq!(take(&mut follower), [("s20.ts".into(), true), ("s21.ts".into(), false)]);
        follower.playlist(&list(0, 3, ""), Latency::Realtime);
        assert_eq!(take(&mut follower), [("s2.ts".into(), true)]);
    }

    #[test]
    fn a_finished_playlist_starts_at_its_begin() {
        let mut follower = Follower::new();
        follower.playlist(&list(0, 3, "#EXT-X-ENDLIST\n"), Latency::Realtime);
        assert_eq!(take(&mut follower).len(), 3);
        assert!(follower.ended());
    }

    #[test]
    fn what_cannot_be_played_is_said() {
        let mut follower = Follower::new();
        assert_eq!(follower.playlist("<html>", Latency::Low), Step::Invalid);
        let encrypted =
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:2,\na.ts\n";
        assert_eq!(follower.playlist(encrypted, Latency::Low), Step::Segments);
        assert_eq!(follower.foreign(), Foreign::KEY);
    }

    /// Segments of 2 s each: the first of a recording begins at 0, and each at the sum of the durations
    /// before it.
    #[test]
    fn a_seek_in_a_recording_takes_the_segment_that_has_the_time() {
        for (time, uri, start) in [
            (0, "s0.ts", 0),
            (1_999, "s0.ts", 0),
            (2_000, "s1.ts", 2_000),
            (13_500, "s6.ts", 12_000),
            (900_000, "s9.ts", 18_000),
            (-5, "s0.ts", 0),
        ] {
            let mut follower = Follower::new();
            follower.playlist(&list(0, 10, "#EXT-X-ENDLIST\n"), Latency::Low);
            assert_eq!(follower.window(), (0, 20 * SECOND));
            assert!(follower.next().unwrap().placed);
            follower.seek(time * MILLI);
            let segment = follower.next().unwrap();
            assert_eq!((segment.uri.as_str(), segment.start), (uri, start * MILLI));
            assert!(segment.placed);
            if uri != "s9.ts" {
                assert!(!follower.next().unwrap().placed);
            }
        }
    }

    #[test]
    fn times_follow_the_media_and_not_the_rounded_durations() {
        let mut follower = Follower::new();
        follower.playlist(&list(0, 10, "#EXT-X-ENDLIST\n"), Latency::Low);
        follower.next();
        follower.finished(2_040 * MILLI);
        assert_eq!(follower.next().unwrap().start, 2_040 * MILLI);
        assert_eq!(follower.window(), (40 * MILLI, 20_040 * MILLI));
        // A segment with absurd times is placed by the playlist.
        follower.finished(900 * SECOND);
        assert_eq!(follower.next().unwrap().start, 4_040 * MILLI);
    }

    #[test]
    fn a_live_window_moves_on_and_its_past_can_be_had() {
        let mut follower = Follower::new();
        follower.playlist(&list(10, 30, ""), Latency::Realtime);
        assert_eq!(follower.window(), (SECOND, 61 * SECOND));
        let segment = follower.next().unwrap();
        assert_eq!((segment.uri.as_str(), segment.start, segment.placed), ("s39.ts", 59 * SECOND, true));
        follower.finished(61 * SECOND);
        follower.playlist(&list(15, 30, ""), Latency::Realtime);
        assert_eq!(follower.window(), (11 * SECOND, 71 * SECOND));
        follower.seek(30 * SECOND);
        let segment = follower.next().unwrap();
        assert_eq!((segment.uri.as_str(), segment.start), ("s24.ts", 29 * SECOND));
        // The anchor moves on when it leaves the list.
        follower.finished(31 * SECOND);
        follower.playlist(&list(20, 30, ""), Latency::Realtime);
        follower.go_live(Latency::Realtime);
        let segment = follower.next().unwrap();
        assert_eq!((segment.uri.as_str(), segment.start, segment.placed), ("s49.ts", 79 * SECOND, true));
    }

    #[test]
    fn gaps_and_lost_segments_leave_their_time_free() {
        let mut follower = Follower::new();
        let text =
            list(0, 6, "#EXT-X-ENDLIST\n").replace("#EXTINF:2.0,\ns2.ts", "#EXT-X-GAP\n#EXTINF:2.0,\ns2.ts");
        follower.playlist(&text, Latency::Low);
        let segments = |follower: &mut Follower| {
            let segment = follower.next().unwrap();
            (segment.uri, segment.start / SECOND, segment.placed)
        };
        assert_eq!(segments(&mut follower), ("s0.ts".into(), 0, true));
        assert_eq!(segments(&mut follower), ("s1.ts".into(), 2, false));
        assert_eq!(segments(&mut follower), ("s3.ts".into(), 6, true));
        follower.again();
        assert_eq!(segments(&mut follower), ("s3.ts".into(), 6, true));
        follower.skip();
        assert_eq!(segments(&mut follower), ("s4.ts".into(), 8, true));
        assert_eq!(segments(&mut follower), ("s5.ts".into(), 10, false));
        assert_eq!(follower.next(), None);
    }

    #[test]
    fn nothing_panics_on_numbers_at_the_end_of_all_numbers() {
        let mut follower = Follower::new();
        let text = list(0, 2, "").replace("SEQUENCE:0", "SEQUENCE:18446744073709551615");
        follower.playlist(&text, Latency::Low);
        while follower.next().is_some() {}
        follower.seek(Micros::MAX / 2);
        follower.go_live(Latency::Normal);
        let _ = follower.window();
    }
}
