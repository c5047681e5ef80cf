//! Uploads one recording.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::marks::{Begun, PARTS, STORED, Stored};
use super::queue::FileId;
use crate::core::hub::StreamName;
use crate::jobs::record::catalog::Catalog;
use crate::jobs::record::names::LIST;
use crate::store::{Content, Expect, Store, StoreError, StoreErrorKind};

/// Size of a part of a large file. One part is in memory at a time.
const PART: u64 = 8 << 20;
/// Maximum size of a playlist: six hours of half a second each have 43,200 lines of about 60 bytes.
const MAX_LIST: u64 = 16 << 20;

const VIDEO: Content = Content { kind: "video/mp4", cache: "max-age=3600" };
const PLAYLIST: Content = Content { kind: "application/vnd.apple.mpegurl", cache: "max-age=3600" };

/// Why a recording was not uploaded.
#[derive(Debug)]
pub(in crate::jobs::record) enum UploadError {
    /// The store does not take it.
    Store(StoreError),
    /// The file on this machine cannot be read, or the mark cannot be written.
    File(io::Error),
}

impl UploadError {
    pub(in crate::jobs::record) fn is_refused(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_refused())
    }

    /// Returns whether the store cannot be reached: other uploads would fail, too.
    pub(in crate::jobs::record) fn is_away(&self) -> bool {
        matches!(self, Self::Store(error) if error.kind == StoreErrorKind::Away)
    }
}

impl From<StoreError> for UploadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for UploadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl std::fmt::Display for UploadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::File(error) => write!(f, "the recording cannot be read: {error}"),
        }
    }
}

/// Returns the name of a recording's object.
pub(in crate::jobs::record) fn object(stream: &StreamName, stem: &str, ending: &str) -> String {
    format!("records/{stream}/{stem}.{ending}")
}

/// Uploads a recording and its playlist. Returns the mark, which is on the disk then. A part that was uploaded before
/// is not uploaded again.
///
/// # Errors
/// The store or the disk fails. The next try goes on where this one ended.
pub(in crate::jobs::record) async fn upload(
    store: &Store,
    catalog: &Catalog,
    (stream, stem): &FileId,
    duration_ms: u64,
) -> Result<Stored, UploadError> {
    let path = |ending: &str| catalog.path(stream, stem, ending);
    let (file, bytes) = open(path("mp4")).await?;
    let name = object(stream, stem, "mp4");
    if bytes <= PART {
        store.put(&name, read(&file, 0, bytes).await?, VIDEO, Expect::Any).await?;
    } else {
        put_parts(store, &name, &file, bytes, path(PARTS)).await?;
    }
    let (list, length) = open(path(LIST)).await?;
    if length <= MAX_LIST {
        let list = read(&list, 0, length).await?;
        store.put(&object(stream, stem, LIST), list, PLAYLIST, Expect::Any).await?;
    }
    // The file here is deleted some time later: be sure that the other one is whole.
    let there = store.size(&name).await?;
    if there != bytes {
        let text = format!("the store has {there} bytes of {bytes}");
        return Err(UploadError::File(io::Error::other(text)));
    }
    let uploaded = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let stored = Stored { store: store.shown(), bytes, duration_ms, uploaded };
    let (mark, parts, written) = (path(STORED), path(PARTS), stored.clone());
    on_disk(move || {
        // The recording may have been deleted meanwhile, with its folder.
        mark.parent().map_or(Ok(()), fs::create_dir_all)?;
        written.write(&mark)?;
        let _ = fs::remove_file(parts);
        Ok(())
    })
    .await?;
    Ok(stored)
}

async fn put_parts(
    store: &Store,
    name: &str,
    file: &Arc<File>,
    size: u64,
    mark: PathBuf,
) -> Result<(), UploadError> {
    let path = mark.clone();
    let known = on_disk(move || Ok(Begun::read(&path, size, PART))).await?;
    let begun = match known {
        Some(begun) => begun,
        None => {
            let id = store.begin_parts(name, VIDEO).await?;
            let (path, written) = (mark.clone(), id.clone());
            on_disk(move || Begun::write(&path, size, PART, &written)).await?;
            Begun { id, parts: Vec::new() }
        }
    };
    let Begun { id, mut parts } = begun;
    let sent = send_parts(store, name, file, size, &mark, &id, &mut parts).await;
    if let Err(UploadError::Store(error)) = &sent
        && matches!(error.kind, StoreErrorKind::Missing | StoreErrorKind::Refused)
    {
        // The store may have dropped the upload: the next try begins a new one.
        let _ = store.abort_parts(name, &id).await;
        let _ = on_disk(move || fs::remove_file(mark)).await;
    }
    sent
}

async fn send_parts(
    store: &Store,
    name: &str,
    file: &Arc<File>,
    size: u64,
    mark: &Path,
    id: &str,
    parts: &mut Vec<crate::store::Part>,
) -> Result<(), UploadError> {
    while (parts.len() as u64) * PART < size {
        let begin = parts.len() as u64 * PART;
        let bytes = read(file, begin, PART.min(size - begin)).await?;
        metrics::counter!("lianmai_record_uploaded_bytes_total").increment(bytes.len() as u64);
        let part = store.put_part(name, id, parts.len(), bytes).await?;
        let (path, added) = (mark.to_owned(), part.clone());
        on_disk(move || Begun::add(&path, &added)).await?;
        parts.push(part);
    }
    Ok(store.finish_parts(name, id, parts).await?)
}

async fn open(path: PathBuf) -> io::Result<(Arc<File>, u64)> {
    on_disk(move || {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok((Arc::new(file), size))
    })
    .await
}

async fn read(file: &Arc<File>, begin: u64, length: u64) -> io::Result<Bytes> {
    let file = file.clone();
    on_disk(move || {
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, begin)?;
        Ok(bytes.into())
    })
    .await
}

/// Does what may wait for the disk on another thread.
pub(in crate::jobs::record) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
