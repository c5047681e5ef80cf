//! Cleans the text that participants send: names, titles and chat messages.

/// Maximum length of a name in characters.
const MAX_NAME: usize = 40;
/// Maximum length of the readable part of an identifier, in bytes.
const MAX_SLUG: usize = 12;

/// Returns `text` without control characters and hidden characters. Each run of white space becomes one space; white
/// space at both ends is removed.
pub(crate) fn clean(text: &str) -> String {
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

/// Returns the cleaned name; `None` if it is empty or too long.
pub(super) fn name(text: &str) -> Option<String> {
    Some(clean(text)).filter(|name| (1..=MAX_NAME).contains(&name.chars().count()))
}

/// Returns the displayed name of an encoder: the cleaned and shortened name of its stream.
pub(super) fn cut_name(stream: &str) -> String {
    let name: String = clean(stream).chars().take(MAX_NAME).collect();
    if name.is_empty() { "encoder".to_owned() } else { name }
}

/// Returns the readable part of an identifier: the Latin letters and digits of a name, or `host` if it has none.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        if slug.len() >= MAX_SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "host".to_owned() } else { slug.to_owned() }
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
        assert_eq!(name(" \u{200b} "), None);
        assert_eq!(name(&"x".repeat(41)), None);
        assert_eq!(name("安娜").as_deref(), Some("安娜"));
        assert_eq!(cut_name(&"x".repeat(128)).len(), MAX_NAME);
        assert_eq!((cut_name("o\u{202e}bs"), cut_name("\u{200b}")), ("obs".to_owned(), "encoder".to_owned()));
    }

    #[test]
    fn identifiers_are_readable() {
        for (name, slug) in [
            ("Anna", "anna"),
            ("Dr. Bert  Müller-Lüdenscheidt", "dr-bert-m-ll"),
            ("安娜", "host"),
            ("--", "host"),
        ] {
            assert_eq!(super::slug(name), slug);
        }
    }
}
