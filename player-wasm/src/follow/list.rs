//! Reading a playlist, as far as following it needs.
//!
//! `media::hls::playlist` reads all of RFC 8216 and is a tenth of what this player may weigh. This reads
//! the same language by bytes, and a test holds the two together.

use media::time::{MILLI, Micros, SECOND};

/// A segment of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) uri: String,
    pub(super) duration: Micros,
    pub(super) discontinuity: bool,
    /// The first byte and the number of bytes.
    pub(super) range: Option<(u64, u64)>,
}

/// Either kind of playlist.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// A master playlist's variant with the highest bandwidth.
    pub(super) variant: Option<String>,
    pub(super) sequence: u64,
    pub(super) ended: bool,
    /// Encrypted, or with an initialisation section.
    pub(super) foreign: bool,
    pub(super) entries: Vec<Entry>,
}

/// Reads a playlist; none when it is not one.
pub(super) fn read(text: &[u8]) -> Option<List> {
    let mut list = List::default();
    let mut next = Entry::default();
    // The bandwidth of the variant whose address comes next, and of the best one.
    let (mut variant, mut best) = (None, 0);
    let mut length = None;
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    if lines.next()?.strip_suffix(b"#EXTM3U".as_slice()).is_none_or(|before| before.len() > 3) {
        return None;
    }
    for line in lines {
        if let Some(value) = line.strip_prefix(b"#EXTINF:") {
            next.duration = micros(value);
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-MEDIA-SEQUENCE:") {
            list.sequence = number(value).0;
        } else if line == b"#EXT-X-DISCONTINUITY" {
            next.discontinuity = true;
        } else if line == b"#EXT-X-ENDLIST" {
            list.ended = true;
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-BYTERANGE:") {
            let (bytes, rest) = number(value);
            length = Some((rest.strip_prefix(b"@").map(|from| number(from).0), bytes));
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-KEY:") {
            list.foreign |= value.windows(11).all(|part| part != b"METHOD=NONE".as_slice());
        } else if line.starts_with(b"#EXT-X-MAP:") {
            list.foreign = true;
        } else if let Some(value) = line.strip_prefix(b"#EXT-X-STREAM-INF:") {
            variant = Some(bandwidth(value));
        } else if !line.is_empty() && line[0] != b'#' {
            let Ok(uri) = std::str::from_utf8(line) else { continue };
            if let Some(bandwidth) = variant.take() {
                if list.variant.is_none() || bandwidth > best {
                    best = bandwidth;
                    list.variant = Some(uri.to_owned());
                }
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

/// The decimal number that a text begins with, and what follows it.
fn number(text: &[u8]) -> (u64, &[u8]) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    (
        digits.iter().fold(0, |n: u64, digit| n.saturating_mul(10).saturating_add(u64::from(digit - b'0'))),
        rest,
    )
}

/// Decimal seconds, to the millisecond and at most a day.
fn micros(text: &[u8]) -> Micros {
    let (whole, rest) = number(text);
    let mut micros = whole.min(86_400) as Micros * SECOND;
    let digits = rest.strip_prefix(b".").unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit());
    for (digit, unit) in digits.zip([100 * MILLI, 10 * MILLI, MILLI]) {
        micros += Micros::from(digit - b'0') * unit;
    }
    micros
}

/// The attribute `BANDWIDTH`, which is not `AVERAGE-BANDWIDTH`.
fn bandwidth(attributes: &[u8]) -> u64 {
    let fields = attributes.split(|&byte| byte == b',');
    fields
        .filter_map(|field| field.strip_prefix(b"BANDWIDTH="))
        .map(|value| number(value).0)
        .next()
        .unwrap_or(0)
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
        assert_eq!((list.sequence, list.ended, list.foreign), (whole.sequence, whole.ended, false));
        let entries = whole.segments.into_iter().map(|segment| Entry {
            uri: segment.uri,
            duration: segment.duration,
            discontinuity: segment.discontinuity,
            range: segment.range.map(|range| (range.offset, range.length)),
        });
        assert_eq!(list.entries, entries.collect::<Vec<_>>());
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
