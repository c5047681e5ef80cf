//! The recordings of the gateway, for the API and for the job.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::catalog::{Catalog, RecordState, RecordedFile};
use super::finisher::FinishQueue;
use super::job::RecordJob;
use super::names::KEEP;
use super::settings::RecordSettings;
use super::upload::Uploads;
use super::upload::file::object;
use super::upload::job::UploadJob;
use super::upload::place::Upload;
use super::upload::queue::UploadQueue;
use super::wanted::WantedFile;
use crate::context::Context;
use crate::core::hub::{Happened, StreamName};
use crate::jobs::{JobState, Jobs};
use crate::service::{Job, StartError};
use crate::store::{Store, StoreSettings};

/// Folder of recordings in the data folder.
const FOLDER: &str = "records";
/// Maximum number of streams that the API starts to record, and of streams that it stops.
pub(super) const MAX_WANTED: usize = 1000;

/// Why a request about recordings fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordError {
    /// There is no such recording or stream that is recorded.
    Unknown,
    /// The recording still grows.
    Busy,
    /// There are too many streams to record.
    TooMany,
    /// The gateway cannot record now, or the recording cannot be uploaded.
    Unavailable(String),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("there is no such recording, and no stream of this name is recorded")
            }
            Self::Busy => f.write_str("the recording is not finished: stop it first"),
            Self::TooMany => {
                write!(f, "{MAX_WANTED} streams are recorded by request, and no more are allowed")
            }
            Self::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for RecordError {}

/// A stream that is recorded now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecording {
    /// The stream.
    pub stream: StreamName,
    /// Its file, without the ending; `None` until the first key frame and after an error.
    pub file: Option<String>,
    /// The last error, if the recording failed.
    pub failure: Option<String>,
    /// Frames that are not in the recording: the disk was too slow or full, or a codec changed.
    pub lost_frames: u64,
}

/// What shall be recorded.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Streams that the API started to record.
    pub(super) wanted: BTreeSet<StreamName>,
    /// Ids of streams that the API stopped to record, until they end.
    pub(super) stopped: BTreeSet<String>,
    /// Whether the thread shall end.
    pub(super) stop: bool,
}

/// What the recorder reports.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) streams: Vec<StreamRecording>,
    /// Free bytes on the disk, if they are known.
    pub(super) free: Option<u64>,
    /// Why nothing is recorded, if that is so.
    pub(super) halted: Option<String>,
}

/// What the API and the threads share.
#[derive(Debug)]
pub(super) struct Shared {
    settings: RwLock<Arc<RecordSettings>>,
    wanted: WantedFile,
    pub(super) catalog: Catalog,
    pub(super) finish: FinishQueue,
    /// What waits for the store.
    pub(super) queue: UploadQueue,
    /// The store, if there is one.
    pub(super) uploads: Option<Uploads>,
    wishes: Mutex<Wishes>,
    wake: Condvar,
    report: Mutex<Report>,
    begun: OnceLock<(Context, Jobs, CancellationToken)>,
    /// The ids of the jobs that record and upload, once they were started.
    job: Mutex<[Option<u64>; 2]>,
    /// Number of threads that run.
    threads: Mutex<usize>,
    ended: Condvar,
}

impl Shared {
    /// Returns the settings of now.
    pub(super) fn settings(&self) -> Arc<RecordSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `time`, or until something is wanted. Returns whether the thread shall end.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let wishes = self.wishes();
        if wishes.stop {
            return true;
        }
        let (wishes, _) = self.wake.wait_timeout(wishes, time).unwrap_or_else(PoisonError::into_inner);
        wishes.stop
    }

    /// Lets the threads end.
    pub(super) fn stop(&self) {
        self.wishes().stop = true;
        self.wake.notify_all();
    }

    /// Waits until the threads of the run before have ended, and lets others run.
    pub(super) async fn restart(&self) {
        while *self.threads() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.wishes().stop = false;
        self.finish.start();
    }

    fn threads(&self) -> MutexGuard<'_, usize> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a thread that runs until the value is dropped.
    pub(super) fn thread(self: &Arc<Self>) -> Running {
        *self.threads() += 1;
        Running(self.clone())
    }

    /// Reports a finished recording to the listeners of the hub.
    pub(super) fn recorded(&self, file: &RecordedFile) {
        let Some((context, ..)) = self.begun.get() else { return };
        let path = self.catalog.path(&file.stream, &file.stem, "mp4");
        context.hub.report(
            &file.stream,
            Happened::Recorded { path: path.into(), size: file.size, duration: file.duration },
        );
    }
}

