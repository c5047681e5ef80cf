//! Joins the browser scripts into the files that pages load, and strips what only readers need.
//!
//! No node, no foreign bundler: the scripts are written so that joining lines is enough. An `import` of
//! another of our modules stands on one line and renames nothing; two joined modules never define the same
//! name at their top level ([`join`] fails otherwise).
//!
//! The sources lie in folders; the package is one flat folder whose file names are public ([`ENTRIES`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::sh::{Result, at};

/// The files of the package and the module each begins with: (published name, path below `player-wasm/js`).
const ENTRIES: [(&str, &str); 25] = [
    ("compat.js", "player/compat.js"),
    ("define-player.js", "player/define.js"),
    ("define-publisher.js", "publisher/define.js"),
    ("element.js", "player/element.js"),
    ("extras.js", "player/extras.js"),
    ("hls-variants.js", "player/engine/sources/hls/variants.js"),
    ("hls.js", "player/engine/sources/hls/hls.js"),
    ("index.js", "index.js"),
    ("media-session.js", "player/media-session.js"),
    ("meter.js", "player/meter.js"),
    ("native.js", "player/engine/sources/native.js"),
    ("pipeline.js", "player/engine/pipeline.js"),
    ("player.js", "player/engine/player.js"),
    ("publisher-engine.js", "publisher/engine/publisher.js"),
    ("publisher-flv.js", "publisher/engine/flv.js"),
    ("publisher-tap.js", "publisher/engine/tap.js"),
    ("publisher.js", "publisher/index.js"),
    ("rtc.js", "player/engine/sources/webrtc/rtc.js"),
    ("sdk-publish.js", "srs/sdk-publish.js"),
    ("sdk.js", "srs/sdk.js"),
    ("srs-player.js", "srs/srs-player.js"),
    ("timeline.js", "player/timeline.js"),
    ("unplayable.js", "player/engine/unplayable.js"),
    ("words-zh.js", "player/texts-zh.js"),
    ("worker.js", "player/engine/worker.js"),
];

/// Generated files, which lie beside the published ones. Sources name them as if they lay at the root of
/// `player-wasm/js`.
const GENERATED: [&str; 6] = [
    "player_wasm.js",
    "player_wasm_bg.wasm",
    "flv-inline.js",
    "player_ts.js",
    "player_ts_bg.wasm",
    "ts-inline.js",
];

/// Writes the scripts of `sources` into `dist`.
pub(crate) fn bundle(sources: &Path, dist: &Path) -> Result {
    for (published, source) in ENTRIES {
        let mut joined = Joined::default();
        join(sources, source, true, &mut joined)?;
        let to = if published == "srs-player.js" {
            dist.join(published)
        } else {
            dist.join("srs-player").join(published)
        };
        at(to.display(), fs::write(&to, short_names(&joined.text)))?;
    }
    Ok(())
}

#[derive(Default)]
struct Joined {
    text: String,
    modules: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// The published name of a module that is a file of its own.
fn published(module: &str) -> Option<&'static str> {
    ENTRIES.iter().find(|(_, source)| *source == module).map(|&(published, _)| published)
}

/// Adds a module to `joined`, after the modules that it imports. `module` is a path below `sources`.
fn join(sources: &Path, module: &str, entry: bool, joined: &mut Joined) -> Result {
    if !joined.modules.insert(module.to_owned()) {
        return Ok(());
    }
    let source = at(module, fs::read_to_string(sources.join(module)))?;
    let mut own = String::new();
    for line in smaller(&source).lines() {
        let other = imported(line)
            .map(|specifier| resolve(module, specifier))
            .filter(|other| published(other).is_none() && !GENERATED.contains(&other.as_str()));
        if let Some(other) = other {
            if line.contains(" as ") {
                return Err(format!("{module}: an import that is joined must not rename: {line}"));
            }
            join(sources, &other, false, joined)?;
            continue;
        }
        let line = if entry { line } else { line.strip_prefix("export ").unwrap_or(line) };
        own.push_str(&with_published_names(module, line)?);
        own.push('\n');
    }
    for defined in source.lines().filter_map(defined) {
        if !joined.names.insert(defined.to_owned()) {
            return Err(format!("{module}: `{defined}` is defined in a module that it is joined with, too"));
        }
    }
    joined.text += &own;
    Ok(())
}

/// The specifier of `import { a } from './x.js';`.
fn imported(line: &str) -> Option<&str> {
    let line = line.strip_prefix("import ")?;
    let specifier = line.split_once(" from '")?.1.strip_suffix("';")?;
    specifier.starts_with('.').then_some(specifier)
}

