//! Following an HLS playlist: which segment to fetch next, and when to look again.

mod list;

use std::collections::VecDeque;

use media::time::{MILLI, Micros, SECOND};

use crate::pacing::Latency;
use list::List;

/// A segment to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// As it stands in the playlist.
    pub uri: String,
    /// Its times do not continue those of the one before.
    pub discontinuity: bool,
    /// The first byte and the number of bytes, when it is a part of the resource.
    pub range: Option<(u64, u64)>,
}

/// What a playlist says to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Load this playlist instead: it is a variant of a master playlist.
    Variant(String),
    /// Fetch what [`Follower::next`] gives, then look again after [`Follower::reload`].
    Segments,
    /// This is no playlist.
    Invalid,
    /// Encrypted, or fragmented MP4.
    Unsupported,
}

/// Follows one media playlist.
#[derive(Debug, Default)]
pub struct Follower {
    /// The number of the segment after the newest one taken.
    next: Option<u64>,
    queue: VecDeque<Segment>,
    ended: bool,
    reload: Micros,
}

impl Follower {
    /// A follower that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a playlist as loaded.
    pub fn playlist(&mut self, text: &str, latency: Latency) -> Step {
        match list::read(text.as_bytes()) {
            None => Step::Invalid,
            Some(List { variant: Some(uri), .. }) => Step::Variant(uri),
            Some(list) if list.foreign => Step::Unsupported,
            Some(list) => {
                self.media(list, latency);
                Step::Segments
            }
        }
    }

    fn media(&mut self, media: List, latency: Latency) {
        let first = media.sequence;
        let end = first.saturating_add(media.entries.len() as u64);
        self.ended = media.ended;
        let (from, joined) = match self.next {
            // The numbers went back, as a server that was restarted does.
            Some(next) if next > end => (first + live_start(&media, latency), false),
            // What was next has gone: too slow.
            Some(next) if next < first => (first, false),
            Some(next) => (next, true),
            None if media.ended => (first, true),
            None => (first + live_start(&media, latency), true),
        };
        let fresh = from < end;
        let newest = media.entries.last().map_or(SECOND, |segment| segment.duration);
        for (index, segment) in media.entries.into_iter().enumerate().skip((from - first) as usize) {
            let jumped = !joined && first + index as u64 == from;
            let discontinuity = segment.discontinuity || jumped;
            self.queue.push_back(Segment { uri: segment.uri, discontinuity, range: segment.range });
        }
        self.next = Some(end.max(from));
        // The next segment is due one duration after this one was; a look too early costs little.
        let wait = if fresh { newest / 2 } else { newest / 4 };
        self.reload = wait.clamp(200 * MILLI, 5 * SECOND);
    }

    /// The next segment to fetch.
    #[allow(clippy::should_implement_trait, reason = "none is not the end")]
    pub fn next(&mut self) -> Option<Segment> {
        self.queue.pop_front()
    }

    /// When to load the playlist again.
    pub const fn reload(&self) -> Micros {
        self.reload
    }

    /// Whether nothing follows the segments given out.
    pub const fn ended(&self) -> bool {
        self.ended
    }
}

/// How many segments to leave out to start near live.
fn live_start(media: &List, latency: Latency) -> u64 {
    let back = match latency {
        Latency::Realtime => 1,
        Latency::Low => 2 * SECOND,
        Latency::Normal => 6 * SECOND,
    };
    let mut left = 0;
    let taken = media.entries.iter().rev().take_while(|segment| {
        let enough = left >= back;
        left += segment.duration;
        !enough
    });
    (media.entries.len() - taken.count()) as u64
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
        assert_eq!(follower.playlist(encrypted, Latency::Low), Step::Unsupported);
        let master =
            "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9\nb.m3u8\n";
        assert_eq!(follower.playlist(master, Latency::Low), Step::Variant("b.m3u8".into()));
    }
}
