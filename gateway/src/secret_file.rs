//! Files that only the gateway may read, and files that are written atomically.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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

#[cfg(unix)]
fn is_writable_by_all(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    found.is_file() && found.mode() & 0o002 != 0
}

#[cfg(not(unix))]
fn is_writable_by_all(_: &Metadata) -> bool {
    false
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
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn files_that_others_may_read_or_change_are_refused_with_the_cure() {
        let dir = std::env::temp_dir().join(format!("lianmai-modes-{}", std::process::id()));
        make_folder(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        let path = dir.join("secret");
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        write(&path, "s", 0o600).unwrap();
        for (mode, owner, group) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o660, false, false),
            (0o644, false, false),
            (0o604, false, false),
            (0o602, false, false),
            (0o666, false, false),
            (0o610, false, false),
        ] {
            set(mode);
            assert_eq!(read(&path, Readers::Owner).is_ok(), owner, "{mode:o}");
            assert_eq!(read(&path, Readers::Group).is_ok(), group, "{mode:o}");
        }
        set(0o666);
        let words = read_text(&path, Readers::Owner).unwrap_err().to_string();
        assert!(
            words.contains("0666") && words.contains(&format!("chmod 600 {}", path.display())),
            "{words}"
        );
        // A link is followed, and a broken link gets its own error text.
        set(0o600);
        let link = dir.join("link");
        symlink(&path, &link).unwrap();
        assert_eq!(read_text(&link, Readers::Owner).unwrap(), "s");
        fs::remove_file(&path).unwrap();
        assert!(read(&link, Readers::Owner).unwrap_err().to_string().contains("link"));
        for (mode, good) in [(0o700, true), (0o755, true), (0o777, false), (0o1777, true), (0o702, false)] {
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(check_folder(&dir).is_ok(), good, "{mode:o}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_file_of_another_user_decides_nothing() {
        for (owner, own, trusted) in [(0, 0, true), (7, 7, true), (0, 7, true), (7, 0, false), (8, 7, false)]
        {
            assert_eq!(is_trusted_owner(owner, own), trusted, "{owner} {own}");
        }
        let dir = std::env::temp_dir().join(format!("lianmai-owners-{}", std::process::id()));
        make_folder(&dir).unwrap();
        let path = dir.join("secret");
        write(&path, "s", 0o600).unwrap();
        assert_eq!(read_settings(&path, true).unwrap(), "s");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
        assert!(read_settings(&path, false).unwrap_err().to_string().contains("chmod o-w"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // Only root can give a file away.
        if std::os::unix::fs::chown(&path, Some(65534), None).is_ok() {
            for error in
                [read_text(&path, Readers::Owner).unwrap_err(), read_settings(&path, true).unwrap_err()]
            {
                assert!(error.to_string().contains("belongs to user 65534"), "{error}");
            }
            assert_eq!(read_text(&path, Readers::AnyOwner).unwrap(), "s");
            // The operator who names a file answers for it: in a container it often belongs to a user of the host.
            assert_eq!(read_settings(&path, false).unwrap(), "s");
        }
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_nobody_can_close_is_read() {
        // Mode 0444, and the system refuses every chmod, even by root.
        let path = Path::new("/proc/self/status");
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o444);
        assert!(!read_text(path, Readers::Owner).unwrap().is_empty());
        assert!(!read_text(path, Readers::Group).unwrap().is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_behind() {
        let dir = std::env::temp_dir().join(format!("lianmai-leftovers-{}", std::process::id()));
        // A folder is in the way of the file.
        make_folder(&dir.join("secret/full")).unwrap();
        assert!(write(&dir.join("secret"), "s", 0o600).is_err());
        let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["secret"]);
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_link_in_the_way_is_replaced_and_not_followed() {
        let dir = std::env::temp_dir().join(format!("lianmai-links-{}", std::process::id()));
        make_folder(&dir).unwrap();
        let victim = dir.join("victim");
        fs::write(&victim, "precious").unwrap();
        let file = dir.join("ready.json");
        symlink(&victim, dir.join("ready.json.part")).unwrap();
        symlink(&victim, &file).unwrap();
        write(&file, "{}", 0o644).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
        assert!(!fs::symlink_metadata(&file).unwrap().is_symlink());
        fs::remove_dir_all(&dir).unwrap();
    }
}
