//! Small files beside a recording: `.stored` (it is in the store), `.parts` (it is being uploaded) and `.gone` (it was
//! deleted here, and is still in the store).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::store::Part;

/// Endings of the files.
pub(in crate::jobs::record) const STORED: &str = "stored";
pub(in crate::jobs::record) const PARTS: &str = "parts";
pub(in crate::jobs::record) const GONE: &str = "gone";
/// Maximum number of parts of an upload (Amazon S3).
const MAX_PARTS: usize = 10_000;

/// A recording in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::jobs::record) struct Stored {
    /// The address of the bucket and its prefix.
    pub(in crate::jobs::record) store: String,
    /// Bytes of the MP4 file.
    pub(in crate::jobs::record) bytes: u64,
    pub(in crate::jobs::record) duration_ms: u64,
    /// The end of the upload, in seconds since 1970.
    pub(in crate::jobs::record) uploaded: u64,
}

impl Stored {
    /// Reads the mark; `None` if there is none that is whole.
    pub(in crate::jobs::record) fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }

    /// Writes the mark. It is on the disk when this returns: the recording may be deleted then.
    pub(in crate::jobs::record) fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("stored-new");
        let text = serde_json::to_string(self).map_err(io::Error::other)?;
        let written = fs::File::create(&new).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_data()
        });
        let written = written.and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }

    /// Returns the end of the upload.
    pub(in crate::jobs::record) fn since(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.uploaded)).unwrap_or(UNIX_EPOCH)
    }
}

/// An upload in parts that was begun: its id, and the parts so far. The file has a line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs::record) struct Begun {
    pub(in crate::jobs::record) id: String,
    pub(in crate::jobs::record) parts: Vec<Part>,
}

impl Begun {
    /// Reads the mark of an upload of a file with this size and size of parts; `None` if there is none, or one of
    /// another file.
    pub(in crate::jobs::record) fn read(path: &Path, size: u64, part: u64) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        // The last line may have been cut off.
        let whole = &text[..=text.rfind('\n')?];
        let mut lines = whole.lines();
        let id = lines.next()?.strip_prefix(&Self::head(size, part))?.to_owned();
        let parts: Vec<Part> = lines.map(|tag| Part(tag.to_owned())).collect();
        (!id.is_empty() && parts.len() <= MAX_PARTS).then_some(Self { id, parts })
    }

    /// Writes the mark of a new upload.
    pub(in crate::jobs::record) fn write(path: &Path, size: u64, part: u64, id: &str) -> io::Result<()> {
        fs::write(path, format!("{}{id}\n", Self::head(size, part)))
    }

    /// Adds a part.
    pub(in crate::jobs::record) fn add(path: &Path, part: &Part) -> io::Result<()> {
        OpenOptions::new().append(true).open(path)?.write_all(format!("{}\n", part.0).as_bytes())
    }

    /// Returns the id of an upload from the text of a mark, which may have become a `.gone`.
    pub(in crate::jobs::record) fn id(text: &str) -> Option<&str> {
        let first = text.lines().next()?.strip_prefix("parts ")?;
        first.rsplit(' ').next().filter(|id| !id.is_empty())
    }

    fn head(size: u64, part: u64) -> String {
        format!("parts {size} {part} ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_again_and_broken_ones_are_none() {
        let folder = std::env::temp_dir().join(format!("lianmai-marks-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.stored");
        let stored = Stored { store: "s3://b".to_owned(), bytes: 5, duration_ms: 7, uploaded: 1_800_000_000 };
        stored.write(&path).unwrap();
        assert_eq!(Stored::read(&path), Some(stored));
        fs::write(&path, "{").unwrap();
        assert_eq!(Stored::read(&path), None);

        let path = folder.join("a.parts");
        Begun::write(&path, 100, 10, "id-1").unwrap();
        for tag in ["\"a\"", "\"b\""] {
            Begun::add(&path, &Part(tag.to_owned())).unwrap();
        }
        let begun = Begun::read(&path, 100, 10).unwrap();
        assert_eq!((&*begun.id, begun.parts.len()), ("id-1", 2));
        assert_eq!(Begun::read(&path, 101, 10), None, "the file has changed");
        assert_eq!(Begun::read(&path, 100, 20), None, "parts have another size");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(Begun::id(&text), Some("id-1"));
        assert_eq!(Begun::id("{\"store\":\"s3://b\"}"), None);
        // A crash within the last line.
        fs::write(&path, format!("{text}\"c")).unwrap();
        assert_eq!(Begun::read(&path, 100, 10), Some(begun));
        fs::remove_dir_all(&folder).unwrap();
    }
}
