//! The names at the lower edge of the tiles.

use super::{Fonts, Mask, shorten, start};
use crate::jobs::mix::compose::frame::Frame;
use crate::jobs::mix::compose::limits::MAX_LABELS;
use crate::jobs::mix::compose::rect::{Rect, even};

/// Opacity of the strip behind a name.
const STRIP: u8 = 150;
const WHITE: [u8; 3] = [235, 128, 128];
const BLACK: [u8; 3] = [16, 128, 128];
/// Tiles that are smaller have no name: it could not be read.
const SMALLEST: (u32, u32) = (64, 48);

/// Draws names. It keeps up to [`MAX_LABELS`] of them rendered.
#[derive(Debug)]
pub(in crate::jobs::mix::compose) struct Labels {
    fonts: Fonts,
    kept: Vec<Label>,
    /// The number of the present picture.
    turn: u64,
}

#[derive(Debug)]
struct Label {
    /// The beginning of the name, which may be as long as a stranger likes.
    name: String,
    /// Height of the text, and the width into which it is cut.
    size: (u32, u32),
    /// The text and its strip; `None` if the name has nothing to draw.
    masks: Option<(Mask, Mask)>,
    used: u64,
}

impl Labels {
    pub(in crate::jobs::mix::compose) fn new(fonts: Fonts) -> Self {
        Self { fonts, kept: Vec::new(), turn: 0 }
    }

    pub(in crate::jobs::mix::compose) const fn fonts(&self) -> &Fonts {
        &self.fonts
    }

    /// Draws a name into the lower left corner of a tile.
    pub(in crate::jobs::mix::compose) fn draw(&mut self, frame: &mut Frame<'_>, tile: Rect, name: &str) {
        if tile.w < SMALLEST.0 || tile.h < SMALLEST.1 {
            return;
        }
        let px = (tile.h / 15).clamp(13, (frame.height / 22).max(13));
        let (pad, away) = (even(px / 2).max(4), even(px / 2).max(4));
        let room = tile.w - 2 * (pad + away);
        self.turn += 1;
        let turn = self.turn;
        let label = self.find(start(name), (px, room));
        label.used = turn;
        if let Some((text, strip)) = &label.masks {
            let (x, y) = (tile.x + away, tile.bottom() - away - strip.height());
            strip.draw(frame, x, y, tile, BLACK);
            text.draw(frame, x + pad, y + even((strip.height() - text.height()) / 2), tile, WHITE);
        }
    }

    fn find(&mut self, name: &str, size: (u32, u32)) -> &mut Label {
        let found = self.kept.iter().position(|label| label.name == name && label.size == size);
        let at = found.unwrap_or_else(|| {
            let (px, room) = size;
            let text = Mask::text(&self.fonts, &shorten(name), px as f32, room);
            let masks = text.map(|text| {
                let (w, h) = (text.width() + 2 * even(px / 2).max(4), text.height() + even(px / 3).max(4));
                let strip = Mask::round(w, h, h as f32 / 4.0, STRIP);
                (text, strip)
            });
            let label = Label { name: name.to_owned(), size, masks, used: 0 };
            if self.kept.len() < MAX_LABELS {
                self.kept.push(label);
                return self.kept.len() - 1;
            }
            let oldest = self.kept.iter().enumerate().min_by_key(|(_, label)| label.used);
            let oldest = oldest.map_or(0, |(at, _)| at);
            self.kept[oldest] = label;
            oldest
        });
        &mut self.kept[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(labels: &mut Labels, tile: Rect, name: &str) -> Vec<u8> {
        let mut data = vec![128; 640 * 360 * 3 / 2];
        labels.draw(&mut Frame::new(640, 360, &mut data), tile, name);
        data
    }

    #[test]
    fn a_name_changes_pixels_only_at_the_lower_edge_of_its_tile() {
        let mut labels = Labels::new(Fonts::built_in());
        let tile = Rect::new(100, 40, 200, 120);
        let data = drawn(&mut labels, tile, "Anna");
        let changed: Vec<(u32, u32)> =
            (0..640 * 360).filter(|at| data[*at as usize] != 128).map(|at| (at % 640, at / 640)).collect();
        assert!(changed.len() > 300, "{}", changed.len());
        assert!(changed.iter().all(|(x, y)| (100..220).contains(x) && (110..160).contains(y)), "{changed:?}");
        let luma = &data[..640 * 360];
        assert!(luma.iter().any(|y| *y > 200) && luma.iter().any(|y| *y < 90), "white on dark");
        let long = drawn(&mut labels, tile, &"W".repeat(300));
        let last = (0..640 * 360).filter(|at| long[*at] != 128).map(|at| at % 640).max();
        assert!(last.is_some_and(|x| (270..300).contains(&x)), "{last:?}");
        for (tile, name) in [(Rect::new(0, 0, 62, 62), "Anna"), (tile, ""), (tile, "\u{202e}\n")] {
            assert_eq!(drawn(&mut labels, tile, name), vec![128; 640 * 360 * 3 / 2]);
        }
    }

    #[test]
    fn the_rendered_names_are_bounded_and_kept_while_used() {
        let mut labels = Labels::new(Fonts::built_in());
        let tile = Rect::new(0, 0, 200, 120);
        for n in 0..2 * MAX_LABELS {
            drawn(&mut labels, tile, &format!("name {n}"));
            drawn(&mut labels, tile, "always");
        }
        assert_eq!(labels.kept.len(), MAX_LABELS);
        let names: Vec<&str> = labels.kept.iter().map(|label| label.name.as_str()).collect();
        let last = format!("name {}", 2 * MAX_LABELS - 1);
        assert!(names.contains(&"always") && names.contains(&last.as_str()) && !names.contains(&"name 0"));
    }
}
