//! Connects the playlists of the nodes that own a stream one after the other. Pure: no clock, no socket.
//!
//! Each owner begins its numbers with the time of its start, so they go up from owner to owner. If the clock of the new
//! one is behind, its numbers are raised. The first segment of a new owner gets an `EXT-X-DISCONTINUITY`, because its
//! timestamps and tracks do not continue those before.

use media::hls::playlist::{Media, MediaSegment};
use percent_encoding::percent_decode_str;

use crate::core::name::StreamName;

/// The state between two playlists of a stream.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// The node and the epoch of the newest segment.
    last: Option<(String, u64)>,
    /// The number of the first segment that was listed last, and of the one after the last.
    sequence: (u64, u64),
    /// Number of discontinuities up to the end of the last playlist, as it was sent.
    discontinuities: u64,
    /// Added to the numbers of the owner.
    shift: u64,
    /// Added to its number of discontinuities.
    base: u64,
    /// The first segment of the current owner, which gets a discontinuity while it is listed.
    border: Option<String>,
}

impl Join {
    /// Returns the playlist of `node` as viewers get it; `None` if it is older than the last one, or has no segment.
    pub(super) fn push(&mut self, name: &StreamName, node: &str, mut media: Media) -> Option<Media> {
        let (epoch, _) = numbers(&media.segments.last()?.uri, name)?;
        let own = media.discontinuity_sequence + flagged(&media.segments);
        if let Some((before, old)) = &self.last
            && *old != epoch
            && (before != node || own + self.base < self.discontinuities)
        {
            let first = media.segments.first()?;
            self.base = self.discontinuities;
            self.border = (!first.discontinuity).then(|| first.uri.clone());
            self.shift = self.sequence.1.saturating_sub(media.sequence);
            // Numbers of discontinuities begin anew at the new owner.
            self.base = self.base.saturating_sub(media.discontinuity_sequence);
        }
        media.sequence += self.shift;
        if media.sequence < self.sequence.0 {
            return None;
        }
        media.discontinuity_sequence += self.base;
        if let Some(border) = &self.border {
            match media.segments.iter_mut().find(|segment| segment.uri == *border) {
                Some(segment) => segment.discontinuity = true,
                None => media.discontinuity_sequence += 1,
            }
        }
        self.last = Some((node.to_owned(), epoch));
        self.sequence = (media.sequence, media.sequence + media.segments.len() as u64);
        self.discontinuities = media.discontinuity_sequence + flagged(&media.segments);
        Some(media)
    }
}

fn flagged(segments: &[MediaSegment]) -> u64 {
    segments.iter().filter(|segment| segment.discontinuity).count() as u64
}

/// Returns epoch and number in the address of a segment of a stream.
pub(super) fn numbers(uri: &str, name: &StreamName) -> Option<(u64, u64)> {
    let file = percent_decode_str(uri).decode_utf8().ok()?;
    let rest = file.strip_prefix(name.stream())?.strip_prefix('-')?.strip_suffix(".ts")?;
    let (epoch, number) = rest.split_once('-')?;
    Some((epoch.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(sequence: u64, discontinuities: u64, uris: &[&str]) -> Media {
        let segment = |uri: &&str| MediaSegment { uri: (*uri).to_owned(), ..MediaSegment::default() };
        Media {
            sequence,
            discontinuity_sequence: discontinuities,
            segments: uris.iter().map(segment).collect(),
            ..Media::default()
        }
    }

    #[test]
    fn the_numbers_go_on_when_the_owner_changes_and_its_clock_is_behind() {
        let (name, mut join) = (StreamName::parse("live/x").unwrap(), Join::default());
        let same = join.push(&name, "a", list(100, 2, &["x-90-10.ts", "x-90-11.ts"])).unwrap();
        assert_eq!(same, list(100, 2, &["x-90-10.ts", "x-90-11.ts"]));
        // The clock of the new owner is 30 s behind.
        let next = join.push(&name, "b", list(70, 0, &["x-70-0.ts"])).unwrap();
        assert_eq!((next.sequence, next.discontinuity_sequence), (102, 2));
        assert!(next.segments[0].discontinuity);
        let next = join.push(&name, "b", list(70, 0, &["x-70-0.ts", "x-70-1.ts"])).unwrap();
        assert_eq!(
            (next.sequence, next.segments[0].discontinuity, next.segments[1].discontinuity),
            (102, true, false)
        );
        // The first segment has left the list.
        let next = join.push(&name, "b", list(71, 0, &["x-70-1.ts", "x-70-2.ts"])).unwrap();
        assert_eq!((next.sequence, next.discontinuity_sequence, flagged(&next.segments)), (103, 3, 0));
        // A late answer is not sent.
        assert_eq!(join.push(&name, "b", list(70, 0, &["x-70-0.ts", "x-70-1.ts"])), None);
        // A third owner, with a right clock, in the middle of its stream.
        let next = join.push(&name, "a", list(500, 7, &["x-400-100.ts"])).unwrap();
        assert_eq!((next.sequence, next.discontinuity_sequence, flagged(&next.segments)), (500, 7, 1));
    }

    #[test]
    fn addresses_of_other_streams_have_no_numbers() {
        let name = StreamName::parse("live/中").unwrap();
        assert_eq!(numbers("%E4%B8%AD-5-6.ts", &name), Some((5, 6)));
        for bad in [
            "b-5-6.ts",
            "%E4%B8%AD-5.ts",
            "%E4%B8%AD--6.ts",
            "%E4%B8%AD-5-6.mp4",
            "http://x/%E4%B8%AD-5-6.ts",
        ] {
            assert_eq!(numbers(bad, &name), None, "{bad}");
        }
    }
}
