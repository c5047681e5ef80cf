//! Video in a transport stream: H.264 and H.265, usually one access unit per PES packet.

use crate::codec::access_unit::{Assembler, Piece};
use crate::codec::in_band::InBand;
use crate::codec::nal::EntryPoint;
use crate::config::Codec;
use crate::error::Result;
use crate::frame::Frame;
use crate::time::Micros;

/// Converts PES packets to frames.
pub(super) struct VideoStream {
    sets: InBand,
    units: Assembler,
    /// Time of the newest frame that came with an SPS.
    sps: Option<Micros>,
}

impl VideoStream {
    pub(super) fn new(codec: Codec) -> Self {
        let mut units = Assembler::learning();
        // The stream may start in the middle of an access unit.
        units.lost();
        Self { sets: InBand::new(codec), units, sps: None }
    }

    /// Reports lost bytes: frames are dropped until the next key frame.
    pub(super) fn lost(&mut self) {
        self.sets.lost();
        self.units.lost();
    }

    /// Returns whether a frame waits for its next part, or for the proof that it is whole.
    pub(super) const fn holds(&self) -> bool {
        self.units.holds()
    }

    /// Passes on the waiting frame: nothing more arrives, or not in time.
    pub(super) fn flush(&mut self, out: impl FnMut(Result<Frame>)) {
        self.units.flush();
        self.drain(out);
    }

    /// Adds one PES packet.
    pub(super) fn packet(
        &mut self,
        dts: Micros,
        pts: Micros,
        data: &[u8],
        mut out: impl FnMut(Result<Frame>),
    ) {
        let pushed = self.sets.take_sets(data).and_then(|rest| {
            if rest.sets {
                self.units.end();
                self.sps = if rest.sps { Some(dts) } else { self.sps };
            }
            match self.sets.config().cloned() {
                Some(config) if !rest.data.is_empty() => {
                    self.units.push(Piece { config, dts, pts, flagged: false, data: rest.data })
                }
                _ => Ok(()),
            }
        });
        self.drain(&mut out);
        if let Err(error) = pushed {
            out(Err(error));
        }
    }

    fn drain(&mut self, mut out: impl FnMut(Result<Frame>)) {
        while let Some(unit) = self.units.next() {
            let piece = unit.piece;
            let key = matches!(unit.entry, EntryPoint::Idr | EntryPoint::Recovery);
            if self.sets.may_pass(key, self.sps == Some(piece.dts)) {
                let (dts, pts) = (piece.dts, piece.pts);
                out(Ok(Frame { number: 0, config: piece.config, dts, pts, key, data: piece.data }));
            }
        }
    }
}
