//! MPEG-1 and MPEG-2 Audio Layer III frame headers (ISO/IEC 11172-3 2.4.1.3, 13818-3).

use bytes::Bytes;

use crate::config::{Audio, Codec, Config, Format};
use crate::error::{Error, Result};

const FORMAT: &str = "mp3";

/// A frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Samples per second.
    pub sample_rate: u32,
    /// 1 or 2.
    pub channels: u8,
    /// Samples per frame: 1152, or 576 at the lower rates.
    pub samples: u32,
    /// Size in bytes of the frame with its header; 0 for a free bit rate.
    pub frame_size: usize,
}

const KBITS_1: [u16; 15] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBITS_2: [u16; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

impl Header {
    /// Reads the header at the start of a frame.
    pub fn parse(data: &[u8]) -> Result<Self> {
        let Some(h) = data.first_chunk::<4>() else {
            return Err(Error::truncated(FORMAT, data.len() as u64));
        };
        let (version, rate) = (h[1] >> 3 & 3, h[2] >> 2 & 3);
        if h[0] != 0xff || h[1] & 0xe0 != 0xe0 || version == 1 || rate == 3 || h[2] >> 4 == 15 {
            return Err(Error::invalid(FORMAT, 0, "frame header"));
        }
        if h[1] >> 1 & 3 != 1 {
            return Err(Error::unsupported(FORMAT, 1, "MPEG audio layer"));
        }
        // Version 3 is MPEG-1; 2 is MPEG-2 with half the rates; 0 is MPEG-2.5 with a quarter.
        let divisor = [4, 0, 2, 1][usize::from(version)];
        let sample_rate = [44_100, 48_000, 32_000][usize::from(rate)] / divisor;
        let samples = if divisor == 1 { 1152 } else { 576 };
        let table = if divisor == 1 { KBITS_1 } else { KBITS_2 };
        let bits = u32::from(table[usize::from(h[2] >> 4)]) * 1000;
        let frame_size = match bits {
            0 => 0,
            _ => (samples / 8 * bits / sample_rate + u32::from(h[2] >> 1 & 1)) as usize,
        };
        Ok(Self { sample_rate, channels: if h[3] >> 6 == 3 { 1 } else { 2 }, samples, frame_size })
    }

    /// Returns the configuration of the frames.
    pub fn config(&self) -> Config {
        let format = Format::Audio(Audio { sample_rate: self.sample_rate, channels: self.channels });
        Config { codec: Codec::Mp3, format, description: Bytes::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_lame() {
        let header = Header::parse(&[0xff, 0xfb, 0x90, 0x64]).unwrap();
        assert_eq!(header, Header { sample_rate: 44_100, channels: 2, samples: 1152, frame_size: 417 });
        let header = Header::parse(&[0xff, 0xf3, 0x44, 0xc4]).unwrap();
        assert_eq!(header, Header { sample_rate: 24_000, channels: 1, samples: 576, frame_size: 96 });
        assert!(Header::parse(&[0xff, 0xfd, 0x90, 0x64]).is_err());
        assert!(Header::parse(&[0xff, 0xfb, 0x90]).is_err());
    }
}
