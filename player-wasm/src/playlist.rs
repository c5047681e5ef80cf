//! The JavaScript interface of one HLS playlist.

use wasm_bindgen::prelude::*;

use crate::border::{HlsFeature, LatencyName, PlaylistKind};
use crate::engine::{seconds, to_seconds};
use crate::follow::{Follower, Foreign, Segment, Step, Variant};
use crate::pacing::Latency;

/// One HLS playlist.
#[wasm_bindgen]
pub struct Hls {
    follower: Follower,
    latency: Latency,
    /// The unsupported features that were returned.
    told: Foreign,
    segment: Option<Segment>,
    variants: Vec<Variant>,
}

#[wasm_bindgen]
impl Hls {
    /// Creates a follower that joins as near to live as `latency` demands.
    #[wasm_bindgen(constructor)]
    pub fn new(latency: LatencyName) -> Self {
        Self {
            follower: Follower::new(),
            latency: latency.into(),
            told: Foreign::default(),
            segment: None,
            variants: Vec::new(),
        }
    }

    /// Reads a playlist, and returns what it is.
    pub fn playlist(&mut self, text: &str) -> PlaylistKind {
        match self.follower.playlist(text, self.latency) {
            Step::Segments => PlaylistKind::Media,
            Step::Variants(variants) => {
                self.variants = variants;
                PlaylistKind::Master
            }
            Step::Invalid => PlaylistKind::Invalid,
        }
    }

    /// Returns the variants of a master playlist, one per line: bandwidth, codecs and address, separated by
    /// tabs.
    pub fn variants(&self) -> String {
        let mut text = String::new();
        for variant in &self.variants {
            for part in [&variant.bandwidth, "\t", &variant.codecs, "\t", &variant.uri, "\n"] {
                text.push_str(part);
            }
        }
        text
    }

    /// Returns an unsupported feature of the playlists that was not returned before, if there is one.
    pub fn foreign(&mut self) -> Option<HlsFeature> {
        for (bit, feature) in [
            (Foreign::KEY, HlsFeature::Encryption),
            (Foreign::MAP, HlsFeature::FragmentedMp4),
            (Foreign::AUDIO, HlsFeature::Audio),
            (Foreign::SUBTITLES, HlsFeature::Subtitles),
        ] {
            if self.follower.foreign().contains(bit) && !self.told.contains(bit) {
                self.told = self.told | bit;
                return Some(feature);
            }
        }
        None
    }

    /// Moves to the next segment; returns false if there is none yet.
    pub fn advance(&mut self) -> bool {
        self.segment = self.follower.next();
        self.segment.is_some()
    }

    /// Returns the segment's address, as written in the playlist.
    pub fn uri(&self) -> String {
        self.segment.as_ref().map_or_else(String::new, |segment| segment.uri.clone())
    }

    /// Returns whether the segment's timestamps do not continue those before.
    pub fn discontinuity(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.discontinuity)
    }

    /// Returns whether the segment does not follow the previous one and must be placed at [`Hls::start`].
    pub fn placed(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.placed)
    }

    /// Returns the media time of the segment's start.
    pub fn start(&self) -> f64 {
        to_seconds(self.segment.as_ref().map_or(0, |segment| segment.start))
    }

    /// Returns the offset of the segment's first byte in its resource; 0 without a range.
    pub fn from(&self) -> f64 {
        self.range().0 as f64
    }

    /// Returns the size of the segment in its resource in bytes; 0 means all of it.
    pub fn bytes(&self) -> f64 {
        self.range().1 as f64
    }

    fn range(&self) -> (u64, u64) {
        self.segment.as_ref().and_then(|segment| segment.range).unwrap_or_default()
    }

    /// Reports that the segment was read and that its media ends at `end`.
    pub fn finished(&mut self, end: f64) {
        self.follower.finished(seconds(end));
    }

    /// Announces that the next segment follows other media and begins at `at`.
    pub fn joined(&mut self, at: f64) {
        self.follower.joined(seconds(at));
    }

    /// Makes [`Hls::advance`] repeat the segment.
    pub fn again(&mut self) {
        self.follower.again();
    }

    /// Reports that the segment is not available.
    pub fn skip(&mut self) {
        self.follower.skip();
    }

    /// Continues with the segment at the media time `time`.
    pub fn seek(&mut self, time: f64) {
        self.follower.seek(seconds(time));
    }

    /// Continues near live.
    pub fn go_live(&mut self) {
        self.follower.go_live(self.latency);
    }

    /// Returns the media time of the playlist's start.
    pub fn begin(&self) -> f64 {
        to_seconds(self.follower.window().0)
    }

    /// Returns the media time of the playlist's end.
    pub fn end(&self) -> f64 {
        to_seconds(self.follower.window().1)
    }

    /// Returns the milliseconds until the playlist should be reloaded.
    pub fn reload(&self) -> f64 {
        self.follower.reload() as f64 / 1e3
    }

    /// Returns whether the playlist is complete.
    pub fn ended(&self) -> bool {
        self.follower.ended()
    }
}
