//! A large tile beside a strip of small ones.

use super::grid;
use crate::jobs::mix::compose::rect::{Rect, divide, even};

/// Part of the longer side that the strip takes, per cent.
const STRIP: u32 = 22;

/// Returns the place of the large tile, then those of the small ones. The strip is on the right, or at the bottom of
/// a canvas in portrait format.
pub(super) fn places(area: Rect, n: usize, gap: u32) -> Vec<Rect> {
    if n <= 1 {
        return vec![area; n];
    }
    let (_, gap) = divide(area.w.max(area.h), 2, gap);
    let (large, small) = if area.w >= area.h {
        let strip = even(area.w * STRIP / 100);
        (
            Rect::new(area.x, area.y, area.w - strip - gap, area.h),
            Rect::new(area.right() - strip, area.y, strip, area.h),
        )
    } else {
        let strip = even(area.h * STRIP / 100);
        (
            Rect::new(area.x, area.y, area.w, area.h - strip - gap),
            Rect::new(area.x, area.bottom() - strip, area.w, strip),
        )
    };
    // A single small tile would have the shape of the strip.
    let small = if n == 2 { vec![small.with_aspect(16, 9)] } else { grid::places(small, n - 1, gap) };
    [vec![large], small].concat()
}
