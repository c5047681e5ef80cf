//! AAC: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) and ADTS headers (1.A.3.2).

mod adts;
mod program;

use bytes::Bytes;

pub use self::adts::{Adts, MAX_UNITS, Unit, units};
use crate::bits::{BitReader, BitWriter};
use crate::config::{Audio, Codec, Config, Format};
use crate::error::{Error, Result};

const FORMAT: &str = "aac";
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// The fields of an AudioSpecificConfig that this crate uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// Audio object type of the core decoder: 2 is AAC-LC.
    pub object_type: u8,
    /// Samples per second of the core.
    pub core_rate: u32,
    /// `channelConfiguration`: 1 to 7 or 11 to 14; 0 when a program config element lists the channels.
    pub channel_config: u8,
    /// Number of output channels.
    pub channels: u8,
    /// Output samples per second: twice the core rate with signalled SBR.
    pub sample_rate: u32,
    /// Spectral band replication is signalled (HE-AAC).
    pub sbr: bool,
    /// Parametric stereo is signalled (HE-AAC v2).
    pub ps: bool,
    /// Samples per access unit of the core: 1024, or 960 where `frameLengthFlag` is set.
    pub core_samples: u32,
}

impl AudioSpecificConfig {
    /// Reads an AudioSpecificConfig.
    pub fn parse(data: &[u8]) -> Result<Self> {
        Self::read(data, &mut BitWriter::new())
    }

    /// Reads an AudioSpecificConfig and copies its program config element to `program`.
    fn read(data: &[u8], program: &mut BitWriter) -> Result<Self> {
        let mut r = BitReader::new(FORMAT, data);
        let mut object_type = object_type(&mut r)?;
        let core_rate = rate(&mut r)?;
        let channel_config = r.bits(4)? as u8;
        let (mut sbr, mut ps, mut sample_rate) = (false, false, core_rate);
        if matches!(object_type, 5 | 29) {
            sbr = true;
            ps = object_type == 29;
            sample_rate = rate(&mut r)?;
            object_type = self::object_type(&mut r)?;
        }
        let mut channels = channels_of(channel_config)?;
        let mut core_samples = 1024;
        if matches!(object_type, 1..=4 | 6 | 7 | 17 | 19..=23) {
            if r.bit()? {
                core_samples = 960;
            }
            if r.bit()? {
                r.skip(14)?;
            }
            let extension = r.bit()?;
            if channel_config == 0 {
                channels = program::copy(&mut r, program)?;
            }
            if matches!(object_type, 6 | 20) {
                r.skip(3)?;
            }
            if extension {
                match object_type {
                    22 => r.skip(16)?,
                    17 | 19 | 20 | 23 => r.skip(3)?,
                    _ => {}
                }
                r.skip(1)?;
            }
        }
        // Backward compatible signalling of SBR and PS (1.6.6.2.2). Encoders may stop after any field.
        let extended = !sbr && r.remaining() >= 16 && r.bits(11)? == 0x2b7 && r.bits(5)? == 5;
        if extended
            && r.bit() == Ok(true)
            && let Ok(rate) = rate(&mut r)
        {
            sbr = true;
            sample_rate = rate;
            ps = r.remaining() >= 12 && r.bits(11)? == 0x548 && r.bit()?;
        }
        if ps && channels == 1 {
            channels = 2;
        }
        Ok(Self { object_type, core_rate, channel_config, channels, sample_rate, sbr, ps, core_samples })
    }

    /// Returns the samples per access unit at the output rate.
    pub const fn samples(&self) -> u32 {
        if self.sample_rate > self.core_rate { self.core_samples * 2 } else { self.core_samples }
    }

    /// Returns the object type for RFC 6381 strings: 29 with PS, 5 with SBR, otherwise that of the core.
    pub const fn rfc6381_type(&self) -> u8 {
        if self.ps {
            29
        } else if self.sbr {
            5
        } else {
            self.object_type
        }
    }
}

fn object_type(r: &mut BitReader<'_>) -> Result<u8> {
    Ok(match r.bits(5)? {
        31 => 32 + r.bits(6)? as u8,
        kind => kind as u8,
    })
}

fn rate(r: &mut BitReader<'_>) -> Result<u32> {
    let rate = match r.bits(4)? {
        15 => r.bits(24)?,
        index => RATES.get(index as usize).copied().unwrap_or(0),
    };
    if rate == 0 || rate > 192_000 {
        return Err(Error::invalid(FORMAT, 0, "sampling frequency"));
    }
    Ok(rate)
}

fn channels_of(config: u8) -> Result<u8> {
    Ok(match config {
        0..=6 => config,
        7 | 12 | 14 => 8,
        11 => 7,
        13 => 24,
        _ => return Err(Error::invalid(FORMAT, 1, "channel configuration")),
    })
}

/// Returns the configuration that an AudioSpecificConfig describes.
pub fn config_from_asc(asc: Bytes) -> Result<Config> {
    let parsed = AudioSpecificConfig::parse(&asc)?;
    let format = Format::Audio(Audio { sample_rate: parsed.sample_rate, channels: parsed.channels });
    Ok(Config { codec: Codec::Aac, format, description: asc })
}

/// Returns the program config element of an AudioSpecificConfig, in the form for a raw data block. A stream
/// without AudioSpecificConfig (ADTS) needs it to describe its channels.
pub fn program_element(asc: &[u8]) -> Option<Vec<u8>> {
    let mut element = BitWriter::new();
    element.bits(program::ID, 3);
    AudioSpecificConfig::read(asc, &mut element).ok().filter(|asc| asc.channel_config == 0)?;
    Some(element.into_bytes())
}

#[cfg(test)]
mod tests;
