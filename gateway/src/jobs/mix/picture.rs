//! Uncompressed pictures.

use bytes::Bytes;

/// An uncompressed picture in I420 (8 bits, limited range): the planes Y, U and V one after the other, without
/// padding. Cloning copies no media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    data: Bytes,
}

impl Picture {
    /// Creates a picture. Returns `None` if the size is odd or zero, or does not match the length of `data`.
    pub fn new(width: u32, height: u32, data: Bytes) -> Option<Self> {
        let even = width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2);
        (even && data.len() == Self::bytes(width, height)).then_some(Self { width, height, data })
    }

    /// Returns the number of bytes of a picture of this size.
    pub const fn bytes(width: u32, height: u32) -> usize {
        width as usize * height as usize * 3 / 2
    }

    /// Returns the width in pixels, an even number.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels, an even number.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Returns the three planes.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// Returns the planes Y, U and V. The rows of U and V have half the width.
    pub fn planes(&self) -> [&[u8]; 3] {
        let luma = self.width as usize * self.height as usize;
        let (y, chroma) = self.data.split_at(luma);
        let (u, v) = chroma.split_at(luma / 4);
        [y, u, v]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_three_planes_of_its_size() {
        let picture = Picture::new(4, 2, Bytes::from_static(&[1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3])).unwrap();
        let [y, u, v] = picture.planes();
        assert_eq!((y, u, v), (&[1; 8][..], &[2; 2][..], &[3; 2][..]));
        assert!(Picture::new(4, 2, Bytes::from_static(&[0; 11])).is_none());
        assert!(Picture::new(3, 4, Bytes::from_static(&[0; 18])).is_none(), "an odd width");
        assert!(Picture::new(0, 0, Bytes::new()).is_none());
    }
}
