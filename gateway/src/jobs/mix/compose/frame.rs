//! Drawing into an I420 picture.

use super::rect::Rect;

/// An I420 picture that is being drawn.
pub(super) struct Frame<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    planes: [&'a mut [u8]; 3],
}

/// A plane of a [`Frame`].
pub(super) struct Plane<'a> {
    pub(super) stride: usize,
    pub(super) data: &'a mut [u8],
}

impl<'a> Frame<'a> {
    /// Wraps the three planes, which `data` contains one after the other.
    pub(super) fn new(width: u32, height: u32, data: &'a mut [u8]) -> Self {
        let luma = width as usize * height as usize;
        let (y, chroma) = data.split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        Self { width, height, planes: [y, u, v] }
    }

    /// Returns the whole as a rectangle.
    pub(super) const fn area(&self) -> Rect {
        Rect { x: 0, y: 0, w: self.width, h: self.height }
    }

    /// Returns plane 0 (Y), 1 (U) or 2 (V).
    pub(super) fn plane(&mut self, n: usize) -> Plane<'_> {
        let stride = self.width as usize / if n == 0 { 1 } else { 2 };
        Plane { stride, data: self.planes[n] }
    }

    /// Fills a rectangle with one colour.
    pub(super) fn fill(&mut self, rect: Rect, yuv: [u8; 3]) {
        for (n, sample) in yuv.into_iter().enumerate() {
            let [x, y, w, h] = samples(rect, n);
            let plane = self.plane(n);
            for row in plane.data.chunks_exact_mut(plane.stride).skip(y).take(h) {
                row[x..x + w].fill(sample);
            }
        }
    }

    /// Draws the edges of a rectangle, inside it.
    pub(super) fn outline(&mut self, rect: Rect, thickness: u32, yuv: [u8; 3]) {
        let (w, h) = (thickness.min(rect.w / 2), thickness.min(rect.h / 2));
        for edge in [
            Rect::new(rect.x, rect.y, rect.w, h),
            Rect::new(rect.x, rect.bottom() - h, rect.w, h),
            Rect::new(rect.x, rect.y, w, rect.h),
            Rect::new(rect.right() - w, rect.y, w, rect.h),
        ] {
            self.fill(edge, yuv);
        }
    }

    /// Copies an I420 picture of the rectangle's size into it.
    pub(super) fn blit(&mut self, rect: Rect, picture: &[u8]) {
        let luma = rect.w as usize * rect.h as usize;
        for (n, from) in [0, luma, luma + luma / 4].into_iter().enumerate() {
            let [x, y, w, h] = samples(rect, n);
            let plane = self.plane(n);
            let rows = plane.data.chunks_exact_mut(plane.stride).skip(y).take(h);
            for (row, new) in rows.zip(picture[from..].chunks_exact(w)) {
                row[x..x + w].copy_from_slice(new);
            }
        }
    }
}

/// Returns x, y, width and height of a rectangle in samples of a plane.
pub(super) fn samples(rect: Rect, plane: usize) -> [usize; 4] {
    let shift = u32::from(plane != 0);
    [rect.x, rect.y, rect.w, rect.h].map(|n| (n >> shift) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawing_stays_inside_its_rectangle() {
        let rect = Rect::new(2, 2, 4, 2);
        let mut filled = vec![0; 8 * 6 * 3 / 2];
        Frame::new(8, 6, &mut filled).fill(rect, [7, 8, 9]);
        let mut copied = vec![0; 8 * 6 * 3 / 2];
        Frame::new(8, 6, &mut copied).blit(rect, &[7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 9, 9]);
        assert_eq!(filled, copied);
        let count = |sample| filled.iter().filter(|s| **s == sample).count();
        assert_eq!([7, 8, 9].map(count), [8, 2, 2]);
        assert_eq!((filled[2 * 8 + 2], filled[3 * 8 + 5], filled[48 + 4 + 1]), (7, 7, 8));
    }

    #[test]
    fn an_outline_leaves_the_middle() {
        let mut data = vec![0; 16 * 16 * 3 / 2];
        Frame::new(16, 16, &mut data).outline(Rect::new(2, 2, 12, 12), 2, [9, 9, 9]);
        assert_eq!((data[2 * 16 + 2], data[4 * 16 + 4], data[13 * 16 + 13], data[0]), (9, 0, 9, 0));
        let mut tiny = vec![0; 6];
        Frame::new(2, 2, &mut tiny).outline(Rect::new(0, 0, 2, 2), 8, [9, 9, 9]);
        assert_eq!(tiny, [9; 6]);
    }
}
