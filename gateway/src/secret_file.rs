//! Files that only the gateway may read, and files that are written atomically.

mod kept;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub use kept::{KeptFile, MAX_KEPT};

/// The other users that may read a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// No other users. The file must belong to the user that runs the gateway, or to root: its owner can change it
    /// at any time.
    Owner,
    /// No other users, whoever the owner is: an administrator makes tokens with the key of the gateway's user.
    AnyOwner,
    /// The group may read it, as in distributions that keep certificate keys this way.
    Group,
}

/// Reads a file with a secret.
///
/// # Errors
/// The file cannot be read; other users own it or may change it; or other users may read it and `chmod` would help,
/// which the text explains.
pub fn read(path: &Path, readers: Readers) -> io::Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound if fs::symlink_metadata(path).is_ok() => io::Error::other(
            "the link leads to a file that does not exist: remove the link, or create the file",
        ),
        _ => error,
    })?;
    let found = file.metadata()?;
    if readers == Readers::Owner {
        check_owner(&file, &found, path)?;
    }
    if let Some(why) = problem(&found, readers) {
        if !why.may_be_changed() && !can_be_closed(&file, &found) {
            warn_once(path, why);
            return read_all(file);
        }
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{why}: `chmod {} {}`", why.cure(readers), path.display()),
        ));
    }
    read_all(file)
}

/// Checks that no other user than root owns a file that decides who may use the gateway.
#[cfg(unix)]
fn check_owner(file: &File, found: &Metadata, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, own) = (found.uid(), rustix::process::geteuid().as_raw());
    if is_trusted_owner(owner, own) {
        return Ok(());
    }
    // On a read-only mount the owner changes nothing: the administrator has decided what is there.
    let mount = rustix::fs::fstatvfs(file)?;
    if mount.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "this file belongs to user {owner}, who can change it; it must belong to the user that runs the gateway \
             ({own}) or to root: remove it, or `chown {own} {}`",
            path.display()
        ),
    ))
}

#[cfg(not(unix))]
fn check_owner(_: &File, _: &Metadata, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Whether a file of the user `owner` may decide who uses a gateway that the user `own` runs.
#[cfg(unix)]
const fn is_trusted_owner(owner: u32, own: u32) -> bool {
    owner == own || owner == 0
}

/// Reads the file with the settings, which other users may read but not change. `found_here` says that nobody named
/// the file: then it must belong to the gateway's user or to root as well, because anybody may have put it there.
///
/// # Errors
/// Other users own or can change the file, which the text explains; or it cannot be read.
pub fn read_settings(path: &Path, found_here: bool) -> io::Result<String> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    if found_here {
        check_owner(&file, &found, path)?;
    }
    if is_writable_by_all(&found) && can_be_closed(&file, &found) {
        let path = path.display();
        let text =
            format!("every user may change this file, and it decides who may publish: `chmod o-w {path}`");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    String::from_utf8(read_all(file)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Returns whether all users of this machine may read a file. Its group is the administrator's choice.
pub fn is_readable_by_all(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| mode_of_all(&found) & 0o4 != 0)
}

fn read_all(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns whether the gateway could change the file's mode. It cannot for files of other users and on
/// read-only mounts. Kubernetes mounts secrets in this way, with mode 0644. There the administrator of the
/// mount decides about access, and the operator could not run `chmod`.
fn can_be_closed(file: &File, found: &Metadata) -> bool {
    file.set_permissions(found.permissions()).is_ok()
}

/// Warns once about a file that other users may read: certificates are reloaded every few seconds.
fn warn_once(path: &Path, why: TooPermissive) {
    // All paths come from the operator's configuration, so there are few.
    static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned()) {
        tracing::warn!(file = %path.display(), mode = format!("{:04o}", why.0), "other users can read this secret");
    }
}

/// Reads a file with a secret as text.
///
/// # Errors
/// The same as [`read`], and text that is not UTF-8.
pub fn read_text(path: &Path, readers: Readers) -> io::Result<String> {
    String::from_utf8(read(path, readers)?).map_err(io::Error::other)
}

/// Checks the permissions of the folder for secrets.
///
/// # Errors
/// Other users could create files there.
pub fn check_folder(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) => match is_open_folder(&found) {
            true => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "everybody may write into this folder, and it holds secrets: `chmod o-w {}`",
                    path.display()
                ),
            )),
            false => Ok(()),
        },
    }
}

/// Creates the folder for secrets, if it does not exist.
///
/// # Errors
/// The folder cannot be created.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a file atomically: no reader sees it incomplete. The file has exactly this mode. A link is
/// replaced, not followed.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut part = OsString::from(path);
    part.push(".part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(Path::new(&part), mode)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // A full disk leaves an empty file behind, which nobody needs.
        let _ = fs::remove_file(&part);
    }
    written
}

/// Creates a new file with this mode, whatever the umask.
///
/// # Errors
/// A file or link of that name exists.
pub fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
        let file = options.mode(mode).open(path)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        Ok(file)
    }
    #[cfg(not(unix))]
    {
        let _ = mode;
        options.open(path)
    }
}

/// The file mode is too permissive for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TooPermissive(u32);

impl TooPermissive {
    const fn may_be_changed(self) -> bool {
        self.0 & 0o022 != 0
    }

    const fn cure(self, readers: Readers) -> &'static str {
        match readers {
            Readers::Owner | Readers::AnyOwner => "600",
            Readers::Group => "640",
        }
    }
}

impl fmt::Display for TooPermissive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "other users may read or change this secret (its mode is {:04o}); close it, and take another secret if they are not trusted",
            self.0
        )
    }
}

#[cfg(unix)]
fn problem(found: &Metadata, readers: Readers) -> Option<TooPermissive> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = found.mode() & 0o7777;
    let wide = match readers {
        Readers::Owner | Readers::AnyOwner => 0o077,
        Readers::Group => 0o037,
    };
    (found.is_file() && mode & wide != 0).then_some(TooPermissive(mode))
}

#[cfg(not(unix))]
fn problem(_: &Metadata, _: Readers) -> Option<TooPermissive> {
    None
}

fn is_writable_by_all(found: &Metadata) -> bool {
    mode_of_all(found) & 0o2 != 0
}

/// Returns what users may do with a file who are neither its owner nor in its group: the last digit of its mode.
#[cfg(unix)]
fn mode_of_all(found: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    if found.is_file() { found.mode() & 0o7 } else { 0 }
}

#[cfg(not(unix))]
fn mode_of_all(_: &Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn is_open_folder(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // In a sticky folder (/tmp) users can only delete their own files.
    found.is_dir() && found.mode() & 0o1002 == 0o0002
}

#[cfg(not(unix))]
fn is_open_folder(_: &Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests;
