//! The look of a mix.

use super::colour::Colour;
use super::layout::{Layout, LayoutError};
use super::limits::{MAX_GAP, MAX_MARGIN};
use crate::jobs::mix::Picture;

/// The look of a mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Where the inputs are.
    pub layout: Layout,
    /// Whether each input has its name at the lower edge.
    pub names: bool,
    /// The background behind the inputs.
    pub background: Background,
    /// Part of the canvas that stays free on each side, per cent. A layout by coordinates ignores it.
    pub margin: u8,
    /// Distance between two inputs in pixels.
    pub gap: u32,
    /// Whether the input that speaks has a border.
    pub border: bool,
    /// Whether a change of the layout fades in during 200 ms. Otherwise it cuts.
    pub fade: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            layout: Layout::Grid,
            names: true,
            background: Background::Colour(Colour::new(0x14_1720)),
            margin: 0,
            gap: 8,
            border: true,
            fade: true,
        }
    }
}

impl Look {
    /// Returns an error if a number is out of its bounds, or a region outside a canvas of this size.
    ///
    /// The compositor draws every look without an error. It moves such numbers into their bounds.
    pub fn check(&self, width: u32, height: u32) -> Result<(), LayoutError> {
        if self.margin > MAX_MARGIN {
            return Err(LayoutError::new(format!(
                "the margin is {} per cent; {MAX_MARGIN} are possible",
                self.margin
            )));
        }
        if self.gap > MAX_GAP {
            return Err(LayoutError::new(format!("the gap has {} pixels; {MAX_GAP} are possible", self.gap)));
        }
        self.layout.check(width, height)
    }
}

/// The background behind the inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Background {
    /// One colour.
    Colour(Colour),
    /// A picture that covers the canvas; what has no room is cut off.
    Picture(Picture),
}
