//! AAC: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) and ADTS headers (1.A.3.2).

use bytes::Bytes;

use crate::bits::BitReader;
use crate::config::{Audio, Codec, Config, Format};
use crate::error::{Error, Result};

const FORMAT: &str = "aac";
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What is used of an AudioSpecificConfig.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSpecificConfig {
    /// The audio object type that the decoder's core has: 2 is AAC-LC.
    pub object_type: u8,
    /// Samples per second of the core.
    pub core_rate: u32,
    /// `channelConfiguration`: 1 to 7 or 11 to 14; 0 when a program config element says it.
    pub channel_config: u8,
    /// Channels at the output.
    pub channels: u8,
    /// Samples per second at the output: twice the core's with signalled SBR.
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
                channels = program_config_channels(&mut r)?;
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
        // Backward compatible signalling of SBR and PS (1.6.6.2.2). A writer may stop anywhere.
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

    /// Samples per access unit at the output's rate.
    pub const fn samples(&self) -> u32 {
        if self.sample_rate > self.core_rate { self.core_samples * 2 } else { self.core_samples }
    }

    /// The object type that RFC 6381 strings name: 29 with PS, 5 with SBR, else the core's.
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

/// Channels of a program_config_element (4.4.1.1), whose fields after the elements are not read.
fn program_config_channels(r: &mut BitReader<'_>) -> Result<u8> {
    r.skip(4 + 2 + 4)?;
    let (front, side, back, lfe) = (r.bits(4)?, r.bits(4)?, r.bits(4)?, r.bits(2)?);
    let (data, coupling) = (r.bits(3)?, r.bits(4)?);
    for bits in [4, 4, 3] {
        if r.bit()? {
            r.skip(bits)?;
        }
    }
    let mut channels = lfe as u8;
    for _ in 0..front + side + back {
        channels += 1 + u8::from(r.bit()?);
        r.skip(4)?;
    }
    r.skip((lfe * 4 + data * 4 + coupling * 5) as usize)?;
    // byte_alignment() counts from the element's start in an ASC; the comment follows.
    let position = r.remaining() % 8;
    r.skip(position)?;
    let comment = r.bits(8)?;
    r.skip(comment as usize * 8)?;
    Ok(channels)
}

/// The configuration that an AudioSpecificConfig describes.
pub fn config_from_asc(asc: Bytes) -> Result<Config> {
    let parsed = AudioSpecificConfig::parse(&asc)?;
    let format = Format::Audio(Audio { sample_rate: parsed.sample_rate, channels: parsed.channels });
    Ok(Config { codec: Codec::Aac, format, description: asc })
}

/// An ADTS header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adts {
    /// Audio object type, 1 to 4: 2 is AAC-LC.
    pub object_type: u8,
    /// Index of the sampling frequency, 0 to 12.
    pub rate_index: u8,
    /// `channel_configuration`, 0 to 7.
    pub channel_config: u8,
    /// Bytes of header: 7, or 9 with a CRC.
    pub header_size: usize,
    /// Bytes of header and payload.
    pub frame_size: usize,
}

impl Adts {
    /// Bytes of a header without CRC.
    pub const SIZE: usize = 7;

