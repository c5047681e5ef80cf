//! Computes where each input is drawn.

mod grid;
mod pip;
mod stage;
mod strip;
#[cfg(test)]
mod tests;

use super::layout::{Fit, Layout, Region, RegionSource};
use super::limits::{MAX_REGIONS, MAX_SOURCES};
use super::rect::Rect;
use super::source::Source;
pub use stage::Stage;

/// An input's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// The position of the input in the list.
    pub source: usize,
    /// The place.
    pub rect: Rect,
    /// How the picture fits.
    pub fit: Fit,
}

/// Returns the tiles of a layout in the order in which they are drawn.
///
/// `speaker` is the position of the input that speaks. All tiles are inside the canvas. Only those of
/// [`Layout::PictureInPicture`] and [`Layout::Regions`] may overlap. Each visible input has one tile, except in
/// [`Layout::Regions`]; no more than [`MAX_SOURCES`] are visible.
pub fn tiles(layout: &Layout, sources: &[Source<'_>], speaker: Option<usize>, stage: Stage) -> Vec<Tile> {
    if let Layout::Regions(regions) = layout {
        return in_regions(regions, sources, stage.canvas());
    }
    let visible = visible(sources);
    let rects = |visible: &[usize], rects: Vec<Rect>| -> Vec<Tile> {
        let pairs = visible.iter().zip(rects);
        pairs.map(|(&source, rect)| Tile { source, rect, fit: Fit::Auto }).collect()
    };
    let area = stage.area();
    let n = visible.len();
    let with_strip = |first: usize| {
        let mut order = visible.clone();
        order.retain(|source| *source != first);
        order.insert(0, first);
        let places = strip::places(area, order.len(), stage.gap());
        rects(&order, places)
    };
    if n <= 1 {
        return rects(&visible, vec![area]);
    }
    match layout {
        Layout::SideBySide => {
            let n = n as u32;
            let places = if area.w >= area.h {
                area.columns(n, stage.gap()).collect()
            } else {
                area.rows(n, stage.gap()).collect()
            };
            rects(&visible, places)
        }
        Layout::PictureInPicture(pip) => {
            let mut tiles = rects(&visible, pip::places(area, n, pip, stage.gap()));
            tiles.iter_mut().skip(1).for_each(|tile| tile.fit = pip.fit);
            tiles
        }
        Layout::Speaker => with_strip(loudest(&visible, sources, speaker)),
        Layout::Screen => {
            let screen = visible.iter().copied().find(|n| sources[*n].screen);
            with_strip(screen.unwrap_or_else(|| loudest(&visible, sources, speaker)))
        }
        Layout::Grid | Layout::Regions(_) => rects(&visible, grid::places(area, n, stage.gap())),
    }
}

/// Returns the positions of the inputs that are drawn.
pub(super) fn visible(sources: &[Source<'_>]) -> Vec<usize> {
    let shown = sources.iter().enumerate().filter(|(_, source)| !source.hidden).map(|(n, _)| n);
    shown.take(MAX_SOURCES).collect()
}

/// Returns the speaker if it is visible, or the first camera.
fn loudest(visible: &[usize], sources: &[Source<'_>], speaker: Option<usize>) -> usize {
    let speaker = speaker.filter(|n| visible.contains(n));
    let camera = || visible.iter().copied().find(|n| !sources[*n].screen);
    speaker.or_else(camera).or_else(|| visible.first().copied()).unwrap_or(0)
}

/// Returns the tiles of the regions whose input is visible.
fn in_regions(regions: &[Region], sources: &[Source<'_>], canvas: Rect) -> Vec<Tile> {
    let tile = |region: &Region| {
        let source = match &region.source {
            RegionSource::Index(n) => *n,
            RegionSource::Id(id) => sources.iter().position(|source| source.id == id)?,
        };
        sources.get(source).filter(|source| !source.hidden)?;
        // Regions were checked with the canvas of the mix; a look for a larger one does not break this one.
        let (x, y) = (region.x.min(canvas.w - 2), region.y.min(canvas.h - 2));
        let rect = Rect::new(x, y, region.w.min(canvas.w - x), region.h.min(canvas.h - y));
        Some(Tile { source, rect, fit: region.fit })
    };
    regions.iter().take(MAX_REGIONS).filter_map(tile).collect()
}
