//! ADTS: AAC frames that each carry a header with their own configuration.

use bytes::Bytes;

use super::{AudioSpecificConfig, FORMAT, RATES, config_from_asc, program, program_element};
use crate::bits::{BitReader, BitWriter};
use crate::codec::Codec;
use crate::config::{Config, Track};
use crate::error::{Error, ErrorKind, Result};

/// An ADTS header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adts {
    /// Audio object type, 1 to 4: 2 is AAC-LC.
    pub object_type: u8,
    /// Index of the sampling frequency, 0 to 12.
    pub rate_index: u8,
    /// `channel_configuration`, 0 to 7.
    pub channel_config: u8,
    /// Size of the header in bytes: 7, or 9 with a CRC.
    pub header_size: usize,
    /// Size of header and payload in bytes.
    pub frame_size: usize,
}

impl Adts {
    /// Size in bytes of a header without CRC.
    pub const SIZE: usize = 7;

    /// Reads a header. Only frames with a single raw data block are supported; no known encoder writes
    /// others.
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

    /// Returns the samples per second of the core.
    pub fn sample_rate(&self) -> u32 {
        RATES[usize::from(self.rate_index)]
    }

    /// Returns the AudioSpecificConfig with the same meaning.
    pub fn asc(&self) -> [u8; 2] {
        [self.object_type << 3 | self.rate_index >> 1, (self.rate_index & 1) << 7 | self.channel_config << 3]
    }

    /// Returns the configuration of the frame with this payload, and the number of payload bytes that belong
    /// to it (a program config element). `current` is the configuration of the previous frame. It is kept
    /// where this frame does not contradict it: it may hold more detail, or an element that this frame omits.
    pub fn config(&self, payload: &[u8], current: Option<&Config>) -> Result<(Config, usize)> {
        let program = (self.channel_config == 0).then_some(payload).filter(|block| program::is_first(block));
        let mut r = BitReader::new(FORMAT, program.unwrap_or_default());
        let mut asc = BitWriter::new();
        let [first, second] = self.asc();
        asc.bits(u32::from(first) << 8 | u32::from(second), 16);
        let mut taken = 0;
        if program.is_some() {
            r.skip(3)?;
            program::copy(&mut r, &mut asc)?;
            taken = payload.len() - r.remaining() / 8;
        }
        let current = current.filter(|config| {
            AudioSpecificConfig::parse(&config.description).is_ok_and(|asc| {
                (asc.object_type, asc.core_rate, asc.channel_config)
                    == (self.object_type, self.sample_rate(), self.channel_config)
            })
        });
        let same = |config: &Config| {
            taken == 0 || program_element(&config.description).as_deref() == payload.get(..taken)
        };
        match current {
            Some(config) if same(config) => Ok((config.clone(), taken)),
            _ if self.channel_config == 0 && taken == 0 => Err(Error::unsupported_track(
                FORMAT,
                0,
                Track::Audio,
                "audio in ADTS that does not say its channels",
            )),
            _ => Ok((config_from_asc(asc.into_bytes().into())?, taken)),
        }
    }

    /// Creates the header for frames of `config`, for use with [`Adts::write`].
    ///
    /// ADTS supports object types 1 to 4 and 13 rates; SBR and PS are carried without being signalled.
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

    /// Writes the header of a frame with `payload` bytes (at most 8,184).
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

/// Maximum number of access units in one message: more than a second of the longest. Each uses much more
/// memory than the seven bytes of its header.
pub const MAX_UNITS: usize = 64;

/// An access unit that came with its own header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Configuration from the header.
    pub config: Config,
    /// Raw AAC.
    pub data: Bytes,
}

/// Splits a message that should hold raw AAC but holds ADTS frames, as some encoders send them. Returns
/// `None` for raw AAC. `current` is the configuration so far.
///
/// The check is reliable: in a raw data block, the first three bits of an ADTS header mean "end".
///
/// # Errors
/// Unreadable ADTS, more than [`MAX_UNITS`] frames, and LATM.
pub fn units(data: &Bytes, current: Option<&Config>) -> Result<Option<Vec<Unit>>> {
    if is_loas(data) {
        return Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio in LATM"));
    }
    if data.len() < 2 || data[0] != 0xff || data[1] & 0xf0 != 0xf0 {
        return Ok(None);
    }
    let mut units: Vec<Unit> = Vec::new();
    let mut at = 0;
    while at < data.len() {
        if units.len() >= MAX_UNITS {
            return Err(Error::new(FORMAT, at as u64, ErrorKind::TooLarge("number of ADTS frames")));
        }
        let header = Adts::parse(&data[at..]).map_err(|error| error.at(at as u64))?;
        let end = at + header.frame_size;
        if end > data.len() {
            return Err(Error::truncated(FORMAT, data.len() as u64));
        }
        let payload = data.slice(at + header.header_size..end);
        let current =
            units.last().map(|unit| &unit.config).or(current.filter(|config| config.codec == Codec::Aac));
        let (config, taken) = header.config(&payload, current)?;
        if taken < payload.len() {
            units.push(Unit { config, data: payload.slice(taken..) });
        }
        at = end;
    }
    Ok(Some(units))
}

/// Returns whether this is LATM with its sync layer (ISO/IEC 14496-3 1.7.2), used by RTP and DVB: sync word
/// and length.
fn is_loas(data: &[u8]) -> bool {
    let Some(&[sync, high, low]) = data.first_chunk() else { return false };
    let length = usize::from(high & 0x1f) << 8 | usize::from(low);
    sync == 0x56 && high & 0xe0 == 0xe0 && length + 3 == data.len()
}
