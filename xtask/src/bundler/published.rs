//! The files of the browser package: the sources of each, and how scripts refer to each other.
//!
//! The sources are in folders; the package is one flat folder whose file names are public.

/// The files of the package and the entry module of each: (published name, path below `player-wasm/js`).
pub(crate) const ENTRIES: [(&str, &str); 39] = [
    ("compat.js", "player/compat.js"),
    ("danmaku.js", "chat/flying/overlay.js"),
    ("define-chat.js", "chat/define.js"),
    ("define-mixer.js", "mixer/define.js"),
    ("define-player.js", "player/define.js"),
    ("define-publisher.js", "publisher/define.js"),
    ("define-room.js", "room/define.js"),
    ("element.js", "player/element.js"),
    ("extras.js", "player/extras.js"),
    ("hls-fmp4.js", "player/engine/sources/hls/fmp4/fmp4.js"),
    ("hls-variants.js", "player/engine/sources/hls/variants.js"),
    ("hls.js", "player/engine/sources/hls/hls.js"),
    ("index.js", "index.js"),
    ("media-session.js", "player/media-session.js"),
    ("meter.js", "player/meter.js"),
    ("mixer-page.js", "mixer/draw/page-painter.js"),
    ("mixer-words-zh.js", "mixer/texts-zh.js"),
    ("mixer-worker.js", "mixer/draw/worker.js"),
    ("mixer.js", "mixer/index.js"),
    ("native.js", "player/engine/sources/native.js"),
    ("pipeline.js", "player/engine/pipeline.js"),
    ("player.js", "player/engine/player.js"),
    ("publisher-engine.js", "publisher/engine/publisher.js"),
    ("publisher-flv.js", "publisher/engine/flv.js"),
    ("publisher-tap.js", "publisher/engine/tap.js"),
    ("publisher.js", "publisher/index.js"),
    ("room-connection.js", "room/connection.js"),
    ("room-panels.js", "room/panels.js"),
    ("room-qr.js", "room/qr.js"),
    ("room-words-zh.js", "room/texts-zh.js"),
    ("room.js", "room/index.js"),
    ("rtc.js", "player/engine/sources/webrtc/rtc.js"),
    ("sdk-publish.js", "srs/sdk-publish.js"),
    ("sdk.js", "srs/sdk.js"),
    ("srs-player.js", "srs/srs-player.js"),
    ("timeline.js", "player/timeline.js"),
    ("unplayable.js", "player/engine/unplayable.js"),
    ("words-zh.js", "player/texts-zh.js"),
    ("worker.js", "player/engine/worker.js"),
];

/// Generated files, which are in the same folder as the published files. Sources refer to them as files in the root of
/// `player-wasm/js`.
pub(crate) const GENERATED: [&str; 6] = [
    "player_wasm.js",
    "player_wasm_bg.wasm",
    "flv-inline.js",
    "player_ts.js",
    "player_ts_bg.wasm",
    "ts-inline.js",
];

/// The classic script, which is beside the folder of the modules.
pub(crate) const SCRIPT: &str = "srs-player.js";

/// Returns the published name of a module, if it is a published file: an entry or a generated file. `module` is a path
/// below `player-wasm/js`.
pub(crate) fn published(module: &str) -> Option<&'static str> {
    let entry = ENTRIES.iter().find(|(_, source)| *source == module).map(|&(published, _)| published);
    entry.or_else(|| GENERATED.into_iter().find(|name| *name == module))
}

/// Returns whether a text refers to a file of the package by a relative path.
pub(crate) fn is_reference(text: &str) -> bool {
    (text.starts_with("./") || text.starts_with("../")) && (text.ends_with(".js") || text.ends_with(".wasm"))
}

/// Returns the path below `player-wasm/js` for a relative specifier in `module`.
pub(crate) fn resolve(module: &str, specifier: &str) -> String {
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn relative_paths_are_resolved() {
        assert_eq!(resolve("player/engine/player.js", "../../net/token.js"), "net/token.js");
        assert_eq!(resolve("index.js", "./player/define.js"), "player/define.js");
    }

    #[test]
    fn modules_in_folders_become_files_of_one_folder() {
        assert_eq!(published("publisher/engine/tap.js"), Some("publisher-tap.js"));
        assert_eq!(published("player_wasm_bg.wasm"), Some("player_wasm_bg.wasm"));
        assert_eq!(published("net/token.js"), None);
    }

    #[test]
    fn published_names_are_unique() {
        let names: BTreeSet<&str> =
            ENTRIES.iter().map(|&(published, _)| published).chain(GENERATED).collect();
        assert_eq!(names.len(), ENTRIES.len() + GENERATED.len());
    }
}
