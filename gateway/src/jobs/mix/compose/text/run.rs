//! A line of text.

use std::borrow::Cow;
use std::ptr;

use ab_glyph::{Font, FontArc, Glyph, GlyphId, PxScale, ScaleFont, point};
use unicode_bidi::BidiInfo;

use super::{Fonts, Mask};
use crate::core::text::clean;
use crate::jobs::mix::compose::limits::MAX_NAME;
use crate::jobs::mix::compose::rect::even;

/// Stands for the part of a name that has no room.
const MORE: char = '…';

/// Returns the drawn part of a name: without control characters, bidirectional controls and what has no shape of its
/// own, and not longer than [`MAX_NAME`].
pub(in crate::jobs::mix::compose) fn shorten(name: &str) -> String {
    let text = clean(start(name));
    let mut shown = text.chars().filter(|c| !has_no_shape(*c));
    let mut short: String = shown.by_ref().take(MAX_NAME).collect();
    if shown.next().is_some() {
        short.pop();
        short.push(MORE);
    }
    short
}

/// Returns the beginning of a name, from which the drawn part comes. What follows is neither cleaned nor kept.
pub(in crate::jobs::mix::compose) fn start(name: &str) -> &str {
    name.char_indices().nth(4 * MAX_NAME).map_or(name, |(end, _)| &name[..end])
}

/// Joiners and selectors of variants, which only mean something to a font with shaping.
const fn has_no_shape(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{ad}')
}

/// Returns up to two letters that stand for a name, in upper case.
pub(in crate::jobs::mix::compose) fn initials(name: &str) -> String {
    let letter = |word: &str| word.chars().find(|c| c.is_alphanumeric());
    let mut letters = name.split(' ').filter_map(letter);
    let first = letters.next();
    // Two characters of a Chinese name would be most of it.
    let last = letters.next_back().filter(|_| first.is_some_and(|c| (c as u32) < 0x2e80));
    first.into_iter().chain(last).flat_map(char::to_uppercase).take(2).collect()
}

/// Returns the characters of a line from left to right: those of Hebrew and Arabic are in reading order before (Unicode
/// Standard Annex 9). Letters are not joined: that needs shaping.
fn visual(text: &str) -> Cow<'_, str> {
    let info = BidiInfo::new(text, None);
    match info.paragraphs.first() {
        Some(line) if info.has_rtl() => Cow::Owned(info.reorder_line(line, line.range.clone()).into_owned()),
        _ => Cow::Borrowed(text),
    }
}

/// A line of glyphs with their fonts, and its width.
struct Line<'a> {
    glyphs: Vec<(&'a FontArc, Glyph)>,
    width: f32,
}

impl<'a> Line<'a> {
    fn new(fonts: &'a Fonts, text: impl Iterator<Item = char>, px: f32, baseline: f32) -> Self {
        let scale = PxScale::from(px);
        let mut line = Self { glyphs: Vec::new(), width: 0.0 };
        let mut last: Option<(&FontArc, GlyphId)> = None;
        for (font, id) in text.filter_map(|c| fonts.find(c)) {
            let scaled = font.as_scaled(scale);
            if let Some((_, last)) = last.filter(|(of, _)| ptr::eq(*of, font)) {
                line.width += scaled.kern(last, id);
            }
            line.glyphs.push((font, id.with_scale_and_position(scale, point(line.width, baseline))));
            line.width += scaled.h_advance(id);
            last = Some((font, id));
        }
        line
    }
}

