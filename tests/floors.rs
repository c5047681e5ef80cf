//! The house rules: which crate and which module may use which others. See docs and the table below.

#[path = "floors/defaults.rs"]
mod defaults;
#[path = "floors/gateway.rs"]
mod gateway;
#[path = "floors/grants.rs"]
mod grants;
#[path = "floors/imports.rs"]
mod imports;
#[path = "floors/links.rs"]
mod links;
#[path = "floors/scripts.rs"]
mod scripts;
#[path = "floors/starts.rs"]
mod starts;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use gateway::{Floor, GATEWAY};
use imports::{File, imports};

/// Names that `media` must not use: it has no I/O, clock, threads or runtime.
const NOT_IN_MEDIA: &[&str] = &[
    "std::time",
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "std::thread",
    "std::process",
    "tokio",
    "tracing",
    "log",
    "wasm_bindgen",
    "js_sys",
    "web_sys",
];

/// Crates that `media` must not depend on, directly or indirectly.
const NOT_BELOW_MEDIA: &[&str] =
    &["tokio", "wasm-bindgen", "js-sys", "web-sys", "tracing", "rand", "gateway"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the Rust files of a crate, with paths relative to its `src`.
fn sources(krate: &str) -> Vec<File> {
    files(&root().join(krate).join("src"), &["rs"])
}

/// Returns the files below a folder with one of `extensions`, with relative paths.
fn files(folder: &Path, extensions: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(dir) = folders.pop() {
        for entry in dir.read_dir().unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| extensions.iter().any(|e| ext == *e)) {
                let text = fs::read_to_string(&path).expect("a readable file");
                let name = path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned();
                files.push(File { name, text });
            }
        }
    }
    files
}

/// Returns whether `path` is `module`, or below it.
fn is_in(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns the module in the table for any path in it: `edges::rtmp` for `edges::rtmp::chunk::Reader`.
fn unit<'p>(path: &'p str, floors: &[(&str, Floor)]) -> Option<(&'p str, Floor)> {
    let (module, floor) =
        floors.iter().filter(|(module, _)| is_in(path, module)).max_by_key(|(module, _)| module.len())?;
    let folder = module.len() + 2;
    let end = match floor {
        Floor::Edge if path.len() > folder => {
            path[folder..].find("::").map_or(path.len(), |end| folder + end)
        }
        _ => module.len(),
    };
    Some((&path[..end], *floor))
}

fn gateway_violations(files: &[File], floors: &[(&str, Floor)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let module = file.module().join("::");
        // A folder's own file only lists its modules.
        let lists = floors.iter().any(|(path, _)| *path != module && is_in(path, &module));
        if module.is_empty() || lists {
            continue;
        }
        let Some((own, floor)) = unit(&module, floors) else {
            wrong.push(format!("{}: say in tests/floors/gateway.rs on which floor `{module}` is", file.name));
            continue;
        };
        for import in imports(file) {
            let Some((used, used_floor)) = import.strip_prefix("crate::").and_then(|path| unit(path, floors))
            else {
                continue;
            };
            let allowed = used == own
                || match floor {
                    Floor::Top => true,
                    Floor::Edge => matches!(used_floor, Floor::Base(_)),
                    Floor::Base(names) => names.iter().any(|name| is_in(used, name)),
                };
            if !allowed {
                wrong.push(format!("{}: `{own}` must not use `{used}` ({import})", file.name));
            }
        }
    }
    wrong
}

fn media_violations(files: &[File]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        for import in imports(file) {
            let hit = NOT_IN_MEDIA.iter().find(|no| import == **no || import.starts_with(&format!("{no}::")));
            if let Some(no) = hit {
                wrong.push(format!("{}: `media` must not use `{no}` ({import})", file.name));
            }
        }
        if imports::has_unsafe(file) {
            wrong.push(format!("{}: `media` has no unsafe code", file.name));
        }
    }
    wrong
}

