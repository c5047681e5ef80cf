//! Shapes of one colour.

use crate::jobs::mix::compose::frame::{Frame, samples};
use crate::jobs::mix::compose::rect::Rect;

/// How much of each pixel a shape covers, 0 to 255, in luma and in chroma resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs::mix::compose) struct Mask {
    w: u32,
    h: u32,
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Mask {
    /// Creates a mask of even size from the coverage of its pixels.
    pub(super) fn new(w: u32, h: u32, luma: Vec<u8>) -> Self {
        let width = w as usize;
        let chroma = luma.chunks_exact(2 * width).flat_map(|rows| {
            let (upper, lower) = rows.split_at(width);
            upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(|(a, b)| {
                let sum: u32 = [a[0], a[1], b[0], b[1]].map(u32::from).iter().sum();
                ((sum + 2) / 4) as u8
            })
        });
        Self { w, h, chroma: chroma.collect(), luma }
    }

    pub(in crate::jobs::mix::compose) const fn width(&self) -> u32 {
        self.w
    }

    pub(in crate::jobs::mix::compose) const fn height(&self) -> u32 {
        self.h
    }

    /// Creates a rectangle with round corners, with smooth edges. A radius of half the side makes a circle.
    pub(in crate::jobs::mix::compose) fn round(w: u32, h: u32, radius: f32, opacity: u8) -> Self {
        // A pixel reaches half a pixel around its centre.
        let radius = radius.max(0.5);
        let (right, bottom) = (w as f32 - radius, h as f32 - radius);
        let pixels = (0..h).flat_map(|y| (0..w).map(move |x| (x as f32 + 0.5, y as f32 + 0.5)));
        let luma = pixels.map(|(x, y)| {
            // The distance beyond the rectangle on which the corners' circles have their centres.
            let dx = (radius - x).max(x - right).max(0.0);
            let dy = (radius - y).max(y - bottom).max(0.0);
            let cover = (radius - dx.hypot(dy) + 0.5).clamp(0.0, 1.0);
            (cover * f32::from(opacity)).round() as u8
        });
        Self::new(w, h, luma.collect())
    }

    /// Draws the shape in a colour. The parts outside `clip` are not drawn.
    pub(in crate::jobs::mix::compose) fn draw(
        &self,
        frame: &mut Frame<'_>,
        x: u32,
        y: u32,
        clip: Rect,
        yuv: [u8; 3],
    ) {
        let area = frame.area();
        let right = (x + self.w).min(clip.right()).min(area.w);
        let bottom = (y + self.h).min(clip.bottom()).min(area.h);
        if x < clip.x || y < clip.y || x + 2 > right || y + 2 > bottom {
            return;
        }
        let rect = Rect::new(x, y, right - x, bottom - y);
        for (n, sample) in yuv.into_iter().enumerate() {
            let (mask, stride) =
                if n == 0 { (&self.luma, self.w as usize) } else { (&self.chroma, self.w as usize / 2) };
            let [x, y, w, h] = samples(rect, n);
            let plane = frame.plane(n);
            let rows = plane.data.chunks_exact_mut(plane.stride).skip(y).take(h);
            for (row, cover) in rows.zip(mask.chunks_exact(stride)) {
                pixels::tint(&mut row[x..x + w], cover, sample);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_its_colour_inside_and_none_outside() {
        let mask = Mask::round(16, 16, 8.0, 255);
        assert_eq!((mask.luma[8 * 16 + 8], mask.luma[0], mask.chroma[0]), (255, 0, 0));
        assert_eq!(Mask::round(8, 4, 0.0, 100).luma, [100; 32]);
        let mut data = vec![50; 32 * 16 * 3 / 2];
        mask.draw(&mut Frame::new(32, 16, &mut data), 16, 0, Rect::new(0, 0, 32, 16), [200, 90, 100]);
        assert_eq!((data[8 * 32 + 24], data[8 * 32 + 8], data[0]), (200, 50, 50));
        assert_eq!((data[512 + 4 * 16 + 12], data[640 + 4 * 16 + 12], data[640 + 4 * 16 + 3]), (90, 100, 50));
    }

    #[test]
    fn a_shape_stays_inside_its_clip() {
        let mask = Mask::round(16, 16, 0.0, 255);
        let mut data = vec![0; 16 * 16 * 3 / 2];
        let clip = Rect::new(4, 4, 6, 6);
        mask.draw(&mut Frame::new(16, 16, &mut data), 6, 6, clip, [9; 3]);
        mask.draw(&mut Frame::new(16, 16, &mut data), 2, 2, clip, [9; 3]);
        mask.draw(&mut Frame::new(16, 16, &mut data), 400, 400, Rect::new(400, 400, 9, 9), [9; 3]);
        assert_eq!(data.iter().filter(|sample| **sample == 9).count(), 16 + 4 + 4);
    }
}
