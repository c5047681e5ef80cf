//! `cargo xtask pot`: the plugin's texts for translators, and translations in WordPress's formats.
//!
//! ```text
//! wp-plugin/languages/lianmai-LOCALE.po    written by translators; `cargo xtask pot` updates it
//! lianmai.pot                              all texts of the plugin, as a template for translations
//! lianmai-LOCALE.mo                        the format for PHP
//! lianmai-LOCALE-lianmai-editor.json       the format for the editor's script
//! ```

mod script;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::sh::{Result, at, command, output, root, run, target};

const DOMAIN: &str = "lianmai";
/// The script with translatable texts: WordPress finds its translations by this name.
const SCRIPT: &str = "lianmai-editor";
/// WordPress's translation functions, as arguments for xgettext.
const KEYWORDS: [&str; 11] = [
    "__:1",
    "_e:1",
    "esc_html__:1",
    "esc_html_e:1",
    "esc_attr__:1",
    "esc_attr_e:1",
    "_n:1,2",
    "_x:1,2c",
    "_nx:1,2,4c",
    "esc_html_x:1,2c",
    "esc_attr_x:1,2c",
];

/// The header that declares the character encoding.
const HEADER: &str = "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n";

/// The context of a text (such as `block title`), and the text.
type Id = (Option<String>, String);

/// Writes all files to `target/languages/`, and updates the translations from the plugin.
pub(crate) fn build() -> Result {
    let folder = target().join("languages");
    at(folder.display(), fs::create_dir_all(&folder))?;
    let pot = template(&folder)?;
    for po in translations()? {
        run(command("msgmerge")
            .args(["--quiet", "--update", "--backup=none", "--no-fuzzy-matching", "--no-wrap"])
            .args([&po, &pot]))?;
    }
    languages(&folder)?;
    eprintln!("{}", pot.display());
    Ok(())
}

/// Writes the template and all translations in WordPress's formats to `folder`.
pub(crate) fn languages(folder: &Path) -> Result {
    at(folder.display(), fs::create_dir_all(folder))?;
    template(folder)?;
    let script: BTreeSet<Id> = read(&scripts()?).into_keys().collect();
    for po in translations()? {
        let name = po.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        run(command("msgfmt")
            .arg("--check")
            .arg("--output-file")
            .arg(folder.join(format!("{name}.mo")))
            .arg(&po))?;
        let entries = read(&output(command("msgcat").arg("--no-wrap").arg(&po))?);
        let json = jed(name.trim_start_matches(DOMAIN).trim_start_matches('-'), &entries, &script);
        let to = folder.join(format!("{name}-{SCRIPT}.json"));
        at(to.display(), fs::write(&to, json.to_string()))?;
    }
    Ok(())
}

/// Writes `lianmai.pot` to `folder`. It contains no date: the same plugin gives the same file.
fn template(folder: &Path) -> Result<PathBuf> {
    let parts = [("php", xgettext(&files("php")?)?), ("js", scripts()?), ("elsewhere", elsewhere()?)];
    let pot = folder.join(format!("{DOMAIN}.pot"));
    let mut all = command("msgcat");
    all.args(["--no-wrap", "--use-first", "--add-location=file", "--output-file"]).arg(&pot);
    let mut written = Vec::new();
    for (name, text) in parts {
        let part = folder.join(format!("{name}.part"));
        at(part.display(), fs::write(&part, undated(&text)))?;
        all.arg(&part);
        written.push(part);
    }
    let done = run(&mut all);
    for part in written {
        at(part.display(), fs::remove_file(&part))?;
    }
    done.map(|()| pot)
}

/// Returns the texts that xgettext finds in PHP.
fn xgettext(files: &[String]) -> Result<String> {
    let mut xgettext = command("xgettext");
    xgettext.current_dir(root().join("wp-plugin"));
    xgettext.args([
        "--from-code=UTF-8",
        "--language=PHP",
        "--add-comments=translators",
        "--no-wrap",
        "--output=-",
    ]);
    xgettext.args(["--package-name=Lianmai", "--copyright-holder=", "--keyword"]);
    xgettext.args(KEYWORDS.map(|keyword| format!("--keyword={keyword}"))).args(files);
    output(&mut xgettext)
}

/// Returns the texts of the scripts.
fn scripts() -> Result<String> {
    let mut pot = String::from(HEADER);
    for name in files("js")? {
        let script = at(&name, fs::read_to_string(root().join("wp-plugin").join(&name)))?;
        pot.push_str(&script::entries(&name, &script)?);
    }
    once(&pot)
}

fn undated(pot: &str) -> String {
    let lines = pot.lines().filter(|line| !line.starts_with("\"POT-Creation-Date"));
    lines.map(|line| format!("{}\n", line.replace("charset=CHARSET", "charset=UTF-8"))).collect()
}

