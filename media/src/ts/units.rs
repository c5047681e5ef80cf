//! Frames as transport streams hold them: Annex B, ADTS.

use crate::codec::aac::{Adts, AudioSpecificConfig};
use crate::codec::h264::Avcc;
use crate::codec::nal::length_prefixed;
use crate::config::{Codec, Config};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{Micros, from_ticks};

use super::FORMAT;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// An access unit delimiter for any slice type (ITU-T H.264 7.3.2.4).
const H264_AUD: [u8; 2] = [0x09, 0xf0];

/// Appends the frame's bytes. Answers its duration, which only audio frames tell (else 0).
pub(super) fn write(frame: &Frame, out: &mut Vec<u8>) -> Result<Micros> {
    let config = &*frame.config;
    match config.codec {
        Codec::H264 => {
            annex_b(&H264_AUD, out);
            if frame.key {
                let avcc = Avcc::parse(&config.description)?;
                avcc.sps.iter().chain(&avcc.pps).for_each(|set| annex_b(set, out));
            }
            length_prefixed(&frame.data).filter(|nal| nal[0] & 0x1f != 9).for_each(|nal| annex_b(nal, out));
        }
        Codec::Aac => return adts(config, &frame.data, out),
        _ => return Err(Error::unsupported(FORMAT, 0, "codec")),
    }
    Ok(0)
}

fn annex_b(nal: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(nal);
}

fn adts(config: &Config, data: &[u8], out: &mut Vec<u8>) -> Result<Micros> {
    // The frame length has 13 bits.
    if data.len() > 0x1fff - Adts::SIZE {
        return Err(Error::invalid(FORMAT, 0, "AAC frame size"));
    }
    let header = Adts::of(config)?;
    out.extend_from_slice(&header.write(data.len()));
    out.extend_from_slice(data);
    let asc = AudioSpecificConfig::parse(&config.description)?;
    Ok(from_ticks(i64::from(asc.samples()), asc.sample_rate))
}

/// The descriptors a stream has in the program map: tag and content.
pub(super) fn descriptors(_config: &Config) -> Vec<(u8, Vec<u8>)> {
    Vec::new()
}
