//! The forwards of the API, kept over a restart.

use std::io;
use std::path::Path;

use super::registry::MAX_FORWARDS;
use super::settings::ForwardRule;
use crate::secret_file::KeptFile;

/// Name of the file in the data folder. It holds addresses with their keys.
const FILE: &str = "forwards.json";

/// The file with the rules.
#[derive(Debug)]
pub(super) struct ForwardFile(KeptFile);

impl ForwardFile {
    pub(super) fn new(data: &Path) -> Self {
        Self(KeptFile::in_folder(data, FILE))
    }

    /// Reads the rules.
    ///
    /// # Errors
    /// The file is not readable, or has too many rules.
    pub(super) fn read(&self) -> io::Result<Vec<ForwardRule>> {
        let rules: Vec<ForwardRule> = self.0.read()?.unwrap_or_default();
        if rules.len() > MAX_FORWARDS {
            return Err(io::Error::other(format!("there are more than {MAX_FORWARDS} forwards")));
        }
        Ok(rules)
    }

    /// Replaces the rules.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, rules: &[ForwardRule]) -> io::Result<()> {
        self.0.write(&rules)
    }

    /// Returns the path, for messages.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
