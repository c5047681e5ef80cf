//! Bounds of what is drawn.

use std::fmt;

/// Maximum number of inputs that are drawn. Further ones are left out.
pub const MAX_SOURCES: usize = 16;
/// Maximum number of regions of a layout by coordinates.
pub const MAX_REGIONS: usize = MAX_SOURCES;
/// Maximum length of the longer side of the canvas in pixels.
pub const MAX_SIDE: u32 = 1920;
/// Maximum length of the shorter side of the canvas in pixels.
pub const MAX_SHORT_SIDE: u32 = 1080;
/// Minimum width and height of the canvas in pixels. Sixteen tiles fit into it.
pub const MIN_SIDE: u32 = 64;
/// Maximum safe margin on each side, per cent of the canvas.
pub const MAX_MARGIN: u8 = 20;
/// Maximum distance between two tiles in pixels.
pub const MAX_GAP: u32 = 64;
/// Maximum number of characters of a name that are drawn.
pub const MAX_NAME: usize = 40;
/// Maximum number of rendered names that are kept.
pub const MAX_LABELS: usize = 4 * MAX_SOURCES;
/// Maximum size of a font file in bytes. Noto's fonts with all Chinese, Japanese and Korean characters have 20 MB.
pub const MAX_FONT_BYTES: u64 = 64 << 20;

/// The canvas cannot have this size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadSize {
    width: u32,
    height: u32,
}

impl fmt::Display for BadSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height } = self;
        write!(
            f,
            "a mix cannot have {width}x{height} pixels: both must be even and at least {MIN_SIDE}, and at most \
             {MAX_SIDE}x{MAX_SHORT_SIDE} or {MAX_SHORT_SIDE}x{MAX_SIDE}"
        )
    }
}

impl std::error::Error for BadSize {}

/// Refuses a size of the canvas that is odd, too small or too large.
///
/// # Errors
/// The text names the allowed sizes.
pub fn check_size(width: u32, height: u32) -> Result<(), BadSize> {
    let (long, short) = (width.max(height), width.min(height));
    let even = width.is_multiple_of(2) && height.is_multiple_of(2);
    let good = even && long <= MAX_SIDE && (MIN_SIDE..=MAX_SHORT_SIDE).contains(&short);
    if good { Ok(()) } else { Err(BadSize { width, height }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canvas_is_bounded() {
        for (width, height) in [(1280, 720), (1920, 1080), (1080, 1920), (64, 64)] {
            assert_eq!(check_size(width, height), Ok(()));
        }
        for (width, height) in [(1922, 1080), (1920, 1082), (1200, 1200), (62, 64), (641, 360), (0, 0)] {
            let error = check_size(width, height).unwrap_err().to_string();
            assert!(error.contains(&format!("{width}x{height}")) && error.contains("1920x1080"), "{error}");
        }
    }
}
