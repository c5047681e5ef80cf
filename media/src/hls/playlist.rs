//! Playlists (RFC 8216 section 4).
//!
//! All values are integers and strings, to keep the player's WebAssembly small. Addresses are returned as
//! written; the caller resolves them against the playlist's own address.

mod attributes;
mod date;
mod parse;
mod write;

pub(crate) use attributes::push_integer;
pub(crate) use date::write as push_date;
pub use parse::parse;
pub(crate) use write::push_seconds;
pub use write::write;

use crate::time::Micros;

/// Writes a time in µs since 1970 as in `EXT-X-PROGRAM-DATE-TIME`: `2026-11-23T22:30:01.250Z`.
pub fn date_text(micros: Micros) -> String {
    let mut out = String::new();
    date::write(&mut out, micros);
    out
}

/// Reads such a time; `None` if it is not valid.
pub fn parse_date(text: &str) -> Option<Micros> {
    date::read(text)
}

/// A playlist of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Playlist {
    /// The segments of one stream.
    Media(Media),
    /// The variants of a stream, each with its own playlist.
    Master(Master),
}

/// A media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Media {
    /// `EXT-X-TARGETDURATION`: the maximum segment duration, rounded to seconds.
    pub target: Micros,
    /// `EXT-X-MEDIA-SEQUENCE`: the number of the first segment.
    pub sequence: u64,
    /// `EXT-X-DISCONTINUITY-SEQUENCE`: the number of discontinuities before the first segment.
    pub discontinuity_sequence: u64,
    /// `EXT-X-INDEPENDENT-SEGMENTS`: every segment can be decoded without the ones before.
    pub independent: bool,
    /// `EXT-X-ENDLIST`: no more segments follow.
    pub ended: bool,
    /// The segments, oldest first.
    pub segments: Vec<MediaSegment>,
}

/// One segment of a media playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaSegment {
    /// The address as written in the playlist.
    pub uri: String,
    /// `EXTINF`.
    pub duration: Micros,
    /// `EXT-X-DISCONTINUITY` precedes it: timestamps, tracks or encoding change.
    pub discontinuity: bool,
    /// `EXT-X-BYTERANGE`: the part of the resource that contains the segment.
    pub range: Option<ByteRange>,
    /// `EXT-X-MAP`: the initialisation section of this segment. If present, segments are fragmented MP4.
    pub map: Option<Map>,
    /// `EXT-X-PROGRAM-DATE-TIME`: time of the segment's first frame, in µs since 1970.
    pub date: Option<Micros>,
    /// Whether an `EXT-X-KEY` with a method other than `NONE` applies: the segment is encrypted.
    pub encrypted: bool,
}

/// A byte range of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// Length in bytes.
    pub length: u64,
    /// Offset of the first byte. If the playlist omits it, this is the end of the previous range in the same
    /// resource, otherwise 0.
    pub offset: u64,
}

/// An initialisation section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The address as written in the playlist.
    pub uri: String,
    /// The part of the resource; `None` means all of it.
    pub range: Option<ByteRange>,
}

/// A master playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Master {
    /// `EXT-X-STREAM-INF`, in playlist order.
    pub variants: Vec<Variant>,
    /// `EXT-X-MEDIA` with `TYPE=AUDIO`.
    pub audio: Vec<Rendition>,
}

/// A variant of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variant {
    /// The address of its media playlist, as written.
    pub uri: String,
    /// Peak bit rate in bit/s; 0 if not given.
    pub bandwidth: u64,
    /// Width and height in pixels.
    pub resolution: Option<(u32, u32)>,
    /// RFC 6381 strings, comma separated; empty if not given.
    pub codecs: String,
    /// The rendition group that contains its audio.
    pub audio: Option<String>,
}

/// An audio rendition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendition {
    /// The group name that variants refer to.
    pub group: String,
    /// The display name.
    pub name: String,
    /// The address of its media playlist; `None` if the variant itself contains the audio.
    pub uri: Option<String>,
    /// RFC 5646 language; empty if not given.
    pub language: String,
    /// Whether to play it unless the user chooses another rendition.
    pub default: bool,
}

#[cfg(test)]
mod tests;
