//! Playlists (RFC 8216 section 4).
//!
//! Everything is integers and strings: the player's copy of this must stay small. Addresses are
//! given as they stand in the playlist; the caller resolves them against its own.

mod attributes;
mod date;
mod parse;
mod write;

pub use parse::parse;
pub use write::write;

use crate::time::Micros;

/// Either kind of playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Playlist {
    /// One stream's segments.
    Media(Media),
    /// The variants of a stream, each with a playlist of its own.
    Master(Master),
}

/// A media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// `EXT-X-TARGETDURATION`: no segment is longer, when rounded to the second.
    pub target: Micros,
    /// `EXT-X-MEDIA-SEQUENCE`: the number of the first segment.
    pub sequence: u64,
    /// `EXT-X-DISCONTINUITY-SEQUENCE`: discontinuities before the first segment.
    pub discontinuity_sequence: u64,
    /// `EXT-X-INDEPENDENT-SEGMENTS`: every segment can be decoded from its begin.
    pub independent: bool,
    /// `EXT-X-ENDLIST`: nothing follows.
    pub ended: bool,
    /// The segments, oldest first.
    pub segments: Vec<MediaSegment>,
}

/// One segment of a media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaSegment {
    /// The address, as written.
    pub uri: String,
    /// `EXTINF`.
    pub duration: Micros,
    /// `EXT-X-DISCONTINUITY` stands before it: times, tracks or encoding start anew.
    pub discontinuity: bool,
    /// `EXT-X-BYTERANGE`: the part of the resource that is the segment.
    pub range: Option<ByteRange>,
    /// `EXT-X-MAP`: the initialisation of this segment; with one, segments are fragmented MP4.
    pub map: Option<Map>,
    /// `EXT-X-PROGRAM-DATE-TIME`: µs since 1970 of the segment's first frame.
    pub date: Option<Micros>,
    /// `EXT-X-KEY` with a method other than `NONE` holds: it cannot be read without.
    pub encrypted: bool,
}

/// A part of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Bytes.
    pub length: u64,
    /// The first byte. Where it was not written it is the end of the range before it in the same
    /// resource, else 0.
    pub offset: u64,
}

/// An initialisation section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The address, as written.
    pub uri: String,
    /// The part of the resource; `None` is all of it.
    pub range: Option<ByteRange>,
}

/// A master playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Master {
    /// `EXT-X-STREAM-INF`, in the order of the playlist.
    pub variants: Vec<Variant>,
    /// `EXT-X-MEDIA` with `TYPE=AUDIO`.
    pub audio: Vec<Rendition>,
}

/// A variant of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variant {
    /// The address of its media playlist, as written.
    pub uri: String,
    /// Peak bit/s; 0 when not said.
    pub bandwidth: u64,
    /// Width and height in pixels.
    pub resolution: Option<(u32, u32)>,
    /// RFC 6381 strings, comma separated; empty when not said.
    pub codecs: String,
    /// The group of renditions its sound is in.
    pub audio: Option<String>,
}

/// A rendition of a variant's sound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendition {
    /// The group that variants name.
    pub group: String,
    /// A name for people.
    pub name: String,
    /// The address of its media playlist; `None` when the sound is in the variant itself.
    pub uri: Option<String>,
    /// RFC 5646 language; empty when not said.
    pub language: String,
    /// Play it unless the person chose another.
    pub default: bool,
}

#[cfg(test)]
mod tests;
