//! The playlist in the store.

use std::collections::VecDeque;

use media::hls::playlist::{self, Media, MediaSegment, Playlist};
use media::time::{Micros, SECOND};
use percent_encoding::percent_decode_str;

use super::Piece;
use crate::core::hub::StreamName;
use crate::edges::hls::render::escaped;

/// Minimum number of segments in the playlist. There are more if they are shorter than three target durations.
const WINDOW: usize = 6;
/// A playlist of another gateway whose last segment is older belongs to a stream that has ended.
const FRESH: Micros = 60 * SECOND;
/// Maximum number of segments that wait to be deleted. More are left to the store's own rules.
pub(super) const MAX_OLD: usize = 64;

/// The segments that are listed in the store, and those that are to be deleted there.
#[derive(Debug)]
pub(super) struct Window {
    name: StreamName,
    epoch: u64,
    media: Media,
    /// Whether any segment was added or taken over.
    used: bool,
    /// Names of segments that left the list, and when they may be deleted, in µs since 1970.
    old: VecDeque<(String, Micros)>,
}

impl Window {
    pub(super) fn new(name: &StreamName) -> Self {
        let media = Media { independent: true, ..Media::default() };
        Self { name: name.clone(), epoch: 0, media, used: false, old: VecDeque::new() }
    }

    /// Begins a new list. The segments of the last one are deleted later.
    pub(super) fn begin(&mut self, epoch: u64, now: Micros) {
        self.epoch = epoch;
        let after = self.media.sequence + self.media.segments.len() as u64;
        let discontinuities = self.discontinuities();
        for segment in std::mem::take(&mut self.media.segments) {
            self.retire(&segment, now);
        }
        let target = self.media.target;
        self.media = Media {
            sequence: after,
            discontinuity_sequence: discontinuities,
            independent: true,
            target,
            ..Media::default()
        };
    }

    /// Goes on with the list that another gateway, or this one before a restart, has left in the store.
    pub(super) fn take_over(&mut self, text: &str, now: Micros) {
        let Ok(Playlist::Media(media)) = playlist::parse(text) else { return };
        let last = media.segments.last().and_then(|last| Some(last.date? + last.duration));
        let goes_on = !media.ended && last.is_some_and(|last| (now - FRESH..now + FRESH).contains(&last));
        self.media = Media { ended: false, ..media };
        self.used = true;
        if !goes_on {
            self.begin(self.epoch, now);
        }
    }

    fn discontinuities(&self) -> u64 {
        let listed = self.media.segments.iter().filter(|segment| segment.discontinuity).count();
        self.media.discontinuity_sequence + listed as u64
    }

    /// Adds a segment that is in the store.
    pub(super) fn add(&mut self, piece: &Piece, after_gap: bool, now: Micros) {
        let own = format!("-{}-", self.epoch);
        let follows_own = self.media.segments.last().is_some_and(|last| last.uri.contains(&own));
        let discontinuity = self.used && (piece.discontinuity || after_gap || !follows_own);
        if self.media.segments.is_empty() {
            // The number is higher than that of any gateway before.
            self.media.sequence = self.media.sequence.max(self.epoch + piece.number);
        }
        self.used = true;
        self.media.independent &= piece.independent;
        self.media.target = self.media.target.max(piece.duration);
        self.media.segments.push(MediaSegment {
            uri: self.uri(piece.number),
            duration: piece.duration,
            discontinuity,
            date: Some(piece.date),
            ..MediaSegment::default()
        });
        loop {
            let total: Micros = self.media.segments.iter().map(|segment| segment.duration).sum();
            let Some(first) = self.media.segments.first() else { return };
            if self.media.segments.len() <= WINDOW || total - first.duration < self.media.target * 3 {
                return;
            }
            let first = self.media.segments.remove(0);
            self.media.sequence += 1;
            self.media.discontinuity_sequence += u64::from(first.discontinuity);
            self.retire(&first, now);
        }
    }

    /// Notes a segment that is not listed any more. It is kept for its own and the playlist's duration (RFC 8216 6.2.2).
    fn retire(&mut self, segment: &MediaSegment, now: Micros) {
        let Some(name) = self.object(&segment.uri) else { return };
        let listed: Micros = self.media.segments.iter().map(|segment| segment.duration).sum();
        self.old.push_back((name, now + segment.duration + listed.max(self.media.target * 3)));
        if self.old.len() > MAX_OLD {
            self.old.pop_front();
        }
    }

    /// Returns the name of a segment to delete now.
    pub(super) fn next_old(&self, now: Micros) -> Option<String> {
        self.old.front().filter(|(_, due)| *due <= now).map(|(name, _)| name.clone())
    }

    /// A segment was deleted.
    pub(super) fn deleted(&mut self) {
        self.old.pop_front();
    }

    /// Retires all segments. Returns the names of all that are to be deleted.
    pub(super) fn clear(&mut self, now: Micros) -> Vec<String> {
        self.begin(self.epoch, now);
        self.old.drain(..).map(|(name, _)| name).collect()
    }

    /// Returns the epoch in the names of segments.
    pub(super) const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns whether segments are listed.
    pub(super) fn is_empty(&self) -> bool {
        self.media.segments.is_empty()
    }

    /// Returns the playlist.
    pub(super) fn text(&self, ended: bool) -> String {
        playlist::write(&Media { ended, ..self.media.clone() })
    }

