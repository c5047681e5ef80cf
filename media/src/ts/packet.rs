//! Transport packets: their header, and how to find them in a byte stream (ISO/IEC 13818-1 2.4.3).

use super::{PACKET, SYNC};

/// Input is processed in pieces of this many bytes, so that a huge push needs no huge buffer.
const PIECE: usize = 64 * 1024;

/// One transport packet with a payload.
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    /// Whether a PES packet or a section starts in the payload.
    pub(super) start: bool,
    pub(super) counter: u8,
    /// Whether the sender announces that the counter may jump here.
    pub(super) discontinuity: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Returns `None` for packets without readable content: damaged, scrambled, or without payload.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (error, scrambled) = (bytes[1] & 0x80 != 0, bytes[3] & 0xc0 != 0);
        if error || scrambled || bytes[3] & 0x10 == 0 {
            return None;
        }
        let (mut at, mut discontinuity) = (4, false);
        if bytes[3] & 0x20 != 0 {
            let length = usize::from(bytes[4]);
            discontinuity = length > 0 && bytes[5] & 0x80 != 0;
            at += 1 + length;
        }
        Some(Self {
            pid: u16::from(bytes[1] & 0x1f) << 8 | u16::from(bytes[2]),
            start: bytes[1] & 0x40 != 0,
            counter: bytes[3] & 0x0f,
            discontinuity,
            payload: bytes.get(at..).filter(|p| !p.is_empty())?,
        })
    }
}

/// The result of the search for packets.
pub(super) enum Found<'a> {
    Packet(Packet<'a>),
    /// Bytes are missing between two packets.
    Lost,
}

/// Finds packets in any chunks. A packet counts only if another packet (or the end) follows it, so that a
/// packet with lost bytes is not accepted.
#[derive(Default)]
pub(super) struct Framer {
    carry: Vec<u8>,
    synced: bool,
    /// Number of bytes consumed.
    pub(super) offset: u64,
}

impl Framer {
    pub(super) fn push(&mut self, data: &[u8], mut found: impl FnMut(u64, Found<'_>)) {
        for piece in data.chunks(PIECE) {
            self.carry.extend_from_slice(piece);
            let mut at = 0;
            while let Some(&first) = self.carry.get(at) {
                let rest = &self.carry[at..];
                let (whole, skip) = match rest.get(PACKET) {
                    _ if first != SYNC => (false, rest.iter().position(|&b| b == SYNC).unwrap_or(rest.len())),
                    None => break,
                    Some(&next) => (next == SYNC, 1),
                };
                if whole {
                    self.synced = true;
                    if let Some(packet) = Packet::parse(&rest[..PACKET]) {
                        found(self.offset + at as u64, Found::Packet(packet));
                    }
                    at += PACKET;
                    continue;
                }
                if std::mem::take(&mut self.synced) {
                    found(self.offset + at as u64, Found::Lost);
                }
                at += skip;
            }
            self.carry.drain(..at);
            self.offset += at as u64;
        }
    }

    /// Reports the end of the input: a complete packet that waits for its successor is accepted.
    pub(super) fn flush(&mut self, mut found: impl FnMut(u64, Found<'_>)) {
        if self.carry.len() == PACKET && self.carry[0] == SYNC {
            if let Some(packet) = Packet::parse(&self.carry) {
                found(self.offset, Found::Packet(packet));
            }
        } else if !self.carry.is_empty() {
            found(self.offset, Found::Lost);
        }
        self.offset += self.carry.len() as u64;
        self.carry.clear();
    }
}
