//! Writes the playlist of a store in the form that is sent.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use media::hls::playlist::{self, Media, MediaSegment};
use media::time::Micros;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::stored::Stored;
use crate::core::hub::StreamName;

/// Characters to escape: those that are not allowed in a path segment (RFC 3986 3.3), and those with a
/// meaning in playlists. A colon is allowed in a path segment but not in the first one of a relative address
/// (4.2), where it would end a scheme.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b':')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'|');

/// A playlist in the form that is sent. It is rendered once for all viewers.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) plain: Bytes,
    pub(super) gzip: Bytes,
    /// Changes with the content; quoted.
    pub(super) etag: String,
}

impl Rendered {
    /// Renders `list`; `version` changes whenever a segment is added.
    pub(super) fn new(list: &Media, version: String) -> Self {
        let plain = playlist::write(list);
        let mut gzip = GzEncoder::new(Vec::with_capacity(plain.len() / 2), Compression::default());
        // Writing to a Vec cannot fail.
        let _ = gzip.write_all(plain.as_bytes());
        let gzip = gzip.finish().unwrap_or_default();
        let end = if list.ended { "-end" } else { "" };
        Self { plain: plain.into(), gzip: gzip.into(), etag: format!("\"{version}{end}\"") }
    }
}

/// Returns a stream's name as it stands in the addresses of a playlist.
pub(super) fn escaped(name: &str) -> String {
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// Returns the playlist of the segments from `listed` on; there is at least one.
pub(super) fn list<'a>(
    name: &StreamName,
    listed: impl Iterator<Item = &'a Stored> + Clone,
    target: Micros,
    ended: bool,
) -> Media {
    let stem = escaped(name.stream());
    let first = listed.clone().next();
    Media {
        target,
        sequence: first.map_or(0, |s| s.sequence),
        // The first segment's own discontinuity is written before it.
        discontinuity_sequence: first.map_or(0, |s| s.discontinuities - u64::from(s.discontinuity)),
        ended,
        segments: listed
            .map(|s| MediaSegment {
                uri: format!("{stem}-{}-{}.ts", s.epoch, s.sequence - s.epoch),
                duration: s.duration,
                discontinuity: s.discontinuity,
                date: Some(s.date),
                ..MediaSegment::default()
            })
            .collect(),
        ..Media::default()
    }
}
