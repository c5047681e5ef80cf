//! Audio in a transport stream: ADTS (AAC), MP3 and Opus frames, which may be split over PES packets at any
//! byte.

use std::sync::Arc;

use bytes::Bytes;

use super::FORMAT;
use crate::codec::aac::Adts;
use crate::codec::{mp3, opus};
use crate::config::{Codec, Config, Track};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::Frame;
use crate::time::{Micros, from_ticks};

/// Approximate maximum size of an Opus packet (RFC 6716 3.4: 48 frames of 1,275 bytes and their lengths).
const MAX_OPUS: usize = 62_000;

/// Position and duration of one frame.
struct Unit {
    /// Size in bytes of a header that does not belong to the frame's data.
    header: usize,
    /// Size in bytes of header and data.
    size: usize,
    samples: u32,
    rate: u32,
    config: Arc<Config>,
}

/// Converts PES packets to frames.
pub(super) struct AudioStream {
    codec: Codec,
    /// The start of a frame that continues in the next PES packet.
    carry: Vec<u8>,
    config: Option<Arc<Config>>,
    /// Number of channels from the program map (Opus only).
    channels: u8,
    /// Time of the last PES packet's first frame, and the samples since.
    base: Option<Micros>,
    samples: i64,
}

impl AudioStream {
    pub(super) const fn new(codec: Codec, channels: u8) -> Self {
        Self { codec, carry: Vec::new(), config: None, channels, base: None, samples: 0 }
    }

    /// Reports lost bytes: the current frame is incomplete, and the time of the next one is not known.
    pub(super) fn lost(&mut self) {
        self.carry.clear();
        self.base = None;
    }

    /// Adds one PES packet. `pts` is the time of the first frame that begins in it. Returns at most one error
    /// per packet, so that noise does not cause a flood of errors.
    pub(super) fn packet(
        &mut self,
        mut pts: Option<Micros>,
        data: &[u8],
        mut out: impl FnMut(Result<Frame>),
    ) {
        let begun = self.carry.len();
        self.carry.extend_from_slice(data);
        let bytes = Bytes::from(std::mem::take(&mut self.carry));
        let (mut at, mut failed) = (0, false);
        while at < bytes.len() {
            if at >= begun
                && let Some(pts) = pts.take()
            {
                (self.base, self.samples) = (Some(pts), 0);
            }
            let unit = self.unit(&bytes[at..]).and_then(|unit| match unit {
                // A frame from the previous packet must end where another frame begins. Otherwise other data
                // may have followed its start.
                Some(unit) if at < begun => {
                    match self.unit(bytes.get(at + unit.size..).unwrap_or_default()) {
                        Err(error) => Err(error),
                        Ok(_) => Ok(Some(unit)),
                    }
                }
                other => Ok(other),
            });
            match unit {
                Ok(Some(unit)) => {
                    let data = bytes.slice(at + unit.header..at + unit.size);
                    at += unit.size;
                    self.frame(unit, data).into_iter().for_each(|frame| out(Ok(frame)));
                }
                Ok(None) => break,
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        out(Err(error));
                    }
                    at = if at < begun { begun } else { at + 1 };
                    at +=
                        bytes[at..].iter().position(|&b| b == self.first_byte()).unwrap_or(bytes.len() - at);
                }
            }
        }
        self.carry = bytes[at.min(bytes.len())..].to_vec();
    }

    fn frame(&mut self, unit: Unit, data: Bytes) -> Option<Frame> {
        let dts = self.base? + from_ticks(self.samples, unit.rate);
        self.samples += i64::from(unit.samples);
        let config = Arc::clone(&unit.config);
        self.config = Some(unit.config);
        (!data.is_empty()).then_some(Frame { number: 0, config, dts, pts: dts, key: true, data })
    }

    /// Returns the first byte of every frame of this codec.
    fn first_byte(&self) -> u8 {
        if self.codec == Codec::Opus { 0x7f } else { 0xff }
    }

    /// Reads the frame at the start of `bytes`; `None` if it is incomplete.
    fn unit(&self, bytes: &[u8]) -> Result<Option<Unit>> {
        let unit = match self.codec {
            Codec::Aac => self.adts(bytes),
            Codec::Mp3 => self.mp3(bytes),
            Codec::Opus => self.opus(bytes),
            _ => Err(Error::unsupported_track(FORMAT, 0, Track::Audio, "audio codec")),
        };
        // Even an incomplete header may be recognised as invalid.
        if bytes.first().is_some_and(|&b| b != self.first_byte()) {
            return Err(Error::invalid(FORMAT, 0, "audio frame header"));
        }
        match unit {
            Ok(unit) if unit.size > bytes.len() => Ok(None),
            Ok(unit) => Ok(Some(unit)),
            Err(error) if error.kind == ErrorKind::Truncated => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn adts(&self, bytes: &[u8]) -> Result<Unit> {
        let header = Adts::parse(bytes)?;
        let payload = bytes.get(header.header_size..header.frame_size);
        let Some(payload) = payload else { return Err(Error::truncated(FORMAT, bytes.len() as u64)) };
        let (config, taken) = header.config(payload, self.config.as_deref())?;
        let (samples, rate, config) = (1024, header.sample_rate(), self.config(config));
        Ok(Unit { header: header.header_size + taken, size: header.frame_size, samples, rate, config })
    }

    fn mp3(&self, bytes: &[u8]) -> Result<Unit> {
        let header = mp3::Header::parse(bytes)?;
        if header.frame_size < 4 {
            return Err(Error::unsupported(FORMAT, 0, "MP3 with a free bit rate"));
        }
        let config = self.config(header.config());
        Ok(Unit {
            header: 0,
            size: header.frame_size,
            samples: header.samples,
            rate: header.sample_rate,
            config,
        })
    }

    /// Reads a packet after its control header (opus-ts draft 3.2.1).
    fn opus(&self, bytes: &[u8]) -> Result<Unit> {
        let truncated = Error::truncated(FORMAT, bytes.len() as u64);
        let byte = |at: usize| bytes.get(at).copied().ok_or_else(|| truncated.clone());
        if byte(0)? != 0x7f || byte(1)? & 0xe0 != 0xe0 {
            return Err(Error::invalid(FORMAT, 0, "Opus control header"));
        }
        let flags = byte(1)?;
        let (mut header, mut size) = (2, 0);
        loop {
            let more = byte(header)?;
            header += 1;
            size += usize::from(more);
            if size > MAX_OPUS {
                return Err(Error::invalid(FORMAT, 2, "Opus packet size"));
            }
            if more < 255 {
                break;
            }
        }
        // Trimming at the start and the end, then extensions.
        header += usize::from(flags & 0x10 != 0) * 2 + usize::from(flags & 0x08 != 0) * 2;
        if flags & 0x04 != 0 {
            header += 1 + usize::from(byte(header)?);
        }
        let packet = bytes.get(header..header + size).ok_or(truncated)?;
        let samples = opus::samples(packet).ok_or(Error::invalid(FORMAT, 0, "Opus packet"))?;
        let config = self.config(opus::config_of_channels(self.channels));
        Ok(Unit { header, size: header + size, samples, rate: opus::SAMPLE_RATE, config })
    }

    /// Returns `config`, with the `Arc` of the previous frame if it is the same.
    fn config(&self, config: Config) -> Arc<Config> {
        match &self.config {
            Some(same) if **same == config => Arc::clone(same),
            _ => Arc::new(config),
        }
    }
}
