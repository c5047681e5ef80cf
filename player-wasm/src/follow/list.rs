//! Reads a playlist, limited to the fields that [`super::Follower`] needs.
//!
//! `media::hls::playlist` reads all of RFC 8216 and would be a tenth of this player's size. This module
//! parses bytes instead; a test checks that both give the same result.

use media::time::{MILLI, Micros, SECOND};

/// A segment in a playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uri: String,
    pub(super) duration: Micros,
    pub(super) discontinuity: bool,
    /// First byte and number of bytes.
    pub(super) range: Option<(u64, u64)>,
    /// Whether the server does not have it.
    pub(super) gap: bool,
}

/// A version of the stream in a master playlist.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variant {
    /// The address as written in the playlist.
    pub uri: String,
    /// Peak bits per second, as written in the playlist; empty if not given.
    pub bandwidth: String,
    /// RFC 6381 strings, comma separated; empty if not given.
    pub codecs: String,
}

/// Unsupported features of a playlist, as a set of bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Foreign(u32);

impl Foreign {
    /// Segments are encrypted.
    pub const KEY: Self = Self(1);
    /// Segments have an initialisation section: fragmented MP4.
    pub const MAP: Self = Self(2);
    /// The audio is a separate rendition.
    pub const AUDIO: Self = Self(4);
    /// The subtitles are a separate rendition.
    pub const SUBTITLES: Self = Self(8);

    /// Returns whether a feature is in the set.
    pub const fn contains(self, feature: Self) -> bool {
        self.0 & feature.0 != 0
    }
}

impl std::ops::BitOr for Foreign {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A playlist of either kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The variants of a master playlist.
    pub(super) variants: Vec<Variant>,
    pub(super) sequence: u64,
    pub(super) ended: bool,
    pub(super) foreign: Foreign,
    pub(super) entries: Vec<Entry>,
}

/// Reads a playlist; `None` if the text is not one.
pub(super) fn read(text: &[u8]) -> Option<List> {
    let mut list = List::default();
    let mut next = Entry::default();
    // The variant whose address follows.
    let mut variant = None;
    let mut length = None;
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    if lines.next()?.strip_suffix(b"#EXTM3U".as_slice()).is_none_or(|before| before.len() > 3) {
        return None;
    }
    for line in lines {
        if let Some(value) = line.strip_prefix(b"#EXTINF:") {
            next.duration = micros(value);
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-MEDIA-SEQUENCE:") {
            // Limited, because later numbers are counted from here.
            list.sequence = number(value).0.min(1 << 53);
        } else if line == b"#EXT-X-DISCONTINUITY" {
            next.discontinuity = true;
        } else if line == b"#EXT-X-ENDLIST" {
            list.ended = true;
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-BYTERANGE:") {
            let (bytes, rest) = number(value);
            length = Some((rest.strip_prefix(b"@").map(|from| number(from).0), bytes));
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-KEY:") {
            if value.windows(11).all(|part| part != b"METHOD=NONE".as_slice()) {
                list.foreign = list.foreign | Foreign::KEY;
            }
        } else if line.starts_with(b"#EXT-X-MAP:") {
            list.foreign = list.foreign | Foreign::MAP;
        } else if line == b"#EXT-X-GAP" {
            next.gap = true;
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-MEDIA:") {
            // Without an address the rendition is part of the variants.
            let kind = attribute(value, b"TYPE").filter(|_| attribute(value, b"URI").is_some());
            list.foreign = list.foreign
                | match kind {
                    Some(b"AUDIO") => Foreign::AUDIO,
                    Some(b"SUBTITLES") => Foreign::SUBTITLES,
                    _ => Foreign::default(),
                };
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-STREAM-INF:") {
            let text = |name| {
                let text = attribute(value, name).and_then(|text| std::str::from_utf8(text).ok());
                text.unwrap_or_default().to_owned()
            };
            variant = Some(Variant {
                bandwidth: text(b"BANDWIDTH".as_slice()),
                codecs: text(b"CODECS".as_slice()),
                uri: String::new(),
            });
        } else if !line.is_empty() && line[0] != b'#' {
            let Ok(uri) = std::str::from_utf8(line) else { continue };
            if let Some(variant) = variant.take() {
                list.variants.push(Variant { uri: uri.to_owned(), ..variant });
                continue;
            }
            let before = list.entries.last().filter(|entry| entry.uri == uri).and_then(|entry| entry.range);
            let after = before.map_or(0, |(from, length)| from.saturating_add(length));
            next.range = length.take().map(|(from, length)| (from.unwrap_or(after), length));
            next.uri = uri.to_owned();
            list.entries.push(std::mem::take(&mut next));
        }
    }
    Some(list)
}

