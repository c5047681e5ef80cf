//! Keeps what was drawn for a tile until the input has another picture.

use super::card;
use super::frame::Frame;
use super::layout::Fit;
use super::rect::Rect;
use super::scale::{Placement, Scaler, place};
use super::source::Source;
use super::text::{Fonts, start};
use super::tiles::Tile;
use crate::jobs::mix::Picture;

/// The drawn tiles of the last picture. Together with those of the picture that is being drawn, they are no more than
/// twice [`MAX_SOURCES`](super::MAX_SOURCES).
#[derive(Debug, Default)]
pub(super) struct Cache {
    drawn: Vec<Drawn>,
    scaler: Scaler,
    /// Number of tiles that were drawn anew.
    #[cfg(test)]
    pub(super) renewed: u64,
}

/// A drawn tile.
#[derive(Debug)]
struct Drawn {
    id: String,
    size: (u32, u32),
    fit: Fit,
    content: Content,
    /// The part of the tile that is not free, relative to the tile.
    at: Rect,
    /// I420 of the size of that part.
    data: Vec<u8>,
    used: bool,
}

#[derive(Debug)]
enum Content {
    /// The picture is kept, so that no other one can have its address.
    Picture(Picture),
    /// The name on a card.
    Card(String),
}

impl Content {
    fn of(source: &Source<'_>) -> Self {
        source
            .picture
            .map_or_else(|| Self::Card(start(source.name).to_owned()), |new| Self::Picture(new.clone()))
    }

    fn is_of(&self, source: &Source<'_>) -> bool {
        match (self, source.picture) {
            (Self::Picture(old), Some(new)) => is_same(old, new),
            (Self::Card(old), None) => old == start(source.name),
            _ => false,
        }
    }
}

/// Returns whether both are the same picture in memory.
pub(super) fn is_same(a: &Picture, b: &Picture) -> bool {
    (a.width(), a.height()) == (b.width(), b.height()) && a.data().as_ptr() == b.data().as_ptr()
}

impl Cache {
    /// Draws the picture or the card of an input. Returns the part of the canvas that it covers.
    pub(super) fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        tile: Tile,
        source: &Source<'_>,
        fonts: &Fonts,
    ) -> Rect {
        let Tile { rect, fit, .. } = tile;
        if let Some(picture) = source.picture
            && (picture.width(), picture.height()) == (rect.w, rect.h)
        {
            frame.blit(rect, picture.data());
            return rect;
        }
        let size = (rect.w, rect.h);
        let found = self.drawn.iter().position(|d| d.id == source.id && d.size == size && d.fit == fit);
        let n = found.unwrap_or_else(|| {
            let id = source.id.to_owned();
            let content = Content::of(source);
            let at = Rect { x: 0, y: 0, ..rect };
            self.drawn.push(Drawn { id, size, fit, content, at, data: Vec::new(), used: true });
            self.drawn.len() - 1
        });
        let drawn = &mut self.drawn[n];
        drawn.used = true;
        if found.is_none() || !drawn.content.is_of(source) {
            drawn.renew(source, &mut self.scaler, fonts);
            #[cfg(test)]
            {
                self.renewed += 1;
            }
        }
        let covered = Rect { x: rect.x + drawn.at.x, y: rect.y + drawn.at.y, ..drawn.at };
        frame.blit(covered, &drawn.data);
        covered
    }

    /// Forgets the tiles that were not drawn since the last call.
    pub(super) fn sweep(&mut self) {
        self.drawn.retain(|drawn| drawn.used);
        self.drawn.iter_mut().for_each(|drawn| drawn.used = false);
    }

    /// Returns the number of kept tiles.
    #[cfg(test)]
    pub(super) const fn len(&self) -> usize {
        self.drawn.len()
    }
}

impl Drawn {
    fn renew(&mut self, source: &Source<'_>, scaler: &mut Scaler, fonts: &Fonts) {
        self.content = Content::of(source);
        let whole = Rect { x: 0, y: 0, w: self.size.0, h: self.size.1 };
        let placement = source.picture.map(|picture| place(picture, whole, self.fit, source.screen));
        self.at = placement.filter(|placement| !placement.blurred).map_or(whole, |placement| placement.at);
        self.data.resize(Picture::bytes(self.at.w, self.at.h), 0);
        let mut frame = Frame::new(self.at.w, self.at.h, &mut self.data);
        match (source.picture, placement) {
            (Some(picture), Some(placement)) => {
                let (x, y) = (placement.at.x - self.at.x, placement.at.y - self.at.y);
                let at = Rect { x, y, ..placement.at };
                scaler.draw(picture, Placement { at, ..placement }, &mut frame);
            }
            _ => card::draw(&mut frame, source, fonts),
        }
    }
}
