//! The playlist of a recording: segments are byte ranges of its file.

use super::super::super::hls::playlist::{push_date, push_integer, push_seconds};
use super::{Fragment, Layout};
use crate::time::{Micros, SECOND};

/// A segment ends before the first key frame after this duration.
const SEGMENT: Micros = SECOND;
/// Maximum duration of a segment. A stream with fewer key frames has segments that do not begin with one.
pub const MAX_SEGMENT: Micros = 10 * SECOND;

/// The segment that is not complete.
#[derive(Debug, Clone, Copy)]
struct Open {
    offset: u64,
    length: u64,
    duration: Micros,
}

/// Writes an `EVENT` playlist piece by piece: each method returns text to append. The same fragments always make the
/// same playlist, so that it can be written again after a crash.
#[derive(Debug)]
pub struct EventList {
    /// The name of the file, as an address.
    uri: String,
    init: (u64, u64),
    /// The time of the start, in µs since 1970.
    date: Option<Micros>,
    /// The target duration, known after the first segment.
    target: Option<Micros>,
    open: Option<Open>,
}

impl EventList {
    /// Creates a playlist for the file `uri`, which begins at `date` in µs since 1970.
    pub fn new(uri: impl Into<String>, layout: &Layout, date: Option<Micros>) -> Self {
        let init = (layout.init.start, layout.init.end - layout.init.start);
        Self { uri: uri.into(), init, date, target: None, open: None }
    }

    /// Adds a fragment of `length` bytes at `offset` in the file.
    pub fn push(&mut self, offset: u64, fragment: &Fragment) -> String {
        self.add(offset, fragment.bytes.len() as u64, fragment.duration, fragment.independent)
    }

    /// Adds a fragment by its place, its duration, and whether decoding may start there.
    pub fn add(&mut self, offset: u64, length: u64, duration: Micros, independent: bool) -> String {
        let target = self.target.unwrap_or(MAX_SEGMENT);
        let ends = self
            .open
            .is_some_and(|open| independent && open.duration >= SEGMENT || open.duration + duration > target);
        let text = if ends { self.close() } else { String::new() };
        let open = self.open.get_or_insert(Open { offset, length: 0, duration: 0 });
        open.length += length;
        open.duration += duration;
        text
    }

    /// Ends the open segment.
    fn close(&mut self) -> String {
        let mut out = String::new();
        let Some(open) = self.open.take() else { return out };
        if self.target.is_none() {
            // RFC 8216 6.2.1: the target duration must not change. Later segments may be twice as long.
            let seconds = (open.duration.max(0) as u64).div_ceil(SECOND as u64);
            let target = (2 * seconds).clamp(4, (MAX_SEGMENT / SECOND) as u64);
            self.target = Some(target as Micros * SECOND);
            self.head(&mut out, target);
        }
        out.push_str("#EXTINF:");
        push_seconds(&mut out, open.duration);
        out.push_str(",\n#EXT-X-BYTERANGE:");
        push_integer(&mut out, open.length, 1);
        out.push('@');
        push_integer(&mut out, open.offset, 1);
        out.push('\n');
        out.push_str(&self.uri);
        out.push('\n');
        out
    }

    fn head(&self, out: &mut String, target: u64) {
        out.push_str("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:");
        push_integer(out, target, 1);
        out.push_str("\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP:URI=\"");
        out.push_str(&self.uri);
        out.push_str("\",BYTERANGE=\"");
        push_integer(out, self.init.1, 1);
        out.push('@');
        push_integer(out, self.init.0, 1);
        out.push_str("\"\n");
        if let Some(date) = self.date {
            out.push_str("#EXT-X-PROGRAM-DATE-TIME:");
            push_date(out, date);
            out.push('\n');
        }
    }

    /// Ends the playlist.
    pub fn finish(&mut self) -> String {
        let mut out = self.close();
        if self.target.is_none() {
            self.head(&mut out, (MAX_SEGMENT / SECOND) as u64);
        }
        out.push_str("#EXT-X-ENDLIST\n");
        out
    }
}
