//! Reads the fields of NUT: numbers of variable length, and bytes with their length.

/// The reason why bytes cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs::mix::children) struct Invalid(pub(super) &'static str);

/// Maximum number of bytes of a number: 63 bits.
const MAX_DIGITS: usize = 9;

/// Reads fields from the beginning of some bytes. `None` means that the bytes end before the field does.
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Returns the number of bytes that were read.
    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Returns the number of bytes that were not read.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(count)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_be_bytes)
    }

    /// Reads a number of 7 bits a byte, in at most [`MAX_DIGITS`] bytes.
    pub(super) fn v(&mut self) -> Result<Option<u64>, Invalid> {
        let mut value = 0u64;
        for _ in 0..MAX_DIGITS {
            let Some(byte) = self.u8() else { return Ok(None) };
            value = value << 7 | u64::from(byte & 0x7F);
            if byte & 0x80 == 0 {
                return Ok(Some(value));
            }
        }
        Err(Invalid("number"))
    }

    /// Reads a number that must be here.
    pub(super) fn need(&mut self) -> Result<u64, Invalid> {
        self.v()?.ok_or(Invalid("length of a packet"))
    }

    /// Reads a signed number that must be here.
    pub(super) fn need_signed(&mut self) -> Result<i64, Invalid> {
        let coded = self.need()? + 1;
        let value = (coded >> 1).cast_signed();
        Ok(if coded & 1 == 1 { -value } else { value })
    }

    /// Reads bytes that must be here.
    pub(super) fn need_bytes(&mut self) -> Result<&'a [u8], Invalid> {
        let length = usize::try_from(self.need()?).unwrap_or(usize::MAX);
        self.take(length).ok_or(Invalid("length of a packet"))
    }
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ffmpeg's NUT cannot be read: {}", self.0)
    }
}