/// Returns all crates that `from` needs to build, except itself.
fn below(metadata: &Metadata, from: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let name = |id| metadata[id].name.to_string();
    let start = metadata.workspace_members.iter().find(|id| name(id) == from).expect("a member");
    let mut seen = BTreeSet::from([start.clone()]);
    let mut queue = vec![start.clone()];
    while let Some(id) = queue.pop() {
        let node = resolve.nodes.iter().find(|node| node.id == id).expect("every package is resolved");
        for dep in &node.deps {
            let normal = dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if normal && seen.insert(dep.pkg.clone()) {
                queue.push(dep.pkg.clone());
            }
        }
    }
    seen.remove(start);
    seen.iter().map(name).collect()
}

fn metadata() -> Metadata {
    let manifest = root().join("Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).exec().expect("cargo metadata works")
}

#[test]
fn crates_stay_on_their_floors() {
    let metadata = metadata();
    let members: Vec<String> =
        metadata.workspace_members.iter().map(|id| metadata[id].name.to_string()).collect();
    let media = below(&metadata, "media");
    for no in NOT_BELOW_MEDIA {
        assert!(!media.contains(*no), "media depends on {no}");
    }
    let player = below(&metadata, "player-wasm");
    for no in ["gateway", "tokio"] {
        assert!(!player.contains(no), "player-wasm depends on {no}");
    }
    assert!(!below(&metadata, "gateway").contains("player-wasm"), "gateway depends on player-wasm");
    for member in &members {
        assert!(!below(&metadata, member).contains("lianmai-tests"), "{member} depends on the tests");
        assert!(!below(&metadata, member).contains("xtask"), "{member} depends on xtask");
    }
}

#[test]
fn there_is_one_crypto_library() {
    // Not from the metadata, which includes optional features.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .args(["tree", "--offline", "--package", "gateway", "--edges", "normal,build", "--prefix", "none"])
        .current_dir(root())
        .output()
        .expect("cargo tree works");
    let tree = String::from_utf8_lossy(&tree.stdout);
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("aws-lc-rs"), "{tree}");
    for no in ["ring", "openssl-sys", "openssl", "native-tls", "boring", "graviola"] {
        assert!(!names.contains(no), "the gateway depends on {no}");
    }
}

