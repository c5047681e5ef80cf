//! Scales pictures to the size of their tiles.

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::frame::Frame;
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
        Fit::Auto | Fit::Cover => {
            Placement { crop: whole.with_aspect(tile.w, tile.h), at: tile, blurred: false }
        }
        Fit::Stretch => Placement { crop: whole, at: tile, blurred: false },
    }
}

/// Scales I420 pictures.
#[derive(Debug, Default)]
pub(super) struct Scaler {
    resizer: Resizer,
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
            let half = |length: u32| if n == 0 { length } else { length / 2 };
            let [x, y, w, h] = [crop.x, crop.y, crop.w, crop.h].map(|n| f64::from(half(n)));
            let options = ResizeOptions::new().resize_alg(algorithm(crop, to)).crop(x, y, w, h);
            let width = half(picture.0);
            let height = source.len() as u32 / width;
            let (out_width, out_height) = (half(frame.width), half(frame.height));
            let plane = frame.plane(n);
            // Neither can fail: the planes have these sizes, and the rectangles are inside them. A failure leaves
            // the tile as it is.
            let Ok(from) = TypedImageRef::<U8>::from_buffer(width, height, source) else { continue };
            let Ok(image) = TypedImage::<U8>::from_buffer(out_width, out_height, plane.data) else {
                continue;
            };
            let part = TypedCroppedImageMut::new(image, half(to.x), half(to.y), half(to.w), half(to.h));
            let Ok(mut part) = part else { continue };
            let done = self.resizer.resize_typed(&from, &mut part, &options);
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
        let dim = |n: &mut u8, zero: u16| {
            *n = ((u16::from(*n) * DIMMED + zero * (256 - DIMMED)) >> 8) as u8;
        };
        y.iter_mut().for_each(|y| dim(y, 16));
        chroma.iter_mut().for_each(|c| dim(c, 128));
        let (u, v) = chroma.split_at(chroma.len() / 2);
        self.scale((tiny.w, [y, u, v]), tiny, frame, frame.area());
        self.small = small;
    }
}

/// Chooses the filter.
fn algorithm(_crop: Rect, _to: Rect) -> ResizeAlg {
    ResizeAlg::Convolution(FilterType::Bilinear)
}
