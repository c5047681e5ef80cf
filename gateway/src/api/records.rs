//! `/api/v1/records`: the recordings. The operator starts, stops, keeps and deletes them.

use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, Range, millis, types};
use crate::core::hub::StreamName;
use crate::jobs::record::{RecordError, RecordedFile, StreamRecording};
use crate::web::endpoint::OFFER;

/// A recording in the API.
#[derive(Serialize)]
struct Record {
    stream: String,
    /// The name of its MP4 file.
    file: String,
    /// The addresses of the MP4 file and of its playlist.
    url: String,
    playlist: String,
    state: &'static str,
    /// In milliseconds since 1970.
    from_ms: u64,
    duration_ms: u64,
    bytes: u64,
    keep: bool,
    /// Whether the MP4 file is on the gateway's machine.
    local: bool,
    /// How far the upload to the object store is, and why the last try failed.
    upload: &'static str,
    upload_failure: Option<String>,
    /// The address of its object, when it is in the store.
    stored: Option<String>,
}

impl From<&RecordedFile> for Record {
    fn from(file: &RecordedFile) -> Self {
        let encode = |segment: &str| {
            percent_encoding::utf8_percent_encode(segment, percent_encoding::NON_ALPHANUMERIC).to_string()
        };
        let folder: Vec<String> = file.stream.as_str().split('/').map(encode).collect();
        let url = |ending: &str| format!("/records/{}/{}.{ending}", folder.join("/"), file.stem);
        Self {
            stream: file.stream.to_string(),
            file: format!("{}.mp4", file.stem),
            url: url("mp4"),
            playlist: url("m3u8"),
            state: file.state.name(),
            from_ms: millis(file.begin),
            duration_ms: file.duration.as_millis() as u64,
            bytes: file.size,
            keep: file.keep,
            local: file.place.local,
            upload: file.place.upload.name(),
            upload_failure: file.place.failure.clone(),
            stored: file.stored(),
        }
    }
}

/// A stream that is recorded now.
#[derive(Serialize)]
struct Live {
    stream: String,
    file: Option<String>,
    failure: Option<String>,
    lost_frames: u64,
}

impl From<StreamRecording> for Live {
    fn from(live: StreamRecording) -> Self {
        Self {
            stream: live.stream.to_string(),
            file: live.file.map(|stem| format!("{stem}.mp4")),
            failure: live.failure,
            lost_frames: live.lost_frames,
        }
    }
}

#[derive(Serialize)]
struct Records {
    /// Number of recordings that the query selects, and of all recordings with their bytes.
    total: usize,
    all: usize,
    all_bytes: u64,
    free_bytes: Option<u64>,
    /// Why nothing is recorded, if that is so.
    stopped: Option<String>,
    /// The address of the object store, if there is one.
    store: Option<String>,
    streams: Vec<Live>,
    records: Vec<Record>,
}

#[derive(Serialize)]
struct OneRecord {
    record: Record,
}

/// The selection of `GET`.
#[derive(Deserialize)]
struct Which {
    stream: Option<String>,
    /// In milliseconds since 1970.
    from: Option<u64>,
    start: Option<usize>,
    count: Option<usize>,
}

/// The body of `POST`.
#[derive(Deserialize)]
struct Start {
    stream: String,
}

/// The body of `PATCH`.
#[derive(Deserialize)]
struct Change {
    keep: Option<bool>,
    upload: Option<bool>,
}

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/api/v1/records", get(list).post(start))
        .route("/api/v1/records/", get(list).post(start))
        .route("/api/v1/records/{*path}", get(show).patch(change).delete(remove))
}

/// Handles `GET /api/v1/records?stream=&from=&start=&count=`.
async fn list(State(api): State<Api>, asked: Asker, which: Result<Query<Which>, QueryRejection>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Ok(Query(Which { stream, from, start, count })) = which else {
        let text = "`from` (milliseconds since 1970), `start` and `count` must be numbers";
        return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, text);
    };
    let from = from.map(|from| UNIX_EPOCH + Duration::from_millis(from));
    let selected = |file: &RecordedFile| {
        stream.as_deref().is_none_or(|name| file.stream.as_str() == name.trim_matches('/'))
            && from.is_none_or(|from| file.begin + file.duration >= from)
    };
    let records = &api.0.records;
    let list = records.list(selected);
    let ((all, all_bytes), (free_bytes, stopped)) = (records.totals(), records.disk());
    api.answer(Records {
        total: list.len(),
        all,
        all_bytes,
        free_bytes,
        stopped,
        store: records.store(),
        streams: records.streams().into_iter().map(Live::from).collect(),
        records: Range { start, count }.of(&list, |file| Record::from(file)),
    })
}

