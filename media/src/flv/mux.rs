//! Writes frames as FLV tags and tag bodies.
//!
//! H.264, AAC, MP3 and G.711 are written in the classic form that every player reads; H.265, AV1, VP8, VP9
//! and Opus as Enhanced RTMP's FourCC tags. Timestamps are milliseconds. dts and pts are each rounded down,
//! so that equal times give equal timestamps.

use bytes::Bytes;

use super::amf0::{self, Value};
use crate::config::{Codec, Config, Track};
use crate::frame::Frame;
use crate::time::{MILLI, Micros};

/// Returns the file header and the first PreviousTagSize.
pub fn header(audio: bool, video: bool) -> Bytes {
    let flags = u8::from(audio) << 2 | u8::from(video);
    Bytes::copy_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0])
}

/// Returns the tag with a configuration's sequence header; empty for codecs without one (MP3, G.711).
pub fn config_tag(config: &Config, dts: Micros) -> Bytes {
    let prefix = config_prefix(config);
    if prefix.is_empty() {
        return Bytes::new();
    }
    tag(tag_type(config.track()), dts, prefix.as_slice(), &config.description)
}

/// Returns a frame's tag. Its configuration must have been written before.
pub fn frame_tag(frame: &Frame) -> Bytes {
    tag(tag_type(frame.track()), frame.dts, frame_prefix(frame).as_slice(), &frame.data)
}

/// Returns the `onMetaData` tag for these tracks.
pub fn metadata_tag(video: Option<&Config>, audio: Option<&Config>, dts: Micros) -> Bytes {
    tag(18, dts, &[], &metadata_body(video, audio))
}

/// Returns a script tag with this body.
pub fn script_tag(body: &[u8], dts: Micros) -> Bytes {
    tag(18, dts, &[], body)
}

/// Returns a sequence header's body, for an RTMP message; empty for codecs without one.
pub fn config_body(config: &Config) -> Bytes {
    let prefix = config_prefix(config);
    if prefix.is_empty() { Bytes::new() } else { join(prefix.as_slice(), &config.description) }
}

/// Returns a frame's body, for an RTMP message of timestamp [`timestamp`]`(frame.dts)`.
pub fn frame_body(frame: &Frame) -> Bytes {
    join(frame_prefix(frame).as_slice(), &frame.data)
}

/// Returns the bytes of a frame's body before its data, for callers that do not want to copy the data.
pub fn frame_prefix(frame: &Frame) -> Prefix {
    let mut out = Prefix::default();
    let kind = if frame.key { 0x10 } else { 0x20 };
    match frame.config.codec {
        Codec::H264 => {
            out.push(&[kind | 7, 1]);
            out.push(&composition(frame));
        }
        Codec::H265 => {
            out.push(&[0x80 | kind | 1]);
            out.push(b"hvc1");
            out.push(&composition(frame));
        }
        codec @ (Codec::Av1 | Codec::Vp8 | Codec::Vp9) => {
            out.push(&[0x80 | kind | 1]);
            out.push(four_cc(codec));
        }
        Codec::Aac => out.push(&[0xaf, 1]),
        Codec::Opus => out.push(b"\x91Opus"),
        Codec::Mp3 | Codec::PcmAlaw | Codec::PcmMulaw => out.push(&[sound_format(&frame.config)]),
    }
    out
}

/// Returns the body of an `onMetaData` script tag or RTMP data message.
pub fn metadata_body(video: Option<&Config>, audio: Option<&Config>) -> Bytes {
    described_body(video, audio, &[])
}

/// The same, with fields of the publisher. The properties of the tracks take precedence over the publisher's
/// fields.
pub fn described_body(video: Option<&Config>, audio: Option<&Config>, fields: &[(String, Value)]) -> Bytes {
    let mut properties: Vec<(String, Value)> = Vec::new();
    let mut put = |name: &str, value: Value| properties.push((name.to_owned(), value));
    put("duration", Value::Number(0.0));
    if let Some(config) = video {
        if let Some(size) = config.video().filter(|size| size.width > 0) {
            put("width", Value::Number(size.width.into()));
            put("height", Value::Number(size.height.into()));
        }
        put("videocodecid", Value::Number(codec_id(config.codec)));
    }
    if let Some(config) = audio {
        if let Some(sound) = config.audio() {
            put("audiosamplerate", Value::Number(sound.sample_rate.into()));
            put("audiosamplesize", Value::Number(16.0));
            put("stereo", Value::Boolean(sound.channels > 1));
            put("audiochannels", Value::Number(sound.channels.into()));
        }
        put("audiocodecid", Value::Number(codec_id(config.codec)));
    }
    for (name, value) in fields {
        if !properties.iter().any(|(known, _)| known == name) {
            properties.push((name.clone(), value.clone()));
        }
    }
    let mut out = Vec::new();
    amf0::write(&mut out, &Value::from("onMetaData"));
    amf0::write(&mut out, &Value::EcmaArray(properties));
    out.into()
}

