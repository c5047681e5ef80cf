//! Draws the pictures of a mix.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use media::time::Micros;

use super::backdrop::Backdrop;
use super::cache::Cache;
use super::colour::Colour;
use super::fade::Fade;
use super::frame::Frame;
use super::limits::{BadSize, check_size};
use super::look::{Background, Look};
use super::source::Source;
use super::speaker::Speaker;
use super::text::{Fonts, Labels};
use super::tiles::{Stage, Tile, tiles};
use crate::jobs::mix::Picture;
use crate::jobs::mix::buffers::Buffers;

/// Colour of the border of the input that speaks.
const BORDER: Colour = Colour::new(0x3d_d68c);

/// Draws one picture after the other. It has no clock, no thread and no queue.
pub struct Compositor {
    width: u32,
    height: u32,
    speaker: Speaker,
    cache: Cache,
    backdrop: Backdrop,
    labels: Labels,
    fade: Fade,
    buffers: Buffers,
}

impl fmt::Debug for Compositor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "compositor of {}x{}", self.width, self.height)
    }
}

impl Compositor {
    /// Creates a compositor for pictures of this size. Fails if the size is odd, or beyond the bounds.
    pub fn new(width: u32, height: u32, fonts: Fonts) -> Result<Self, BadSize> {
        check_size(width, height)?;
        Ok(Self {
            width,
            height,
            speaker: Speaker::default(),
            cache: Cache::default(),
            backdrop: Backdrop::default(),
            labels: Labels::new(fonts),
            fade: Fade::default(),
            buffers: Buffers::default(),
        })
    }

    /// Creates a compositor for pictures of another size, with the same fonts and the same speaker. Fails if the size is
    /// odd, or beyond the bounds.
    pub fn resized(&self, width: u32, height: u32) -> Result<Self, BadSize> {
        let new = Self::new(width, height, self.labels.fonts().clone())?;
        Ok(Self { speaker: self.speaker.clone(), ..new })
    }

    /// Returns the size of the pictures.
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Draws the picture of this moment, in I420. It never fails: what is out of its bounds is moved into them, or
    /// not drawn.
    ///
    /// The result shares no memory with a later one as long as it is in use. Drop it when it is encoded, and the
    /// memory is used again.
    pub fn compose(&mut self, look: &Look, sources: &[Source<'_>], now: Micros) -> Bytes {
        let speaker = self.speaker.update(sources, now);
        let stage = Stage::new(self.width, self.height, look.margin, look.gap);
        let tiles = tiles(&look.layout, sources, speaker.map(|(n, _)| n), stage);
        let mut picture = self.buffers.next(Picture::bytes(self.width, self.height));
        let mut frame = Frame::new(self.width, self.height, &mut picture);
        self.backdrop.draw(&look.background, &mut frame);
        // The only input needs no border.
        let speaks = speaker.filter(|(_, speaks)| *speaks && look.border && tiles.len() > 1).map(|(n, _)| n);
        for tile in &tiles {
            let source = &sources[tile.source];
            let covered = self.cache.draw(&mut frame, *tile, source, self.labels.fonts());
            if look.names {
                self.labels.draw(&mut frame, covered, source.name);
            }
            if speaks == Some(tile.source) {
                let thickness = (frame.height.min(frame.width) / 360 * 2).max(2);
                frame.outline(covered, thickness, BORDER.yuv());
            }
        }
        self.cache.sweep();
        let key = scene(look, sources, &tiles);
        self.fade.apply(key, look.fade, now, &mut picture);
        let picture = picture.freeze();
        self.fade.keep(key, picture.clone());
        self.buffers.keep(picture.clone());
        picture
    }

    /// Returns how many drawn tiles are kept, and how many were drawn so far.
    #[cfg(test)]
    pub(super) const fn kept_tiles(&self) -> (usize, u64) {
        (self.cache.len(), self.cache.renewed)
    }
}

/// Returns a number that changes when the picture should fade.
fn scene(look: &Look, sources: &[Source<'_>], tiles: &[Tile]) -> u64 {
    let mut hasher = DefaultHasher::new();
    look.names.hash(&mut hasher);
    match &look.background {
        Background::Colour(colour) => colour.hash(&mut hasher),
        Background::Picture(picture) => picture.data().as_ptr().hash(&mut hasher),
    }
    for tile in tiles {
        let source = &sources[tile.source];
        (source.id, source.picture.is_some(), tile.rect, tile.fit).hash(&mut hasher);
    }
    hasher.finish()
}
