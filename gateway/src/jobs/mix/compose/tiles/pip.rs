//! Small tiles on a large one.

use crate::jobs::mix::compose::layout::{Corner, Pip};
use crate::jobs::mix::compose::rect::{Rect, even};

/// Returns the place of the large tile, which is the whole area, then those of the small ones. They begin in the corner
/// and follow each other along the vertical edge, then in further columns. If they have no room, they become smaller.
pub(super) fn places(area: Rect, n: usize, pip: &Pip, gap: u32) -> Vec<Rect> {
    let small = n.saturating_sub(1) as u32;
    let offset = even(pip.offset.unwrap_or(area.h / 40)).min(even(area.w.min(area.h) / 8));
    let inner = area.shrink(offset);
    let (mut w, mut h) = match (pip.width, pip.height) {
        (Some(w), Some(h)) => (w, h),
        (Some(w), None) => (w, w.saturating_mul(9) / 16),
        (None, Some(h)) => (h.saturating_mul(16) / 9, h),
        (None, None) => (area.w / 4, area.w / 4 * 9 / 16),
    };
    (w, h) = (even(w.clamp(2, inner.w)), even(h.clamp(2, inner.h)));
    let mut gap = gap;
    let per_column = loop {
        let per_column = (inner.h + gap) / (h + gap);
        if per_column * ((inner.w + gap) / (w + gap)) >= small {
            break per_column;
        }
        (w, h, gap) = (even(w * 9 / 10).max(2), even(h * 9 / 10).max(2), even(gap * 9 / 10));
    };
    let tile = |i: u32| {
        let (across, along) = ((i / per_column) * (w + gap), (i % per_column) * (h + gap));
        let (left, top) = match pip.corner {
            Corner::TopLeft => (true, true),
            Corner::TopRight => (false, true),
            Corner::BottomLeft => (true, false),
            Corner::BottomRight => (false, false),
        };
        let x = if left { inner.x + across } else { inner.right() - w - across };
        let y = if top { inner.y + along } else { inner.bottom() - h - along };
        Rect::new(x, y, w, h)
    };
    [vec![area], (0..small).map(tile).collect()].concat()
}