/// A thread that runs.
#[derive(Debug)]
pub(super) struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.threads() -= 1;
        self.0.ended.notify_all();
    }
}

/// All recordings. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Records(Arc<Shared>);

impl Default for Records {
    fn default() -> Self {
        Self::new(&RecordSettings::default(), Path::new(""))
    }
}

impl Records {
    /// Creates an empty list. Recordings are kept in the folder `data`.
    pub fn new(settings: &RecordSettings, data: &Path) -> Self {
        let root: PathBuf = std::path::absolute(data.join(FOLDER)).unwrap_or_else(|_| data.join(FOLDER));
        Self(Arc::new(Shared {
            settings: RwLock::new(Arc::new(settings.clone())),
            wanted: WantedFile::new(data),
            catalog: Catalog::of(root),
            finish: FinishQueue::default(),
            queue: UploadQueue::default(),
            uploads: None,
            wishes: Mutex::default(),
            wake: Condvar::new(),
            report: Mutex::default(),
            begun: OnceLock::new(),
            job: Mutex::default(),
            threads: Mutex::default(),
            ended: Condvar::new(),
        }))
    }

    /// Uploads finished recordings to this store. Call it before the list is shared.
    #[must_use]
    pub fn with_store(mut self, store: Option<Store>, settings: &StoreSettings) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.0) {
            shared.uploads = store.map(|store| Uploads::new(store, settings));
        }
        self
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    /// Starts the job, if streams are to be recorded or recordings exist. Recordings can be started from now on; they
    /// end with `stop`.
    ///
    /// # Errors
    /// The list of the streams that are recorded by request is not readable.
    pub fn begin(&self, context: &Context, jobs: &Jobs, stop: &CancellationToken) -> Result<(), StartError> {
        let file = &self.0.wanted;
        let wanted =
            file.read().map_err(|error| StartError::File("--data", file.path().to_owned(), error))?;
        if self.0.begun.set((context.clone(), jobs.clone(), stop.clone())).is_err() {
            return Ok(());
        }
        let needed = !self.0.settings().record.is_empty() || !wanted.is_empty();
        self.0.wishes().wanted = wanted;
        if needed || self.0.catalog.root().exists() {
            self.start_job_or_warn();
        }
        Ok(())
    }

    /// Records by these settings from now on. A recording that the settings before and these ask for goes on.
    pub fn set(&self, settings: &RecordSettings) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings.clone());
        if !settings.record.is_empty() {
            self.start_job_or_warn();
        }
        self.0.wake.notify_all();
    }

    fn start_job_or_warn(&self) {
        if let Err(error) = self.start_job() {
            tracing::warn!(%error, "streams are not recorded");
        }
    }

    /// Starts the jobs, unless they were started before.
    fn start_job(&self) -> Result<(), RecordError> {
        let unavailable = |text: &str| RecordError::Unavailable(text.to_owned());
        let (context, jobs, stop) =
            self.0.begun.get().ok_or_else(|| unavailable("the gateway is starting"))?;
        let mut started = self.0.job.lock().unwrap_or_else(PoisonError::into_inner);
        // An operator may have removed one.
        let runs = |id| jobs.list().iter().any(|job| job.id == id && job.state != JobState::Ended);
        let [record, upload] = &mut *started;
        let start = |known: &mut Option<u64>, job: Box<dyn Job>| {
            let id = jobs.add(job, context, stop).ok_or_else(|| unavailable("there are too many jobs"))?;
            *known = Some(id);
            Ok(())
        };
        if !record.is_some_and(runs) {
            start(record, Box::new(RecordJob::new(self.0.clone())))?;
        }
        if let Some(uploads) = &self.0.uploads
            && !upload.is_some_and(runs)
        {
            start(upload, Box::new(UploadJob { shared: self.0.clone(), uploads: uploads.clone() }))?;
        }
        Ok(())
    }

    /// Records a stream from its next key frame on, and when it starts again, until [`Records::stop`].
    ///
    /// # Errors
    /// Too many streams are recorded by request, the list of them cannot be stored, or the gateway is starting.
    pub fn start(&self, stream: &StreamName) -> Result<(), RecordError> {
        self.start_job()?;
        let mut wishes = self.0.wishes();
        if !wishes.wanted.contains(stream) && wishes.wanted.len() >= MAX_WANTED {
            return Err(RecordError::TooMany);
        }
        if !wishes.wanted.contains(stream) {
            let mut wanted = wishes.wanted.clone();
            wanted.insert(stream.clone());
            self.keep_wanted(&mut wishes, wanted)?;
        }
        if let Some(live) = self.live(stream) {
            wishes.stopped.remove(&live);
        }
        drop(wishes);
        self.0.wake.notify_all();
        Ok(())
    }

    /// Stops to record a stream: if the settings say so, it is recorded again when it starts the next time.
    ///
    /// # Errors
    /// The stream is not recorded, too many streams were stopped, or the list of streams cannot be stored.
    pub fn stop(&self, stream: &StreamName) -> Result<(), RecordError> {
        let mut wishes = self.0.wishes();
        let wanted = wishes.wanted.contains(stream);
        let live = self.live(stream).filter(|_| wanted || self.is_set(stream));
        if !wanted && live.as_ref().is_none_or(|id| wishes.stopped.contains(id)) {
            return Err(RecordError::Unknown);
        }
        if wishes.stopped.len() >= MAX_WANTED {
            return Err(RecordError::TooMany);
        }
        if wanted {
            let mut rest = wishes.wanted.clone();
            rest.remove(stream);
            self.keep_wanted(&mut wishes, rest)?;
        }
        wishes.stopped.extend(live);
        drop(wishes);
        self.0.wake.notify_all();
        Ok(())
    }

    /// Stores the streams that are recorded by request, and uses them only if that works.
    fn keep_wanted(&self, wishes: &mut Wishes, wanted: BTreeSet<StreamName>) -> Result<(), RecordError> {
        let stored = self.0.wanted.write(&wanted);
        let words =
            |error| format!("the list of recorded streams cannot be stored in the data folder: {error}");
        stored.map_err(|error| RecordError::Unavailable(words(error)))?;
        wishes.wanted = wanted;
        Ok(())
    }

    /// Returns the id of the stream of this name, if there is one.
    fn live(&self, name: &StreamName) -> Option<String> {
        let (context, ..) = self.0.begun.get()?;
        context.hub.stream(name).map(|stream| stream.id().to_owned())
    }

    fn is_set(&self, stream: &StreamName) -> bool {
        self.0.settings().record.iter().any(|pattern| pattern.matches(stream))
    }

    /// Returns the recordings for which `which` returns true, newest first.
    pub fn list(&self, which: impl Fn(&RecordedFile) -> bool) -> Vec<RecordedFile> {
        let mut list = self.0.catalog.list(which);
        list.reverse();
        list
    }

    /// Returns a recording: by its stream, and the name of its file without the ending.
    pub fn get(&self, stream: &StreamName, stem: &str) -> Option<RecordedFile> {
        self.0.catalog.get(stream, stem)
    }

    /// Returns number and bytes of all recordings.
    pub fn totals(&self) -> (usize, u64) {
        self.0.catalog.totals()
    }

    /// Returns the address of the store; `None` if there is none.
    pub fn store(&self) -> Option<String> {
        Some(self.0.uploads.as_ref()?.store.shown())
    }

    /// Returns an address by which anybody can read a recording in the store for a time; `None` if it is not there.
    ///
    /// # Errors
    /// The store cannot be used; the text says why.
    pub async fn signed_url(
        &self,
        stream: &StreamName,
        stem: &str,
        valid: Duration,
    ) -> Result<Option<String>, String> {
        let file = self.get(stream, stem).filter(|file| file.place.is_stored());
        let (Some(_), Some(uploads)) = (file, &self.0.uploads) else { return Ok(None) };
        let url = uploads.store.signed_url(&object(stream, stem, "mp4"), valid).await;
        url.map(Some).map_err(|error| error.to_string())
    }

    /// Uploads a recording whose upload was given up.
    ///
    /// # Errors
    /// There is no such recording, it is not finished, or there is no store.
    pub fn upload(&self, stream: &StreamName, stem: &str) -> Result<(), RecordError> {
        let file = self.get(stream, stem).ok_or(RecordError::Unknown)?;
        if file.state != RecordState::Finished {
            return Err(RecordError::Busy);
        }
        if self.0.uploads.as_ref().is_none_or(|uploads| !uploads.enabled) {
            let text = "recordings are not uploaded: set store_url and store_records";
            return Err(RecordError::Unavailable(text.to_owned()));
        }
        self.0.queue.forget(&(stream.clone(), stem.to_owned()));
        self.0.catalog.change(stream, stem, |file| {
            if file.place.upload == Upload::GivenUp {
                file.place.upload = Upload::Waiting;
            }
        });
        self.0.queue.wake();
        Ok(())
    }

    /// Returns the streams that are recorded now.
    pub fn streams(&self) -> Vec<StreamRecording> {
        self.0.report().streams.clone()
    }

    /// Returns the free bytes on the disk if they are known, and why nothing is recorded if that is so.
    pub fn disk(&self) -> (Option<u64>, Option<String>) {
        let report = self.0.report();
        (report.free, report.halted.clone())
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// There is no such recording, it is not finished, or the disk refuses.
    pub fn delete(&self, stream: &StreamName, stem: &str) -> Result<(), RecordError> {
        let file = self.get(stream, stem).ok_or(RecordError::Unknown)?;
        if file.state != RecordState::Finished {
            return Err(RecordError::Busy);
        }
        let deleted = self.0.catalog.delete(&file, &self.0.queue);
        deleted.map_err(|error| RecordError::Unavailable(format!("cannot delete the recording: {error}")))
    }

    /// Keeps a recording from automatic deletion, or allows it again.
    ///
    /// # Errors
    /// There is no such recording, or the disk refuses.
    pub fn keep(&self, stream: &StreamName, stem: &str, keep: bool) -> Result<(), RecordError> {
        self.get(stream, stem).ok_or(RecordError::Unknown)?;
        let mark = self.0.catalog.path(stream, stem, KEEP);
        let changed = match keep {
            true => std::fs::write(&mark, ""),
            false => std::fs::remove_file(&mark).or_else(|error| match error.kind() {
                std::io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
        };
        changed.map_err(|error| RecordError::Unavailable(format!("cannot write the mark: {error}")))?;
        self.0.catalog.change(stream, stem, |file| file.keep = keep);
        Ok(())
    }

    /// Ends all recordings and waits until their files are finished, up to `grace`. Files that are not finished then
    /// are finished at the next start.
    pub fn end(&self, grace: Duration) {
        self.0.stop();
        let running = |threads: &mut usize| *threads > 0;
        drop(self.0.ended.wait_timeout_while(self.0.threads(), grace, running));
    }
}
