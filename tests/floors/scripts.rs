//! Which folder of `player-wasm/js` may import which.

use super::imports::File;

/// What the scripts of a folder may import besides their own folder. A file belongs to the longest folder
/// that its path begins with, or has an entry of its own; a new folder has to be entered here.
pub(super) const BROWSER: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("net", &["types"]),
    ("ui", &["types"]),
    ("room/connection.js", &["net", "types"]),
    ("room/share.js", &["room/connection.js", "net", "types"]),
    ("chat/flying", &["room/share.js", "net", "ui", "types"]),
    ("player/engine/sources", &["net", "types"]),
    ("player/engine", &["player/engine/sources", "net", "types"]),
    // The player's flying messages are those of a room's chat.
    ("player", &["player/engine", "chat/flying", "net", "ui", "types"]),
    ("publisher/engine", &["net", "types"]),
    ("publisher", &["publisher/engine", "net", "ui", "types"]),
    // It makes `<srs-player>` and is given the connection of `<srs-room>`, and imports neither.
    ("chat", &["chat/flying", "room/connection.js", "room/share.js", "net", "ui", "types"]),
    // A host's page mixes the room where the gateway cannot.
    ("room", &["room/connection.js", "room/share.js", "mixer", "publisher/engine", "net", "ui", "types"]),
    // The page's end starts the worker, and draws itself where a worker cannot.
    ("mixer", &["player/engine/sources", "publisher/engine", "net", "ui", "types"]),
    (
        "srs",
        &[
            "player",
            "player/engine",
            "player/engine/sources",
            "publisher",
            "publisher/engine",
            "net",
            "ui",
            "types",
        ],
    ),
];

/// Files at the root of `player-wasm/js`: the entry of the npm package may import everything.
const ENTRY: &str = "index.js";

/// Whether the build generates a file: sources name such files as if they lay at the root, where only [`ENTRY`] does.
/// Every folder may import them; the bundler refuses one that is not generated.
fn is_generated(path: &str) -> bool {
    path != ENTRY && !path.contains('/')
}

/// The built package, which some unit tests import.
const PACKAGE: &str = "dist/";

/// The paths, relative to the root of the scripts, that a script names in imports (types in comments included),
/// in `import()` and in `new URL()`.
fn imported(file: &File) -> Vec<String> {
    let mut all = Vec::new();
    for opening in ["from '", "import '", "import('", "URL('"] {
        for (at, _) in file.text.match_indices(opening) {
            let specifier = file.text[at + opening.len()..].split('\'').next().unwrap_or_default();
            if specifier.starts_with('.') {
                all.push(resolve(&file.name, specifier));
            }
        }
    }
    all
}

/// The path of what the script `name` imports as `specifier`.
fn resolve(name: &str, specifier: &str) -> String {
    let mut path: Vec<&str> = name.split('/').collect();
    path.pop();
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

/// The folder of the table that a path belongs to.
fn room(path: &str) -> Option<&'static str> {
    let inside =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    BROWSER
        .iter()
        .map(|&(folder, _)| folder)
        .filter(|folder| inside(folder))
        .max_by_key(|folder| folder.len())
}

/// Imports that point upwards or sideways.
pub(super) fn violations(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.name != ENTRY) {
        let Some(own) = room(&file.name) else {
            wrong.push(format!("{}: enter its folder in tests/floors/scripts.rs", file.name));
            continue;
        };
        let may = BROWSER.iter().find(|(folder, _)| *folder == own).map_or(&[][..], |(_, may)| may);
        for other in imported(file) {
            let allowed = is_generated(&other)
                || other.starts_with(PACKAGE)
                || room(&other).is_some_and(|room| room == own || may.contains(&room));
            if !allowed {
                wrong.push(format!("{}: `{own}` must not import {other}", file.name));
            }
        }
    }
    wrong
}