/// Splits a text into its leading decimal number and the rest.
fn number(text: &[u8]) -> (u64, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    (
        digits.iter().fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0'))),
        rest,
    )
}

/// Parses decimal seconds, to the millisecond and at most one day.
fn micros(text: &[u8]) -> Micros {
    let (whole, rest) = number(text);
    let mut micros = whole.min(86_400) as Micros * SECOND;
    let digits = rest.strip_prefix(b".").unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    for (digit, unit) in digits.zip([100 * MILLI, 10 * MILLI, MILLI]) {
        micros += Micros::from(digit - b'0') * unit;
    }
    micros
}

/// Returns an attribute's value without its quotation marks. Commas within quotation marks do not end an
/// attribute.
fn attribute<'a>(mut text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    loop {
        let equals = text.iter().position(|&byte| byte == b'=')?;
        let (key, rest) = (text[..equals].trim_ascii(), &text[equals + 1..]);
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(rest) => rest.split_at(rest.iter().position(|&byte| byte == b'"')?),
            None => rest.split_at(rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len())),
        };
        if key == name {
            return Some(value);
        }
        let comma = rest.iter().position(|&byte| byte == b',')?;
        text = &rest[comma + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::hls::playlist::{self, Playlist};

    #[test]
    fn it_reads_what_the_whole_parser_reads() {
        let text = "#EXTM3U\r\n#EXT-X-VERSION:4\r\n#EXT-X-TARGETDURATION:7\r\n#EXT-X-MEDIA-SEQUENCE:1234\r\n\
            #EXTINF:2.005,title, with comma\r\n#EXT-X-BYTERANGE:100@20\r\na.ts\r\n#EXTINF:6.5,\r\n\
            #EXT-X-BYTERANGE:50\r\na.ts\r\n\r\n# comment\r\n#EXT-X-DISCONTINUITY\r\n#EXTINF:3,\r\n\
            http://x/b.ts?c=d\r\n#EXT-X-ENDLIST\r\n";
        let Ok(Playlist::Media(whole)) = playlist::parse(text) else { panic!("a media playlist") };
        let list = read(text.as_bytes()).unwrap();
        assert_eq!(
            (list.sequence, list.ended, list.foreign),
            (whole.sequence, whole.ended, Foreign::default())
        );
        let entries = whole.segments.into_iter().map(|segment| Entry {
            uri: segment.uri,
            duration: segment.duration,
            discontinuity: segment.discontinuity,
            range: segment.range.map(|range| (range.offset, range.length)),
            gap: false,
        });
        assert_eq!(list.entries, entries.collect::<Vec<_>>());
    }

    #[test]
    fn what_is_not_read_here_is_named() {
        let of = |lines: &str| read(format!("#EXTM3U\n{lines}\n").as_bytes()).unwrap().foreign;
        assert_eq!(of("#EXT-X-KEY:METHOD=NONE"), Foreign::default());
        assert_eq!(
            of("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"k\"\n#EXT-X-MAP:URI=\"i\""),
            Foreign::KEY | Foreign::MAP
        );
        assert_eq!(of("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x, URI=y\""), Foreign::default());
        assert_eq!(
            of("#EXT-X-MEDIA:NAME=\"a,TYPE=AUDIO\",TYPE=SUBTITLES,URI=\"s.m3u8\""),
            Foreign::SUBTITLES
        );
        assert_eq!(of("#EXT-X-MEDIA:URI=\"a.m3u8\",TYPE=AUDIO"), Foreign::AUDIO);
    }

    #[test]
    fn variants_have_their_codecs_and_their_own_bandwidth() {
        let text = "#EXTM3U\n#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=5,CODECS=\"avc1.42c01e,mp4a.40.2\",BANDWIDTH=7\na\n\
            #EXT-X-STREAM-INF:RESOLUTION=1x1\nb\n";
        let variant = |uri: &str, bandwidth: &str, codecs: &str| Variant {
            uri: uri.into(),
            bandwidth: bandwidth.into(),
            codecs: codecs.into(),
        };
        let list = read(text.as_bytes()).unwrap();
        assert_eq!(list.variants, [variant("a", "7", "avc1.42c01e,mp4a.40.2"), variant("b", "", "")]);
    }

    #[test]
    fn nothing_panics_on_anything() {
        for text in
            ["", "#", "#EXTM3U", "#EXTM3U\n#EXTINF:\n#EXT-X-BYTERANGE:@\nx", "#EXTM3U\n#EXT-X-STREAM-INF:\n"]
        {
            let _ = read(text.as_bytes());
        }
        assert!(read(b"#EXTM3U\n#EXTINF:99999999999999999999.9999999\n\xff\nx").is_some());
        assert!(read(b"<html>").is_none());
    }
}
