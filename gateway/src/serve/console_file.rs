//! The file that tells `lianmai console` where the running gateway serves its pages: it may have been started with other
//! flags.

use std::fs;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::secret_file;
use crate::service::{Greeting, HttpAddresses};

/// Name of the file in the data folder.
pub const FILE: &str = "console-address";

/// The file. Dropping it removes it.
#[derive(Debug)]
pub(super) struct ConsoleFile(PathBuf);

impl ConsoleFile {
    /// Writes the file; `None` if there are no pages, or the folder cannot be written.
    pub(super) fn write(data: &Path, context: &Context, addresses: &HttpAddresses) -> Option<Self> {
        let pages = pages(context, addresses)?;
        let path = data.join(FILE);
        match secret_file::write(&path, &format!("{pages}\n"), 0o600) {
            Ok(()) => Some(Self(path)),
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "`lianmai console` will not know the addresses");
                None
            }
        }
    }
}

impl Drop for ConsoleFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Returns scheme and host of the pages; `HOST` stands for the host of a public gateway.
fn pages(context: &Context, addresses: &HttpAddresses) -> Option<String> {
    Greeting::new(context, addresses).camera_pages()
}
