//! The streams that are recorded by request, kept over a restart.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::records::MAX_WANTED;
use crate::core::hub::StreamName;
use crate::secret_file::KeptFile;

/// Name of the file in the data folder.
const FILE: &str = "recorded-streams.json";

/// The file with the names.
#[derive(Debug)]
pub(super) struct WantedFile(KeptFile);

impl WantedFile {
    pub(super) fn new(data: &Path) -> Self {
        Self(KeptFile::in_folder(data, FILE))
    }

    /// Reads the names.
    ///
    /// # Errors
    /// The file is not readable, or has names that are not valid or too many.
    pub(super) fn read(&self) -> io::Result<BTreeSet<StreamName>> {
        let names: Vec<String> = self.0.read()?.unwrap_or_default();
        if names.len() > MAX_WANTED {
            return Err(io::Error::other(format!("there are more than {MAX_WANTED} streams")));
        }
        names.iter().map(|name| StreamName::parse(name).map_err(io::Error::other)).collect()
    }

    /// Replaces the names.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, names: &BTreeSet<StreamName>) -> io::Result<()> {
        self.0.write(&names.iter().map(StreamName::as_str).collect::<Vec<_>>())
    }

    /// Returns the path, for messages.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
