//! The background behind the tiles.

use super::cache::is_same;
use super::frame::Frame;
use super::layout::Fit;
use super::look::Background;
use super::scale::{Scaler, place};
use crate::jobs::mix::Picture;

/// Keeps a background picture in the size of the canvas.
#[derive(Debug, Default)]
pub(super) struct Backdrop {
    scaler: Scaler,
    /// The picture as it was given, and as it is drawn.
    kept: Option<(Picture, Vec<u8>)>,
}

impl Backdrop {
    /// Fills the frame.
    pub(super) fn draw(&mut self, background: &Background, frame: &mut Frame<'_>) {
        let area = frame.area();
        let picture = match background {
            Background::Colour(colour) => {
                self.kept = None;
                return frame.fill(area, colour.yuv());
            }
            Background::Picture(picture) => picture,
        };
        if let Some((_, data)) = self.kept.as_ref().filter(|(of, _)| is_same(of, picture)) {
            return frame.blit(area, data);
        }
        let mut data = vec![0; Picture::bytes(area.w, area.h)];
        let placement = place(picture, area, Fit::Cover, false);
        self.scaler.draw(picture, placement, &mut Frame::new(area.w, area.h, &mut data));
        frame.blit(area, &data);
        self.kept = Some((picture.clone(), data));
    }
}