/// Returns texts outside of code: the plugin's header and the blocks' descriptions.
fn elsewhere() -> Result<String> {
    let mut pot = String::from(HEADER);
    let mut add = |place: &str, context: &str, sentence: &str| {
        let context =
            if context.is_empty() { String::new() } else { format!("msgctxt {}\n", quoted(context)) };
        pot.push_str(&format!("\n#: {place}\n{context}msgid {}\nmsgstr \"\"\n", quoted(sentence)));
    };
    let plugin = root().join("wp-plugin");
    let entry = at("lianmai.php", fs::read_to_string(plugin.join("lianmai.php")))?;
    for line in entry.lines() {
        if let Some((" * Plugin Name" | " * Description", sentence)) = line.split_once(':') {
            add("lianmai.php", "", sentence.trim());
        }
    }
    for path in found("json")? {
        let text = at(&path, fs::read_to_string(plugin.join(&path)))?;
        let block: Value = serde_json::from_str(&text).map_err(|why| format!("{path}: {why}"))?;
        for field in ["title", "description"] {
            if let Some(sentence) = block.get(field).and_then(Value::as_str) {
                add(&path, &format!("block {field}"), sentence);
            }
        }
        for word in block.get("keywords").and_then(Value::as_array).into_iter().flatten() {
            if let Some(word) = word.as_str() {
                add(&path, "block keyword", word);
            }
        }
    }
    once(&pot)
}

/// Merges repeated texts.
fn once(pot: &str) -> Result<String> {
    let folder = target().join("languages");
    at(folder.display(), fs::create_dir_all(&folder))?;
    let part = folder.join(format!("{}.part", stamp()));
    at(part.display(), fs::write(&part, pot))?;
    let once = output(command("msguniq").args(["--no-wrap", "--use-first"]).arg(&part));
    at(part.display(), fs::remove_file(&part))?;
    once
}

/// Returns a name that is unique among runs and threads.
fn stamp() -> String {
    format!("once-{}-{:?}", std::process::id(), std::thread::current().id())
}

/// Returns the plugin's files with this extension, sorted, relative to its folder.
fn found(ending: &str) -> Result<Vec<String>> {
    let plugin = root().join("wp-plugin");
    let mut found = Vec::new();
    let mut folders = vec![plugin.clone()];
    while let Some(folder) = folders.pop() {
        for entry in at(folder.display(), folder.read_dir())?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == ending) {
                found.push(path.strip_prefix(&plugin).unwrap_or(&path).to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn files(ending: &str) -> Result<Vec<String>> {
    let files = found(ending)?;
    if files.is_empty() { Err(format!("the plugin has no .{ending} file")) } else { Ok(files) }
}

fn translations() -> Result<Vec<PathBuf>> {
    Ok(files("po")?.into_iter().map(|name| root().join("wp-plugin").join(name)).collect())
}

/// Parses a `.po` file in the format of `msgcat --no-wrap`: the translations of each text, one per plural
/// form.
fn read(po: &str) -> BTreeMap<Id, Vec<String>> {
    let mut entries = BTreeMap::new();
    for block in po.split("\n\n") {
        let (mut context, mut id, mut translated) = (None, None, Vec::new());
        let mut now = None;
        for line in block.lines().filter(|line| !line.starts_with('#')) {
            let (word, text) = match line.split_once(" \"") {
                Some((word, _)) if word.starts_with("msg") => (Some(word), line.get(word.len() + 1..)),
                _ => (now, Some(line)),
            };
            now = word;
            let text = text.and_then(|text| serde_json::from_str::<String>(text).ok()).unwrap_or_default();
            match word {
                Some("msgctxt") => context.get_or_insert_with(String::new).push_str(&text),
                Some("msgid") => id.get_or_insert_with(String::new).push_str(&text),
                Some(form) if form.starts_with("msgstr") => {
                    if line.starts_with("msgstr") {
                        translated.push(String::new());
                    }
                    if let Some(last) = translated.last_mut() {
                        last.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        if let Some(id) = id {
            entries.insert((context, id), translated);
        }
    }
    entries
}

/// Returns a script's translations in WordPress's format, JED 1.x.
fn jed(locale: &str, entries: &BTreeMap<Id, Vec<String>>, script: &BTreeSet<Id>) -> Value {
    let header = entries.get(&(None, String::new())).and_then(|of| of.first()).cloned().unwrap_or_default();
    let plural = header.lines().find_map(|line| line.strip_prefix("Plural-Forms: "));
    let mut messages = Map::new();
    let plural = plural.unwrap_or("nplurals=2; plural=(n != 1);");
    messages.insert(String::new(), json!({ "domain": DOMAIN, "lang": locale, "plural-forms": plural }));
    for ((context, id), translated) in entries {
        let whole = translated.iter().all(|one| !one.is_empty()) && !id.is_empty();
        if whole && script.contains(&(context.clone(), id.clone())) {
            let name = context.as_ref().map_or_else(|| id.clone(), |context| format!("{context}\u{4}{id}"));
            messages.insert(name, json!(translated));
        }
    }
    json!({ "domain": DOMAIN, "locale_data": { DOMAIN: messages } })
}

/// Formats a string as in `.po` files.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests;
