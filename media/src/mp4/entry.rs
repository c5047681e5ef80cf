//! Sample entries: the form of each codec's configuration in `stsd`.

use super::FORMAT;
use super::boxes::{close, open, open_full, u16, u32, whole, zeros};
use crate::config::{Audio, Codec, Config, Format, Video};
use crate::error::{Error, Result};

/// Appends the sample entry of `config`.
pub(super) fn sample_entry(out: &mut Vec<u8>, config: &Config) -> Result<()> {
    let d = &config.description[..];
    match (config.codec, config.format) {
        (Codec::H264, Format::Video(v)) => visual(out, b"avc1", v, b"avcC", d),
        (Codec::H265, Format::Video(v)) => visual(out, b"hvc1", v, b"hvcC", d),
        (Codec::Av1, Format::Video(v)) => visual(out, b"av01", v, b"av1C", d),
        (codec @ (Codec::Vp8 | Codec::Vp9), Format::Video(v)) => {
            let mut full = vec![1, 0, 0, 0];
            full.extend_from_slice(d);
            visual(out, if codec == Codec::Vp8 { b"vp08" } else { b"vp09" }, v, b"vpcC", &full);
        }
        (Codec::Aac, Format::Audio(a)) => mp4a(out, a, 0x40, d),
        (Codec::Mp3, Format::Audio(a)) => mp4a(out, a, 0x6b, &[]),
        (Codec::Opus, Format::Audio(a)) => opus(out, a, d)?,
        _ => return Err(Error::unsupported(FORMAT, 0, "codec in MP4")),
    }
    Ok(())
}

/// VisualSampleEntry (14496-12 12.1.3).
fn visual(out: &mut Vec<u8>, kind: &[u8; 4], video: Video, box_kind: &[u8; 4], description: &[u8]) {
    let at = open(out, kind);
    zeros(out, 6);
    u16(out, 1); // data reference index
    zeros(out, 16);
    u16(out, video.width as u16);
    u16(out, video.height as u16);
    u32(out, 0x0048_0000); // 72 dpi
    u32(out, 0x0048_0000);
    zeros(out, 4);
    u16(out, 1); // frames per sample
    zeros(out, 32); // compressor name
    u16(out, 0x18);
    u16(out, 0xffff);
    whole(out, box_kind, description);
    close(out, at);
}

/// Writes the fields of an AudioSampleEntry (14496-12 12.2.3) before its boxes.
fn sound(out: &mut Vec<u8>, kind: &[u8; 4], audio: Audio) -> usize {
    let at = open(out, kind);
    zeros(out, 6);
    u16(out, 1); // data reference index
    zeros(out, 8);
    u16(out, audio.channels.into());
    u16(out, 16);
    zeros(out, 4);
    // A 16.16 number cannot hold more than 65,535 Hz; decoders use the rate in the codec's description.
    u32(out, u32::from(u16::try_from(audio.sample_rate).unwrap_or(0)) << 16);
    at
}

/// Writes `mp4a` with an `esds` (14496-1 7.2.6): object type 0x40 is AAC, 0x6b MPEG-1 audio.
fn mp4a(out: &mut Vec<u8>, audio: Audio, object_type: u8, specific: &[u8]) {
    let at = sound(out, b"mp4a", audio);
    let esds = open_full(out, b"esds", 0, 0);
    let specific_size = if specific.is_empty() { 0 } else { DESCRIPTOR + specific.len() };
    descriptor(out, 3, 3 + DESCRIPTOR + 13 + specific_size + DESCRIPTOR + 1);
    zeros(out, 3);
    descriptor(out, 4, 13 + specific_size);
    out.extend_from_slice(&[object_type, 0x15]);
    zeros(out, 11); // buffer size and bit rates: not known
    if !specific.is_empty() {
        descriptor(out, 5, specific.len());
        out.extend_from_slice(specific);
    }
    descriptor(out, 6, 1);
    out.push(2);
    close(out, esds);
    close(out, at);
}

/// Size in bytes of a descriptor's header.
const DESCRIPTOR: usize = 5;

/// Writes a descriptor's tag and its size in four groups of seven bits.
fn descriptor(out: &mut Vec<u8>, tag: u8, size: usize) {
    let group = |shift: usize| (size >> shift & 0x7f) as u8;
    out.extend_from_slice(&[tag, 0x80 | group(21), 0x80 | group(14), 0x80 | group(7), group(0)]);
}

/// Writes `Opus` with a `dOps` (Encapsulation of Opus in ISO BMFF, 4.3.2), which is OpusHead in big endian.
fn opus(out: &mut Vec<u8>, audio: Audio, head: &[u8]) -> Result<()> {
    if head.len() < 19 || !head.starts_with(b"OpusHead") {
        return Err(Error::invalid(FORMAT, 0, "OpusHead"));
    }
    let at = sound(out, b"Opus", audio);
    let dops = open(out, b"dOps");
    out.extend_from_slice(&[0, head[9], head[11], head[10]]);
    out.extend_from_slice(&[head[15], head[14], head[13], head[12], head[17], head[16], head[18]]);
    if head[18] != 0 {
        out.extend_from_slice(&head[19..]);
    }
    close(out, dops);
    close(out, at);
    Ok(())
}
