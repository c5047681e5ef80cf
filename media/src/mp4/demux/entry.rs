//! Reads sample entries: the opposite of the writer's `entry`.

use bytes::Bytes;

use super::boxes::{children, find, u16_at, u32_at};
use crate::codec::{aac, av1, h264, h265, opus, vpx};
use crate::config::{Audio, Codec, Config, Format, Track, Video};
use crate::error::{Error, Result};
use crate::mp4::FORMAT;

/// Returns the configuration of the first entry in the content of `stsd`, and the size of the length prefixes of NAL
/// units in its samples (4 if the codec has none).
pub(super) fn config(stsd: &[u8], track: Track) -> Result<(Config, usize)> {
    let entries = stsd.get(8..).ok_or_else(|| Error::truncated(FORMAT, 0))?;
    let (kind, entry) =
        children(entries).next().ok_or_else(|| Error::invalid(FORMAT, 0, "stsd without an entry"))?;
    match track {
        Track::Video => video(&kind, entry),
        Track::Audio => Ok((audio(&kind, entry)?, 4)),
    }
}

/// VisualSampleEntry (14496-12 12.1.3).
fn video(kind: &[u8; 4], entry: &[u8]) -> Result<(Config, usize)> {
    let size = Video { width: u16_at(entry, 24)?.into(), height: u16_at(entry, 26)?.into() };
    let boxes = entry.get(78..).unwrap_or_default();
    let description = |kind| find(boxes, kind).map(Bytes::copy_from_slice);
    let mut length_size = 4;
    let mut config = match kind {
        b"avc1" | b"avc3" => {
            let avcc = description(b"avcC")?;
            length_size = h264::Avcc::parse(&avcc)?.length_size;
            h264::config_from_avcc(avcc)?
        }
        b"hvc1" | b"hev1" => {
            let hvcc = description(b"hvcC")?;
            length_size = h265::Hvcc::parse(&hvcc)?.length_size;
            h265::config_from_hvcc(hvcc)?
        }
        b"av01" => av1::config_from_av1c(description(b"av1C")?)?,
        b"vp08" => vpx::config_from_vpcc(Codec::Vp8, description(b"vpcC")?)?,
        b"vp09" => vpx::config_from_vpcc(Codec::Vp9, description(b"vpcC")?)?,
        _ => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec in MP4")),
    };
    if config.video().is_some_and(|video| video.width == 0) {
        config.format = Format::Video(size);
    }
    Ok((config, length_size))
}

/// AudioSampleEntry (14496-12 12.2.3), and QuickTime's versions 1 and 2 of it.
fn audio(kind: &[u8; 4], entry: &[u8]) -> Result<Config> {
    let more = match u16_at(entry, 8)? {
        0 => 0,
        1 => 16,
        _ => 36,
    };
    let boxes = entry.get(28 + more..).unwrap_or_default();
    let format = Audio { channels: u16_at(entry, 16)?.min(255) as u8, sample_rate: u32_at(entry, 24)? >> 16 };
    let mp3 = || Config { codec: Codec::Mp3, format: Format::Audio(format), description: Bytes::new() };
    let unsupported = || Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec in MP4");
    match kind {
        b"mp4a" => {
            // QuickTime puts the `esds` into a `wave` box.
            let esds = find(boxes, b"esds").or_else(|_| find(find(boxes, b"wave")?, b"esds"))?;
            match esds_content(esds)? {
                (0x40 | 0x66..=0x68, specific) => aac::config_from_asc(Bytes::copy_from_slice(specific)),
                (0x69 | 0x6b, _) => Ok(mp3()),
                _ => Err(unsupported()),
            }
        }
        b".mp3" => Ok(mp3()),
        b"Opus" => opus::config_from_head(opus_head(find(boxes, b"dOps")?)?),
        _ => Err(unsupported()),
    }
}

/// Returns the object type and the DecoderSpecificInfo of an `esds` (14496-1 7.2.6).
fn esds_content(esds: &[u8]) -> Result<(u8, &[u8])> {
    let truncated = || Error::truncated(FORMAT, 0);
    let (tag, es, _) = descriptor(esds.get(4..).ok_or_else(truncated)?)?;
    let flags = *es.get(2).ok_or_else(truncated)?;
    let mut at = 3;
    at += if flags & 0x80 != 0 { 2 } else { 0 };
    at += if flags & 0x40 != 0 { 1 + usize::from(*es.get(at).ok_or_else(truncated)?) } else { 0 };
    at += if flags & 0x20 != 0 { 2 } else { 0 };
    let (inner, decoder, _) = descriptor(es.get(at..).ok_or_else(truncated)?)?;
    if tag != 3 || inner != 4 {
        return Err(Error::invalid(FORMAT, 0, "esds"));
    }
    let object_type = *decoder.first().ok_or_else(truncated)?;
    let specific = match descriptor(decoder.get(13..).unwrap_or_default()) {
        Ok((5, specific, _)) => specific,
        _ => &[],
    };
    Ok((object_type, specific))
}

/// Returns the tag and the content of a descriptor, and the bytes after it.
fn descriptor(data: &[u8]) -> Result<(u8, &[u8], &[u8])> {
    let truncated = || Error::truncated(FORMAT, 0);
    let (&tag, mut rest) = data.split_first().ok_or_else(truncated)?;
    let mut size = 0usize;
    for _ in 0..4 {
        let (&byte, after) = rest.split_first().ok_or_else(truncated)?;
        rest = after;
        size = size << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let (content, after) = rest.split_at_checked(size).ok_or_else(truncated)?;
    Ok((tag, content, after))
}

/// Returns the OpusHead for a `dOps`: the same fields in little endian.
fn opus_head(dops: &[u8]) -> Result<Bytes> {
    let Some((fixed, mapping)) = dops.split_first_chunk::<11>() else {
        return Err(Error::truncated(FORMAT, 0));
    };
    let mut head = Vec::with_capacity(19 + mapping.len());
    head.extend_from_slice(b"OpusHead\x01");
    let f = fixed;
    head.extend_from_slice(&[f[1], f[3], f[2], f[7], f[6], f[5], f[4], f[9], f[8], f[10]]);
    head.extend_from_slice(if f[10] == 0 { &[] } else { mapping });
    Ok(head.into())
}
