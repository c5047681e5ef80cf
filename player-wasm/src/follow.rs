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
mod tests;
