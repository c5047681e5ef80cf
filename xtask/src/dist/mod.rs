//! `cargo xtask dist`: the files that users install, in `target/dist/`.
//!
//! ```text
//! lianmai.zip                     the WordPress plugin
//! lianmai-VERSION-linux-ARCH.tar.gz   the gateway's program, its service file and settings, and the licence
//! lianmai_VERSION_ARCH.deb        the same as a Debian package
//! lianmai-VERSION-linux-ARCH-static.tar.gz   a program with its C library inside, only if asked for: `dist static`
//! ```

mod deb;
mod plugin;
mod server;

use std::fs;
use std::path::Path;

use self::server::Libc;
use crate::sh::{Result, at, target, which};

pub(crate) use plugin::build as build_plugin;

/// Builds everything but the static program, or the named part: `plugin`, `server`, `static`. Tests give their own program and folders.
pub(crate) fn run(args: &[String]) -> Result {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [] => plugin::build().and_then(|_| server()),
        ["plugin"] => plugin::build().map(drop),
        ["server"] => server(),
        ["static"] => static_server(),
        ["plugin", modules, dist] => plugin::build_from(modules.as_ref(), dist.as_ref()).map(drop),
        ["server", program, dist] => pack(program.as_ref(), dist.as_ref(), Compression::Fast),
        _ => Err(format!("unknown part {:?}: `cargo xtask dist [plugin|server|static]`", args.join(" "))),
    }
}

/// Builds the program for releases and packs it.
fn server() -> Result {
    pack(&server::build(Libc::System)?, &target().join("dist"), Compression::Small)
}

/// Builds the static program for releases and packs it.
fn static_server() -> Result {
    let (program, dist) = (server::build(Libc::Inside)?, target().join("dist"));
    at(dist.display(), fs::create_dir_all(&dist))?;
    server::tarball(&program, &dist, Compression::Small, Libc::Inside)
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
    server::tarball(program, dist, compression, Libc::System)?;
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