#[test]
fn gateway_modules_stay_on_their_floors() {
    let wrong = gateway_violations(&sources("gateway"), GATEWAY);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_jobs_enter_the_hub_without_admission() {
    let wrong = grants::without_admission(&sources("gateway"));
    assert!(wrong.is_empty(), "these serve clients, so they need a grant of `Admission`: {wrong:?}");
    let wrong = |name: &str, text: &str| {
        !grants::without_admission(&[File { name: name.into(), text: text.into() }]).is_empty()
    };
    for text in [
        "fn f() { hub.publish(&PublishGrant::for_job(&name, \"x\")) }",
        "const F: Make = PlayGrant::for_job;",
        "async fn f() { tokio::select! { s = hub.play(&PlayGrant::for_job(&name, \"x\"), wait) => s } }",
    ] {
        assert!(wrong("edges/flv/play.rs", text) && wrong("http/mod.rs", text) && wrong("api/jobs.rs", text));
        assert!(!wrong("jobs/demo.rs", text) && !wrong("edges/flv/tests.rs", text), "{text}");
        assert!(!wrong("edges/flv/play.rs", &format!("#[cfg(test)] mod tests {{ {text} }}")), "{text}");
    }
    assert!(!wrong("edges/flv/play.rs", "// PlayGrant::for_job(&name) is for jobs"));
}

#[test]
fn media_is_pure() {
    let files = sources("media");
    assert!(!files.is_empty());
    let wrong = media_violations(&files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn default_is_what_new_makes() {
    for krate in ["media", "pixels", "gateway", "player-wasm", "examples", "tests", "xtask"] {
        let wrong = defaults::derived_beside_new(&sources(krate));
        assert!(wrong.is_empty(), "in {krate}: {}; write `impl Default` by hand", wrong.join("\n"));
    }
}

#[test]
fn a_default_that_is_not_new_is_found() {
    let wrong =
        |text: &str| defaults::derived_beside_new(&[File { name: "a.rs".into(), text: text.into() }]).len();
    for text in [
        "#[derive(Default)] struct A { n: usize } impl A { fn new() -> Self { Self { n: 4 } } }",
        "#[derive(Debug, Default)] pub struct A<T>(T); impl<T> A<T> { pub const fn new(t: T) -> Self { Self(t) } }",
        "#[derive(Default)] struct A { n: usize, m: usize } impl A { fn new() -> Self { Self { n: 4, ..Self::default() } } }",
        "mod inner { #[derive(Default)] enum A { #[default] B, C } impl A { fn new() -> Self { Self::C } } }",
    ] {
        assert_eq!(wrong(text), 1, "{text}");
    }
    for text in [
        "#[derive(Default)] struct A { n: usize } impl A { fn new() -> Self { Self::default() } }",
        "#[derive(Default)] struct A { n: usize } impl A { fn of(n: usize) -> Self { Self { n } } }",
        "struct A; impl A { fn new() -> Self { Self } } impl Default for A { fn default() -> Self { Self::new() } }",
        "#[derive(Default)] struct A; struct B; impl B { fn new() -> Self { Self } }",
    ] {
        assert_eq!(wrong(text), 0, "{text}");
    }
}

#[test]
fn pages_know_only_what_is_built() {
    let inner = ["player-wasm/js", "player-wasm/src", "gateway/src", "media/src"];
    let mut wrong = Vec::new();
    let mut dirs = vec![root().join("demo"), root().join("wp-plugin")];
    while let Some(dir) = dirs.pop() {
        for entry in dir.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            let page =
                path.extension().is_some_and(|ext| ["html", "js", "css", "php"].iter().any(|e| ext == *e));
            if path.is_dir() && entry.file_name() != "node_modules" {
                dirs.push(path);
            } else if page
                && fs::read_to_string(&path).is_ok_and(|text| inner.iter().any(|dir| text.contains(dir)))
            {
                wrong.push(path.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "these reach into other parts' sources: {wrong:?}");
}

/// The harness sets every port to 0, so that tests pass next to a gateway on the default ports.
#[test]
fn only_the_harness_starts_a_gateway() {
    let mut files = Vec::new();
    let mut dirs = vec![root().join("tests")];
    while let Some(dir) = dirs.pop() {
        for entry in dir.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            // This file and its folder contain the searched words.
            let skipped = ["node_modules", "floors", "floors.rs", "target"];
            if skipped.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.push((path, text));
            }
        }
    }
    assert!(files.len() > 100, "the walk found {} files", files.len());
    let wrong = starts::past_the_harness(files.iter().map(|(path, text)| (path.as_path(), text.as_str())));
    assert!(wrong.is_empty(), "these start a gateway without the harness: {wrong:?}");
    let bad = "spawn(process.env.LIANMAI ?? 'x', ['serve'])";
    assert_eq!(starts::past_the_harness([(Path::new("browser/a.test.mjs"), bad)]), ["browser/a.test.mjs"]);
}

#[test]
fn browser_folders_stay_on_their_floors() {
    let files = files(&root().join("player-wasm/js"), &["js", "ts", "mjs"]);
    assert!(files.len() > 50, "{}", files.len());
    let wrong = scripts::violations(&files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_upwards_in_the_browser_is_found() {
    let wrong =
        |name: &str, text: &str| scripts::violations(&[File { name: name.into(), text: text.into() }]).len();
    for (name, text) in [
        ("net/whep.js", "import { Skin } from '../player/skin.js';"),
        ("ui/dom.js", "const m = await import('../publisher/skin.js');"),
        ("player/skin.js", "import { Menus } from '../publisher/menus.js';"),
        ("publisher/skin.js", "export { Skin } from '../player/skin.js';"),
        ("player/engine/sink.js", "/** @type {import('../element.js').Element} */"),
        ("player/engine/sources/flv/loader.js", "import { Sink } from '../../sink.js';"),
        ("player/skin.js", "new URL('../srs/srs-player.js', import.meta.url)"),
        ("player/skin.js", "import '../index.js';"),
        ("surprise/a.js", ""),
    ] {
        assert_eq!(wrong(name, text), 1, "{name}: {text}");
    }
    for (name, text) in [
        (
            "player/skin.js",
            "import { h } from '../ui/dom.js'; import('./meter.js'); import('./engine/player.js')",
        ),
        ("player/engine/sink.js", "/** @type {import('../../player_wasm.js').Engine} */"),
        ("srs/sdk.js", "import { Whip } from '../publisher/engine/whip.js';"),
        ("index.js", "export * from './player/define.js';"),
        ("publisher/i18n.js", "const stop = 'import';"),
    ] {
        assert_eq!(wrong(name, text), 0, "{name}: {text}");
    }
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    let mut broken = Vec::new();
    let folders = [".", "docs", "docs/adr", "examples", "player-wasm", "tests"];
    let names = folders.iter().flat_map(|folder| {
        let entries = root().join(folder).read_dir().unwrap_or_else(|e| panic!("{folder}: {e}"));
        entries.flatten().map(move |entry| format!("{folder}/{}", entry.file_name().to_string_lossy()))
    });
    let mut pages = 0;
    for name in names.filter(|name| name.ends_with(".md")) {
        pages += 1;
        broken.extend(links::broken(
            &root(),
            &name,
            &fs::read_to_string(root().join(&name)).expect("a page"),
        ));
    }
    assert!(pages > 20, "the walk found {pages} pages");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    for bad in ["[x](docs/none.md)", "[x](README.md#no-such-heading)", "[x](#nothing)"] {
        assert_eq!(links::broken(&root(), "a.md", bad).len(), 1, "{bad}");
    }
    assert!(links::broken(&root(), "a.md", "[x](README.md#features) [y](https://example.org/z)").is_empty());
}

#[test]
fn a_broken_floor_is_found() {
    let file = |name: &str, text: &str| File { name: name.into(), text: text.into() };
    let bad = [
        ("core/hub/mod.rs", "use crate::edges::rtmp::Session;"),
        ("core/hub/deep/mod.rs", "use super::super::super::edges::flv::Tag;"),
        ("core/hub/ring.rs", "use crate::core::auth::Auth;"),
        ("edges/flv/play.rs", "use crate::{core::auth::Auth, edges::hls};"),
        ("edges/flv/play.rs", "use super::super::hls::Store;"),
        ("edges/flv/mod.rs", "fn f() { crate::edges::rtmp::go() }"),
        ("edges/flv.rs", "mod inner { use crate::http; }"),
        ("edges/flv.rs", "fn f() { println!(\"{}\", crate::edges::rtmp::go()) }"),
        ("edges/flv.rs", "use crate::jobs::demo;"),
        ("core/auth.rs", "pub(crate) fn f(_: &crate::context::Context) {}"),
        ("surprise.rs", ""),
        ("core/surprise.rs", ""),
    ];
    for (name, text) in bad {
        let wrong = gateway_violations(&[file(name, text)], GATEWAY);
        assert_eq!(wrong.len(), 1, "{name}: {text}: {wrong:?}");
    }
    let good = [
        ("edges/flv/play.rs", "use super::mux; use crate::{core::hub::Hub, edges::flv::tag};"),
        ("core/hub/mod.rs", "mod a; use self::a::B; // use crate::edges::rtmp\n use media::Frame;"),
        ("core/mod.rs", "pub mod hub;"),
        ("http.rs", "use crate::{edges::{rtmp, flv}, core::hub};"),
        ("lib.rs", "pub mod surprise;"),
    ];
    for (name, text) in good {
        assert_eq!(gateway_violations(&[file(name, text)], GATEWAY), [""; 0], "{name}: {text}");
    }
    for text in [
        "use std::time::Instant;",
        "fn f() -> std::net::IpAddr { todo() }",
        "use std::{fmt, net::TcpStream};",
        "async fn f() { tokio::spawn(g()) }",
        "fn f() { unsafe { g() } }",
        "unsafe fn f() {}",
    ] {
        assert_eq!(media_violations(&[file("a.rs", text)]).len(), 1, "{text}");
    }
    assert!(media_violations(&[file("a.rs", "#[cfg(test)] mod tests { use std::fs; }")]).is_empty());
}
