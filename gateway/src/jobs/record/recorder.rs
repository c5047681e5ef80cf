//! The threads of the recorder.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::catalog::{RecordState, RecordedFile};
use super::file::OpenFile;
use super::finisher::{self, FinishError, FinishQueue};
use super::names::{self, KEEP};
use super::recording::Recording;
use super::records::Shared;
use super::retention::Retention;
use super::stored;
use super::sync::Syncer;
use crate::core::hub::{Hub, StreamName};

/// Pause between two looks at the streams. A stream's ring holds several seconds.
const TICK: Duration = Duration::from_millis(200);
/// Interval at which files are synchronised to the disk.
const SYNC: Duration = Duration::from_secs(5);
/// Maximum depth of folders below the folder of recordings: that of stream names.
const MAX_DEPTH: usize = 256;

/// Stops the queue of files to finish when the recorder ends, also after a panic.
struct StopQueue<'a>(&'a FinishQueue);

impl Drop for StopQueue<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Records streams until the job is stopped.
///
/// # Errors
/// The system has no more threads.
pub(super) fn run(shared: &Arc<Shared>, hub: &Hub) -> Result<(), String> {
    let _queue = StopQueue(&shared.finish);
    let syncer = Syncer::start().map_err(|error| format!("cannot start a thread: {error}"))?;
    find_files(shared);
    shared.queue.wake();
    let mut retention = Retention::default();
    let mut recordings: Vec<Recording> = Vec::new();
    let mut first = true;
    let mut synced = Instant::now();
    loop {
        let halted = retention.check(shared);
        if halted {
            recordings.drain(..).for_each(|mut recording| recording.end_file(shared));
        } else {
            find_streams(shared, hub, &mut recordings, first);
        }
        first = false;
        recordings.retain_mut(|recording| {
            let goes_on = recording.advance(shared);
            if !goes_on {
                recording.end_file(shared);
            }
            goes_on
        });
        if synced.elapsed() >= SYNC {
            synced = Instant::now();
            let files = recordings.iter().filter_map(Recording::file).flat_map(OpenFile::files);
            files.for_each(|file| syncer.sync(file));
        }
        shared.report().streams = recordings.iter().map(Recording::status).collect();
        let growing = recordings.iter().filter(|recording| recording.file().is_some()).count();
        metrics::gauge!("lianmai_recordings").set(growing as f64);
        if shared.wait(TICK) {
            break;
        }
    }
    for mut recording in recordings {
        // What came since the last look.
        recording.advance(shared);
        recording.end_file(shared);
    }
    shared.report().streams.clear();
    metrics::gauge!("lianmai_recordings").set(0.0);
    Ok(())
}

/// Begins to record streams that are wanted, and ends those that are not wanted any more.
fn find_streams(shared: &Shared, hub: &Hub, recordings: &mut Vec<Recording>, first: bool) {
    let mut wishes = shared.wishes();
    let settings = shared.settings();
    if settings.record.is_empty() && wishes.wanted.is_empty() && recordings.is_empty() {
        return;
    }
    let streams = hub.streams();
    wishes.stopped.retain(|id| streams.iter().any(|stream| stream.id() == id));
    let by_pattern = |name: &StreamName| settings.record.iter().any(|pattern| pattern.matches(name));
    let wanted: Vec<_> = streams
        .into_iter()
        .filter(|stream| {
            let name = stream.name();
            // Another node of the cluster records what is published there.
            !stream.remote()
                && !wishes.stopped.contains(stream.id())
                && (wishes.wanted.contains(name) || by_pattern(name))
        })
        .collect();
    drop(wishes);
    recordings.retain_mut(|recording| {
        // A stream that has ended is not in the list, and is read to its end.
        let goes_on =
            recording.stream().ended() || wanted.iter().any(|stream| stream.id() == recording.stream().id());
        if !goes_on {
            recording.end_file(shared);
        }
        goes_on
    });
    for stream in wanted {
        if !recordings.iter().any(|recording| recording.stream().id() == stream.id()) {
            let new = !first && by_pattern(stream.name());
            recordings.push(Recording::new(stream, new));
        }
    }
}

/// Reads the list of recordings from the disk. Those without an end are finished.
fn find_files(shared: &Shared) {
    let root = shared.catalog.root();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((entry.path(), depth + 1));
            } else if kind.is_file() {
                find_file(shared, root, &entry.path());
            }
        }
    }
}

fn find_file(shared: &Shared, root: &Path, path: &Path) {
    let stream = path.parent().and_then(|folder| folder.strip_prefix(root).ok()).and_then(Path::to_str);
    let Some(stream) = stream.and_then(|name| StreamName::parse(name).ok()) else { return };
    let (Some(stem), Some(ending)) =
        (path.file_stem().and_then(|stem| stem.to_str()), path.extension().and_then(|end| end.to_str()))
    else {
        return;
    };
    let Some(begin) = names::begin(stem) else { return };
    if ending != "mp4" {
        return stored::find(shared, (stream, stem, begin), ending);
    }
    if let Some(known) = shared.catalog.get(&stream, stem) {
        // The job runs again. Its last run has ended every recording.
        if known.state != RecordState::Finished {
            shared.finish.add(stream, stem.to_owned());
        }
        return;
    }
    let finished = fs::File::open(path).and_then(|file| finisher::inspect(&file)).unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "recording not readable");
        None
    });
    let size = finished.map_or_else(|| fs::metadata(path).map_or(0, |found| found.len()), |found| found.size);
    let file = RecordedFile {
        keep: shared.catalog.path(&stream, stem, KEEP).exists(),
        state: if finished.is_some() { RecordState::Finished } else { RecordState::Finishing },
        duration: finished.map_or(Duration::ZERO, |found| found.duration),
        place: stored::place(shared, &stream, stem, finished.is_some()),
        stem: stem.to_owned(),
        stream,
        begin,
        size,
    };
    let id = (file.stream.clone(), file.stem.clone());
    if !shared.catalog.add(file) {
        tracing::warn!(path = %path.display(), "too many recordings: not listed");
    } else if finished.is_none() {
        shared.finish.add(id.0, id.1);
    }
}

/// Finishes files until the recorder has ended and none waits.
pub(super) fn finish_all(shared: &Shared) {
    let mut told = std::collections::BTreeMap::new();
    while let Some((stream, stem)) = shared.finish.next() {
        match finisher::finish(&shared.catalog, &stream, &stem) {
            Ok(found) => {
                told.remove(&(stream.clone(), stem.clone()));
                shared.catalog.change(&stream, &stem, |file| {
                    file.state = RecordState::Finished;
                    (file.size, file.duration) = (found.size, found.duration);
                    file.place.upload = stored::new_upload(shared);
                });
                shared.queue.wake();
                tracing::info!(%stream, file = stem, size = found.size, "recording finished");
                if let Some(file) = shared.catalog.get(&stream, &stem) {
                    shared.recorded(&file);
                }
            }
            Err(FinishError::File(error)) => {
                let text = error.to_string();
                // Once for each reason: it is tried again every half a minute.
                if told.insert((stream.clone(), stem.clone()), text.clone()).as_ref() != Some(&text) {
                    tracing::warn!(%stream, file = stem, error = text, "recording not finished; it is tried again");
                }
                metrics::counter!("lianmai_record_errors_total").increment(1);
                shared.finish.again(stream, stem);
            }
            Err(FinishError::Format(error)) => {
                tracing::warn!(%stream, file = stem, %error, "file is not a recording, and stays as it is");
                metrics::counter!("lianmai_record_errors_total").increment(1);
            }
        }
    }
}