    /// Returns the name of the playlist's object.
    pub(super) fn playlist(&self) -> String {
        format!("hls/{}.m3u8", self.name)
    }

    /// Returns the name of a segment's object.
    pub(super) fn segment(&self, number: u64) -> String {
        format!("hls/{}-{}-{number}.ts", self.name, self.epoch)
    }

    fn uri(&self, number: u64) -> String {
        format!("{}-{}-{number}.ts", escaped(self.name.stream()), self.epoch)
    }

    /// Returns the name of the object at an address of a playlist, if it is a segment of this stream.
    fn object(&self, uri: &str) -> Option<String> {
        let file = percent_decode_str(uri).decode_utf8().ok()?;
        numbers(&file, self.name.stream())?;
        let folder = self.name.as_str().strip_suffix(self.name.stream())?;
        Some(format!("hls/{folder}{file}"))
    }
}

/// Returns the epoch of the last segment in a playlist of a stream.
pub(super) fn epoch(text: &str, name: &StreamName) -> Option<u64> {
    let Ok(Playlist::Media(media)) = playlist::parse(text) else { return None };
    let file = percent_decode_str(&media.segments.last()?.uri).decode_utf8().ok()?.into_owned();
    Some(numbers(&file, name.stream())?.0)
}

/// Returns epoch and number in the name of a segment.
fn numbers(file: &str, stream: &str) -> Option<(u64, u64)> {
    let rest = file.strip_prefix(stream)?.strip_prefix('-')?.strip_suffix(".ts")?;
    let (epoch, number) = rest.split_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(epoch) || !is_number(number) {
        return None;
    }
    Some((epoch.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const NOW: Micros = 1_800_000_000 * SECOND;

    fn name() -> StreamName {
        StreamName::parse("live/é").unwrap()
    }

    fn window(epoch: u64) -> Window {
        let mut window = Window::new(&name());
        window.begin(epoch, NOW);
        window
    }

    fn piece(number: u64) -> Piece {
        let (duration, date) = (2 * SECOND, NOW + number as i64 * 2 * SECOND);
        Piece { number, bytes: Bytes::new(), duration, discontinuity: number == 0, independent: true, date }
    }

    fn parsed(window: &Window) -> Media {
        match playlist::parse(&window.text(false)).unwrap() {
            Playlist::Media(media) => media,
            Playlist::Master(_) => panic!("segments"),
        }
    }

    #[test]
    fn the_window_moves_and_old_segments_are_deleted_later() {
        let mut window = window(1_800_000_000);
        (0..10).for_each(|n| window.add(&piece(n), false, NOW + n as i64 * 2 * SECOND));
        let media = parsed(&window);
        assert_eq!((media.sequence, media.segments.len()), (1_800_000_004, 6));
        assert_eq!(media.segments[0].uri, "%C3%A9-1800000000-4.ts");
        assert!(media.segments.iter().all(|segment| !segment.discontinuity));
        assert_eq!(window.next_old(NOW + 20 * SECOND), None);
        assert_eq!(window.next_old(NOW + 30 * SECOND).as_deref(), Some("hls/live/é-1800000000-0.ts"));
        window.deleted();
        window.add(&piece(12), true, NOW);
        let media = parsed(&window);
        assert!(media.segments[5].discontinuity, "segments are missing before it");
        (13..200).for_each(|n| window.add(&piece(n), false, NOW));
        assert_eq!(window.old.len(), MAX_OLD);
    }

    #[test]
    fn another_gateway_goes_on_with_the_numbers_and_segments_of_the_first() {
        let mut first = window(1_800_000_000);
        (0..8).for_each(|n| first.add(&piece(n), false, NOW));
        let text = first.text(false);
        assert_eq!(epoch(&text, &name()), Some(1_800_000_000));
        let mut second = window(1_800_000_020);
        second.take_over(&text, NOW + 20 * SECOND);
        second.add(&piece(0), false, NOW + 20 * SECOND);
        let media = parsed(&second);
        assert_eq!((media.sequence, media.segments.len()), (1_800_000_003, 6));
        assert_eq!(media.segments[5].uri, "%C3%A9-1800000020-0.ts");
        assert!(media.segments[5].discontinuity && !media.segments[4].discontinuity);
        // One that was left long ago, or has ended, is deleted; numbers still go up.
        for (text, now) in [(text, NOW + 500 * SECOND), (first.text(true), NOW + 20 * SECOND)] {
            let mut third = window(1_800_000_500);
            third.take_over(&text, now);
            third.add(&piece(0), false, now);
            let media = parsed(&third);
            assert_eq!((media.sequence, media.segments.len()), (1_800_000_500, 1));
            assert_eq!(third.old.len(), 6);
        }
    }

    #[test]
    fn only_segments_of_the_stream_are_ever_deleted() {
        let mut window = window(1_800_000_000);
        let text = window.text(false)
            + "#EXTINF:2,\n../../x-1-2.ts\n#EXTINF:2,\n%C3%A9-1-x.ts\n#EXTINF:2,\n%2e%2e/%C3%A9-1-2.ts\n#EXTINF:2,\nother-1-2.ts\n";
        window.take_over(&text, NOW);
        assert_eq!(window.clear(NOW), Vec::<String>::new());
    }
}
