//! Cleans text that strangers send, before others see it.

/// Maximum number of characters of a text in an error message.
const MAX_QUOTED: usize = 40;

/// Returns `text` without control characters and hidden characters. Each run of white space becomes one space; white
/// space at both ends is removed.
pub fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.map(|word| word.chars().filter(|c| !is_hidden(*c)).collect::<String>());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Returns whether a character is invisible and can falsify the text around it: bidirectional controls (Unicode
/// Standard Annex 9), zero-width characters, and tags. The two zero-width joiners are allowed: some scripts and emoji
/// need them.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns a text from outside for an error message: in quotation marks, with escapes instead of characters that are
/// not printable, and at most [`MAX_QUOTED`] characters of it.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_hide_or_turn_other_text() {
        assert_eq!(clean("  a\tb\r\n c\0 "), "a b c");
        assert_eq!(clean("admin\u{202e}\u{61c}nimda \u{2066}x\u{feff}"), "adminnimda x");
        assert_eq!(clean("<script>alert(1)</script>"), "<script>alert(1)</script>");
        // The zero-width joiners stay: this family is one emoji.
        assert_eq!(clean("👨\u{200d}👩\u{200d}👧"), "👨\u{200d}👩\u{200d}👧");
    }

    #[test]
    fn a_quoted_text_is_printable_and_short() {
        assert_eq!(quoted("live\n\u{202e}x\"\0"), r#""live\n\u{202e}x\"\0""#);
        assert_eq!(quoted(&"é".repeat(MAX_QUOTED)), format!("{:?}", "é".repeat(MAX_QUOTED)));
        assert_eq!(quoted(&"é".repeat(MAX_QUOTED + 1)), format!("{:?}…", "é".repeat(MAX_QUOTED)));
    }
}
