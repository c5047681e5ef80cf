//! Reads and writes single bits, most significant bit first, as codec headers need.

use crate::error::{Error, Result};

/// Reads bits from a byte slice.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    data: &'a [u8],
    position: usize,
    format: &'static str,
}

impl<'a> BitReader<'a> {
    /// Creates a reader of `data`. Its errors name `format`.
    pub const fn new(format: &'static str, data: &'a [u8]) -> Self {
        Self { data, position: 0, format }
    }

    /// Returns the number of bits that are not read yet.
    pub const fn remaining(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    /// Reads one bit.
    pub fn bit(&mut self) -> Result<bool> {
        Ok(self.bits(1)? == 1)
    }

    /// Reads an unsigned number of `count` ≤ 32 bits.
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

    /// Reads an unsigned Exp-Golomb number, `ue(v)` (ITU-T H.264 9.1).
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

    /// Reads a signed Exp-Golomb number, `se(v)` (ITU-T H.264 9.1.1).
    pub fn se(&mut self) -> Result<i32> {
        let k = i64::from(self.ue()?);
        Ok((if k % 2 == 1 { (k + 1) / 2 } else { -(k / 2) }) as i32)
    }
}

/// Collects bits into bytes.
#[derive(Debug, Clone)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Number of bits written so far.
    position: usize,
}

impl Default for BitWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl BitWriter {
    /// Creates an empty writer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), position: 0 }
    }

    /// Writes the lowest `count` ≤ 32 bits of `value`.
    pub fn bits(&mut self, value: u32, count: u32) {
        for at in (0..count).rev() {
            if self.position.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> at & 1) as u8) << (7 - self.position % 8);
            }
            self.position += 1;
        }
    }

    /// Writes an unsigned Exp-Golomb number, `ue(v)` (ITU-T H.264 9.1), below 2^31.
    pub fn ue(&mut self, value: u32) {
        let bits = 32 - (value + 1).leading_zeros();
        self.bits(0, bits - 1);
        self.bits(value + 1, bits);
    }

    /// Writes zero bits up to the next byte boundary.
    pub fn align(&mut self) {
        self.position = self.bytes.len() * 8;
    }

    /// Returns the written bytes. The last byte is filled with zero bits.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = BitWriter::new();
        (0..40).for_each(|n| writer.ue(n * n));
        writer.align();
        writer.bits(0xdead_beef, 32);
        let bytes = writer.into_bytes();
        let mut reader = BitReader::new("test", &bytes);
        (0..40).for_each(|n| assert_eq!(reader.ue(), Ok(n * n)));
        reader.skip(reader.remaining() % 8).unwrap();
        assert_eq!((reader.bits(32), reader.remaining()), (Ok(0xdead_beef), 0));
    }
}
