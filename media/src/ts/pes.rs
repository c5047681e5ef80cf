//! PES packets out of transport packets (ISO/IEC 13818-1 2.4.3.6).

use super::packet::Packet;

/// A larger PES packet is dropped: no access unit we know is near it.
const MAX_PES: usize = 8 << 20;

/// One whole PES packet; times in 90 kHz ticks of 33 bits.
pub(super) struct Pes {
    pub(super) pts: Option<u64>,
    pub(super) dts: Option<u64>,
    raw: Vec<u8>,
    payload: usize,
}

impl Pes {
    fn parse(raw: Vec<u8>) -> Option<Self> {
        let header = raw.get(..9)?;
        // Streams without the optional header (padding, ECM …) carry no media: their 7th byte is data.
        if header[..3] != [0, 0, 1] || header[6] & 0xc0 != 0x80 {
            return None;
        }
        let (flags, payload) = (header[7], 9 + usize::from(header[8]));
        let fields = raw.get(9..payload)?;
        let pts = if flags & 0x80 != 0 { Some(timestamp(fields.get(..5)?)) } else { None };
        let dts = if flags & 0xc0 == 0xc0 { Some(timestamp(fields.get(5..10)?)) } else { None };
        Some(Self { pts, dts, raw, payload })
    }

    pub(super) fn data(&self) -> &[u8] {
        &self.raw[self.payload..]
    }
}

fn timestamp(b: &[u8]) -> u64 {
    let bits = |i: usize| u64::from(b[i]);
    (bits(0) >> 1 & 7) << 30 | bits(1) << 22 | bits(2) >> 1 << 15 | bits(3) << 7 | bits(4) >> 1
}

/// What a packet completed.
#[derive(Default)]
pub(super) struct Step {
    /// At most two: one that ends because the next begins, and one that is whole by its length.
    pub(super) done: [Option<Pes>; 2],
    /// Something was lost before (all of) this packet.
    pub(super) lost: bool,
}

/// Puts the PES packets of one PID together. Whatever misses a packet is dropped.
pub(super) struct Assembler {
    raw: Vec<u8>,
    open: bool,
    counter: Option<u8>,
    /// The input ended and may or may not go on with the very next packet.
    seam: bool,
    /// The last payload: a packet may be sent twice.
    last: [u8; 184],
}

impl Assembler {
    pub(super) fn new() -> Self {
        Self { raw: Vec::new(), open: false, counter: None, seam: false, last: [0; 184] }
    }

    pub(super) fn push(&mut self, packet: &Packet<'_>) -> Step {
        let mut step = Step::default();
        if let Some(counter) = self.counter.filter(|_| !packet.discontinuity) {
            if packet.counter == counter && self.last.starts_with(packet.payload) {
                return step;
            }
            step.lost = packet.counter != (counter + 1) & 0x0f;
        }
        self.counter = Some(packet.counter);
        let seam = std::mem::take(&mut self.seam);
        self.last[..packet.payload.len()].copy_from_slice(packet.payload);
        if step.lost {
            self.abandon();
        }
        if packet.start {
            step.lost |= self.open && self.wanted().is_some();
            step.done[0] = self.take();
            self.open = true;
        }
        step.lost &= !seam;
        if self.open {
            self.raw.extend_from_slice(packet.payload);
            if self.wanted().is_some_and(|wanted| self.raw.len() >= wanted) {
                step.done[1] = self.take();
            } else if self.raw.len() > MAX_PES {
                self.abandon();
                step.lost = true;
            }
        }
        step
    }

    /// The whole length by the header; `None` when it says none (0) or is not there yet.
    fn wanted(&self) -> Option<usize> {
        let length = usize::from(u16::from_be_bytes([*self.raw.get(4)?, *self.raw.get(5)?]));
        (length > 0).then_some(length + 6)
    }

    /// The packet under way, if it is whole as far as one can tell.
    fn take(&mut self) -> Option<Pes> {
        let wanted = self.wanted();
        let mut raw = std::mem::take(&mut self.raw);
        if !std::mem::take(&mut self.open) || wanted.is_some_and(|wanted| raw.len() < wanted) {
            return None;
        }
        raw.truncate(wanted.unwrap_or(raw.len()));
        Pes::parse(raw)
    }

    /// Drops the packet under way.
    fn abandon(&mut self) {
        self.raw.clear();
        self.open = false;
    }

    /// Bytes were lost: the packet under way is not to be trusted.
    pub(super) fn lost(&mut self) {
        self.abandon();
        self.counter = None;
    }

    /// The input ends here: gives out a packet whose length only its end tells. One that is known
    /// to be cut off is kept in case the next input goes on with it, as segments that were cut out
    /// of a broadcast do.
    pub(super) fn flush(&mut self) -> Option<Pes> {
        self.seam = self.open && self.wanted().is_some();
        if self.seam {
            return None;
        }
        self.counter = None;
        self.take()
    }
}
