//! Makes ordinary MP4 files of complete recordings, and of recordings that a crash left without an end.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use media::mp4::demux::box_head;
use media::mp4::recording::{EventList, Finisher, LAYOUT_BYTES, Layout};

use super::catalog::Catalog;
use super::names::{self, LIST};
use crate::core::hub::StreamName;

/// Time after which a file that could not be finished is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// Maximum size of a box other than `mdat`.
const MAX_BOX: u64 = 64 << 20;

/// Why a file is not finished.
#[derive(Debug)]
pub(super) enum FinishError {
    /// It cannot be read or written. It may be possible later.
    File(io::Error),
    /// It is not a recording.
    Format(media::Error),
}

impl From<io::Error> for FinishError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<media::Error> for FinishError {
    fn from(error: media::Error) -> Self {
        Self::Format(error)
    }
}

impl std::fmt::Display for FinishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Format(error) => error.fmt(f),
        }
    }
}

/// A finished file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Finished {
    /// Size in bytes.
    pub(super) size: u64,
    /// Duration.
    pub(super) duration: Duration,
}

/// The content of a [`FinishQueue`].
#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(StreamName, String)>,
    stopped: bool,
}

/// Files that wait to be finished: at most as many as the catalog lists.
#[derive(Debug, Default)]
pub(super) struct FinishQueue {
    state: Mutex<State>,
    changed: Condvar,
}

impl FinishQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a file.
    pub(super) fn add(&self, stream: StreamName, stem: String) {
        self.state().waiting.push_back((stream, stem));
        self.changed.notify_all();
    }

    /// Waits for the next file; `None` when the queue was stopped and is empty.
    pub(super) fn next(&self) -> Option<(StreamName, String)> {
        let mut state = self.state();
        loop {
            if let Some(next) = state.waiting.pop_front() {
                return Some(next);
            }
            if state.stopped {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Adds a file that could not be finished, after a pause. Files that wait come first.
    pub(super) fn again(&self, stream: StreamName, stem: String) {
        let mut state = self.state();
        if state.stopped {
            return;
        }
        if state.waiting.is_empty() {
            let stays = |state: &mut State| !state.stopped && state.waiting.is_empty();
            (state, _) =
                self.changed.wait_timeout_while(state, AGAIN, stays).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.push_back((stream, stem));
    }

    /// Lets the thread end when the files that wait are finished.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.changed.notify_all();
    }

    /// Starts to take files again.
    pub(super) fn start(&self) {
        self.state().stopped = false;
    }
}

/// Finishes the file of a recording: writes the sample tables for all whole fragments, and the end of the playlist. A file that is finished stays as it is.
///
/// # Errors
/// The file is not a recording, or the disk does not take the end. Nothing of the recording is lost then.
pub(super) fn finish(catalog: &Catalog, stream: &StreamName, stem: &str) -> Result<Finished, FinishError> {
    let path = catalog.path(stream, stem, "mp4");
    let file = File::options().read(true).write(true).open(&path)?;
    let layout = layout(&file)?;
    if layout.finished.is_some() {
        return inspect(&file)
            .map_err(FinishError::from)
            .and_then(|found| found.ok_or_else(|| FinishError::File(io::ErrorKind::InvalidData.into())));
    }
    let begin = names::begin(stem).and_then(|begin| begin.duration_since(UNIX_EPOCH).ok());
    let date = begin.map(|begin| begin.as_micros() as i64);
    let mut list = EventList::new(format!("{stem}.mp4"), &layout, date);
    let Scan { finisher, text, size } = scan(&file, &layout, &mut list)?;
    let list_path = catalog.path(stream, stem, LIST);
    if fs::read(&list_path).map_or(true, |old| old != text.as_bytes()) {
        replace(&list_path, text.as_bytes())?;
    }
    let moov = finisher.moov();
    // A part of a fragment at the end stays: nothing refers to it, and nothing is removed by mistake.
    if let Err(error) = file.write_all_at(&moov, size).and_then(|()| file.sync_data()) {
        let _ = file.set_len(size);
        return Err(error.into());
    }
    // The tables are on the disk before the head says so.
    file.write_all_at(&layout.seal(size), layout.head)?;
    file.sync_data()?;
    let duration = Duration::from_micros(finisher.duration().max(0) as u64);
    Ok(Finished { size: size + moov.len() as u64, duration })
}

fn layout(file: &File) -> Result<Layout, FinishError> {
    let mut head = [0; LAYOUT_BYTES];
    let read = file.read_at(&mut head, 0)?;
    Ok(Layout::parse(&head[..read])?)
}

/// What a file of fragments contains.
struct Scan {
    finisher: Finisher,
    /// The playlist.
    text: String,
    /// The size of the file.
    size: u64,
}

fn scan(file: &File, layout: &Layout, list: &mut EventList) -> Result<Scan, FinishError> {
    let size = file.metadata()?.len();
    let init = read(file, layout.init.start, layout.init.end - layout.init.start)?;
    let ftyp = box_head(&init)?.and_then(|head| head.size).unwrap_or(0) as usize;
    let mut finisher = Finisher::new(&init.slice((ftyp + 8).min(init.len())..))?;
    let (mut end, mut text) = (layout.init.end, String::new());
    while let Some(moof) = next_moof(file, end, size)? {
        // A fragment of which a part is missing, or that is damaged, ends the recording.
        match finisher.fragment(&moof[8..], end) {
            Ok((duration, independent, after)) if after <= size => {
                text.push_str(&list.add(end, after - end, duration, independent));
                end = after;
            }
            _ => break,
        }
    }
    text.push_str(&list.finish());
    Ok(Scan { finisher, text, size })
}

/// Reads the `moof` at `at`; `None` if there is none that is whole.
fn next_moof(file: &File, at: u64, size: u64) -> io::Result<Option<Bytes>> {
    if at + 16 > size {
        return Ok(None);
    }
    let Ok(Some(head)) = box_head(&read(file, at, 16)?) else { return Ok(None) };
    match head.size {
        Some(length) if &head.kind == b"moof" && head.head == 8 && length <= MAX_BOX.min(size - at) => {
            read(file, at, length).map(Some)
        }
        _ => Ok(None),
    }
}

fn read(file: &File, at: u64, length: u64) -> io::Result<Bytes> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes.into())
}

/// Replaces a file at once, for those who read it meanwhile.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = fs::write(&new, bytes).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

/// Returns size and duration of a finished file; `None` for other files.
///
/// # Errors
/// The file cannot be read.
pub(super) fn inspect(file: &File) -> io::Result<Option<Finished>> {
    let Ok(Layout { finished: Some(moov), .. }) = layout(file) else { return Ok(None) };
    let size = file.metadata()?.len();
    // `moov`, then `mvhd` with version 1: timescale at 36 and duration at 40 from its start.
    if moov + 48 > size {
        return Ok(None);
    }
    let head = read(file, moov, 48)?;
    let number =
        |at: usize| head[at..at + 8].iter().fold(0, |value: u64, &byte| value << 8 | u64::from(byte));
    if &head[4..8] != b"moov" || &head[12..16] != b"mvhd" || head[16] != 1 {
        return Ok(None);
    }
    // The timescale of a recording is microseconds.
    Ok(Some(Finished { size, duration: Duration::from_micros(number(40)) }))
}
