//! Transport packets: finding them in bytes, and their header (ISO/IEC 13818-1 2.4.3).

use super::{PACKET, SYNC};

/// Input is taken in pieces of this size, so that a huge push needs no huge buffer.
const PIECE: usize = 64 * 1024;

/// One transport packet with a payload.
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    /// A PES packet or a section starts in the payload.
    pub(super) start: bool,
    pub(super) counter: u8,
    /// The sender says that the counter may jump here.
    pub(super) discontinuity: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` for packets that carry nothing readable: damaged, scrambled, without payload.
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

/// What the framer found.
pub(super) enum Found<'a> {
    Packet(Packet<'a>),
    /// The packets did not follow each other: bytes are missing.
    Lost,
}

/// Finds packets in any chunking. A packet counts only when another one (or the end) follows it,
/// so that one which lost bytes is not taken for whole.
#[derive(Default)]
pub(super) struct Framer {
    carry: Vec<u8>,
    synced: bool,
    /// Bytes consumed since the start.
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

    /// The input ends here: a whole packet that waits for its successor is taken.
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
