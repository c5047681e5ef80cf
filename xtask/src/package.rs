//! `cargo xtask build`: the browser package, `player-wasm/dist/`.
//!
//! ```text
//! dist/srs-player.js    the classic script for one <script> tag; loads the modules beside it
//! dist/srs-player/      index.js, element.js, player.js, …, *.d.ts, and the wasm modules
//! ```
//!
//! The crate is compiled once per stream format: a page loads only the module that it needs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bundle;
use crate::sh::{Result, at, cargo, command, newest, output, program, root, run, target, which};

/// The wasm modules: their names, and the feature of the crate that each enables.
const MODULES: [(&str, &str); 2] = [("player_wasm", "flv"), ("player_ts", "ts")];

/// Options that Debian's binaryen (108) and npm's both support; with `--all-features` V8 rejects the modules.
const WASM_OPT: [&str; 14] = [
    // A larger value inlines functions that are called once, but compresses worse.
    "--one-caller-inline-max-function-size=30",
    // The lowest addresses are the end of the stack: no object is there.
    "--low-memory-unused",
    "--strip-producers",
    "--strip-target-features",
    "-Oz",
    // A second pass saves a little more after the locals are reordered.
    "--reorder-locals",
    "--simplify-locals",
    "-Oz",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
];

/// The purpose of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Small scripts.
    Release,
    /// Readable scripts with source maps.
    Development,
}

/// Builds the package if any of its inputs changed. Returns its path.
pub(crate) fn build() -> Result<PathBuf> {
    build_for(Purpose::Release)
}

/// Builds the package if one of its inputs has changed. Returns its path.
pub(crate) fn build_for(purpose: Purpose) -> Result<PathBuf> {
    wasm_target()?;
    let dist = root().join("player-wasm/dist");
    let generated = target().join("player-wasm");
    let compiled = generated.join("compiled");
    for (name, feature) in MODULES {
        compile(feature, &compiled.join(name).with_extension("wasm"))?;
    }
    let optimizer = which("wasm-opt");
    if up_to_date(&dist, &compiled, &stamp(optimizer.is_some(), purpose)) {
        return Ok(dist);
    }
    let bindgen = program("bindgen")?;
    for (name, _) in MODULES {
        run(command(&bindgen).args([&compiled.join(name).with_extension("wasm"), &generated]))?;
        if let Some(optimizer) = &optimizer {
            let module = generated.join(format!("{name}_bg.wasm"));
            run(command(optimizer).args(WASM_OPT).arg(&module).arg("-o").arg(&module))?;
            at(module.display(), mend_table_export(&module))?;
        }
    }
    if optimizer.is_none() {
        eprintln!(
            "wasm-opt not found: the wasm stays about 10 % larger (Debian's package `binaryen` has it)"
        );
    }
    assemble(&dist, &generated, purpose)?;
    if let Some(brotli) = which("brotli").filter(|_| purpose == Purpose::Release) {
        compress(&brotli, &dist)?;
    }
    at("dist/.stamp", fs::write(dist.join(".stamp"), stamp(optimizer.is_some(), purpose)))?;
    Ok(dist)
}

/// Compiles the crate with one feature, into the file `to`.
fn compile(feature: &str, to: &Path) -> Result {
    // Separate folders: both builds have the same name, and cargo would confuse them.
    let folder = target().join("player-wasm").join(feature);
    run(cargo()
        .args(["build", "--profile", "wasm", "--target", "wasm32-unknown-unknown"])
        .args(["--package", "player-wasm", "--lib", "--no-default-features", "--features", feature])
        .arg("--target-dir")
        .arg(&folder))?;
    let module = folder.join("wasm32-unknown-unknown/wasm/player_wasm.wasm");
    let code = at(module.display(), fs::read(&module))?;
    // The file's modification time records the last change.
    if fs::read(to).ok().as_ref() != Some(&code) {
        at(to.display(), to.parent().map_or(Ok(()), fs::create_dir_all))?;
        at(to.display(), fs::write(to, code))?;
    }
    Ok(())
}

/// Describes the options of a build. With other options the package has to be built again.
fn stamp(optimized: bool, purpose: Purpose) -> String {
    format!("{} for {purpose:?}\n", if optimized { "optimized" } else { "not optimized" })
}

/// Returns whether `dist` was built with the same options, after the last change of its inputs.
fn up_to_date(dist: &Path, compiled: &Path, stamp: &str) -> bool {
    let made = dist.join(".stamp");
    if fs::read_to_string(&made).ok().as_deref() != Some(stamp) {
        return false;
    }
    let sources = [compiled.to_owned(), root().join("player-wasm/js"), root().join("xtask/src")];
    newest(&made) >= sources.iter().filter_map(|source| newest(source)).max()
}

