//! Recordings in the object store: finds their marks at the start, and serves those that are not on this machine.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};

use super::catalog::{RecordState, RecordedFile};
use super::names::KEEP;
use super::records::Shared;
use super::serve::{Sending, head, not_found};
use super::upload::Uploads;
use super::upload::file::object;
use super::upload::marks::{GONE, STORED, Stored};
use super::upload::place::{Place, Upload};
use crate::core::hub::StreamName;
use crate::store::{StoreError, StoreErrorKind};
use crate::web::problem::Problem;

/// Time for which the signed address of a recording is valid.
const SIGNED_FOR: Duration = Duration::from_secs(3600);

/// Returns how far the upload of a recording is that was just finished.
pub(super) fn new_upload(shared: &Shared) -> Upload {
    let uploads = shared.uploads.as_ref().is_some_and(|uploads| uploads.enabled);
    if uploads { Upload::Waiting } else { Upload::None }
}

/// Returns where a recording is whose MP4 file was found on this machine.
pub(super) fn place(shared: &Shared, stream: &StreamName, stem: &str, finished: bool) -> Place {
    let stored = Stored::read(&shared.catalog.path(stream, stem, STORED));
    let store = shared.uploads.as_ref().map(|uploads| uploads.store.shown());
    let upload = match stored {
        // Otherwise it is in another store, which the settings do not name any more.
        Some(stored) if store.is_none() || store.as_deref() == Some(&stored.store) => done(&stored),
        _ if finished => new_upload(shared),
        _ => Upload::None,
    };
    Place { local: true, upload, failure: None }
}

fn done(stored: &Stored) -> Upload {
    Upload::Done { since: stored.since(), store: stored.store.clone() }
}

/// Adds a recording that is in the store only, or one that has to be deleted there. `ending` is the ending of the
/// file that was found.
pub(super) fn find(shared: &Shared, (stream, stem, begin): (StreamName, &str, SystemTime), ending: &str) {
    if ending == GONE {
        return shared.queue.delete((stream, stem.to_owned()));
    }
    let path = |ending| shared.catalog.path(&stream, stem, ending);
    if ending != STORED || path("mp4").exists() || shared.catalog.get(&stream, stem).is_some() {
        return;
    }
    let Some(stored) = Stored::read(&path(STORED)) else {
        tracing::warn!(path = %path(STORED).display(), "mark of an uploaded recording not readable");
        return;
    };
    let file = RecordedFile {
        keep: path(KEEP).exists(),
        state: RecordState::Finished,
        duration: Duration::from_millis(stored.duration_ms),
        size: stored.bytes,
        place: Place { local: false, upload: done(&stored), failure: None },
        stem: stem.to_owned(),
        stream,
        begin,
    };
    if !shared.catalog.add(file) {
        tracing::warn!("too many recordings: one in the store is not listed");
    }
}

/// Answers a request for a recording that is not on this machine: with its bytes, or with a signed address.
///
/// # Errors
/// There is no such store, or it does not have the recording, or does not answer.
pub(super) async fn send(
    shared: &Shared,
    record: &RecordedFile,
    private: bool,
    request: &Parts,
) -> Result<Response, Problem> {
    let Upload::Done { since, store } = &record.place.upload else { return Err(not_found()) };
    let uploads = shared.uploads.as_ref().filter(|uploads| uploads.store.shown() == *store);
    let Some(Uploads { store, redirect, .. }) = uploads else {
        let text = format!("the recording is in {store}, which the settings of the gateway do not name");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, text));
    };
    let name = object(&record.stream, &record.stem, "mp4");
    if *redirect && request.method == Method::GET {
        let to = store.signed_url(&name, SIGNED_FOR).await.map_err(|error| problem(&error))?;
        let to = HeaderValue::try_from(to).map_err(|_| missing())?;
        let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        return Ok((StatusCode::FOUND, headers).into_response());
    }
    let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let etag = format!("\"s{since:x}-{:x}\"", record.size);
    let sending = Sending { is_list: false, private, versioned: true };
    let (status, headers, range) = match head(record.size, etag, sending, &request.headers) {
        Ok(found) => found,
        Err(response) => return Ok(*response),
    };
    if request.method == Method::HEAD || range.is_empty() {
        return Ok((status, headers).into_response());
    }
    let reader = store.read(&name, range.clone()).await.map_err(|error| problem(&error))?;
    if reader.range != range || reader.size != record.size {
        let text = "the store has another file than the one that was uploaded";
        return Err(Problem::new(StatusCode::BAD_GATEWAY, text));
    }
    let pieces = stream::unfold(reader, |mut reader| async move {
        let piece = reader.next().await?;
        Some((piece, reader))
    });
    Ok((status, headers, Body::from_stream(pieces)).into_response())
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "the recording is neither on this machine nor in the store")
}

fn problem(error: &StoreError) -> Problem {
    let status = match error.kind {
        StoreErrorKind::Missing => return missing(),
        StoreErrorKind::Refused | StoreErrorKind::Changed => StatusCode::BAD_GATEWAY,
        StoreErrorKind::Away => StatusCode::SERVICE_UNAVAILABLE,
    };
    // The store's own words are for the operator.
    tracing::warn!(%error, "recording not read from the store");
    Problem::new(status, "the store of recordings does not answer: try again later")
}
