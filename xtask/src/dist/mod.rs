//! `cargo xtask dist`: the files that users install, in `target/dist/`.
//!
//! ```text
//! lianmai.zip                     the WordPress plugin
//! lianmai-VERSION-linux-ARCH.tar.gz   the gateway's program, its service file and settings, and the licence
//! lianmai_VERSION_ARCH.deb        the same as a Debian package
//! ```

mod deb;
mod plugin;
mod server;

use std::fs;
use std::path::Path;

use crate::sh::{Result, at, target, which};

pub(crate) use plugin::build as build_plugin;

/// Builds everything, or the named parts: `plugin`, `server`. Tests give their own program and folders.
pub(crate) fn run(args: &[String]) -> Result {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => plugin::build().and_then(|_| server()),
        ["plugin"] => plugin::build().map(drop),
        ["server"] => server(),
        ["plugin", modules, dist] => plugin::build_from(modules.as_ref(), dist.as_ref()).map(drop),
        ["server", program, dist] => pack(program.as_ref(), dist.as_ref(), Compression::Fast),
        _ => Err(format!("unknown part {:?}: `cargo xtask dist [plugin|server]`", args.join(" "))),
    }
}

/// Builds the program for releases and packs it.
fn server() -> Result {
    pack(&server::build()?, &target().join("dist"), Compression::Small)
}

/// How packages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    /// For users.
    Small,
    /// For tests, whose program is ten times as large.
    Fast,
}

/// Packs `program` as a tarball and as a Debian package into `dist`.
fn pack(program: &Path, dist: &Path, compression: Compression) -> Result {
    at(dist.display(), fs::create_dir_all(dist))?;
    server::tarball(program, dist, compression)?;
    if which("dpkg-deb").is_none() {
        eprintln!("dpkg-deb not found: no Debian package (Debian's package `dpkg` has it)");
        return Ok(());
    }
    deb::build(program, dist, compression)
}

/// Prints the path and the size of a file that was made.
fn made(file: &Path) -> Result {
    let size = at(file.display(), file.metadata())?.len();
    eprintln!("{} ({} kB)", file.display(), size.div_ceil(1000));
    Ok(())
}
