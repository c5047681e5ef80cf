//! Records streams into MP4 files, and serves them.
//!
//! One thread, [`recorder`], reads the streams that are recorded directly from the hub and writes their files; a slow
//! disk therefore delays no viewer. A stream's ring is the queue: if the thread is too slow, it misses whole groups of
//! pictures, which are counted. [`recording`] is one broadcast, [`file`](mod@file) its current file. [`finisher`] makes
//! ordinary MP4 files of complete recordings, and of those that a crash left, on a thread of its own. [`catalog`] is
//! the list of recordings, [`retention`] deletes old ones, and [`serve`] handles requests for files. [`upload`] brings
//! finished recordings to the object store.

mod catalog;
mod file;
mod finisher;
mod job;
mod names;
mod pattern;
mod recorder;
mod recording;
mod records;
mod retention;
mod serve;
mod service;
mod sessions;
mod settings;
mod stored;
mod sync;
#[cfg(test)]
mod tests;
mod upload;
mod wanted;

pub use catalog::{RecordState, RecordedFile};
pub use records::{RecordError, Records, StreamRecording};
pub use service::RecordsService;
pub use settings::RecordSettings;
pub use upload::place::{Place, Upload};
