//! Tiles of equal size.

use crate::jobs::mix::compose::rect::{Rect, divide};

/// Returns `n` rectangles of equal size in rows; the last row is in the middle if it is shorter. The number of columns
/// is the one with the largest tiles. Their aspect ratio is between 4:3 and 16:9, because cameras have those; a single
/// tile has the whole area.
pub(super) fn places(area: Rect, n: usize, gap: u32) -> Vec<Rect> {
    if n <= 1 {
        return vec![area; n];
    }
    let n = n as u32;
    let (columns, tile) = best(area, n, gap);
    let rows = n.div_ceil(columns);
    let gap = divide(area.w, columns, gap).1.min(divide(area.h, rows, gap).1);
    let block = |count, one| count * one + (count - 1) * gap;
    let top = area.middle(2, block(rows, tile.h)).y;
    (0..n)
        .map(|i| {
            let (row, column) = (i / columns, i % columns);
            let in_row = columns.min(n - row * columns);
            let left = area.middle(block(in_row, tile.w), 2).x;
            Rect::new(left + column * (tile.w + gap), top + row * (tile.h + gap), tile.w, tile.h)
        })
        .collect()
}

/// Returns the best number of columns, and the size of a tile. Of equal ones, more columns are better.
fn best(area: Rect, n: u32, gap: u32) -> (u32, Rect) {
    let size = |columns: u32| {
        let (w, _) = divide(area.w, columns, gap);
        let (h, _) = divide(area.h, n.div_ceil(columns), gap);
        let cell = Rect::new(0, 0, w, h);
        if w * 9 > h * 16 {
            cell.with_aspect(16, 9)
        } else if w * 3 < h * 4 {
            cell.with_aspect(4, 3)
        } else {
            cell
        }
    };
    let all = (1..=n).map(|columns| (columns, size(columns)));
    all.max_by_key(|(_, tile)| tile.w * tile.h).unwrap_or((1, area))
}