impl Mask {
    /// Rasterises a line of text that is not wider than `room` pixels; the end is cut off with `…` otherwise. Returns
    /// `None` if nothing is left.
    pub(in crate::jobs::mix::compose) fn text(fonts: &Fonts, text: &str, px: f32, room: u32) -> Option<Self> {
        let main = fonts.main()?.as_scaled(PxScale::from(px));
        let (ascent, height) = (main.ascent(), main.height());
        let line = fit(fonts, text, px, ascent, room as f32)?;
        let (w, h) = (even(line.width.ceil() as u32 + 1), even(height.ceil() as u32 + 1));
        let mut luma = vec![0_u8; w as usize * h as usize];
        for (font, glyph) in line.glyphs {
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
            outline.draw(|x, y, cover| {
                let (x, y) = (left + i64::from(x), top + i64::from(y));
                if (0..i64::from(w)).contains(&x) && (0..i64::from(h)).contains(&y) {
                    let pixel = &mut luma[y as usize * w as usize + x as usize];
                    *pixel = pixel.saturating_add((cover.clamp(0.0, 1.0) * 255.0).round() as u8);
                }
            });
        }
        (w > 0 && h > 0).then(|| Self::new(w, h, luma))
    }
}

/// Returns the longest line that is not wider than `room`.
fn fit<'a>(fonts: &'a Fonts, text: &str, px: f32, baseline: f32, room: f32) -> Option<Line<'a>> {
    let whole = Line::new(fonts, visual(text).chars(), px, baseline);
    if whole.glyphs.is_empty() || whole.width <= room {
        return Some(whole).filter(|line| line.width > 0.0);
    }
    let chars: Vec<char> = text.chars().collect();
    (1..chars.len()).rev().find_map(|n| {
        let kept = chars[..n].iter().collect::<String>();
        let cut = format!("{}{MORE}", kept.trim_end());
        Some(Line::new(fonts, visual(&cut).chars(), px, baseline)).filter(|line| line.width <= room)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_hide_or_turn_text() {
        assert_eq!(shorten("  An\u{202e}na\n\u{7}B👨\u{200d}👩\u{fe0f} "), "Anna B👨👩");
        assert_eq!(shorten(&"x".repeat(MAX_NAME)), "x".repeat(MAX_NAME));
        let long = shorten(&"x".repeat(1 << 20));
        assert_eq!((long.chars().count(), long.ends_with("x…")), (MAX_NAME, true));
        assert_eq!(shorten("\u{200b}\0"), "");
    }

    #[test]
    fn hebrew_and_arabic_are_drawn_from_right_to_left() {
        for (text, drawn) in [
            ("Anna", "Anna"),
            ("שלום", "םולש"),
            ("Anna שלום", "Anna םולש"),
            ("שלום 12 דן", "ןד 12 םולש"),
            ("سلام", "مالس"),
            ("", ""),
        ] {
            assert_eq!(visual(text), drawn, "{text}");
        }
        // A name that is cut off keeps its beginning, which is on the right.
        let fonts = Fonts::built_in();
        let whole = Mask::text(&fonts, "سلام عليكم", 20.0, 1000).unwrap();
        let cut = Mask::text(&fonts, "سلام عليكم", 20.0, whole.width() - 10);
        assert!(cut.is_some_and(|cut| cut.width() < whole.width()));
    }

    #[test]
    fn initials_are_two_letters() {
        for (name, letters) in [
            ("anna", "A"),
            ("Anna Maria Berg", "AB"),
            ("(dj) éric", "DÉ"),
            ("安娜 李", "安"),
            ("… !", ""),
            ("ßa", "SS"),
            ("", ""),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn text_is_cut_to_its_room() {
        let fonts = Fonts::built_in();
        let mask = |text: &str, room| Mask::text(&fonts, text, 20.0, room);
        let whole = mask("Anna Berg", 1000).unwrap();
        assert!(
            (70..130).contains(&whole.width()) && (20..30).contains(&whole.height()),
            "{} x {}",
            whole.width(),
            whole.height()
        );
        assert_eq!(mask("Anna Berg", whole.width() + 2), Some(whole.clone()));
        let cut = mask("Anna…", 1000).unwrap();
        for room in [cut.width(), cut.width() + 4] {
            assert!(mask("Anna Berg", room) == Some(cut.clone()), "{room}");
        }
        assert_eq!(mask("WWW", 5), None);
        assert_eq!(mask("", 1000), None);
        assert_eq!(mask(" ", 1000).map(|mask| mask.width() > 0), Some(true));
        // A character without a glyph is a box.
        assert!(mask("中", 1000).unwrap().width() > 8);
    }
}
