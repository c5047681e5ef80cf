//! Cards for inputs without a picture.

use super::colour::Colour;
use super::frame::Frame;
use super::source::Source;
use super::text::{Fonts, Mask, initials, shorten};

/// Calm colours. An input has the same one in each picture and in each mix.
const COLOURS: [u32; 10] = [
    0x2f_4858, 0x33_5c67, 0x3d_5a80, 0x4a_4e69, 0x5b_4b6b, 0x6b_4a5a, 0x70_5548, 0x5a_5f43, 0x3f_6250,
    0x36_5f6b,
];
/// Diameter of the disc, per cent of the shorter side.
const DISC: u32 = 44;
const WHITE: [u8; 3] = [235, 128, 128];

/// Fills a frame with the colour of the input, and writes the initials of its name into the middle.
pub(super) fn draw(frame: &mut Frame<'_>, source: &Source<'_>, fonts: &Fonts) {
    let colour = Colour::new(COLOURS[hash(source.id) as usize % COLOURS.len()]);
    let area = frame.area();
    frame.fill(area, colour.yuv());
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

/// FNV-1a, because it is the same in each build.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(id: &str, name: &str, w: u32, h: u32) -> Vec<u8> {
        let source = Source { id, name, picture: None, screen: false, level: 0, hidden: false };
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
    fn cards_of_all_sizes_are_drawn() {
        for (w, h) in [(2, 2), (4, 1080), (1920, 2), (64, 48)] {
            assert!(card("a", "Anna", w, h).iter().all(|sample| (16..=240).contains(sample)));
        }
    }
}
