//! The header of audio and video tag bodies: the codec, the kind of packet, and the position of its data.

use super::FORMAT;
use crate::config::{Codec, Track};
use crate::error::{Error, Result};

/// The content of a tag body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The codec's configuration.
    Sequence,
    /// One frame.
    Frame,
    /// Nothing usable: an end of sequence, a command, HDR metadata, an empty body.
    Skip,
}

/// A tag body's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) codec: Codec,
    pub(super) kind: Kind,
    /// Whether the tag marks a key frame.
    pub(super) key: bool,
    /// Milliseconds from decode to presentation time.
    pub(super) composition: i32,
    /// Offset of the data.
    pub(super) at: usize,
}

const fn skip(codec: Codec) -> Tag {
    Tag { codec, kind: Kind::Skip, key: false, composition: 0, at: 0 }
}

fn byte(body: &[u8], at: usize) -> Result<u8> {
    body.get(at).copied().ok_or(Error::truncated(FORMAT, at as u64))
}

fn composition(body: &[u8], at: usize) -> Result<i32> {
    match body.get(at..at + 3) {
        Some(b) => Ok(i32::from_be_bytes([b[0], b[1], b[2], 0]) >> 8),
        None => Err(Error::truncated(FORMAT, body.len() as u64)),
    }
}

/// Reads a video body's header (FLV 10.1 E.4.3.1; Enhanced RTMP, "Enhanced Video").
pub(super) fn video(body: &[u8]) -> Result<Tag> {
    let Some(&first) = body.first() else { return Ok(skip(Codec::H264)) };
    if first & 0x80 != 0 {
        return enhanced_video(body, first);
    }
    let codec = match first & 0x0f {
        7 => Codec::H264,
        // Not in the specification, but widely used by encoders and servers in China.
        12 => Codec::H265,
        2 => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec Sorenson H.263")),
        3 | 6 => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec Screen video")),
        4 | 5 => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec VP6")),
        _ => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec")),
    };
    // Type 5 is a command to the player, without video.
    if first >> 4 == 5 || body.len() < 2 {
        return Ok(skip(codec));
    }
    let kind = match body[1] {
        0 => Kind::Sequence,
        1 => Kind::Frame,
        2 => Kind::Skip,
        _ => return Err(Error::invalid(FORMAT, 1, "AVCPacketType")),
    };
    if kind == Kind::Skip {
        return Ok(skip(codec));
    }
    Ok(Tag { codec, kind, key: first >> 4 == 1, composition: composition(body, 2)?, at: 5 })
}

/// Skips ModEx packets, which only refine the timestamp. Returns the actual packet type, and the position of
/// the next byte.
pub(super) fn skip_mod_ex(body: &[u8], mut packet: u8, mut at: usize) -> Result<(u8, usize)> {
    while packet == 7 {
        let mut size = usize::from(byte(body, at)?) + 1;
        at += 1;
        if size == 256 {
            size = (usize::from(byte(body, at)?) << 8 | usize::from(byte(body, at + 1)?)) + 1;
            at += 2;
        }
        at += size;
        packet = byte(body, at)? & 0x0f;
        at += 1;
    }
    Ok((packet, at))
}

fn four_cc(body: &[u8], at: usize) -> Result<(&[u8], usize)> {
    body.get(at..at + 4).map(|cc| (cc, at + 4)).ok_or(Error::truncated(FORMAT, body.len() as u64))
}

fn enhanced_video(body: &[u8], first: u8) -> Result<Tag> {
    let (packet, at) = skip_mod_ex(body, first & 0x0f, 1)?;
    let frame_type = first >> 4 & 7;
    if packet == 6 {
        return Err(Error::unsupported(FORMAT, 0, "multitrack video"));
    }
    if packet != 4 && frame_type == 5 {
        return Ok(skip(Codec::H264));
    }
    let (cc, mut at) = four_cc(body, at)?;
    let codec = match cc {
        b"avc1" => Codec::H264,
        b"hvc1" => Codec::H265,
        b"av01" => Codec::Av1,
        b"vp08" => Codec::Vp8,
        b"vp09" => Codec::Vp9,
        _ => return Err(Error::unsupported_track(FORMAT, 1, Track::Video, "video FourCC")),
    };
    let mut offset = 0;
    let kind = match packet {
        0 => Kind::Sequence,
        1 => {
            if matches!(codec, Codec::H264 | Codec::H265) {
                offset = composition(body, at)?;
                at += 3;
            }
            Kind::Frame
        }
        3 => Kind::Frame,
        2 | 4 => return Ok(skip(codec)),
        _ => return Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video packet type")),
    };
    Ok(Tag { codec, kind, key: frame_type == 1, composition: offset, at })
}

/// Reads an audio body's header (FLV 10.1 E.4.2.1; Enhanced RTMP, "Enhanced Audio").
pub(super) fn audio(body: &[u8]) -> Result<Tag> {
    let Some(&first) = body.first() else { return Ok(skip(Codec::Aac)) };
    let frame = |codec| Tag { codec, kind: Kind::Frame, key: true, composition: 0, at: 1 };
    Ok(match first >> 4 {
        10 => match body.get(1) {
            None => skip(Codec::Aac),
            Some(0) => Tag { kind: Kind::Sequence, at: 2, ..frame(Codec::Aac) },
            Some(1) => Tag { at: 2, ..frame(Codec::Aac) },
            Some(_) => return Err(Error::invalid(FORMAT, 1, "AACPacketType")),
        },
        2 | 14 => frame(Codec::Mp3),
        7 => frame(Codec::PcmAlaw),
        8 => frame(Codec::PcmMulaw),
        9 => return enhanced_audio(body, first),
        0 | 1 | 3 => return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec PCM")),
        4..=6 => return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec Nellymoser")),
        11 => return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec Speex")),
        _ => return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec")),
    })
}

fn enhanced_audio(body: &[u8], first: u8) -> Result<Tag> {
    let (packet, at) = skip_mod_ex(body, first & 0x0f, 1)?;
    if packet == 5 {
        return Err(Error::unsupported(FORMAT, 0, "multitrack audio"));
    }
    let (cc, at) = four_cc(body, at)?;
    let codec = match cc {
        b"mp4a" => Codec::Aac,
        b"Opus" => Codec::Opus,
        b".mp3" => Codec::Mp3,
        _ => return Err(Error::unsupported_track(FORMAT, 1, Track::Audio, "audio FourCC")),
    };
    let kind = match packet {
        0 => Kind::Sequence,
        1 => Kind::Frame,
        2 | 4 => Kind::Skip,
        _ => return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio packet type")),
    };
    Ok(Tag { codec, kind, key: true, composition: 0, at })
}
