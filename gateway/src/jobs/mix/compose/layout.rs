//! The layouts, and their names in settings and messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::limits::MAX_REGIONS;

/// Where the inputs are on the canvas.
///
/// In JSON, a layout is a name (`"grid"`, `"speaker"`, `"side"`, `"pip"`, `"screen"`), `{"pip": {…}}` with the fields
/// of [`Pip`], or `{"regions": […]}` with [`Region`]s.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Layout {
    /// Tiles of equal size.
    #[default]
    Grid,
    /// The input that speaks is large; the others are in a strip.
    Speaker,
    /// Columns of equal width. On a canvas in portrait format: rows.
    SideBySide,
    /// The first input fills the canvas; the others are small, in a corner.
    PictureInPicture(Pip),
    /// A shared screen is large; the others are in a strip. Without a shared screen, this is [`Layout::Speaker`].
    Screen,
    /// Each region shows one input. Inputs without a region are not drawn.
    Regions(Vec<Region>),
}

/// The small pictures of [`Layout::PictureInPicture`].
///
/// FFmpeg's `[1:v]scale=w=96:h=72[b];[0:v][b]overlay=x=W-w-10:y=H-h-10` is
/// `{"width": 96, "height": 72, "offset": 10, "fit": "stretch"}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pip {
    /// The corner where they begin. Further ones follow along the vertical edge.
    pub corner: Corner,
    /// Width in pixels. Default: a quarter of the canvas, less if there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels. Default: 16:9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Distance to the edges in pixels. Default: a fortieth of the height of the canvas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u32>,
    /// How the pictures fit.
    pub fit: Fit,
}

/// A corner of the canvas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corner {
    /// Top left.
    TopLeft,
    /// Top right.
    TopRight,
    /// Bottom left.
    BottomLeft,
    /// Bottom right.
    #[default]
    BottomRight,
}

/// A place on the canvas, in pixels. Odd numbers are rounded down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The input that is drawn there. Nothing is drawn while it is missing.
    pub source: RegionSource,
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width.
    pub w: u32,
    /// Height.
    pub h: u32,
    /// How the picture fits.
    #[serde(default)]
    pub fit: Fit,
}

/// The input of a region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "the source of a region is a number (0 is the first) or an identifier")]
pub enum RegionSource {
    /// The position in the list of inputs, from 0.
    Index(usize),
    /// The identifier.
    Id(String),
}

/// How a picture fits into a tile of another aspect ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// A shared screen is [`Fit::Contain`], a camera is [`Fit::Cover`]. A camera in portrait format is shown whole
    /// in a tile in landscape format, before its own blurred picture.
    #[default]
    Auto,
    /// The picture fills the tile; what has no room is cut off.
    Cover,
    /// The whole picture is shown; the rest of the tile stays free.
    Contain,
    /// The whole picture fills the tile, distorted.
    Stretch,
}

/// A layout is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutError(String);

impl LayoutError {
    pub(super) const fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LayoutError {}

impl Layout {
    /// Returns an error if the layout does not fit on a canvas of this size.
    pub fn check(&self, width: u32, height: u32) -> Result<(), LayoutError> {
        let canvas = |what: &str| LayoutError::new(format!("{what} the canvas of {width}x{height}"));
        match self {
            Self::PictureInPicture(pip) => {
                let (w, h, offset) =
                    (pip.width.unwrap_or(2), pip.height.unwrap_or(2), pip.offset.unwrap_or(0));
                if w < 2 || h < 2 {
                    return Err(LayoutError::new(format!(
                        "the small picture has {w}x{h} pixels, and needs at least 2x2"
                    )));
                }
                let inside = |n: u32, whole| n.checked_add(offset).is_some_and(|end| end <= whole);
                if inside(w, width) && inside(h, height) {
                    Ok(())
                } else {
                    Err(canvas("the small picture is larger than"))
                }
            }
            Self::Regions(regions) => {
                if regions.is_empty() || regions.len() > MAX_REGIONS {
                    let n = regions.len();
                    return Err(LayoutError::new(format!("{n} regions: 1 to {MAX_REGIONS} are possible")));
                }
                for (n, region) in regions.iter().enumerate() {
                    if region.w < 2 || region.h < 2 {
                        return Err(LayoutError::new(format!(
                            "region {n} has {}x{} pixels, and needs at least 2x2",
                            region.w, region.h
                        )));
                    }
                    let inside = |at: u32, size, whole| at.checked_add(size).is_some_and(|end| end <= whole);
                    if !inside(region.x, region.w, width) || !inside(region.y, region.h, height) {
                        return Err(canvas(&format!("region {n} reaches beyond")));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
