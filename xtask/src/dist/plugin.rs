//! The WordPress plugin.
//!
//! ```text
//! lianmai.zip     the plugin, to upload
//! lianmai/        the same, unpacked: wp-plugin/, LICENSE, languages/ as WordPress reads them, and build/ with
//!                 the player's modules under names that contain a content hash; build/manifest.json lists them
//! ```
//!
//! The modules that pages refer to (`element.js`, `publisher.js` and those of rooms) keep their names and get
//! `?ver=HASH`. Page caches keep a page for days, and an update of the plugin removes the files of the previous
//! version: a page from before the update then loads the new module under the old address.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::bundle;
use crate::hashed::{Names, keep_name, rename};
use crate::sh::{Result, at, root, target, which};
use crate::{package, pot};

/// The modules that the plugin's script loads. Their imports are included.
const ENTRIES: [&str; 4] = ["element.js", "publisher.js", "define-chat.js", "define-room.js"];

/// Builds the plugin into `target/dist` and returns the path of its zip.
pub(crate) fn build() -> Result<PathBuf> {
    let modules = package::build()?.join("srs-player");
    build_from(&modules, &target().join("dist"))
}

/// Builds the plugin from the modules in a folder: a test updates one build of the plugin to another.
pub(crate) fn build_from(modules: &Path, dist: &Path) -> Result<PathBuf> {
    let plugin = dist.join("lianmai");
    if plugin.exists() {
        at(plugin.display(), fs::remove_dir_all(&plugin))?;
    }
    copy(&root().join("wp-plugin"), &plugin)?;
    at("LICENSE", fs::copy(root().join("LICENSE"), plugin.join("LICENSE")))?;
    pot::languages(&plugin.join("languages"))?;
    let build = plugin.join("build");
    at(build.display(), fs::create_dir_all(&build))?;
    let (mut names, mut files) = rename(&ENTRIES, |name| fs::read(modules.join(name)).ok())?;
    for entry in ENTRIES {
        keep_name(entry, &mut names, &mut files)?;
    }
    for (name, content) in &files {
        at(name, fs::write(build.join(name), content))?;
    }
    at("manifest.json", fs::write(build.join("manifest.json"), manifest(&names)))?;
    // Every page with a player loads this script.
    let view = plugin.join("assets/view.js");
    bundle::script(&view, &view)?;
    languages(&plugin.join("languages"))?;
    let zip = dist.join("lianmai.zip");
    pack(dist, &plugin, &zip)?;
    let size = at(zip.display(), zip.metadata())?.len();
    eprintln!("{} ({} kB)", zip.display(), size.div_ceil(1000));
    Ok(zip)
}

/// Writes the translations in WordPress's formats.
fn languages(folder: &Path) -> Result {
    if ["xgettext", "msgfmt", "msgcat"].iter().all(|program| which(program).is_some()) {
        return pot::languages(folder);
    }
    eprintln!("gettext not found: the plugin speaks English only (Debian's package `gettext` has it)");
    Ok(())
}

/// Returns the names as JSON; they need no escaping.
fn manifest(names: &Names) -> String {
    let lines: Vec<String> =
        names.iter().map(|(plain, hashed)| format!("\t\"{plain}\": \"{hashed}\"")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// Copies a folder without hidden files.
fn copy(from: &Path, to: &Path) -> Result {
    at(to.display(), fs::create_dir_all(to))?;
    for path in entries(from)? {
        let Some(name) = path.file_name() else { continue };
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            at(path.display(), fs::copy(&path, to.join(name)))?;
        }
    }
    Ok(())
}

/// Packs `folder`, which is in `base`: the same files always give the same zip.
fn pack(base: &Path, folder: &Path, zip: &Path) -> Result {
    let failed = |why: zip::result::ZipError| format!("{}: {why}", zip.display());
    let mut writer = ZipWriter::new(at(zip.display(), File::create(zip))?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(base).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            writer.start_file(name, options).map_err(failed)?;
            at(path.display(), fs::read(&path).and_then(|content| writer.write_all(&content)))?;
        }
    }
    writer.finish().map_err(failed)?;
    Ok(())
}

/// Returns the content of a folder, sorted.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = at(folder.display(), folder.read_dir())?;
    let mut paths: Vec<PathBuf> = at(folder.display(), read.map(|entry| Ok(entry?.path())).collect())?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_zip_without_what_is_hidden() {
        let base = std::env::temp_dir().join(format!("lianmai-dist-{}", std::process::id()));
        let source = base.join("source");
        fs::create_dir_all(source.join("src")).unwrap();
        for name in ["a.php", ".hidden", "src/b.php"] {
            fs::write(source.join(name), name).unwrap();
        }
        let folder = base.join("lianmai");
        let made: Vec<_> = ["one.zip", "two.zip"]
            .map(|zip| {
                copy(&source, &folder).unwrap();
                pack(&base, &folder, &base.join(zip)).unwrap();
                fs::read(base.join(zip)).unwrap()
            })
            .into();
        fs::remove_dir_all(&base).unwrap();
        assert_eq!(made[0], made[1]);
        let names: Vec<_> = zip::ZipArchive::new(std::io::Cursor::new(&made[0]))
            .unwrap()
            .file_names()
            .map(str::to_owned)
            .collect();
        assert_eq!(names, ["lianmai/a.php", "lianmai/src/b.php"]);
    }

    #[test]
    fn the_manifest_is_json() {
        let names =
            [("a.js", "a.1.js"), ("b.js", "b.2.js")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        assert_eq!(manifest(&names), "{\n\t\"a.js\": \"a.1.js\",\n\t\"b.js\": \"b.2.js\"\n}\n");
    }
}
