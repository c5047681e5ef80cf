//! Reading bits, most significant first, as the codecs' headers want them.

use crate::error::{Error, Result};

/// A bit reader over a byte slice.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
    format: &'static str,
}

impl<'a> BitReader<'a> {
    /// Reads `data`, whose errors name `format`.
    pub const fn new(format: &'static str, data: &'a [u8]) -> Self {
        Self { data, position: 0, format }
    }

    /// Bits not read yet.
    pub const fn remaining(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    /// One bit.
    pub fn bit(&mut self) -> Result<bool> {
        Ok(self.bits(1)? == 1)
    }

    /// `count` ≤ 32 bits as an unsigned number.
    pub fn bits(&mut self, count: u32) -> Result<u32> {
        debug_assert!(count <= 32);
        if self.remaining() < count as usize {
            return Err(Error::truncated(self.format, (self.position / 8) as u64));
        }
        let mut value = 0u64;
        for _ in 0..count {
            let byte = self.data[self.position / 8];
            value = value << 1 | u64::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Ok(value as u32)
    }

    /// Skips `count` bits.
    pub fn skip(&mut self, count: usize) -> Result<()> {
        if self.remaining() < count {
            return Err(Error::truncated(self.format, (self.position / 8) as u64));
        }
        self.position += count;
        Ok(())
    }

    /// An unsigned Exp-Golomb number, `ue(v)` (ITU-T H.264 9.1).
    pub fn ue(&mut self) -> Result<u32> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 31 {
                return Err(Error::invalid(self.format, (self.position / 8) as u64, "Exp-Golomb code"));
            }
        }
        Ok(((1u64 << zeros) - 1 + u64::from(self.bits(zeros)?)) as u32)
    }

    /// A signed Exp-Golomb number, `se(v)` (ITU-T H.264 9.1.1).
    pub fn se(&mut self) -> Result<i32> {
        let k = i64::from(self.ue()?);
        Ok((if k % 2 == 1 { (k + 1) / 2 } else { -(k / 2) }) as i32)
    }
}