/// The path below `player-wasm/js` of what `module` names by a relative specifier.
fn resolve(module: &str, specifier: &str) -> String {
    let folder = module.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in specifier.split('/') {
        match part {
            "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path.join("/")
}

/// A line whose relative specifiers name published files, which all lie in one folder.
fn with_published_names(module: &str, line: &str) -> Result<String> {
    let mut out = String::with_capacity(line.len());
    let mut parts = line.split('\'');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push('\'');
        let relative = part.starts_with("./") || part.starts_with("../");
        if !relative || !(part.ends_with(".js") || part.ends_with(".wasm")) {
            out.push_str(part);
            continue;
        }
        let other = resolve(module, part);
        let generated = GENERATED.into_iter().find(|name| *name == other);
        let Some(name) = published(&other).or(generated) else {
            return Err(format!("{module}: {part} is no file of the package: {line}"));
        };
        out.push_str("./");
        out.push_str(name);
    }
    Ok(out)
}

/// What a line without indentation defines.
fn defined(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let rest = ["const ", "let ", "class ", "function "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').next().filter(|name| !name.is_empty())
}

/// A script without comments that have a line of their own, types in comments, indentation and empty
/// lines: a quarter of what a browser would download.
///
/// Lines of a template literal are taken for code as well: do not write such that look like a comment.
pub(crate) fn smaller(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut inside = false;
    for line in source.lines() {
        let text = line.trim();
        let begins = text.starts_with("/*");
        let ends = text.ends_with("*/");
        // Code behind the end of a comment.
        let code = begins && !ends && text.contains("*/");
        let whole = inside || begins && !code || text.starts_with("//");
        if !whole && !text.is_empty() {
            out.push_str(&without_types(text));
            out.push('\n');
        }
        inside = (inside || begins && !code) && !ends;
    }
    out
}

/// A line without its `/** @type … */`.
fn without_types(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, comment)) = rest.split_once("/** @") {
        let Some((_, after)) = comment.split_once("*/") else { break };
        out.push_str(before);
        rest = after.trim_start();
    }
    out.push_str(rest);
    out
}

/// So many private members are worth renaming.
const FEW: usize = 10;

/// A script whose private members have short names: nobody outside can see them.
fn short_names(source: &str) -> String {
    fn name(text: &str) -> &str {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        text.split_at(end).0
    }
    // What looks like a colour is left alone.
    let private = |name: &&str| !name.is_empty() && !name.bytes().all(|b| b.is_ascii_hexdigit());
    let mut uses = BTreeMap::new();
    for used in source.split(".#").skip(1).map(name).filter(private) {
        *uses.entry(used).or_insert(0) += 1;
    }
    let mut names: Vec<_> = uses.into_iter().collect();
    // A few words compress better than as many letters.
    if names.len() < FEW {
        return source.to_owned();
    }
    names.sort_by_key(|&(_, uses)| std::cmp::Reverse(uses));
    let letter = |n: usize| char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[n % 52]);
    let short: BTreeMap<_, _> = names
        .iter()
        .enumerate()
        .map(|(n, &(name, _))| {
            let more = if n < 52 { String::new() } else { letter(n / 52).to_string() };
            (name, format!("{}{more}", letter(n)))
        })
        .collect();
    let mut parts = source.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = name(part);
        // A selector at the start of a text is none.
        let member = !out.ends_with(['\'', '"', '`']);
        out.push('#');
        out.push_str(short.get(name).filter(|_| member).map_or(name, String::as_str));
        out.push_str(&part[name.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_members_get_short_names_and_nothing_else_does() {
        let all: String = ('g'..='q').map(|letter| format!("this.#{letter}{letter};")).collect();
        let source = format!(
            "class A {{ #two = '#two #fade'; #fade; f() {{ this.#two += this.#fade; {all}{all} }} }}"
        );
        let short = short_names(&source);
        assert!(
            short.starts_with("class A { #l = '#two #fade'; #fade; f() { this.#l += this.#fade; this.#a;"),
            "{short}"
        );
        assert_eq!(short_names("class A { #two; f() { this.#two } }"), "class A { #two; f() { this.#two } }");
    }

    #[test]
    fn scripts_lose_what_only_readers_need() {
        let source = "/** A\n * b */\n  // c\nlet d = 1; // e\n/* f */ let g;\n/* h */\n\n  let i = '//';";
        assert_eq!(smaller(source), "let d = 1; // e\n/* f */ let g;\nlet i = '//';\n");
        assert_eq!(smaller("f((/** @type {A} */ a) => /** @type {B} */ (c));"), "f((a) => (c));\n");
        assert_eq!(smaller("/** @type {A} */ let a;"), "let a;\n");
    }

    #[test]
    fn definitions_and_imports_are_seen() {
        assert_eq!(defined("export async function a() {"), Some("a"));
        assert_eq!(defined("class B extends C {"), Some("B"));
        assert_eq!(defined("  const inner = 1;"), None);
        assert_eq!(imported("import { a, b } from './c.js';"), Some("./c.js"));
        assert_eq!(imported("const m = await import('./c.js');"), None);
        assert_eq!(imported("import { a } from 'react';"), None);
    }

    #[test]
    fn modules_in_folders_become_files_of_one_folder() {
        assert_eq!(resolve("player/engine/player.js", "../../net/token.js"), "net/token.js");
        assert_eq!(resolve("index.js", "./player/define.js"), "player/define.js");
        let names = |module, line| with_published_names(module, line).unwrap();
        assert_eq!(
            names("player/element.js", "const m = await import('./engine/player.js'), 'a';"),
            "const m = await import('./player.js'), 'a';"
        );
        assert_eq!(
            names("publisher/engine/encoder.js", "new URL('./tap.js', import.meta.url)"),
            "new URL('./publisher-tap.js', import.meta.url)"
        );
        assert_eq!(
            names("player/engine/player.js", "import x from '../../player_wasm.js';"),
            "import x from './player_wasm.js';"
        );
        assert!(with_published_names("player/engine/player.js", "import('./none.js')").is_err());
    }

    #[test]
    fn published_names_are_unique() {
        let names: BTreeSet<&str> = ENTRIES.iter().map(|(published, _)| *published).collect();
        assert_eq!(names.len(), ENTRIES.len());
    }
}
