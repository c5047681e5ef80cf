//! The canvas and the distances on it.

use crate::jobs::mix::compose::limits::{MAX_GAP, MAX_MARGIN};
use crate::jobs::mix::compose::rect::{Rect, even};

/// The canvas, its safe margin and the distance between two tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    width: u32,
    height: u32,
    margin: u8,
    gap: u32,
}

impl Stage {
    /// Creates a stage. `margin` is in per cent, the others are in pixels. A margin or gap beyond its bound is moved
    /// to the bound.
    pub fn new(width: u32, height: u32, margin: u8, gap: u32) -> Self {
        Self { width, height, margin: margin.min(MAX_MARGIN), gap: even(gap.min(MAX_GAP)) }
    }

    /// Returns the whole canvas.
    pub fn canvas(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    /// Returns the canvas without its margin.
    pub fn area(&self) -> Rect {
        let rest = 100 - 2 * u32::from(self.margin);
        self.canvas().middle(self.width * rest / 100, self.height * rest / 100)
    }

    /// Returns the distance between two tiles in pixels.
    pub const fn gap(&self) -> u32 {
        self.gap
    }
}
