//! What JavaScript sees of one HLS playlist.

use wasm_bindgen::prelude::*;

use crate::engine::{latency, seconds, to_seconds};
use crate::follow::{Follower, Segment, Step, Variant};

/// One HLS playlist.
#[wasm_bindgen]
pub struct Hls {
    follower: Follower,
    latency: u32,
    segment: Option<Segment>,
    variants: Vec<Variant>,
}

#[wasm_bindgen]
impl Hls {
    /// A follower that joins as near to live as `latency` says (0 realtime, 1 low, 2 normal).
    #[wasm_bindgen(constructor)]
    pub fn new(latency: u32) -> Self {
        Self { follower: Follower::new(), latency, segment: None, variants: Vec::new() }
    }

    /// Reads a playlist: 0 go on with [`Hls::advance`], 1 load one of the variants instead, 2 it is none.
    pub fn playlist(&mut self, text: &str) -> u32 {
        match self.follower.playlist(text, latency(self.latency)) {
            Step::Segments => 0,
            Step::Variants(variants) => {
                self.variants = variants;
                1
            }
            Step::Invalid => 2,
        }
    }

    /// The variants of a master playlist, one a line: bandwidth, codecs and address, with tabulators between.
    pub fn variants(&self) -> String {
        let mut text = String::new();
        for variant in &self.variants {
            for part in [&variant.bandwidth, "\t", &variant.codecs, "\t", &variant.uri, "\n"] {
                text.push_str(part);
            }
        }
        text
    }

    /// What the playlists have that is not read here: 1 encryption, 2 fragmented MP4, 4 audio of its own,
    /// 8 subtitles of their own.
    pub fn foreign(&self) -> u32 {
        self.follower.foreign().0
    }

    /// Goes to the next segment; false when there is none yet.
    pub fn advance(&mut self) -> bool {
        self.segment = self.follower.next();
        self.segment.is_some()
    }

    /// The segment's address, as it stands in the playlist.
    pub fn uri(&self) -> String {
        self.segment.as_ref().map_or_else(String::new, |segment| segment.uri.clone())
    }

    /// Whether the segment's times do not continue those before.
    pub fn discontinuity(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.discontinuity)
    }

    /// Whether the segment does not follow the one before and must be placed at [`Hls::start`].
    pub fn placed(&self) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.placed)
    }

    /// The media time at which the segment begins.
    pub fn start(&self) -> f64 {
        to_seconds(self.segment.as_ref().map_or(0, |segment| segment.start))
    }

    /// The first byte of the segment in its resource, and 0 without a range.
    pub fn from(&self) -> f64 {
        self.range().0 as f64
    }

    /// The number of bytes of the segment in its resource; 0: all of it.
    pub fn bytes(&self) -> f64 {
        self.range().1 as f64
    }

    fn range(&self) -> (u64, u64) {
        self.segment.as_ref().and_then(|segment| segment.range).unwrap_or_default()
    }

    /// The segment was read; its media ends at `end`.
    pub fn finished(&mut self, end: f64) {
        self.follower.finished(seconds(end));
    }

    /// What follows is joined to what came before: it begins at `at`.
    pub fn joined(&mut self, at: f64) {
        self.follower.joined(seconds(at));
    }

    /// Gives the segment once more.
    pub fn again(&mut self) {
        self.follower.again();
    }

    /// The segment is not to be had.
    pub fn skip(&mut self) {
        self.follower.skip();
    }

    /// Goes on with the segment that has the media time `time`.
    pub fn seek(&mut self, time: f64) {
        self.follower.seek(seconds(time));
    }

    /// Goes on near live.
    pub fn go_live(&mut self) {
        self.follower.go_live(latency(self.latency));
    }

    /// The media time at which the playlist begins.
    pub fn begin(&self) -> f64 {
        to_seconds(self.follower.window().0)
    }

    /// The media time at which the playlist ends.
    pub fn end(&self) -> f64 {
        to_seconds(self.follower.window().1)
    }

    /// Milliseconds until the playlist should be loaded again.
    pub fn reload(&self) -> f64 {
        self.follower.reload() as f64 / 1e3
    }

    /// Whether the playlist is complete.
    pub fn ended(&self) -> bool {
        self.follower.ended()
    }
}
