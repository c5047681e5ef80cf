//! Composes pictures: layouts, scaling, names and fades.
//!
//! [`Compositor`] draws the newest pictures of the inputs ([`Source`]) as a [`Look`] says. Everything is I420 in the
//! limited range of BT.709. It has no clock, no thread and no child process, and reads files only in [`Fonts::load`].

mod backdrop;
mod cache;
mod card;
mod colour;
mod compositor;
mod fade;
mod frame;
mod layout;
mod layout_text;
mod limits;
mod look;
mod rect;
mod scale;
mod source;
mod speaker;
#[cfg(test)]
mod tests;
mod text;
mod tiles;

pub use colour::{Colour, NotAColour};
pub use compositor::Compositor;
pub use fade::FADE;
pub use layout::{Corner, Fit, Layout, LayoutError, Pip, Region, RegionSource};
pub use layout_text::LAYOUTS;
pub use limits::{
    BadSize, MAX_FONT_BYTES, MAX_GAP, MAX_LABELS, MAX_MARGIN, MAX_NAME, MAX_REGIONS, MAX_SHORT_SIDE,
    MAX_SIDE, MAX_SOURCES, MIN_SIDE, check_size,
};
pub use look::{Background, Look};
pub use rect::Rect;
pub use source::{SILENT, Source};
pub use speaker::{HOLD, LOUDER_BY, LOUDER_FOR, SPEECH};
pub use text::{FontError, Fonts};
pub use tiles::{Stage, Tile, tiles};
