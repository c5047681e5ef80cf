//! The pulls of the API, kept over a restart.

use std::io;
use std::path::Path;

use super::registry::MAX_PULLS;
use super::settings::PullRule;
use crate::secret_file::KeptFile;

/// Name of the file in the data folder. It holds addresses with their keys.
const FILE: &str = "pulls.json";

/// The file with the rules.
#[derive(Debug)]
pub(super) struct PullFile(KeptFile);

impl PullFile {
    pub(super) fn new(data: &Path) -> Self {
        Self(KeptFile::in_folder(data, FILE))
    }

    /// Reads the rules.
    ///
    /// # Errors
    /// The file is not readable, or has too many rules.
    pub(super) fn read(&self) -> io::Result<Vec<PullRule>> {
        let rules: Vec<PullRule> = self.0.read()?.unwrap_or_default();
        if rules.len() > MAX_PULLS {
            return Err(io::Error::other(format!("there are more than {MAX_PULLS} pulls")));
        }
        Ok(rules)
    }

    /// Replaces the rules.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, rules: &[PullRule]) -> io::Result<()> {
        self.0.write(&rules)
    }

    /// Returns the path, for messages.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
