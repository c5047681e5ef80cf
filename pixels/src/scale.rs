//! Scaling.

use std::fmt;

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// A part of a plane, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub w: u32,
    /// Height.
    pub h: u32,
}

/// A part does not lie inside its plane, or a plane has not the width that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInside;

impl fmt::Display for NotInside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the part lies outside its plane")
    }
}

impl std::error::Error for NotInside {}

/// Scales planes of 8-bit samples. It keeps a buffer from one call to the next.
#[derive(Debug, Default)]
pub struct Scaler(Resizer);

impl Scaler {
    /// Scales a part of the plane `from` into a part of the plane `to`. Both planes have their width beside them. Parts
    /// of equal size are copied. Enlarging uses the samples next to the part too.
    pub fn scale(
        &mut self,
        from: (&[u8], u32),
        part: Part,
        to: (&mut [u8], u32),
        at: Part,
    ) -> Result<(), NotInside> {
        let height = |length: usize, width: u32| length as u32 / width.max(1);
        let (from_height, to_height) = (height(from.0.len(), from.1), height(to.0.len(), to.1));
        let source = TypedImageRef::<U8>::from_buffer(from.1, from_height, from.0).map_err(|_| NotInside)?;
        let target = TypedImage::<U8>::from_buffer(to.1, to_height, to.0).map_err(|_| NotInside)?;
        let mut target = TypedCroppedImageMut::new(target, at.x, at.y, at.w, at.h).map_err(|_| NotInside)?;
        let [x, y, w, h] = [part.x, part.y, part.w, part.h].map(f64::from);
        let options = ResizeOptions::new().resize_alg(algorithm(part, at)).crop(x, y, w, h);
        self.0.resize_typed(&source, &mut target, &options).map_err(|_| NotInside)
    }
}

/// Chooses the fastest filter that looks good. From half the size downwards, that is the average of the covered samples
/// (720p to 360p: 0.41 ms, bilinear 0.55 ms); two samples in each direction are enough for anything larger.
fn algorithm(from: Part, to: Part) -> ResizeAlg {
    if from.w >= 2 * to.w && from.h >= 2 * to.h {
        ResizeAlg::Convolution(FilterType::Box)
    } else if from.w > 2 * to.w || from.h > 2 * to.h {
        ResizeAlg::Convolution(FilterType::Bilinear)
    } else {
        ResizeAlg::Interpolation(FilterType::Bilinear)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(x: u32, y: u32, w: u32, h: u32) -> Part {
        Part { x, y, w, h }
    }

    #[test]
    fn only_the_target_part_is_written() {
        let from: Vec<u8> = (0..8 * 8).map(|n| if n % 8 < 4 { 50 } else { 90 }).collect();
        for (w, h) in [(2, 2), (4, 8), (1, 1), (3, 7)] {
            let mut to = vec![1; 10 * 10];
            Scaler::default().scale((&from, 8), part(4, 0, 4, 8), (&mut to, 10), part(2, 1, w, h)).unwrap();
            let inside =
                |n: usize| (2..2 + w).contains(&(n as u32 % 10)) && (1..1 + h).contains(&(n as u32 / 10));
            assert!(
                to.iter().enumerate().all(|(n, s)| *s == if inside(n) { 90 } else { 1 }),
                "{w}x{h}: {to:?}"
            );
        }
    }

    #[test]
    fn half_the_size_is_the_average() {
        let mut to = [0; 4];
        let from = [10, 20, 30, 40, 50, 60, 70, 80, 0, 0, 8, 8, 4, 4, 8, 8];
        Scaler::default().scale((&from, 4), part(0, 0, 4, 4), (&mut to, 2), part(0, 0, 2, 2)).unwrap();
        assert_eq!(to, [35, 55, 2, 8]);
    }

    #[test]
    fn parts_outside_their_planes_are_refused() {
        let mut to = [0; 16];
        let mut scale =
            |from: Part, width, at: Part| Scaler::default().scale((&[9; 16], width), from, (&mut to, 4), at);
        assert_eq!(scale(part(0, 0, 4, 4), 4, part(0, 0, 4, 4)), Ok(()));
        assert_eq!(scale(part(2, 0, 4, 4), 4, part(0, 0, 2, 2)), Err(NotInside));
        assert_eq!(scale(part(0, 0, 4, 4), 4, part(0, 3, 2, 2)), Err(NotInside));
        assert_eq!(scale(part(0, 0, 4, 4), 400, part(0, 0, 2, 2)), Err(NotInside));
        assert_eq!(scale(part(0, 0, 4, 4), 0, part(0, 0, 2, 2)), Err(NotInside));
    }
}
