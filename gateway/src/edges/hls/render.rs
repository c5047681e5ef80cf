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
    /// Offsets in `plain` where the addresses of segments end.
    ends: Vec<usize>,
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
        let mut at = 0;
        let ends = plain.split_inclusive('\n').filter_map(|line| {
            at += line.len();
            let text = line.trim_end();
            (!text.is_empty() && !text.starts_with('#')).then(|| at - (line.len() - text.len()))
        });
        let ends = ends.collect();
        Self { plain: plain.into(), gzip: gzip.into(), etag: format!("\"{version}{end}\""), ends }
    }

    /// Returns the playlist for one viewer, with the session in every address. This only copies text.
    pub(super) fn in_session(&self, id: &str) -> Self {
        let query = format!("?session={id}");
        let mut plain = Vec::with_capacity(self.plain.len() + self.ends.len() * query.len());
        let mut from = 0;
        for &end in &self.ends {
            plain.extend_from_slice(&self.plain[from..end]);
            plain.extend_from_slice(query.as_bytes());
            from = end;
        }
        plain.extend_from_slice(&self.plain[from..]);
        let etag = format!("{}-{id}\"", self.etag.trim_end_matches('"'));
        Self { plain: plain.into(), gzip: Bytes::new(), etag, ends: Vec::new() }
    }
}

/// Returns the playlist of the segments from `listed` on; there is at least one.
pub(super) fn list<'a>(
    name: &StreamName,
    token: &str,
    listed: impl Iterator<Item = &'a Stored> + Clone,
    target: Micros,
    ended: bool,
) -> Media {
    let stem = utf8_percent_encode(name.stream(), ESCAPED).to_string();
    let first = listed.clone().next();
    Media {
        target,
        sequence: first.map_or(0, |s| s.sequence),
        // The first segment's own discontinuity is written before it.
        discontinuity_sequence: first.map_or(0, |s| s.discontinuities - u64::from(s.discontinuity)),
        ended,
        segments: listed
            .map(|s| MediaSegment {
                uri: format!("{stem}-{token}-{}.ts", s.sequence),
                duration: s.duration,
                discontinuity: s.discontinuity,
                date: Some(s.date),
                ..MediaSegment::default()
            })
            .collect(),
        ..Media::default()
    }
}
