//! Writes media playlists.

use super::attributes::push_integer;
use super::{ByteRange, Media, date};
use crate::time::Micros;

/// Writes a media playlist. The target duration is the maximum of `target` and the longest segment, rounded
/// (4.3.3.1). Times are written in milliseconds.
pub fn write(media: &Media) -> String {
    let mut out = String::with_capacity(256 + 96 * media.segments.len());
    let mapped = media.segments.iter().any(|s| s.map.is_some());
    let ranged = media.segments.iter().any(|s| s.range.is_some());
    let longest = media.segments.iter().map(|s| s.duration).max().unwrap_or(0).max(media.target);
    out.push_str("#EXTM3U\n");
    line(&mut out, "#EXT-X-VERSION:", if mapped { 6 } else { 3 + u64::from(ranged) });
    line(&mut out, "#EXT-X-TARGETDURATION:", ((longest.max(0) as u64 + 500_000) / 1_000_000).max(1));
    line(&mut out, "#EXT-X-MEDIA-SEQUENCE:", media.sequence);
    if media.discontinuity_sequence > 0 {
        line(&mut out, "#EXT-X-DISCONTINUITY-SEQUENCE:", media.discontinuity_sequence);
    }
    if media.independent {
        out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    }
    let mut map = None;
    for segment in &media.segments {
        if segment.discontinuity {
            out.push_str("#EXT-X-DISCONTINUITY\n");
        }
        if segment.map.is_some() && segment.map.as_ref() != map {
            map = segment.map.as_ref();
            if let Some(map) = map {
                out.push_str("#EXT-X-MAP:URI=\"");
                out.push_str(&map.uri);
                out.push('"');
                if let Some(range) = map.range {
                    out.push_str(",BYTERANGE=\"");
                    push_range(&mut out, range);
                    out.push('"');
                }
                out.push('\n');
            }
        }
        if let Some(date) = segment.date {
            out.push_str("#EXT-X-PROGRAM-DATE-TIME:");
            date::write(&mut out, date);
            out.push('\n');
        }
        if let Some(range) = segment.range {
            out.push_str("#EXT-X-BYTERANGE:");
            push_range(&mut out, range);
            out.push('\n');
        }
        out.push_str("#EXTINF:");
        push_seconds(&mut out, segment.duration);
        out.push_str(",\n");
        out.push_str(&segment.uri);
        out.push('\n');
    }
    if media.ended {
        out.push_str("#EXT-X-ENDLIST\n");
    }
    out
}

fn line(out: &mut String, tag: &str, value: u64) {
    out.push_str(tag);
    push_integer(out, value, 1);
    out.push('\n');
}

fn push_range(out: &mut String, range: ByteRange) {
    push_integer(out, range.length, 1);
    out.push('@');
    push_integer(out, range.offset, 1);
}

/// Appends seconds with three decimals, rounded.
pub(crate) fn push_seconds(out: &mut String, micros: Micros) {
    let millis = (micros.max(0) as u64 + 500) / 1000;
    push_integer(out, millis / 1000, 1);
    out.push('.');
    push_integer(out, millis % 1000, 3);
}
