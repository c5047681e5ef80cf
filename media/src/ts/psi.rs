//! Program tables: assembles sections from packets, and reads PAT and PMT (ISO/IEC 13818-1 2.4.4).

use crate::config::{Codec, Track};

/// Maximum size of a PAT or PMT section in bytes.
const MAX_SECTION: usize = 3 + 1021;

/// Assembles sections that span packets. A damaged section is dropped; tables are repeated.
#[derive(Default)]
pub(super) struct Sections {
    buffer: Vec<u8>,
    counter: Option<u8>,
}

impl Sections {
    /// Passes every complete section with a correct checksum to `section`.
    pub(super) fn push(&mut self, start: bool, counter: u8, payload: &[u8], mut section: impl FnMut(&[u8])) {
        let follows = self.counter.is_some_and(|c| (c + 1) & 0x0f == counter);
        if !follows {
            self.buffer.clear();
        }
        self.counter = Some(counter);
        let mut rest = payload;
        if start {
            let pointer = usize::from(payload[0]);
            let Some((end, begin)) = payload[1..].split_at_checked(pointer) else {
                self.buffer.clear();
                return;
            };
            if !self.buffer.is_empty() {
                self.buffer.extend_from_slice(end);
                self.take(&mut section);
            }
            self.buffer.clear();
            rest = begin;
        } else if self.buffer.is_empty() {
            return;
        }
        self.buffer.extend_from_slice(rest);
        while self.take(&mut section) {}
    }

    /// Takes one section from the buffer. Returns false if there is none yet.
    fn take(&mut self, section: &mut impl FnMut(&[u8])) -> bool {
        let &[table, high, low, ..] = self.buffer.as_slice() else { return false };
        let length = 3 + (usize::from(high & 0x0f) << 8 | usize::from(low));
        if table == 0xff || length > MAX_SECTION {
            self.buffer.clear();
            return false;
        }
        if self.buffer.len() < length {
            return false;
        }
        // Over data and checksum the CRC is 0; 12 bytes are header and checksum.
        if length >= 12 && crc32(&self.buffer[..length]) == 0 {
            section(&self.buffer[..length]);
        }
        self.buffer.drain(..length);
        true
    }
}

/// The CRC of ISO/IEC 13818-1 annex A, without a lookup table: the input is a few hundred bytes per second.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// Returns the PID of the PMT of the first program in a PAT section; `keep` if that is still listed.
pub(super) fn pmt_pid(section: &[u8], keep: Option<u16>) -> Option<u16> {
    if section[0] != 0 || section[5] & 1 == 0 {
        return None;
    }
    let programs = section[8..section.len() - 4].chunks_exact(4).filter(|p| p[..2] != [0, 0]);
    let mut pids = programs.map(|p| u16::from_be_bytes([p[2], p[3]]) & 0x1fff);
    let first = pids.clone().next();
    pids.find(|&pid| Some(pid) == keep).or(first)
}

/// One elementary stream of a PMT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) pid: u16,
    /// `None` if the stream type is not supported.
    pub(super) codec: Option<Codec>,
    /// The track, if this is video or audio that is not supported: MPEG-2, MPEG-4, VVC, AAC in LATM, AC-3,
    /// DTS …
    pub(super) foreign: Option<Track>,
    /// Number of channels from the descriptor (Opus only), otherwise 0.
    pub(super) channels: u8,
}

/// Returns the elementary streams of a PMT section, as far as it is readable; `None` for another table.
pub(super) fn streams(section: &[u8]) -> Option<Vec<Stream>> {
    let is_current_pmt = section[0] == 2 && section[5] & 1 == 1;
    if !is_current_pmt || section.len() < 16 {
        return None;
    }
    let length = |high: u8, low: u8| usize::from(high & 0x0f) << 8 | usize::from(low);
    let end = section.len() - 4;
    let mut rest = section.get(12 + length(section[10], section[11])..end).unwrap_or_default();
    let mut streams = Vec::new();
    while let &[kind, pid_high, pid_low, high, low, ref tail @ ..] = rest {
        let Some((descriptors, next)) = tail.split_at_checked(length(high, low)) else { break };
        let pid = u16::from_be_bytes([pid_high, pid_low]) & 0x1fff;
        let (codec, channels) = codec(kind, descriptors);
        let foreign = match kind {
            0x01 | 0x02 | 0x10 | 0x33 | 0xd1 | 0xea => Some(Track::Video),
            0x11 | 0x1c | 0x80..=0x87 => Some(Track::Audio),
            0x06 if is_foreign_audio(descriptors) => Some(Track::Audio),
            _ => None,
        };
        streams.push(Stream { pid, codec, foreign, channels });
        rest = next;
    }
    Some(streams)
}

fn codec(kind: u8, descriptors: &[u8]) -> (Option<Codec>, u8) {
    match kind {
        0x03 | 0x04 => (Some(Codec::Mp3), 0),
        0x0f => (Some(Codec::Aac), 0),
        0x1b => (Some(Codec::H264), 0),
        0x24 => (Some(Codec::H265), 0),
        0x06 => match opus_channels(descriptors) {
            Some(channels) => (Some(Codec::Opus), channels),
            None => (None, 0),
        },
        _ => (None, 0),
    }
}

/// Returns whether private data is DVB audio: AC-3, Enhanced AC-3 or DTS (EN 300 468 6.1, annex D).
fn is_foreign_audio(mut descriptors: &[u8]) -> bool {
    while let &[tag, length, ref tail @ ..] = descriptors {
        let Some((body, next)) = tail.split_at_checked(usize::from(length)) else { break };
        if matches!(tag, 0x6a | 0x7a | 0x7b)
            || tag == 5 && matches!(body, b"AC-3" | b"EAC3" | b"DTS1" | b"DTS2")
        {
            return true;
        }
        descriptors = next;
    }
    false
}

/// Returns the channels of an Opus stream: registration `Opus` and its extension descriptor (opus-ts draft
/// 4.1).
fn opus_channels(mut descriptors: &[u8]) -> Option<u8> {
    let (mut registered, mut channels) = (false, None);
    while let &[tag, length, ref tail @ ..] = descriptors {
        let Some((body, next)) = tail.split_at_checked(usize::from(length)) else { break };
        match (tag, body) {
            (5, b"Opus") => registered = true,
            (0x7f, &[0x80, code, ..]) if (1..=2).contains(&code) => channels = Some(code),
            _ => {}
        }
        descriptors = next;
    }
    channels.filter(|_| registered)
}
