//! Files whose names contain a hash of their content, so that browsers may keep them forever: `player.js`
//! becomes `player.1a2b3c4d.js`, in all references too.
//!
//! A reference is a string in a script that contains only a file name, optionally with `./` before and `?`
//! after it: `'./player.js'`, `` `./player.js?${n}` ``, `'player_wasm_bg.wasm'`. The name of a property
//! (wasm-bindgen's imports have such) stays unchanged. The hash of a file is
//! calculated after its references are replaced, so it also covers the referenced files.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::sh::Result;

/// New names of files by their old names.
pub(crate) type Names = BTreeMap<String, String>;

/// Returns the files that `entries` refer to, directly or indirectly, with new names, and these names.
///
/// `read` returns a file by its name, or `None` if it does not exist.
pub(crate) fn rename(
    entries: &[&str],
    read: impl Fn(&str) -> Option<Vec<u8>>,
) -> Result<(Names, BTreeMap<String, Vec<u8>>)> {
    let mut renaming =
        Renaming { read: &read, names: Names::new(), files: BTreeMap::new(), open: Vec::new() };
    for entry in entries {
        renaming.file(entry)?;
    }
    Ok((renaming.names, renaming.files))
}

/// Restores a file's old name, and adds a version to its address: `element.js?ver=1a2b3c4d`. No other file
/// may refer to it.
pub(crate) fn keep_name(name: &str, names: &mut Names, files: &mut BTreeMap<String, Vec<u8>>) -> Result {
    let hashed = names.get(name).cloned().ok_or_else(|| format!("there is no {name}"))?;
    let content = files.remove(&hashed).ok_or_else(|| format!("there is no {hashed}"))?;
    let refers = |file: &Vec<u8>| file.windows(hashed.len()).any(|part| part == hashed.as_bytes());
    if let Some((other, _)) = files.iter().find(|(_, file)| refers(file)) {
        return Err(format!(
            "{other} refers to {name}, which pages load under its own name: it would run twice"
        ));
    }
    let hash = hashed.rsplit('.').nth(1).unwrap_or_default();
    names.insert(name.to_owned(), format!("{name}?ver={hash}"));
    files.insert(name.to_owned(), content);
    Ok(())
}

struct Renaming<'a> {
    read: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    names: Names,
    files: BTreeMap<String, Vec<u8>>,
    /// Files whose references are being followed.
    open: Vec<String>,
}

