//! A list that must survive a restart, as a JSON file in the data folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Readers, make_folder, read_text, write};

/// Maximum size of a file in bytes.
pub const MAX_KEPT: usize = 4 << 20;

/// A JSON file in the data folder that only the gateway may read. Its owner bounds the number of entries.
#[derive(Debug, Clone, Default)]
pub struct KeptFile {
    /// `None` in a gateway without a data folder: nothing is kept.
    path: Option<PathBuf>,
}

impl KeptFile {
    /// Returns the file `name` in the folder `data`; nothing is kept if `data` is empty.
    pub fn in_folder(data: &Path, name: &str) -> Self {
        Self { path: (!data.as_os_str().is_empty()).then(|| data.join(name)) }
    }

    /// Returns whether anything is kept.
    pub const fn is_there(&self) -> bool {
        self.path.is_some()
    }

    /// Returns the path; empty if nothing is kept.
    pub fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Reads the content; `None` if the file does not exist.
    ///
    /// # Errors
    /// The file is not readable, other users may read it, it has more than [`MAX_KEPT`] bytes, or is not valid.
    pub fn read<T: DeserializeOwned>(&self) -> io::Result<Option<T>> {
        let Some(path) = &self.path else { return Ok(None) };
        if fs::metadata(path).is_ok_and(|found| found.len() > MAX_KEPT as u64) {
            return Err(too_large());
        }
        match read_text(path, Readers::Owner) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the content, and makes the folder if necessary.
    ///
    /// # Errors
    /// The file cannot be written, or the content is too large: the file stays as it was.
    pub fn write<T: Serialize>(&self, content: &T) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_string_pretty(content)?;
        if text.len() > MAX_KEPT {
            return Err(too_large());
        }
        path.parent().map_or(Ok(()), make_folder)?;
        write(path, &text, 0o600)
    }
}

fn too_large() -> io::Error {
    io::Error::other(format!("the file must not have more than {MAX_KEPT} bytes"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_list_survives_with_a_bound_and_for_the_owner_only() {
        let dir = std::env::temp_dir().join(format!("lianmai-kept-{}", std::process::id()));
        let file = KeptFile::in_folder(&dir, "list.json");
        assert_eq!(file.read::<Vec<String>>().unwrap(), None);
        file.write(&["one"]).unwrap();
        assert_eq!(KeptFile::in_folder(&dir, "list.json").read::<Vec<String>>().unwrap().unwrap(), ["one"]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file.path()), mode(&dir)), (0o600, 0o700));
        // Too large to write: the file stays. Too large to read.
        assert!(file.write(&["x".repeat(MAX_KEPT)]).is_err());
        assert_eq!(file.read::<Vec<String>>().unwrap().unwrap(), ["one"]);
        fs::write(file.path(), format!("[\"{}\"]", "x".repeat(MAX_KEPT))).unwrap();
        assert!(file.read::<Vec<String>>().unwrap_err().to_string().contains("4194304 bytes"));
        // Cut, and open to others.
        fs::write(file.path(), "[\"one").unwrap();
        assert!(file.read::<Vec<String>>().is_err());
        fs::write(file.path(), "[]").unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(file.read::<Vec<String>>().is_err());
        // Without a data folder nothing is kept, and nothing fails.
        let none = KeptFile::in_folder(Path::new(""), "list.json");
        none.write(&["one"]).unwrap();
        assert!(!none.is_there() && none.read::<Vec<String>>().unwrap().is_none());
        fs::remove_dir_all(&dir).unwrap();
    }
}
