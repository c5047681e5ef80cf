//! Rectangles of even pixels.

/// A rectangle in pixels. All four numbers are even, because the planes U and V have half the resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 2.
    pub w: u32,
    /// Height, at least 2.
    pub h: u32,
}

/// Rounds down to an even number.
pub(super) const fn even(n: u32) -> u32 {
    n & !1
}

impl Rect {
    /// Creates a rectangle. The position is rounded down to even numbers, and the size too, but to no less than 2.
    pub fn new(x: u32, y: u32, w: u32, h: u32) -> Self {
        Self { x: even(x), y: even(y), w: even(w).max(2), h: even(h).max(2) }
    }

    /// Returns the first column to the right.
    pub const fn right(&self) -> u32 {
        self.x + self.w
    }

    /// Returns the first row below.
    pub const fn bottom(&self) -> u32 {
        self.y + self.h
    }

    /// Returns whether the other rectangle lies within this one.
    pub const fn contains(&self, other: &Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// Returns whether the two have a pixel in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// Returns a rectangle of this size, or less, in the middle of this one.
    pub fn middle(&self, w: u32, h: u32) -> Self {
        let (w, h) = (even(w.min(self.w)).max(2), even(h.min(self.h)).max(2));
        Self::new(self.x + (self.w - w) / 2, self.y + (self.h - h) / 2, w, h)
    }

    /// Returns the rectangle made smaller by so many pixels on each side.
    pub fn shrink(&self, by: u32) -> Self {
        self.middle(self.w.saturating_sub(2 * by), self.h.saturating_sub(2 * by))
    }

    /// Returns the largest rectangle of this aspect ratio in the middle of this one.
    pub fn with_aspect(&self, w: u32, h: u32) -> Self {
        let (w, h) = (u64::from(w.max(1)), u64::from(h.max(1)));
        let (width, height) = (u64::from(self.w), u64::from(self.h));
        if width * h > height * w {
            self.middle((height * w / h) as u32, self.h)
        } else {
            self.middle(self.w, (width * h / w) as u32)
        }
    }

    /// Divides the rectangle from left to right into `n` equal columns with `gap` pixels between them.
    pub(super) fn columns(&self, n: u32, gap: u32) -> impl Iterator<Item = Self> + use<> {
        let (one, gap) = divide(self.w, n, gap);
        let rect = Self { x: self.x + even((self.w - n * one - (n - 1) * gap) / 2), ..*self };
        (0..n).map(move |i| Self { x: rect.x + i * (one + gap), w: one, ..rect })
    }

    /// Divides the rectangle from top to bottom into `n` equal rows with `gap` pixels between them.
    pub(super) fn rows(&self, n: u32, gap: u32) -> impl Iterator<Item = Self> + use<> {
        let turned = Self { x: self.y, y: self.x, w: self.h, h: self.w };
        turned.columns(n, gap).map(|r| Self { x: r.y, y: r.x, w: r.h, h: r.w })
    }
}

/// Returns the even length of `n` parts and of the gap between them. The gap takes a fifth of the whole at most.
pub(super) fn divide(whole: u32, n: u32, gap: u32) -> (u32, u32) {
    let gap = even(gap.min(whole / (5 * n)));
    (even((whole - (n - 1) * gap) / n), gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_are_even() {
        assert_eq!(Rect::new(3, 5, 7, 1), Rect { x: 2, y: 4, w: 6, h: 2 });
        let canvas = Rect::new(0, 0, 1280, 720);
        assert_eq!(canvas.with_aspect(4, 3), Rect::new(160, 0, 960, 720));
        assert_eq!(canvas.with_aspect(32, 9), Rect::new(0, 180, 1280, 360));
        assert_eq!(canvas.shrink(10), Rect::new(10, 10, 1260, 700));
        assert_eq!(Rect::new(0, 0, 4, 4).shrink(10), Rect::new(0, 0, 2, 2));
        let columns: Vec<Rect> = canvas.columns(3, 8).collect();
        assert_eq!(
            columns,
            [0, 428, 856].map(|x| Rect::new(x, 0, 420, 720)).map(|r| Rect { x: r.x + 2, ..r })
        );
        assert!(canvas.rows(2, 0).eq([Rect::new(0, 0, 1280, 360), Rect::new(0, 360, 1280, 360)]));
    }
}
