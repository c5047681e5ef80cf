//! The gateway's program for releases, and the tarball.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Compression, made};
use crate::package;
use crate::sh::{Result, at, cargo, command, root, run, target, which};

/// The gateway's version; all crates have the same one.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Files beside the program, and their places in the tarball.
const FILES: [(&str, &str); 4] = [
    ("packaging/lianmai.service", "lianmai.service"),
    ("packaging/lianmai.toml", "lianmai.toml"),
    ("README.md", "README.md"),
    ("LICENSE", "LICENSE"),
];

/// The C library of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Libc {
    /// That of the system on which the program runs.
    System,
    /// Inside the program, which then runs on every Linux.
    Inside,
}

impl Libc {
    /// Returns the compiler's target; `None` for that of this machine.
    fn target(self) -> Option<String> {
        (self == Self::Inside).then(|| format!("{}-unknown-linux-musl", env::consts::ARCH))
    }

    /// Returns what an archive's name says about it.
    const fn suffix(self) -> &'static str {
        match self {
            Self::System => "",
            Self::Inside => "-static",
        }
    }
}

/// Builds the program, without the paths of this machine, and returns its path.
pub(super) fn build(libc: Libc) -> Result<PathBuf> {
    let triple = libc.target();
    if let Some(triple) = &triple
        && which("musl-gcc").is_none()
    {
        let text =
            "a static program needs musl-gcc (Debian's package `musl-tools`), and once: rustup target add";
        return Err(format!("{text} {triple}"));
    }
    package::build()?;
    // Its own folder: other flags would make cargo build everything else again.
    let folder = target().join("dist-build");
    let flags: Vec<String> = own_paths()
        .iter()
        .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()))
        .collect();
    run(cargo()
        .args(["build", "--release", "--locked", "--package", "gateway", "--target-dir"])
        .arg(&folder)
        .args(triple.iter().flat_map(|triple| ["--target", triple]))
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")))?;
    let program = folder.join(triple.unwrap_or_default()).join("release/lianmai");
    let small = folder.join(format!("lianmai{}", libc.suffix()));
    at(small.display(), fs::copy(&program, &small))?;
    run(command("strip").arg(&small))?;
    check_paths(&small)?;
    Ok(small)
}

/// Folders of this machine that a compiler writes into programs, and their names there. The last match wins.
fn own_paths() -> Vec<(PathBuf, &'static str)> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let of_cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or(home.map(|home| home.join(".cargo")));
    let mut paths = vec![(root(), "lianmai")];
    if let Some(cargo) = of_cargo {
        paths.push((cargo, "cargo"));
    }
    paths
}

/// Fails if the program still tells who built it.
fn check_paths(program: &Path) -> Result {
    let code = at(program.display(), fs::read(program))?;
    for (path, _) in own_paths() {
        let path = path.to_string_lossy().into_owned();
        if code.windows(path.len()).any(|part| part == path.as_bytes()) {
            return Err(format!("{} contains the path {path} of this machine", program.display()));
        }
    }
    Ok(())
}

/// Returns the machine's architecture as Debian calls it.
pub(super) fn architecture() -> &'static str {
    match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Packs the program with its files into `dist`. The same files always give the same archive.
pub(super) fn tarball(program: &Path, dist: &Path, compression: Compression, libc: Libc) -> Result {
    let name = format!("lianmai-{VERSION}-linux-{}{}", architecture(), libc.suffix());
    let folder = dist.join(&name);
    clear(&folder)?;
    install(program, &folder.join("lianmai"), 0o755)?;
    for (from, to) in FILES {
        install(&root().join(from), &folder.join(to), 0o644)?;
    }
    let archive = dist.join(format!("{name}.tar.gz"));
    let gzip = match compression {
        Compression::Small => "--use-compress-program=gzip -9n",
        Compression::Fast => "--use-compress-program=gzip -1n",
    };
    run(command("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", gzip])
        .arg("--create")
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .args([dist, Path::new(&name)]))?;
    made(&archive)
}

/// Makes an empty folder.
pub(super) fn clear(folder: &Path) -> Result {
    if folder.exists() {
        at(folder.display(), fs::remove_dir_all(folder))?;
    }
    at(folder.display(), fs::create_dir_all(folder))
}

/// Copies a file to a place in a package, with these permissions.
pub(super) fn install(from: &Path, to: &Path, mode: u32) -> Result {
    if let Some(folder) = to.parent() {
        at(folder.display(), fs::create_dir_all(folder))?;
    }
    at(from.display(), fs::copy(from, to))?;
    at(to.display(), fs::set_permissions(to, fs::Permissions::from_mode(mode)))
}