/// Handles `POST /api/v1/records`.
async fn start(State(api): State<Api>, asked: Asker, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Start { stream } = match parse(&api, body).await {
        Ok(start) => start,
        Err(refusal) => return refusal,
    };
    let name = match StreamName::parse(&stream) {
        Ok(name) => name,
        Err(error) => return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &error.to_string()),
    };
    let records = api.0.records.clone();
    done(&api, on_disk(move || records.start(&name)).await)
}

/// Handles `GET /api/v1/records/APP/NAME/FILE.mp4`.
async fn show(State(api): State<Api>, asked: Asker, Path(path): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let found = file(&path).and_then(|(stream, stem)| api.0.records.get(&stream, stem));
    match found {
        Some(file) => api.answer(OneRecord { record: Record::from(&file) }),
        None => refused(&api, &RecordError::Unknown),
    }
}

/// Handles `PATCH /api/v1/records/APP/NAME/FILE.mp4`.
async fn change(State(api): State<Api>, asked: Asker, Path(path): Path<String>, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Change { keep, upload } = match parse(&api, body).await {
        Ok(change) => change,
        Err(refusal) => return refusal,
    };
    if (keep, upload) == (None, None) || upload == Some(false) {
        let text = "the change must be {\"keep\": true or false} or {\"upload\": true}";
        return api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, text);
    }
    let Some((stream, stem)) = file(&path) else { return refused(&api, &RecordError::Unknown) };
    let (records, stem) = (api.0.records.clone(), stem.to_owned());
    let change = move || {
        keep.map_or(Ok(()), |keep| records.keep(&stream, &stem, keep))?;
        upload.map_or(Ok(()), |_| records.upload(&stream, &stem))
    };
    done(&api, on_disk(change).await)
}

/// Handles `DELETE /api/v1/records/APP/NAME`, which stops to record a stream, and
/// `DELETE /api/v1/records/APP/NAME/FILE.mp4`, which deletes a recording.
async fn remove(State(api): State<Api>, asked: Asker, Path(path): Path<String>) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let records = &api.0.records;
    let removed = match file(&path).filter(|(stream, stem)| records.get(stream, stem).is_some()) {
        Some((stream, stem)) => {
            let (records, stem) = (records.clone(), stem.to_owned());
            on_disk(move || records.delete(&stream, &stem)).await
        }
        None => {
            let (records, name) =
                (records.clone(), StreamName::parse(&path).map_err(|_| RecordError::Unknown));
            on_disk(move || records.stop(&name?)).await
        }
    };
    if removed.is_ok() {
        tracing::info!(peer = %asked.peer, path, "recording stopped or deleted by an operator");
    }
    done(&api, removed)
}

/// Does what may wait for the disk, on another thread than those of the network.
async fn on_disk(work: impl FnOnce() -> Result<(), RecordError> + Send + 'static) -> Result<(), RecordError> {
    let failed = |_| Err(RecordError::Unavailable("the thread failed".to_owned()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
}

/// Parses `APP/NAME/FILE.mp4`.
fn file(path: &str) -> Option<(StreamName, &str)> {
    let (stream, file) = path.rsplit_once('/')?;
    Some((StreamName::parse(stream).ok()?, file.strip_suffix(".mp4")?))
}

async fn parse<T: for<'a> Deserialize<'a>>(api: &Api, body: Body) -> Result<T, Response> {
    let text = OFFER.text(body, api.0.context.limits.get().header_timeout).await;
    let text =
        text.map_err(|problem| api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail))?;
    serde_json::from_str(&text)
        .map_err(|error| api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &error.to_string()))
}

fn done(api: &Api, result: Result<(), RecordError>) -> Response {
    match result {
        Ok(()) => api.answer(types::Nothing {}),
        Err(error) => refused(api, &error),
    }
}

fn refused(api: &Api, error: &RecordError) -> Response {
    let status = match error {
        RecordError::Unknown => StatusCode::NOT_FOUND,
        RecordError::Busy => StatusCode::CONFLICT,
        RecordError::TooMany | RecordError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    api.refuse(status, status.as_u16().into(), &error.to_string())
}
