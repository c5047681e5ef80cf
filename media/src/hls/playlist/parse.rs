//! Reads playlists.

use super::attributes::{attributes, integer, seconds};
use super::{ByteRange, Map, Master, Media, MediaSegment, Playlist, Rendition, Variant, date};
use crate::error::{Error, Result};
use crate::hls::FORMAT;
use crate::time::SECOND;

/// Reads a media or a master playlist. Unknown tags are skipped (6.3.1).
///
/// # Errors
/// Text that does not begin with `#EXTM3U`, and invalid numbers. The offset is that of the line.
pub fn parse(text: &str) -> Result<Playlist> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::default();
    let mut first = true;
    let mut offset = 0;
    for line in text.split('\n') {
        let trimmed = line.trim();
        if first && trimmed != "#EXTM3U" {
            return Err(Error::invalid(FORMAT, 0, "first line: not a playlist"));
        }
        first = false;
        reader.line(trimmed).ok_or(Error::invalid(FORMAT, offset, "line"))?;
        offset += line.len() as u64 + 1;
    }
    Ok(match reader.master {
        Some(master) => Playlist::Master(master),
        None => Playlist::Media(reader.media),
    })
}

#[derive(Default)]
struct Reader {
    media: Media,
    master: Option<Master>,
    /// The tags so far that describe the next segment.
    segment: MediaSegment,
    range: Option<(u64, Option<u64>)>,
    variant: Option<Variant>,
    map: Option<Map>,
    encrypted: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        let Some(tag) = line.strip_prefix("#EXT") else {
            if !line.is_empty() && !line.starts_with('#') {
                self.address(line);
            }
            return Some(());
        };
        let (tag, value) = tag.split_once(':').unwrap_or((tag, ""));
        match tag {
            "INF" => self.segment.duration = seconds(value.split_once(',').map_or(value, |(d, _)| d))?,
            "-X-TARGETDURATION" => self.media.target = seconds(value)?,
            "-X-MEDIA-SEQUENCE" => self.media.sequence = integer(value)?,
            "-X-DISCONTINUITY-SEQUENCE" => self.media.discontinuity_sequence = integer(value)?,
            "-X-DISCONTINUITY" => self.segment.discontinuity = true,
            "-X-INDEPENDENT-SEGMENTS" => self.media.independent = true,
            "-X-ENDLIST" => self.media.ended = true,
            "-X-PROGRAM-DATE-TIME" => self.segment.date = date::read(value),
            "-X-BYTERANGE" => self.range = Some(range(value)?),
            "-X-MAP" => self.map = map(value)?,
            "-X-KEY" => self.encrypted = attributes(value).any(|(n, v)| n == "METHOD" && v != "NONE"),
            "-X-STREAM-INF" => self.variant = Some(variant(value)),
            "-X-MEDIA" => {
                let is_audio = attributes(value).any(|pair| pair == ("TYPE", "AUDIO"));
                let master = self.master.get_or_insert_default();
                master.audio.extend(is_audio.then(|| rendition(value)));
            }
            "-X-I-FRAME-STREAM-INF" => {
                self.master.get_or_insert_default();
            }
            _ => {}
        }
        Some(())
    }

    /// Reads a line that is not a tag: the address of a variant or of a segment.
    fn address(&mut self, uri: &str) {
        if let Some(variant) = self.variant.take() {
            let master = self.master.get_or_insert_default();
            master.variants.push(Variant { uri: uri.to_owned(), ..variant });
            return;
        }
        let mut segment = std::mem::take(&mut self.segment);
        segment.uri = uri.to_owned();
        segment.map.clone_from(&self.map);
        segment.encrypted = self.encrypted;
        segment.range = self.range.take().map(|(length, offset)| {
            let before = self.media.segments.last().filter(|s| s.uri == uri).and_then(|s| s.range);
            let next = before.map_or(0, |r| r.offset.saturating_add(r.length));
            ByteRange { length, offset: offset.unwrap_or(next) }
        });
        // Limit the duration: with an absurd one a player would poll the playlist in a loop.
        segment.duration = segment.duration.min(24 * 3600 * SECOND);
        self.media.segments.push(segment);
    }
}

fn range(value: &str) -> Option<(u64, Option<u64>)> {
    match value.split_once('@') {
        Some((length, offset)) => Some((integer(length)?, Some(integer(offset)?))),
        None => Some((integer(value)?, None)),
    }
}

fn map(value: &str) -> Option<Option<Map>> {
    let mut map = Map { uri: String::new(), range: None };
    for (name, value) in attributes(value) {
        match name {
            "URI" => map.uri = value.to_owned(),
            "BYTERANGE" => {
                let (length, offset) = range(value)?;
                map.range = Some(ByteRange { length, offset: offset.unwrap_or(0) });
            }
            _ => {}
        }
    }
    Some((!map.uri.is_empty()).then_some(map))
}

fn variant(value: &str) -> Variant {
    let mut variant = Variant::default();
    for (name, value) in attributes(value) {
        match name {
            "BANDWIDTH" => variant.bandwidth = integer(value).unwrap_or(0),
            "CODECS" => variant.codecs = value.to_owned(),
            "AUDIO" => variant.audio = Some(value.to_owned()),
            "RESOLUTION" => {
                let size = value.split_once('x').and_then(|(w, h)| Some((integer(w)?, integer(h)?)));
                variant.resolution =
                    size.and_then(|(w, h)| Some((u32::try_from(w).ok()?, u32::try_from(h).ok()?)));
            }
            _ => {}
        }
    }
    variant
}

fn rendition(value: &str) -> Rendition {
    let mut rendition = Rendition::default();
    for (name, value) in attributes(value) {
        match name {
            "GROUP-ID" => rendition.group = value.to_owned(),
            "NAME" => rendition.name = value.to_owned(),
            "URI" => rendition.uri = Some(value.to_owned()),
            "LANGUAGE" => rendition.language = value.to_owned(),
            "DEFAULT" => rendition.default = value == "YES",
            _ => {}
        }
    }
    rendition
}