    /// Reads a header. Only single-block frames are supported, as everyone writes them.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let Some(h) = data.first_chunk::<7>() else {
            return Err(Error::truncated(FORMAT, data.len() as u64));
        };
        if h[0] != 0xff || h[1] & 0xf6 != 0xf0 {
            return Err(Error::invalid(FORMAT, 0, "ADTS sync word"));
        }
        let header_size = if h[1] & 1 == 0 { 9 } else { 7 };
        let frame_size = usize::from(h[3] & 3) << 11 | usize::from(h[4]) << 3 | usize::from(h[5] >> 5);
        let rate_index = h[2] >> 2 & 15;
        if frame_size < header_size || usize::from(rate_index) >= RATES.len() {
            return Err(Error::invalid(FORMAT, 2, "ADTS header"));
        }
        if h[6] & 3 != 0 {
            return Err(Error::unsupported(FORMAT, 6, "ADTS frame of several blocks"));
        }
        Ok(Self {
            object_type: (h[2] >> 6) + 1,
            rate_index,
            channel_config: (h[2] & 1) << 2 | h[3] >> 6,
            header_size,
            frame_size,
        })
    }

    /// Samples per second of the core.
    pub fn sample_rate(&self) -> u32 {
        RATES[usize::from(self.rate_index)]
    }

    /// The AudioSpecificConfig with the same meaning.
    pub fn asc(&self) -> [u8; 2] {
        [self.object_type << 3 | self.rate_index >> 1, (self.rate_index & 1) << 7 | self.channel_config << 3]
    }

    /// The configuration of the frames.
    pub fn config(&self) -> Result<Config> {
        config_from_asc(Bytes::copy_from_slice(&self.asc()))
    }

    /// The header for frames of `config`, to be [`Adts::write`]n.
    ///
    /// ADTS knows object types 1 to 4, and 13 rates; SBR and PS travel unsignalled.
    pub fn of(config: &Config) -> Result<Self> {
        let asc = AudioSpecificConfig::parse(&config.description)?;
        let index = RATES.iter().position(|&rate| rate == asc.core_rate);
        match index {
            Some(index) if (1..=4).contains(&asc.object_type) && asc.channel_config < 8 => Ok(Self {
                object_type: asc.object_type,
                rate_index: index as u8,
                channel_config: asc.channel_config,
                header_size: Self::SIZE,
                frame_size: Self::SIZE,
            }),
            _ => Err(Error::unsupported(FORMAT, 0, "profile or sampling frequency for ADTS")),
        }
    }

    /// The header of a frame with `payload` bytes (at most 8,184).
    pub fn write(&self, payload: usize) -> [u8; Self::SIZE] {
        let size = payload + Self::SIZE;
        [
            0xff,
            0xf1,
            (self.object_type - 1) << 6 | self.rate_index << 2 | self.channel_config >> 2,
            (self.channel_config & 3) << 6 | (size >> 11 & 3) as u8,
            (size >> 3) as u8,
            (size << 5) as u8 | 0x1f,
            0xfc,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_complexity_stereo() {
        let config = config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap();
        assert_eq!(config.audio(), Some(Audio { sample_rate: 44_100, channels: 2 }));
        let header = Adts::of(&config).unwrap();
        let bytes = header.write(300);
        let read = Adts::parse(&bytes).unwrap();
        assert_eq!(read, Adts { frame_size: 307, ..header });
        assert_eq!(read.config().unwrap(), config);
        assert_eq!(read.sample_rate(), 44_100);
    }

    #[test]
    fn signalled_sbr_doubles_the_rate_and_ps_the_channels() {
        // Hierarchical: AOT 29, 22.05 kHz core, mono, 44.1 kHz, AOT 2.
        let asc = AudioSpecificConfig::parse(&[0xeb, 0x8a, 0x08, 0x00]).unwrap();
        assert_eq!((asc.object_type, asc.core_rate, asc.sample_rate, asc.channels), (2, 22_050, 44_100, 2));
        assert_eq!((asc.rfc6381_type(), asc.samples()), (29, 2048));
        // Backward compatible: AOT 2, 24 kHz, stereo, then the sync extension with 48 kHz.
        let asc = AudioSpecificConfig::parse(&[0x13, 0x10, 0x56, 0xe5, 0x98]).unwrap();
        assert_eq!(
            (asc.core_rate, asc.sample_rate, asc.channels, asc.rfc6381_type()),
            (24_000, 48_000, 2, 5)
        );
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(AudioSpecificConfig::parse(&[]).is_err());
        assert!(AudioSpecificConfig::parse(&[0x16, 0x90]).is_err());
        assert!(Adts::parse(&[0xff, 0xf1, 0x50, 0x80, 0, 0x1f, 0xfc]).is_err());
    }
}
