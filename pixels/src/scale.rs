//! Scaling.

use std::fmt;

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// Largest whole factor by which planes are reduced without a filter of their own.
pub const LARGEST_FACTOR: u32 = 4;

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

impl Part {
    fn is_inside(&self, width: u32, height: u32) -> bool {
        let end = |begin: u32, length: u32| begin.checked_add(length);
        end(self.x, self.w).is_some_and(|end| end <= width)
            && end(self.y, self.h).is_some_and(|end| end <= height)
    }
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

/// Reduces a part of a plane to `1/n` of its width and height: each sample is the average of `n` x `n` samples. `at`
/// has the size `part / n`, and both parts are inside their planes.
fn reduce(from: &[u8], stride: usize, part: Part, n: usize, to: &mut [u8], to_stride: usize, at: Part) {
    let [x, y, at_x, at_y, w, h] = [part.x, part.y, at.x, at.y, at.w, at.h].map(|one| one as usize);
    let target = to.chunks_exact_mut(to_stride).skip(at_y).take(h);
    for (row, target) in target.enumerate() {
        let begin = (y + row * n) * stride + x;
        let target = &mut target[at_x..at_x + w];
        if n == 2 {
            let (above, below) = (&from[begin..begin + 2 * w], &from[begin + stride..begin + stride + 2 * w]);
            halve(above, below, target);
            continue;
        }
        for (column, sample) in target.iter_mut().enumerate() {
            let first = begin + column * n;
            let rows = (0..n).map(|row| &from[first + row * stride..first + row * stride + n]);
            let sum: u32 = rows.flatten().map(|one| u32::from(*one)).sum();
            *sample = ((sum + (n * n / 2) as u32) / (n * n) as u32) as u8;
        }
    }
}

/// Averages the samples of two rows in squares of 2 x 2.
fn halve(above: &[u8], below: &[u8], to: &mut [u8]) {
    let rows = above.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (sample, ([a, b], [c, d])) in to.iter_mut().zip(rows) {
        *sample = ((u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d) + 2) >> 2) as u8;
    }
}

/// Returns the whole factor, 2 to [`LARGEST_FACTOR`], by which `to` is smaller than `from` in both directions.
fn factor(from: Part, to: Part) -> Option<usize> {
    let times = |part: u32, n: u32| part.checked_mul(n);
    let fits = |n: &u32| times(to.w, *n) == Some(from.w) && times(to.h, *n) == Some(from.h);
    (2..=LARGEST_FACTOR).find(fits).map(|n| n as usize)
}

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
        if let Some(n) = factor(part, at)
            && part.is_inside(from.1, from_height)
            && at.is_inside(to.1, to_height)
        {
            reduce(from.0, from.1 as usize, part, n, to.0, to.1 as usize, at);
            return Ok(());
        }
        let source = TypedImageRef::<U8>::from_buffer(from.1, from_height, from.0).map_err(|_| NotInside)?;
        let target = TypedImage::<U8>::from_buffer(to.1, to_height, to.0).map_err(|_| NotInside)?;
        let mut target = TypedCroppedImageMut::new(target, at.x, at.y, at.w, at.h).map_err(|_| NotInside)?;
        let [x, y, w, h] = [part.x, part.y, part.w, part.h].map(f64::from);
        let options = ResizeOptions::new().resize_alg(algorithm(part, at)).crop(x, y, w, h);
        self.0.resize_typed(&source, &mut target, &options).map_err(|_| NotInside)
    }
}

/// Chooses the fastest filter that looks good. From half the size downwards, that is the average of the covered samples;
/// two samples in each direction are enough for anything larger.
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
    fn whole_factors_are_averages_in_the_right_place() {
        let from: Vec<u8> = (0..40 * 30).map(|n| (n * 7 % 251) as u8).collect();
        for n in 2..=LARGEST_FACTOR {
            let mut to = vec![1; 20 * 20];
            let (source, target) = (part(3, 2, 6 * n, 5 * n), part(4, 7, 6, 5));
            Scaler::default().scale((&from, 40), source, (&mut to, 20), target).unwrap();
            for (at, sample) in to.iter().enumerate() {
                let (x, y) = (at as u32 % 20, at as u32 / 20);
                if !(4..10).contains(&x) || !(7..12).contains(&y) {
                    assert_eq!(*sample, 1, "{n}: {x} {y}");
                    continue;
                }
                let square = (0..n * n).map(|i| (3 + (x - 4) * n + i % n, 2 + (y - 7) * n + i / n));
                let sum: u32 = square.map(|(x, y)| u32::from(from[(y * 40 + x) as usize])).sum();
                assert_eq!(u32::from(*sample), (sum + n * n / 2) / (n * n), "{n}: {x} {y}");
            }
        }
        // The last row and column of a plane belong to it, and the next ones do not.
        let mut to = [0; 4];
        let mut scale =
            |from: Part| Scaler::default().scale((&[8; 16], 4), from, (&mut to, 2), part(0, 0, 2, 2));
        assert_eq!(scale(part(0, 0, 4, 4)), Ok(()));
        assert_eq!(scale(part(1, 0, 4, 4)), Err(NotInside));
        assert_eq!(scale(part(0, 1, 4, 4)), Err(NotInside));
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
