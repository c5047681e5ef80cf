//! The names and identifiers of participants.

pub(super) use crate::core::text::clean;

/// Maximum length of a name in characters.
const MAX_NAME: usize = 40;
/// Maximum length of the readable part of an identifier, in bytes.
const MAX_SLUG: usize = 12;

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
    fn a_name_is_cleaned_and_bounded() {
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
