//! The lock of the data folder: two gateways in one folder would replace each other's secrets and forget which tokens
//! were used.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::secret_file;
use crate::service::StartError;

/// Name of the locked file. It stays there: only the lock counts, which the system releases with the process.
const FILE: &str = "lock";

/// The lock, until it is dropped. `None` inside if the folder cannot be locked.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: Option<File>,
}

impl DataLock {
    /// Locks the data folder, and makes it if necessary. In a folder that cannot be written, or on a system without
    /// locks, the gateway runs without a lock.
    ///
    /// # Errors
    /// Another gateway uses the folder.
    pub(super) fn take(data: &Path) -> Result<Self, StartError> {
        let path = data.join(FILE);
        let mut file = match open(data, &path) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the data folder cannot be locked");
                return Ok(Self { _file: None });
            }
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(used(data, &mut file)),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "the data folder cannot be locked");
                return Ok(Self { _file: None });
            }
        }
        // The number only helps to find the process.
        let pid = std::process::id();
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{pid}"));
        Ok(Self { _file: Some(file) })
    }
}

fn open(data: &Path, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    secret_file::make_folder(data)?;
    let mut options = OpenOptions::new();
    // Not truncated before the lock is there: the number in it is another process's.
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32).open(path)
}

fn used(data: &Path, file: &mut File) -> StartError {
    let mut text = String::new();
    let _ = file.take(32).read_to_string(&mut text);
    let by = text.trim().parse::<u32>().map_or(String::new(), |pid| format!(" (process {pid})"));
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let data = data.display();
    StartError::Setting(format!(
        "another gateway{by} uses the data folder {data}: end it, or give this one a folder of its own by --data"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gateway_has_the_folder_and_a_folder_that_cannot_be_made_is_not_locked() {
        let dir = std::env::temp_dir().join(format!("lianmai-lock-{}", std::process::id()));
        let held = DataLock::take(&dir).unwrap();
        let refused = DataLock::take(&dir).unwrap_err().to_string();
        let pid = format!("(process {})", std::process::id());
        assert!(refused.contains(&pid) && refused.contains("--data"), "{refused}");
        drop(held);
        drop(DataLock::take(&dir).unwrap());
        // A link is not followed.
        std::fs::remove_file(dir.join(FILE)).unwrap();
        std::fs::write(dir.join("victim"), "precious").unwrap();
        std::os::unix::fs::symlink(dir.join("victim"), dir.join(FILE)).unwrap();
        assert!(DataLock::take(&dir).unwrap()._file.is_none());
        assert_eq!(std::fs::read_to_string(dir.join("victim")).unwrap(), "precious");
        assert!(DataLock::take(&dir.join("victim/below")).unwrap()._file.is_none());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
