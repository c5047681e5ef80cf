//! Assembles PES packets from transport packets (ISO/IEC 13818-1 2.4.3.6).

use super::packet::Packet;

/// Maximum size of a PES packet in bytes, far above any real access unit. A larger packet is dropped.
const MAX_PES: usize = 8 << 20;

/// One complete PES packet; times in 90 kHz ticks of 33 bits.
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

/// The PES packets that a transport packet completed.
#[derive(Default)]
pub(super) struct Step {
    /// At most two: one that ends because the next begins, and one whose length field says that it is
    /// complete.
    pub(super) done: [Option<Pes>; 2],
    /// Whether bytes were lost before or in this packet.
    pub(super) lost: bool,
}

/// Assembles the PES packets of one PID. An incomplete PES packet is dropped.
pub(super) struct Assembler {
    raw: Vec<u8>,
    open: bool,
    counter: Option<u8>,
    /// The input ended and may continue with the very next packet.
    seam: bool,
    /// The last payload, to recognise a packet that is sent twice.
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

    /// Returns the total length from the header; `None` if it is not given (0) or not received yet.
    fn wanted(&self) -> Option<usize> {
        let length = usize::from(u16::from_be_bytes([*self.raw.get(4)?, *self.raw.get(5)?]));
        (length > 0).then_some(length + 6)
    }

    /// Takes the current packet, if it is complete as far as can be known.
    fn take(&mut self) -> Option<Pes> {
        let wanted = self.wanted();
        let mut raw = std::mem::take(&mut self.raw);
        if !std::mem::take(&mut self.open) || wanted.is_some_and(|wanted| raw.len() < wanted) {
            return None;
        }
        raw.truncate(wanted.unwrap_or(raw.len()));
        Pes::parse(raw)
    }

    /// Drops the current packet.
    fn abandon(&mut self) {
        self.raw.clear();
        self.open = false;
    }

    /// Reports lost bytes: the current packet is unreliable.
    pub(super) fn lost(&mut self) {
        self.abandon();
        self.counter = None;
    }

    /// Reports the end of the input: returns a packet whose length is only known by its end. A packet that is
    /// certainly incomplete is kept in case the next input continues it, as in segments that were cut out of
    /// a broadcast.
    pub(super) fn flush(&mut self) -> Option<Pes> {
        self.seam = self.open && self.wanted().is_some();
        if self.seam {
            return None;
        }
        self.counter = None;
        self.take()
    }
}
