//! Cards for inputs without a picture.

use super::colour::Colour;
use super::frame::Frame;
use super::rect::Rect;
use super::source::Source;
use super::text::{Fonts, Mask, initials, shorten};
use crate::core::text::clean;

/// Calm colours. An input has the same one in each picture and in each mix.
const COLOURS: [u32; 10] = [
    0x2f_4858, 0x33_5c67, 0x3d_5a80, 0x4a_4e69, 0x5b_4b6b, 0x6b_4a5a, 0x70_5548, 0x5a_5f43, 0x3f_6250,
    0x36_5f6b,
];
/// Diameter of the disc, per cent of the shorter side.
const DISC: u32 = 44;
/// Height of the card in lines of text.
const TEXT: u32 = 10;
/// Maximum number of characters in a line, and of lines.
const MAX_LINE: usize = 40;
const MAX_LINES: usize = 5;
const WHITE: [u8; 3] = [235, 128, 128];

/// Fills a frame with the colour of the input, and writes the initials of its name into the middle.
pub(super) fn draw(frame: &mut Frame<'_>, source: &Source<'_>, fonts: &Fonts) {
    let colour = Colour::new(COLOURS[hash(source.id) as usize % COLOURS.len()]);
    let area = frame.area();
    frame.fill(area, colour.yuv());
    if source.text {
        return text(frame, area, source.name, fonts);
    }
    let size = area.w.min(area.h) * DISC / 100;
    let disc = area.middle(size, size);
    let lighter = |n: u8| n + (255 - n) / 5;
    let light = Colour { red: lighter(colour.red), green: lighter(colour.green), blue: lighter(colour.blue) };
    Mask::round(disc.w, disc.h, disc.w as f32 / 2.0, 255).draw(frame, disc.x, disc.y, area, light.yuv());
    let name = shorten(source.name);
    let letters = Some(initials(&name)).filter(|letters| !letters.is_empty());
    let letters = letters.unwrap_or_else(|| initials(&shorten(source.id)));
    if let Some(text) = Mask::text(fonts, &letters, size as f32 * 0.5, disc.w) {
        let at = area.middle(text.width(), text.height());
        text.draw(frame, at.x, at.y, area, WHITE);
    }
}

/// Writes a text in lines into the middle.
fn text(frame: &mut Frame<'_>, area: Rect, text: &str, fonts: &Fonts) {
    let height = (area.h / TEXT).max(6);
    let lines = lines(&clean(text));
    let above = height * lines.len() as u32 / 2;
    for (line, n) in lines.iter().zip(0..) {
        let Some(mask) = Mask::text(fonts, line, height as f32 * 0.8, area.w * 9 / 10) else { continue };
        let at = area.middle(mask.width(), mask.height());
        let y = (area.y + area.h / 2 + n * height).saturating_sub(above) & !1;
        mask.draw(frame, at.x, y, area, WHITE);
    }
}

/// Breaks a text into lines between its words.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let fits = |line: &&mut String| line.chars().count() + word.chars().count() < MAX_LINE;
        if let Some(line) = lines.last_mut().filter(fits) {
            line.push(' ');
            line.push_str(word);
        } else if lines.len() < MAX_LINES {
            lines.push(word.to_owned());
        } else {
            break;
        }
    }
    lines
}

/// FNV-1a, because it is the same in each build.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str, name: &str, w: u32, h: u32) -> Vec<u8> {
        let source = Source { id, name, picture: None, screen: false, level: 0, hidden: false, text: false };
        let mut data = vec![0; (w * h * 3 / 2) as usize];
        draw(&mut Frame::new(w, h, &mut data), &source, &Fonts::built_in());
        data
    }

    #[test]
    fn a_card_has_the_colour_of_the_input_and_white_letters_in_the_middle() {
        let anna = card("a1", "Anna Berg", 320, 180);
        assert_eq!(anna, card("a1", "Adam Bell", 320, 180), "the same initials");
        assert_ne!(anna, card("a1", "Carl", 320, 180));
        let corner = |card: &[u8]| card[0];
        let colours: std::collections::BTreeSet<u8> =
            (0..99).map(|n| corner(&card(&n.to_string(), "", 32, 32))).collect();
        assert!(colours.len() >= 5, "{colours:?}");
        let white: Vec<usize> = (0..320 * 180).filter(|at| anna[*at] > 230).collect();
        assert!(white.len() > 100, "{}", white.len());
        assert!(white.iter().all(|at| (120..200).contains(&(at % 320)) && (60..120).contains(&(at / 320))));
        let row = &anna[90 * 320..91 * 320];
        assert!(row[0] < 120 && row[124] > row[0], "the disc is lighter");
    }

    #[test]
    fn the_last_card_has_the_whole_text_in_lines() {
        let white = |text: bool, name: &str| {
            let source =
                Source { id: "x", name, picture: None, screen: false, level: 0, hidden: false, text };
            let mut data = vec![0; 640 * 360 * 3 / 2];
            draw(&mut Frame::new(640, 360, &mut data), &source, &Fonts::built_in());
            let white: Vec<usize> = (0..640 * 360).filter(|at| data[*at] > 230).collect();
            let across = |at: &usize| at % 640;
            let width =
                white.iter().map(across).max().unwrap_or(0) - white.iter().map(across).min().unwrap_or(0);
            (width, white[white.len() - 1] / 640 - white[0] / 640)
        };
        let (text, letters) = (white(true, "See you on Friday"), white(false, "See you on Friday"));
        assert!(text.0 > 200 && letters.0 < 120, "{text:?} {letters:?}");
        let two = white(true, "Thank you for watching, we will be back next week at the same time");
        assert!(two.1 > text.1 + 20, "{two:?} {text:?}");
        assert_eq!(lines(&"word ".repeat(100)).len(), MAX_LINES);
    }

    #[test]
    fn cards_of_all_sizes_are_drawn() {
        for (w, h) in [(2, 2), (4, 1080), (1920, 2), (64, 48)] {
            assert!(card("a", "Anna", w, h).iter().all(|sample| (16..=240).contains(sample)));
        }
    }
}
