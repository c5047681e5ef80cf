//! The program config element (ISO/IEC 14496-3 4.4.1.1). It lists the channels if the channel configuration
//! is 0.

use crate::bits::{BitReader, BitWriter};
use crate::error::Result;

/// `id_syn_ele` of a program config element in a raw data block (table 4.85).
pub(super) const ID: u32 = 5;

/// Returns whether a raw data block begins with a program config element.
pub(super) fn is_first(block: &[u8]) -> bool {
    block.first().is_some_and(|byte| u32::from(byte >> 5) == ID)
}

/// Copies an element and returns its number of channels. The copy is needed because the bit alignment differs
/// between an AudioSpecificConfig and a raw data block.
pub(super) fn copy(r: &mut BitReader<'_>, w: &mut BitWriter) -> Result<u8> {
    let mut copied = |r: &mut BitReader<'_>, bits: u32| -> Result<u32> {
        let value = r.bits(bits)?;
        w.bits(value, bits);
        Ok(value)
    };
    copied(r, 4 + 2 + 4)?;
    let (front, side, back, lfe) = (copied(r, 4)?, copied(r, 4)?, copied(r, 4)?, copied(r, 2)?);
    let (data, coupling) = (copied(r, 3)?, copied(r, 4)?);
    for bits in [4, 4, 3] {
        if copied(r, 1)? == 1 {
            copied(r, bits)?;
        }
    }
    let mut channels = lfe as u8;
    for _ in 0..front + side + back {
        channels += 1 + copied(r, 1)? as u8;
        copied(r, 4)?;
    }
    for _ in 0..lfe + data {
        copied(r, 4)?;
    }
    for _ in 0..coupling {
        copied(r, 5)?;
    }
    r.skip(r.remaining() % 8)?;
    w.align();
    let comment = r.bits(8)?;
    w.bits(comment, 8);
    for _ in 0..comment {
        w.bits(r.bits(8)?, 8);
    }
    Ok(channels)
}
