//! Finds the translatable texts of a script.
//!
//! xgettext takes a slash within the brackets of a regular expression for the end of the expression, and
//! misses the code after it. So this module searches for the calls only.

use super::quoted;
use crate::sh::Result;

/// WordPress's functions with one letter per argument: a text (s), its plural (p), its context (c), or
/// another argument (x).
const CALLS: [(&str, &str); 4] = [("__", "s"), ("_x", "sc"), ("_n", "sp"), ("_nx", "spxc")];

/// Returns the template's entries for one script.
pub(super) fn entries(name: &str, script: &str) -> Result<String> {
    let mut pot = String::new();
    for (at, _) in script.match_indices('(') {
        let before = script.get(..at).unwrap_or_default();
        let word = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let Some((_, letters)) = CALLS.iter().find(|(call, _)| *call == word) else { continue };
        let line = before.matches('\n').count() + 1;
        let inside = script.get(at + 1..).unwrap_or_default();
        let (mut context, mut sentence, mut plural) = (None, None, None);
        let mut rest = inside;
        for letter in letters.chars() {
            if letter == 'x' {
                rest = rest.split_once(',').map_or("", |(_, rest)| rest);
                continue;
            }
            let (text, after) = literal(rest.trim_start())
                .ok_or_else(|| format!("{name}:{line}: {word}() wants its sentences written out"))?;
            match letter {
                's' => sentence = Some(text),
                'p' => plural = Some(text),
                _ => context = Some(text),
            }
            rest = after.trim_start().strip_prefix(',').unwrap_or(after);
        }
        if let Some(comment) = comment(before) {
            pot.push_str(&format!("\n#. {comment}"));
        }
        pot.push_str(&format!("\n#: {name}:{line}\n"));
        let parts = [("msgctxt", context), ("msgid", sentence), ("msgid_plural", plural.clone())];
        for (word, text) in parts {
            if let Some(text) = text {
                pot.push_str(&format!("{word} {}\n", quoted(&text)));
            }
        }
        pot.push_str(if plural.is_some() { "msgstr[0] \"\"\nmsgstr[1] \"\"\n" } else { "msgstr \"\"\n" });
    }
    Ok(pot)
}

/// Returns the comment for translators on the call's line or the line before.
fn comment(before: &str) -> Option<String> {
    let near: Vec<&str> = before.rsplitn(3, '\n').take(2).collect();
    let (_, said) = near.iter().find_map(|line| line.split_once("translators:"))?;
    Some(format!("translators: {}", said.split("*/").next().unwrap_or(said).trim()))
}

/// Returns a quoted string, and the text after it.
fn literal(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                plain @ ('\'' | '"' | '\\' | '/') => value.push(plain),
                _ => return None,
            },
            '\n' => return None,
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_whatever_is_around_them() {
        let script = "a.replace( /\\/\\/[^/]*@/, '' );\n__( 'It\\'s \"live\"', 'lianmai' ); my__( 'no' );\n\
                      /* translators: %d: how many. */\n_n( '%d one', '%d many', count, 'lianmai' );\n\
                      _nx( 'a', 'b', f( 1 ), 'c', 'lianmai' ) + _x('d','e');";
        assert_eq!(
            entries("x.js", script).unwrap(),
            "\n#: x.js:2\nmsgid \"It's \\\"live\\\"\"\nmsgstr \"\"\n\
             \n#. translators: %d: how many.\n#: x.js:4\nmsgid \"%d one\"\nmsgid_plural \"%d many\"\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n\
             \n#: x.js:5\nmsgctxt \"c\"\nmsgid \"a\"\nmsgid_plural \"b\"\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n\
             \n#: x.js:5\nmsgctxt \"e\"\nmsgid \"d\"\nmsgstr \"\"\n"
        );
        assert!(entries("x.js", "\n__( words[ 1 ] )").unwrap_err().contains("x.js:2"));
    }
}