/// Converts a time to the 32-bit milliseconds of FLV and RTMP.
pub const fn timestamp(time: Micros) -> u32 {
    time.div_euclid(MILLI) as u32
}

/// The bytes before the data in a tag body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prefix {
    bytes: [u8; 8],
    length: u8,
}

impl Prefix {
    /// Returns the bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.length);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len() as u8;
    }
}

fn config_prefix(config: &Config) -> Prefix {
    let mut out = Prefix::default();
    match config.codec {
        Codec::H264 => out.push(&[0x17, 0, 0, 0, 0]),
        Codec::Aac => out.push(&[0xaf, 0]),
        codec @ (Codec::H265 | Codec::Av1 | Codec::Vp8 | Codec::Vp9) => {
            out.push(&[0x90]);
            out.push(four_cc(codec));
        }
        Codec::Opus => out.push(b"\x90Opus"),
        Codec::Mp3 | Codec::PcmAlaw | Codec::PcmMulaw => {}
    }
    out
}

const fn tag_type(track: Track) -> u8 {
    match track {
        Track::Audio => 8,
        Track::Video => 9,
    }
}

const fn four_cc(codec: Codec) -> &'static [u8; 4] {
    match codec {
        Codec::H264 => b"avc1",
        Codec::H265 => b"hvc1",
        Codec::Av1 => b"av01",
        Codec::Vp8 => b"vp08",
        Codec::Vp9 => b"vp09",
        Codec::Aac => b"mp4a",
        Codec::Opus => b"Opus",
        Codec::Mp3 => b".mp3",
        Codec::PcmAlaw => b"alaw",
        Codec::PcmMulaw => b"ulaw",
    }
}

/// Returns `videocodecid` or `audiocodecid`: the classic number, or the FourCC as a number.
fn codec_id(codec: Codec) -> f64 {
    match codec {
        Codec::H264 => 7.0,
        Codec::Aac => 10.0,
        Codec::Mp3 => 2.0,
        Codec::PcmAlaw => 7.0,
        Codec::PcmMulaw => 8.0,
        codec => u32::from_be_bytes(*four_cc(codec)).into(),
    }
}

/// Returns the first byte of a classic audio tag: format, rate, 16 bits, mono or stereo.
fn sound_format(config: &Config) -> u8 {
    let (rate, channels) = config.audio().map_or((0, 2), |sound| (sound.sample_rate, sound.channels));
    let format = match config.codec {
        Codec::PcmAlaw => 7 << 4,
        Codec::PcmMulaw => 8 << 4,
        _ if rate == 8_000 => 14 << 4,
        _ => 2 << 4,
    };
    let rate = match rate {
        44_100.. => 3,
        22_050.. => 2,
        11_025.. => 1,
        _ => 0,
    };
    format | rate << 2 | 2 | u8::from(channels > 1)
}

/// Returns `CompositionTime`: presentation minus decode time in ms, as a signed 24-bit number.
fn composition(frame: &Frame) -> [u8; 3] {
    let ms = frame.pts.div_euclid(MILLI).saturating_sub(frame.dts.div_euclid(MILLI));
    let [_, a, b, c] = (ms.clamp(-0x80_0000, 0x7f_ffff) as i32).to_be_bytes();
    [a, b, c]
}

fn join(prefix: &[u8], data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(prefix.len() + data.len());
    out.extend_from_slice(prefix);
    out.extend_from_slice(data);
    out.into()
}

fn tag(kind: u8, dts: Micros, prefix: &[u8], data: &[u8]) -> Bytes {
    let size = prefix.len() + data.len();
    let [_, s1, s2, s3] = (size as u32).to_be_bytes();
    let [t0, t1, t2, t3] = timestamp(dts).to_be_bytes();
    let mut out = Vec::with_capacity(11 + size + 4);
    out.extend_from_slice(&[kind, s1, s2, s3, t1, t2, t3, t0, 0, 0, 0]);
    out.extend_from_slice(prefix);
    out.extend_from_slice(data);
    out.extend_from_slice(&(size as u32 + 11).to_be_bytes());
    out.into()
}
