//! Text as pixels.

mod fonts;
mod label;
mod mask;
mod run;

pub use fonts::{FontError, Fonts};
pub(super) use label::Labels;
pub(super) use mask::Mask;
pub(super) use run::{initials, shorten, start};
