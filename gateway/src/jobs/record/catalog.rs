//! The list of recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::names::{self, KEEP, LIST};
use super::upload::file::object;
use super::upload::marks::{GONE, PARTS, STORED};
use super::upload::place::{Place, Upload};
use super::upload::queue::UploadQueue;
use crate::core::hub::StreamName;

/// Maximum number of recordings in the list. Further ones stay on the disk and are not listed.
pub(super) const MAX_RECORDINGS: usize = 1 << 16;

/// The state of a recording's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordState {
    /// It grows.
    Recording,
    /// It is complete, and not yet an ordinary MP4.
    Finishing,
    /// It is an ordinary MP4.
    Finished,
}

impl RecordState {
    /// Returns the state's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Finishing => "finishing",
            Self::Finished => "finished",
        }
    }
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// The stream.
    pub stream: StreamName,
    /// The name of its file without the ending.
    pub stem: String,
    /// When it began.
    pub begin: SystemTime,
    /// The state of its file.
    pub state: RecordState,
    /// Size in bytes of the MP4 file.
    pub size: u64,
    /// Duration.
    pub duration: Duration,
    /// Whether it is never deleted automatically.
    pub keep: bool,
    /// Where it is.
    pub place: Place,
}

impl RecordedFile {
    /// Returns the address of its object, if it is in the store.
    pub fn stored(&self) -> Option<String> {
        match &self.place.upload {
            Upload::Done { store, .. } => {
                Some(format!("{store}/{}", object(&self.stream, &self.stem, "mp4")))
            }
            _ => None,
        }
    }
}

/// Identifies a recording: when it began comes first, so that the oldest is first in the list.
type Id = (SystemTime, StreamName, String);

/// All recordings.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    root: PathBuf,
    files: Mutex<BTreeMap<Id, RecordedFile>>,
}

impl Catalog {
    pub(super) fn of(root: PathBuf) -> Self {
        Self { root, files: Mutex::default() }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<Id, RecordedFile>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder of all recordings.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of a recording's file with this ending.
    pub(super) fn path(&self, stream: &StreamName, stem: &str, ending: &str) -> PathBuf {
        names::folder(&self.root, stream).join(format!("{stem}.{ending}"))
    }

    /// Adds a recording. Returns false if the list is full.
    pub(super) fn add(&self, file: RecordedFile) -> bool {
        let mut files = self.files();
        if files.len() >= MAX_RECORDINGS {
            return false;
        }
        files.insert((file.begin, file.stream.clone(), file.stem.clone()), file);
        true
    }

    /// Changes a recording, if it is in the list.
    pub(super) fn change(&self, stream: &StreamName, stem: &str, change: impl FnOnce(&mut RecordedFile)) {
        let Some(begin) = names::begin(stem) else { return };
        if let Some(file) = self.files().get_mut(&(begin, stream.clone(), stem.to_owned())) {
            change(file);
        }
    }

    /// Returns a recording.
    pub(super) fn get(&self, stream: &StreamName, stem: &str) -> Option<RecordedFile> {
        let id = (names::begin(stem)?, stream.clone(), stem.to_owned());
        self.files().get(&id).cloned()
    }

    /// Returns the recordings for which `which` returns true, oldest first.
    pub(super) fn list(&self, which: impl Fn(&RecordedFile) -> bool) -> Vec<RecordedFile> {
        self.files().values().filter(|file| which(file)).cloned().collect()
    }

    /// Returns the number of all recordings, and their size in bytes.
    pub(super) fn totals(&self) -> (usize, u64) {
        let files = self.files();
        (files.len(), files.values().map(|file| file.size).sum())
    }

    /// Returns the bytes of the recordings that are on this machine.
    pub(super) fn local_bytes(&self) -> u64 {
        self.files().values().filter(|file| file.place.local).map(|file| file.size).sum()
    }

    /// Deletes the files of a recording, and removes it from the list. A copy in the store is deleted later.
    ///
    /// # Errors
    /// The MP4 file cannot be deleted; the recording stays in the list.
    pub(super) fn delete(&self, file: &RecordedFile, queue: &UploadQueue) -> std::io::Result<()> {
        let path = |ending| self.path(&file.stream, &file.stem, ending);
        match std::fs::remove_file(path("mp4")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.files().remove(&(file.begin, file.stream.clone(), file.stem.clone()));
        // These are small, and useless without the MP4 file.
        let _ = (std::fs::remove_file(path(LIST)), std::fs::remove_file(path(KEEP)));
        self.forget_stored(&file.stream, &file.stem, queue);
        // The folders of the stream stay as long as they contain something.
        let folder = names::folder(&self.root, &file.stream);
        let above = folder.ancestors().take_while(|above| *above != self.root);
        above.take_while(|folder| std::fs::remove_dir(folder).is_ok()).for_each(drop);
        Ok(())
    }

    /// Marks a recording that was deleted here for deletion in the store, if it is there or was being uploaded.
    pub(super) fn forget_stored(&self, stream: &StreamName, stem: &str, queue: &UploadQueue) {
        let path = |ending| self.path(stream, stem, ending);
        let is_there =
            [STORED, PARTS].into_iter().any(|ending| std::fs::rename(path(ending), path(GONE)).is_ok());
        if is_there {
            let _ = std::fs::remove_file(path(PARTS));
            queue.delete((stream.clone(), stem.to_owned()));
        }
    }

    /// Deletes the MP4 file of a recording that is in the store. The playlist stays: it is small.
    pub(super) fn remove_local(&self, file: &RecordedFile) {
        match std::fs::remove_file(self.path(&file.stream, &file.stem, "mp4")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(stream = %file.stream, file = file.stem, %error, "uploaded recording not deleted here");
            }
            _ => self.change(&file.stream, &file.stem, |file| file.place.local = false),
        }
    }
}