impl Renaming<'_> {
    /// Returns the new name of a file.
    fn file(&mut self, name: &str) -> Result<String> {
        if let Some(known) = self.names.get(name) {
            return Ok(known.clone());
        }
        if self.open.iter().any(|open| open == name) {
            return Err(format!("{} leads back to itself: no hash can cover that", self.open.join(" -> ")));
        }
        let mut content = (self.read)(name).ok_or_else(|| match self.open.last() {
            Some(from) => format!("{from}: there is no {name}"),
            None => format!("there is no {name}"),
        })?;
        self.open.push(name.to_owned());
        if name.ends_with(".js") {
            let source = String::from_utf8(content).map_err(|_| format!("{name} is not UTF-8"))?;
            content = self.script(&source)?.into_bytes();
        }
        self.open.pop();
        let digest = Sha256::digest(&content);
        let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let new = format!("{stem}.{hash}.{ending}");
        self.files.insert(new.clone(), content);
        self.names.insert(name.to_owned(), new.clone());
        Ok(new)
    }

    /// Replaces the file names in a script by the new names.
    fn script(&mut self, source: &str) -> Result<String> {
        let mut out = String::with_capacity(source.len());
        let mut rest = source;
        while let Some(at) = rest.find(['\'', '"', '`']) {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            match reference(from) {
                Some((start, end)) if !is_property(&out, &from[end..]) => {
                    out.push_str(&from[..start]);
                    out.push_str(&self.file(&from[start..end])?);
                    rest = &from[end..];
                }
                _ => {
                    out.push_str(&from[..1]);
                    rest = &from[1..];
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Returns the position of the file name in a text that begins with a quotation mark, if there is one.
fn reference(text: &str) -> Option<(usize, usize)> {
    let quote = text.chars().next()?;
    let start = 1 + if text[1..].starts_with("./") { 2 } else { 0 };
    let length = text[start..].find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c))?;
    let name = &text[start..start + length];
    let stem = name.strip_suffix(".js").or_else(|| name.strip_suffix(".wasm"))?;
    let after = &text[start + length..];
    let ends = after.starts_with(['?', quote]);
    (ends && !stem.is_empty()).then_some((start, start + length))
}

/// Whether a text between `before` and `after`, which begins with its closing quotation mark, names a property of an
/// object. In `a ? 'b.js' : 'c.js'` it does not.
fn is_property(before: &str, after: &str) -> bool {
    after.get(1..).is_some_and(|after| after.starts_with(':')) && before.trim_end().ends_with(['{', ','])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(files: &[(&str, &str)]) -> Result<(Names, BTreeMap<String, Vec<u8>>)> {
        let files: BTreeMap<&str, &str> = files.iter().copied().collect();
        rename(&["a.js"], |name| files.get(name).map(|text| text.as_bytes().to_vec()))
    }

    #[test]
    fn every_kind_of_reference_gets_the_new_name() {
        let a = "import { b } from './b.js';\nawait import('./b.js').catch(() => import(`./b.js?${n}`));\n\
            new Worker(new URL('./b.js', import.meta.url)); new URL(\"c.wasm\", base);\n\
            c = far?\"c.wasm\":`./b.js`;\n\
            it({ './d.js': a, \"./d.js\":b }, 'speaks of b.js', `${folder}b.js`, '.js', '/b.js', \"it's\");";
        let (names, files) = renamed(&[("a.js", a), ("b.js", "1"), ("c.wasm", "\0asm")]).unwrap();
        assert_eq!(names.keys().collect::<Vec<_>>(), ["a.js", "b.js", "c.wasm"]);
        let (b, c) = (&names["b.js"], &names["c.wasm"]);
        assert_eq!(b, "b.6b86b273.js");
        let text = String::from_utf8(files[&names["a.js"]].clone()).unwrap();
        let expected = a
            .replace("'./b.js'", &format!("'./{b}'"))
            .replace("`./b.js?", &format!("`./{b}?"))
            .replace("`./b.js`", &format!("`./{b}`"))
            .replace("\"c.wasm\"", &format!("\"{c}\""));
        assert_eq!(text, expected);
    }

    #[test]
    fn a_hash_covers_what_a_file_leads_to() {
        let chain = |end| {
            let files =
                [("a.js", "import './b.js';"), ("b.js", "new URL('./c.wasm', here)"), ("c.wasm", end)];
            renamed(&files).unwrap().0
        };
        let (one, other) = (chain("1"), chain("2"));
        assert_eq!(one, chain("1"));
        for name in ["a.js", "b.js", "c.wasm"] {
            assert_ne!(one[name], other[name], "{name}");
        }
    }

    #[test]
    fn only_what_is_led_to_is_taken() {
        let (names, files) = renamed(&[("a.js", "1"), ("b.js", "2")]).unwrap();
        assert_eq!((names.len(), files.len()), (1, 1));
    }

    #[test]
    fn an_entry_keeps_its_name_and_says_its_version() {
        let (mut names, mut files) = renamed(&[("a.js", "import './b.js';"), ("b.js", "1")]).unwrap();
        let hashed = names["a.js"].clone();
        keep_name("a.js", &mut names, &mut files).unwrap();
        let hash = hashed.strip_prefix("a.").unwrap().strip_suffix(".js").unwrap();
        assert_eq!(names["a.js"], format!("a.js?ver={hash}"));
        assert_eq!(files["a.js"], format!("import './{}';", names["b.js"]).into_bytes());
        assert!(!files.contains_key(&hashed));
        let refused = keep_name("b.js", &mut names, &mut files).unwrap_err();
        assert!(refused.starts_with("a.js refers to b.js"), "{refused}");
        assert!(keep_name("c.js", &mut names, &mut files).is_err());
    }

    #[test]
    fn cycles_and_unknown_names_are_errors() {
        let cycle = renamed(&[("a.js", "import './b.js';"), ("b.js", "import './a.js';")]).unwrap_err();
        assert!(cycle.starts_with("a.js -> b.js leads back"), "{cycle}");
        assert_eq!(renamed(&[("a.js", "import('./gone.js')")]).unwrap_err(), "a.js: there is no gone.js");
        assert_eq!(renamed(&[]).unwrap_err(), "there is no a.js");
    }
}
