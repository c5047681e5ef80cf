//! Converts frames to the form in transport streams: Annex B, ADTS, MP3, Opus with control headers.

use crate::codec::aac::{Adts, AudioSpecificConfig, program_element};
use crate::codec::h264::Avcc;
use crate::codec::h265::Hvcc;
use crate::codec::nal::length_prefixed;
use crate::codec::{mp3, opus};
use crate::config::{Codec, Config};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::{Micros, from_ticks};

use super::FORMAT;

const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Access unit delimiters for any slice type (ITU-T H.264 7.3.2.4, H.265 7.3.2.5).
const H264_AUD: [u8; 2] = [0x09, 0xf0];
const H265_AUD: [u8; 3] = [0x46, 0x01, 0x50];

/// Appends the frame's bytes. Returns the duration of an audio frame, and 0 for video.
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
        Codec::H265 => {
            annex_b(&H265_AUD, out);
            if frame.key {
                let hvcc = Hvcc::parse(&config.description)?;
                hvcc.vps.iter().chain(&hvcc.sps).chain(&hvcc.pps).for_each(|set| annex_b(set, out));
            }
            length_prefixed(&frame.data)
                .filter(|nal| nal[0] >> 1 & 0x3f != 35)
                .for_each(|nal| annex_b(nal, out));
        }
        Codec::Mp3 => {
            let header = mp3::Header::parse(&frame.data)?;
            out.extend_from_slice(&frame.data);
            return Ok(from_ticks(header.samples.into(), header.sample_rate));
        }
        Codec::Opus => return opus(config, &frame.data, out),
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
    let header = Adts::of(config)?;
    // Without a channel configuration every frame has to contain its channels (1.A.4.3): a receiver may start
    // anywhere.
    let says = data.first().is_some_and(|byte| byte >> 5 == 5);
    let element =
        if header.channel_config == 0 && !says { program_element(&config.description) } else { None };
    let element = element.unwrap_or_default();
    // The frame length has 13 bits.
    if element.len() + data.len() > 0x1fff - Adts::SIZE {
        return Err(Error::invalid(FORMAT, 0, "AAC frame size"));
    }
    out.extend_from_slice(&header.write(element.len() + data.len()));
    out.extend_from_slice(&element);
    out.extend_from_slice(data);
    let asc = AudioSpecificConfig::parse(&config.description)?;
    Ok(from_ticks(i64::from(asc.samples()), asc.sample_rate))
}

/// Writes one Opus packet with its control header (opus-ts draft 3.2.1): prefix, no trimming, size.
fn opus(config: &Config, data: &[u8], out: &mut Vec<u8>) -> Result<Micros> {
    let samples = opus::samples(data).ok_or(Error::invalid(FORMAT, 0, "Opus packet"))?;
    if config.audio().is_none_or(|audio| audio.channels > 2) {
        return Err(Error::unsupported(FORMAT, 0, "Opus with more than two channels"));
    }
    out.extend_from_slice(&[0x7f, 0xe0]);
    out.extend(std::iter::repeat_n(0xff, data.len() / 255));
    out.push((data.len() % 255) as u8);
    out.extend_from_slice(data);
    Ok(from_ticks(samples.into(), opus::SAMPLE_RATE))
}

/// Returns the descriptors of a stream in the program map: tag and content.
pub(super) fn descriptors(config: &Config) -> Vec<(u8, Vec<u8>)> {
    match (config.codec, config.audio()) {
        (Codec::Opus, Some(audio)) => vec![(0x05, b"Opus".to_vec()), (0x7f, vec![0x80, audio.channels])],
        // ffmpeg and others recognise H.265 by its stream type; some receivers also need this descriptor.
        (Codec::H265, _) => vec![(0x05, b"HEVC".to_vec())],
        _ => Vec::new(),
    }
}
