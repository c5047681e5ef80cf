//! `POST /api/v1/addresses`: signed addresses at the CDN or in the object store, for the operator's own pages.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Api, Asker, BAD_REQUEST, millis};
use crate::cdn::MAX_LIFE;
use crate::core::hub::StreamName;
use crate::web::endpoint::OFFER;

/// Seconds for which an address is valid if the request does not say.
const LIFE: u64 = 3600;

/// The body of the request: a stream, or a recording.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    stream: Option<String>,
    /// `m3u8` or `flv`.
    format: Option<String>,
    /// `live/x/2026-11-29T08-50-00Z.mp4`.
    record: Option<String>,
    seconds: Option<u64>,
}

#[derive(Serialize)]
struct Address {
    url: String,
    /// In seconds since 1970.
    expires: u64,
}

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/api/v1/addresses", post(make)).route("/api/v1/addresses/", post(make))
}

/// Handles `POST /api/v1/addresses`.
async fn make(State(api): State<Api>, asked: Asker, body: Body) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let bad = |text: &str| api.refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, text);
    let text = match OFFER.text(body, api.0.context.limits.get().header_timeout).await {
        Ok(text) => text,
        Err(problem) => return api.refuse(problem.status, problem.status.as_u16().into(), &problem.detail),
    };
    let wanted: Wanted = match serde_json::from_str(&text) {
        Ok(wanted) => wanted,
        Err(error) => return bad(&error.to_string()),
    };
    let life = wanted.seconds.unwrap_or(LIFE);
    if !(1..=MAX_LIFE).contains(&life) {
        return bad(&format!("`seconds` is {life}; it must be between 1 and {MAX_LIFE}"));
    }
    let expires = millis(SystemTime::now()) / 1000 + life;
    let url = match (&wanted.stream, &wanted.record) {
        (Some(stream), None) => of_stream(&api, stream, wanted.format.as_deref(), expires),
        (None, Some(record)) => of_record(&api, record, Duration::from_secs(life)).await,
        _ => return bad("the request must have `stream` or `record`"),
    };
    match url {
        Ok(url) => api.answer(Address { url, expires }),
        Err((status, text)) => api.refuse(status, status.as_u16().into(), &text),
    }
}

type Failure = (StatusCode, String);

fn of_stream(api: &Api, stream: &str, format: Option<&str>, expires: u64) -> Result<String, Failure> {
    let bad = |text: String| (StatusCode::BAD_REQUEST, text);
    let name = StreamName::parse(stream).map_err(|error| bad(error.to_string()))?;
    let ending = match format.unwrap_or("m3u8") {
        ending @ ("m3u8" | "flv") => ending,
        _ => return Err(bad("`format` must be m3u8 or flv".to_owned())),
    };
    let none = "there is no CDN: set cdn_url, and cdn_sign and cdn_key";
    let cdn = api.0.cdn.as_ref().ok_or_else(|| (StatusCode::NOT_FOUND, none.to_owned()))?;
    Ok(cdn.address(&name, ending, expires))
}

async fn of_record(api: &Api, record: &str, life: Duration) -> Result<String, Failure> {
    let missing = || (StatusCode::NOT_FOUND, "there is no such recording in the object store".to_owned());
    let (stream, file) = record.rsplit_once('/').ok_or_else(missing)?;
    let (stream, stem) = (StreamName::parse(stream).map_err(|_| missing())?, file.strip_suffix(".mp4"));
    let url = api.0.records.signed_url(&stream, stem.ok_or_else(missing)?, life).await;
    url.map_err(|text| (StatusCode::SERVICE_UNAVAILABLE, text))?.ok_or_else(missing)
}
