//! Packs H.264 into RTP payloads (RFC 6184), in packetization mode 1: single NAL units, STAP-A and FU-A.

use std::sync::Arc;

use crate::codec::h264::{Avcc, length_prefixed, nal_type, nal_type_of};
use crate::codec::nal;
use crate::config::Codec;
use crate::error::{Error, Result};
use crate::frame::Frame;

const FORMAT: &str = "rtp";
/// Payload type of an aggregation packet: several NAL units, each after its 2-byte length (5.7.1).
const STAP_A: u8 = 24;
/// Payload type of a fragment of one NAL unit (5.8).
const FU_A: u8 = 28;
/// The header's forbidden bit and importance, `F` and `NRI`.
const IMPORTANCE: u8 = 0xe0;

/// One RTP payload. Cloning shares it.
pub type Payload = Arc<[u8]>;

/// The smallest `mtu` for [`packetize`]: with a smaller one, payloads would consist mostly of headers.
pub const MIN_MTU: usize = 64;

/// Packs one access unit into RTP payloads of at most `mtu` bytes. The packet of the last one must have the RTP
/// marker. A key frame begins with its parameter sets.
///
/// A NAL unit that does not fit is cut into equal pieces, the last one shorter, as UDP segmentation offload requires.
/// NAL units that decoders do not need are left out.
///
/// # Errors
///
/// When the codec is not H.264, the `avcC` is broken, `mtu` is below [`MIN_MTU`], or there is nothing to send.
pub fn packetize(frame: &Frame, mtu: usize) -> Result<Vec<Payload>> {
    if frame.config.codec != Codec::H264 {
        return Err(Error::unsupported(FORMAT, 0, "codec"));
    }
    if mtu < MIN_MTU {
        return Err(Error::invalid(FORMAT, 0, "MTU"));
    }
    let mut out = Packetizer { mtu, payloads: Vec::new(), group: Vec::new(), size: 1 };
    out.payloads.reserve(frame.data.len() / mtu + 2);
    let sets = match frame.key {
        true => Avcc::parse(&frame.config.description)?,
        false => Avcc::new(),
    };
    let known = || sets.sps.iter().chain(&sets.pps).filter(|set| is_set(set));
    known().for_each(|set| out.push(set));
    for nal in length_prefixed(&frame.data).filter(|nal| is_sent(nal)) {
        if !(is_set(nal) && known().any(|set| *set == nal)) {
            out.push(nal);
        }
    }
    out.flush();
    if out.payloads.is_empty() {
        return Err(Error::invalid(FORMAT, 0, "access unit without NAL units"));
    }
    Ok(out.payloads)
}

fn is_set(nal: &[u8]) -> bool {
    matches!(nal_type_of(nal), nal_type::SPS | nal_type::PPS)
}

/// Delimiters, ends and filler say nothing here, and the types that are not H.264's own would be
/// taken for RFC 6184's.
fn is_sent(nal: &[u8]) -> bool {
    match nal_type_of(nal) {
        0 | nal_type::AUD..=nal_type::FILLER | STAP_A.. => false,
        nal_type::SEI => {
            let messages = nal::unescape(&nal[1..]);
            nal::sei_messages(&messages).any(|(kind, data)| !is_encoders_own(kind, data))
        }
        _ => true,
    }
}

/// Supplemental information that nothing but a buffer model or a curious person reads (annex D):
/// buffering period, picture timing, filler, and x264's settings.
fn is_encoders_own(kind: usize, data: &[u8]) -> bool {
    const X264: [u8; 16] = *b"\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef";
    matches!(kind, 0 | 1 | 3) || kind == 5 && data.starts_with(&X264)
}

struct Packetizer<'a> {
    mtu: usize,
    payloads: Vec<Payload>,
    /// NAL units for the next payload.
    group: Vec<&'a [u8]>,
    size: usize,
}

impl<'a> Packetizer<'a> {
    fn push(&mut self, nal: &'a [u8]) {
        if nal.len() > self.mtu {
            self.flush();
            self.fragment(nal);
            return;
        }
        // The lengths in a STAP-A have 16 bits.
        if self.size + 2 + nal.len() > self.mtu.min(0xffff) {
            self.flush();
        }
        self.size += 2 + nal.len();
        self.group.push(nal);
    }

    fn flush(&mut self) {
        match self.group[..] {
            [] => {}
            [nal] => self.payloads.push(nal.into()),
            _ => {
                let mut payload = Vec::with_capacity(self.size);
                // `F` is set if any unit has it, and `NRI` is the highest of all units (5.7).
                let first = self.group.iter().map(|nal| nal[0]);
                let forbidden = first.clone().fold(0, |all, header| all | header & 0x80);
                let importance = first.map(|header| header & 0x60).max().unwrap_or_default();
                payload.push(forbidden | importance | STAP_A);
                for nal in &self.group {
                    payload.extend_from_slice(&(nal.len() as u16).to_be_bytes());
                    payload.extend_from_slice(nal);
                }
                self.payloads.push(payload.into());
            }
        }
        self.group.clear();
        self.size = 1;
    }

    fn fragment(&mut self, nal: &[u8]) {
        let Some((&header, body)) = nal.split_first() else { return };
        let count = body.len().div_ceil(self.mtu - 2);
        let size = body.len().div_ceil(count);
        let last = body.len().div_ceil(size) - 1;
        let mut payload = Vec::with_capacity(2 + size);
        for (index, piece) in body.chunks(size).enumerate() {
            let start = if index == 0 { 0x80 } else { 0 };
            let end = if index == last { 0x40 } else { 0 };
            payload.clear();
            payload.extend_from_slice(&[header & IMPORTANCE | FU_A, start | end | header & 0x1f]);
            payload.extend_from_slice(piece);
            self.payloads.push(payload[..].into());
        }
    }
}

#[cfg(test)]
mod depacketize;
#[cfg(test)]
mod tests;
