//! Writes files to the disk from time to time, on a thread of its own: this may take long.

use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Maximum number of files that wait. A file that finds no place is synchronised at the next time.
const MAX_WAITING: usize = 256;

/// Synchronises files. Dropping it ends the thread.
#[derive(Debug)]
pub(super) struct Syncer(SyncSender<Arc<File>>);

impl Syncer {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no more threads.
    pub(super) fn start() -> std::io::Result<Self> {
        let (sender, files) = sync_channel::<Arc<File>>(MAX_WAITING);
        thread::Builder::new().name("record-sync".to_owned()).spawn(move || {
            for file in files {
                // An error shows when the file is written or finished.
                let _ = file.sync_data();
            }
        })?;
        Ok(Self(sender))
    }

    /// Synchronises a file soon.
    pub(super) fn sync(&self, file: Arc<File>) {
        let _ = self.0.try_send(file);
    }
}
