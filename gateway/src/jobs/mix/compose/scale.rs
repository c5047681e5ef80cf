//! Scales pictures to the size of their tiles.

use pixels::Part;

use super::frame::{Frame, samples};
use super::layout::Fit;
use super::rect::{Rect, even};
use crate::jobs::mix::Picture;

/// Side of the picture behind a camera in portrait format, before it is enlarged to the tile: its blur.
const BLURRED: u32 = 32;
/// Brightness of that picture, of 256.
const DIMMED: u16 = 110;

/// Which part of a picture is drawn, and where in its tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    /// The part of the picture.
    pub(super) crop: Rect,
    /// The place relative to the tile.
    pub(super) at: Rect,
    /// Whether the rest of the tile shows the blurred picture.
    pub(super) blurred: bool,
}

/// Decides how a picture fits into a tile.
pub(super) fn place(picture: &Picture, tile: Rect, fit: Fit, screen: bool) -> Placement {
    let whole = Rect::new(0, 0, picture.width(), picture.height());
    let tile = Rect { x: 0, y: 0, ..tile };
    let portrait = whole.w < whole.h && tile.w > tile.h;
    let contain = |blurred| Placement { crop: whole, at: tile.with_aspect(whole.w, whole.h), blurred };
    match fit {
        Fit::Auto if screen => contain(false),
        Fit::Auto if portrait => contain(true),
        Fit::Contain => contain(false),
        Fit::Auto | Fit::Cover => Placement { crop: cover(whole, tile), at: tile, blurred: false },
        Fit::Stretch => Placement { crop: whole, at: tile, blurred: false },
    }
}

/// Returns the part of a picture that fills a tile. A picture that is hardly larger than the tile loses its edges instead
/// of its sharpness, and need not be scaled: 640x360 in a grid with gaps. The same holds for a picture that is hardly
/// larger than twice the tile, or another whole factor: averages of squares are the fastest way to make it smaller.
fn cover(whole: Rect, tile: Rect) -> Rect {
    let hardly = |whole: u32, part: u32| (part..=part + part / 16).contains(&whole);
    let fits = |n: &u32| hardly(whole.w, n * tile.w) && hardly(whole.h, n * tile.h);
    match (1..=pixels::LARGEST_FACTOR).find(fits) {
        Some(n) => whole.middle(n * tile.w, n * tile.h),
        None => whole.with_aspect(tile.w, tile.h),
    }
}

/// Scales I420 pictures.
#[derive(Debug, Default)]
pub(super) struct Scaler {
    scaler: pixels::Scaler,
    small: Vec<u8>,
}

impl Scaler {
    /// Draws a picture as it is placed into a frame that has the size of the tile.
    pub(super) fn draw(&mut self, picture: &Picture, placement: Placement, frame: &mut Frame<'_>) {
        if placement.blurred {
            self.blur(picture, frame);
        }
        self.scale((picture.width(), picture.planes()), placement.crop, frame, placement.at);
    }

    /// Scales a part of a picture, given by its width and planes, into a rectangle of the frame.
    fn scale(&mut self, picture: (u32, [&[u8]; 3]), crop: Rect, frame: &mut Frame<'_>, to: Rect) {
        for (n, source) in picture.1.into_iter().enumerate() {
            let width = if n == 0 { picture.0 } else { picture.0 / 2 };
            let plane = frame.plane(n);
            let stride = plane.stride as u32;
            let done = self.scaler.scale((source, width), part(crop, n), (plane.data, stride), part(to, n));
            // The rectangles are inside their pictures. If they were not, the tile would stay as it is.
            debug_assert_eq!(done, Ok(()), "{crop:?} -> {to:?}");
        }
    }

    /// Fills the frame with the picture, dark and blurred.
    fn blur(&mut self, picture: &Picture, frame: &mut Frame<'_>) {
        let crop = Rect::new(0, 0, picture.width(), picture.height()).with_aspect(frame.width, frame.height);
        let tiny = Rect::new(0, 0, BLURRED, even(BLURRED * frame.height / frame.width));
        let mut small = std::mem::take(&mut self.small);
        small.resize(Picture::bytes(tiny.w, tiny.h), 0);
        self.scale(
            (picture.width(), picture.planes()),
            crop,
            &mut Frame::new(tiny.w, tiny.h, &mut small),
            tiny,
        );
        let (y, chroma) = small.split_at_mut((tiny.w * tiny.h) as usize);
        pixels::dim(y, 16, DIMMED);
        pixels::dim(chroma, 128, DIMMED);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        self.scale((tiny.w, [y, u, v]), tiny, frame, frame.area());
        self.small = small;
    }
}

/// Returns a rectangle in samples of a plane.
fn part(rect: Rect, plane: usize) -> Part {
    let [x, y, w, h] = samples(rect, plane).map(|n| n as u32);
    Part { x, y, w, h }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_hardly_larger_loses_its_edges() {
        let tile = Rect::new(0, 0, 636, 356);
        for (w, h, crop) in [
            (640, 360, Rect::new(2, 2, 636, 356)),
            (636, 356, tile),
            (1280, 720, Rect::new(4, 4, 1272, 712)),
            (1920, 1080, Rect::new(6, 6, 1908, 1068)),
            (1400, 720, Rect::new(56, 0, 1286, 720)),
            (634, 356, Rect::new(0, 0, 634, 354)),
            (640, 480, Rect::new(0, 60, 640, 358)),
        ] {
            assert_eq!(cover(Rect::new(0, 0, w, h), tile), crop, "{w}x{h}");
        }
    }
}