/// Writes the hand-written and the generated files to a new `dist`.
fn assemble(dist: &Path, generated: &Path, purpose: Purpose) -> Result {
    if dist.exists() {
        at("dist", fs::remove_dir_all(dist))?;
    }
    let modules = dist.join("srs-player");
    at("dist", fs::create_dir_all(&modules))?;
    for (name, feature) in MODULES {
        for ending in [".d.ts", "_bg.wasm"] {
            let file = format!("{name}{ending}");
            copy(&generated.join(&file), &modules.join(&file))?;
        }
        inline(&modules, name, feature)?;
    }
    let sources = root().join("player-wasm/js");
    let types = sources.join("types");
    for entry in at(types.display(), types.read_dir())? {
        let name = at(types.display(), entry)?.file_name();
        copy(&types.join(&name), &modules.join(&name))?;
    }
    bundle::package(&sources, generated, dist, purpose == Purpose::Development)
}

fn copy(from: &Path, to: &Path) -> Result {
    at(from.display(), fs::copy(from, to)).map(|_| ())
}

/// Writes a wasm module as a script, for bundlers and hosts that omit files which are not scripts. It is only
/// loaded if the wasm file is missing.
fn inline(modules: &Path, name: &str, feature: &str) -> Result {
    let wasm = modules.join(format!("{name}_bg.wasm"));
    let text = base64(&at(wasm.display(), fs::read(&wasm))?);
    let script = format!(
        "export const compile = () => \
         WebAssembly.compile(Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0)));\n"
    );
    let to = modules.join(format!("{feature}-inline.js"));
    at(to.display(), fs::write(&to, script))
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(data: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let bits = chunk.iter().fold(0, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

/// Writes a `.br` file next to files that pages load. Without it the gateway sends them with gzip, slightly larger.
fn compress(brotli: &Path, dist: &Path) -> Result {
    let mut files = Vec::new();
    for folder in [dist.to_owned(), dist.join("srs-player")] {
        for entry in at(folder.display(), folder.read_dir())? {
            let path = at(folder.display(), entry)?.path();
            if path.extension().is_some_and(|ext| ext == "js" || ext == "wasm") {
                files.push(path);
            }
        }
    }
    run(command(brotli).args(["--best", "--keep", "--force"]).args(files))
}

/// Works around Debian's wasm-opt 108, which exports the module's first table instead of the second,
/// wasm-bindgen's table of JavaScript values. Later versions are correct, and modules without two tables stay
/// unchanged.
fn mend_table_export(path: &Path) -> std::io::Result<()> {
    const EXPORT: &[u8] = b"\x15__wbindgen_externrefs\x01";
    let mut module = fs::read(path)?;
    if tables(&module) == Some(2)
        && let Some(at) = module.windows(EXPORT.len()).position(|window| window == EXPORT)
    {
        module[at + EXPORT.len()] = 1;
    }
    fs::write(path, module)
}

/// Returns the number of tables of a module (WebAssembly 5.5.7; fewer than 128, so it is one byte).
fn tables(module: &[u8]) -> Option<u8> {
    let mut rest = module.get(8..)?;
    while let [id, after @ ..] = rest {
        let (mut size, mut read) = (0usize, 0);
        loop {
            let byte = *after.get(read)?;
            size |= usize::from(byte & 0x7f) << (7 * read);
            read += 1;
            if byte & 0x80 == 0 || read > 4 {
                break;
            }
        }
        if *id == 4 {
            return after.get(read).copied();
        }
        rest = after.get(read + size..)?;
    }
    None
}

/// Ensures that rustc can build for `wasm32-unknown-unknown`.
fn wasm_target() -> Result {
    const NAME: &str = "wasm32-unknown-unknown";
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    let installed = || Path::new(&sysroot).join("lib/rustlib").join(NAME).join("lib").is_dir();
    for _ in 0..2 {
        if installed() {
            return Ok(());
        }
        let _ = run(command("rustup").args(["target", "add", NAME]));
    }
    if installed() {
        return Ok(());
    }
    Err(format!("rustc has no standard library for {NAME}: `rustup target add {NAME}` must work once"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_as_rfc_4648_has_it() {
        for (data, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("\u{ff}~", "w79+"),
        ] {
            assert_eq!(super::base64(data.as_bytes()), text);
        }
    }
}
