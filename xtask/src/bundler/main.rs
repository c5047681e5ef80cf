//! Creates the scripts that pages load.
//!
//! ```text
//! bundler package SOURCES GENERATED DIST [--dev]
//!     the browser package: SOURCES is player-wasm/js, GENERATED has wasm-bindgen's scripts
//! bundler script IN OUT
//!     one classic script
//! ```
//!
//! oxc parses, minifies and writes scripts. Only the joining of modules ([`join`]) is own code: other bundlers move
//! shared code into a third file, so that a page would load more files before playback.

mod glue;
mod join;
mod module;
mod output;
mod published;
mod rewrite;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use oxc_allocator::Allocator;
use oxc_span::SourceType;

use join::join;
use module::{Result, parse};
use output::{minified, readable};
use published::{ENTRIES, GENERATED, SCRIPT};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["package", sources, generated, dist] => package(sources, generated, dist.as_ref(), false),
        ["package", sources, generated, dist, "--dev"] => package(sources, generated, dist.as_ref(), true),
        ["script", from, to] => script(from.as_ref(), to.as_ref()),
        _ => {
            eprintln!("usage: bundler package SOURCES GENERATED DIST [--dev] | bundler script IN OUT");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bundler: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the published scripts and wasm-bindgen's scripts.
fn package(sources: &str, generated: &str, dist: &Path, dev: bool) -> Result<()> {
    let (sources, generated) = (Path::new(sources), Path::new(generated));
    let modules = dist.join("srs-player");
    for (published, source) in ENTRIES {
        let (folder, kind) = match published {
            SCRIPT => (dist, SourceType::script()),
            _ => (&*modules, SourceType::mjs()),
        };
        let allocator = Allocator::default();
        let mut joined = join(&allocator, source, kind, &|path| read(&sources.join(path)))?;
        if dev {
            let (code, map) = readable(&joined, published);
            write(&folder.join(published), &code)?;
            write(&folder.join(format!("{published}.map")), &map)?;
        } else {
            write(&folder.join(published), &minified(&allocator, &mut joined.program)?)?;
        }
    }
    for name in GENERATED.iter().filter(|name| generated.join(name).is_file() && name.ends_with(".js")) {
        write(&modules.join(name), &glue(name, &read(&generated.join(name))?)?)?;
    }
    Ok(())
}

/// Minifies wasm-bindgen's script.
fn glue(name: &str, source: &str) -> Result<String> {
    let allocator = Allocator::default();
    let mut program = parse(&allocator, name, source, SourceType::mjs())?;
    glue::remove_unused(&mut program);
    minified(&allocator, &mut program)
}

/// Minifies a classic script.
fn script(from: &Path, to: &Path) -> Result<()> {
    let allocator = Allocator::default();
    let mut program = parse(&allocator, &from.display().to_string(), &read(from)?, SourceType::script())?;
    write(to, &minified(&allocator, &mut program)?)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
