//! The Debian package: the program, its service, its settings as a configuration file, and the documentation.

use std::fs;
use std::path::Path;

use super::server::{VERSION, architecture, clear, install};
use super::{Compression, made};
use crate::sh::{Result, at, command, root, run};

/// Files of the package: from the repository, to their places, with their permissions.
const FILES: [(&str, &str, u32); 7] = [
    ("packaging/lianmai.service", "usr/lib/systemd/system/lianmai.service", 0o644),
    ("packaging/lianmai.toml", "etc/lianmai/lianmai.toml", 0o644),
    ("README.md", "usr/share/doc/lianmai/README.md", 0o644),
    ("LICENSE", "usr/share/doc/lianmai/copyright", 0o644),
    ("packaging/debian/postinst", "DEBIAN/postinst", 0o755),
    ("packaging/debian/prerm", "DEBIAN/prerm", 0o755),
    ("packaging/debian/postrm", "DEBIAN/postrm", 0o755),
];

/// The settings file is the operator's: an upgrade asks before it replaces a changed one.
const CONFFILES: &str = "/etc/lianmai/lianmai.toml\n";

/// Builds the package of `program` into `dist`. The same files always give the same package.
pub(super) fn build(program: &Path, dist: &Path, compression: Compression) -> Result {
    let name = format!("lianmai_{VERSION}_{}", architecture());
    let folder = dist.join(&name);
    clear(&folder)?;
    install(program, &folder.join("usr/bin/lianmai"), 0o755)?;
    for (from, to, mode) in FILES {
        install(&root().join(from), &folder.join(to), mode)?;
    }
    copy_docs(&folder.join("usr/share/doc/lianmai/docs"))?;
    let size = at(program.display(), program.metadata())?.len();
    write(&folder.join("DEBIAN/control"), &control(size.div_ceil(1024)))?;
    write(&folder.join("DEBIAN/conffiles"), CONFFILES)?;
    let package = dist.join(format!("{name}.deb"));
    let how: &[&str] = match compression {
        Compression::Small => &["-Zxz"],
        Compression::Fast => &["-Zgzip", "-z1"],
    };
    run(command("dpkg-deb")
        .env("SOURCE_DATE_EPOCH", "0")
        .arg("--root-owner-group")
        .args(how)
        .arg("--build")
        .args([&folder, &package]))?;
    at(folder.display(), fs::remove_dir_all(&folder))?;
    made(&package)
}

/// Copies the documentation for operators, which is Markdown.
fn copy_docs(to: &Path) -> Result {
    let docs = root().join("docs");
    for entry in at(docs.display(), docs.read_dir())? {
        let path = at(docs.display(), entry)?.path();
        if let Some(name) = path.file_name().filter(|_| path.extension().is_some_and(|ext| ext == "md")) {
            install(&path, &to.join(name), 0o644)?;
        }
    }
    Ok(())
}

/// Returns the control file (Debian Policy 5.3). `size` is in KiB.
fn control(size: u64) -> String {
    format!(
        "Package: lianmai\n\
         Version: {VERSION}\n\
         Architecture: {}\n\
         Maintainer: The Lianmai authors <lianmai@localhost>\n\
         Installed-Size: {size}\n\
         Depends: libc6 (>= 2.34), libgcc-s1\n\
         Recommends: ffmpeg\n\
         Section: video\n\
         Priority: optional\n\
         Description: live video gateway: RTMP, WebRTC, HTTP-FLV and HLS\n \
         Publish with OBS (RTMP or WHIP) or from a browser. Everyone watches over\n \
         WebRTC, HTTP-FLV, HLS or RTMP. Rooms let several hosts talk to each other\n \
         on air; with ffmpeg, the gateway mixes them into one stream.\n",
        architecture()
    )
}

fn write(file: &Path, text: &str) -> Result {
    at(file.display(), fs::write(file, text))
}
