//! Serves recordings: `GET /records/live/x/2026-11-29T08-50-00Z.mp4`, and `.m3u8`.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::catalog::RecordState;
use super::names::LIST;
use super::records::Records;
use super::sessions::Sessions;
use super::stored;
use crate::context::Context;
use crate::core::auth::{AuthRequest, Denied};
use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::hub::StreamName;
use crate::core::session::ClientSession;
use crate::net::worker::Secure;
use crate::web::endpoint::RANGES;
use crate::web::problem::Problem;
use crate::web::request::{address, decoded, shown};

/// The protocol name in the log.
const PROTOCOL: &str = "record";
/// Number of bytes that are read from the disk at one time.
const PIECE: u64 = 256 << 10;

/// The files of recordings, and the sessions of their viewers.
#[derive(Debug)]
pub(super) struct Files {
    context: Context,
    records: Records,
    sessions: Sessions,
}

impl Files {
    pub(super) fn new(context: Context, records: Records) -> Self {
        Self { context, records, sessions: Sessions::default() }
    }
}

/// A requested file.
struct Wanted {
    stream: StreamName,
    session: Option<String>,
    stem: String,
    is_list: bool,
}

/// Handles a request for an address below `/records/`.
pub(super) async fn serve(files: &Files, peer: SocketAddr, request: &Parts) -> Response {
    if let Some(response) = RANGES.answer(&request.method) {
        return RANGES.share(response);
    }
    let answer = answer(files, peer, request).await;
    let mut response = RANGES.share(answer.unwrap_or_else(IntoResponse::into_response));
    if request.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

async fn answer(files: &Files, peer: SocketAddr, request: &Parts) -> Result<Response, Problem> {
    let path = decoded(request.uri.path())?;
    let wanted = parse(&path).ok_or_else(not_found)?;
    let session = match admit(files, &wanted, peer, request).await {
        Ok(session) => session,
        Err(problem) => {
            files.context.admission.refused(Act::Play, PROTOCOL, peer, request.uri.path(), &problem.detail);
            return Err(problem);
        }
    };
    if let (Some(id), true, None) = (session, wanted.is_list, &wanted.session) {
        return redirect(&id, request);
    }
    // Only viewers who may play the stream are told which recordings exist.
    let record = files.records.get(&wanted.stream, &wanted.stem).ok_or_else(not_found)?;
    let ending = if wanted.is_list { LIST } else { "mp4" };
    let private = files.context.admission.restricts_play();
    if !wanted.is_list && !record.place.local {
        return stored::send(files.records.shared(), &record, private, request).await;
    }
    let path = files.records.shared().catalog.path(&wanted.stream, &wanted.stem, ending);
    let opened = tokio::task::spawn_blocking(move || Opened::open(&path)).await;
    let opened = match opened.unwrap_or_else(|_| Err(io::Error::other("the thread failed"))) {
        Ok(opened) => opened,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unreadable(&error)),
        Err(_) if wanted.is_list => return Err(not_found()),
        // It may have been deleted just now, because it is in the store.
        Err(_) => return stored::send(files.records.shared(), &record, private, request).await,
    };
    // Browsers that know a version of a growing file would ask for parts of just that version.
    let versioned = wanted.is_list || record.state != RecordState::Recording;
    Ok(send(opened, Sending { is_list: wanted.is_list, private, versioned }, &request.headers))
}

pub(super) fn not_found() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no such recording: GET /api/v1/records lists all recordings",
    )
}

fn unreadable(error: &io::Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the recording cannot be read: {error}"))
}

/// Parses `/records/APP/NAME[/.SESSION]/FILE`.
fn parse(path: &str) -> Option<Wanted> {
    let (folder, file) = path.strip_prefix("/records/")?.rsplit_once('/')?;
    // Names of streams do not begin with a dot.
    let (folder, session) = match folder.rsplit_once("/.") {
        Some((folder, id)) => (folder, Some(id.to_owned())),
        None => (folder, None),
    };
    let (stem, ending) = file.rsplit_once('.')?;
    let is_list = match ending {
        "mp4" => false,
        LIST => true,
        _ => return None,
    };
    Some(Wanted { stream: StreamName::parse(folder).ok()?, session, stem: stem.to_owned(), is_list })
}

/// Admits a viewer as one who plays the stream. Returns the session, if streams are protected.
async fn admit(
    files: &Files,
    wanted: &Wanted,
    peer: SocketAddr,
    request: &Parts,
) -> Result<Option<String>, Problem> {
    let (admission, stream) = (&files.context.admission, &wanted.stream);
    let is_kept_out = |session: &ClientSession| {
        let key_is_gone = match &session.identity {
            Identity::Key { id, .. } => !files.context.auth.keys.has(*id),
            _ => false,
        };
        key_is_gone || files.context.bans.has(session)
    };
    if let Some(id) = &wanted.session {
        let admits = files.sessions.admits(id, stream, &is_kept_out);
        return if admits { Ok(Some(id.clone())) } else { Err(Denied::Session.into()) };
    }
    let about = AuthRequest::http(Some(stream), &request.uri, &request.headers, peer).by(request.version);
    let client = ClientInfo {
        protocol: PROTOCOL,
        peer,
        url: address(
            "http",
            request.extensions.get::<Secure>().is_some(),
            &request.headers,
            request.uri.path(),
        ),
        agent: shown(&request.headers, header::USER_AGENT),
    };
    if !admission.restricts_play() {
        admission.play(stream, &about, client).await?;
        return Ok(None);
    }
    let token = about.token().map(|token| (about.from, token.into_owned()));
    if let Some((from, token)) = &token
        && let Some(id) = files.sessions.of_token(stream, (*from, token), &is_kept_out)
    {
        return Ok(Some(id));
    }
    let grant = admission.play(stream, &about, client).await?;
    // Each request for a file shows its secret or key; a token is shown once, and a playlist's addresses show nothing.
    if token.is_none() && !wanted.is_list {
        return Ok(None);
    }
    let full =
        || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many viewers of recordings: try again later");
    files.sessions.open(grant.session(), token).map(Some).ok_or_else(full)
}

/// Sends a player to the playlist's address in its session: the addresses in the playlist are relative to it.
fn redirect(session: &str, request: &Parts) -> Result<Response, Problem> {
    let path = request.uri.path();
    let (folder, file) = path.rsplit_once('/').ok_or_else(not_found)?;
    let to = HeaderValue::try_from(format!("{folder}/.{session}/{file}")).map_err(|_| not_found())?;
    let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::FOUND, headers).into_response())
}

/// An open file.
struct Opened {
    file: File,
    size: u64,
    etag: String,
}

impl Opened {
    fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        let changed = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Ok(Self { file, size: found.len(), etag: format!("\"{changed:x}-{:x}\"", found.len()) })
    }
}

/// How a file is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    pub(super) is_list: bool,
    /// Not for caches that several people share.
    pub(super) private: bool,
    /// Whether the response names the version of the file. The bytes of a growing MP4 file stay what they are.
    pub(super) versioned: bool,
}

fn send(opened: Opened, sending: Sending, asked: &HeaderMap) -> Response {
    let Opened { file, size, etag } = opened;
    match head(size, etag, sending, asked) {
        Ok((status, headers, range)) => (status, headers, body(file, range)).into_response(),
        Err(response) => *response,
    }
}

/// Returns the head of a response with a file of this size, and the range of bytes to send. The error is the whole
/// response to a request for which there are no bytes.
pub(super) fn head(
    size: u64,
    etag: String,
    sending: Sending,
    asked: &HeaderMap,
) -> Result<(StatusCode, HeaderMap, Range<u64>), Box<Response>> {
    let Sending { is_list, private, versioned } = sending;
    let kind = if is_list { "application/vnd.apple.mpegurl" } else { "video/mp4" };
    let keep = if private { "private, no-cache" } else { "no-cache" };
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let known = text(header::IF_NONE_MATCH).filter(|_| versioned);
    let fresh = known.is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    // A file that has changed since the client read a part of it is sent whole (RFC 9110 13.1.5).
    let may_range = !versioned || text(header::IF_RANGE).is_none_or(|known| known == etag);
    let range = text(header::RANGE).filter(|_| may_range).map_or(Part::Whole, |range| part(range, size));
    if let Ok(etag) = HeaderValue::try_from(etag)
        && versioned
    {
        headers.insert(header::ETAG, etag);
    }
    if fresh {
        return Err(Box::new((StatusCode::NOT_MODIFIED, headers).into_response()));
    }
    let (status, range) = match range {
        Part::Whole => (StatusCode::OK, 0..size),
        Part::Range(range) => {
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            headers.extend(HeaderValue::try_from(text).ok().map(|text| (header::CONTENT_RANGE, text)));
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Part::None => {
            let text = HeaderValue::try_from(format!("bytes */{size}"));
            headers.extend(text.ok().map(|text| (header::CONTENT_RANGE, text)));
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "the recording has no such bytes");
            return Err(Box::new((headers, problem).into_response()));
        }
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    Ok((status, headers, range))
}

/// The requested part of a file.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range(Range<u64>),
    /// The file has no such bytes.
    None,
}

/// Parses `Range` (RFC 9110 14.1.2). Several ranges, and what is not valid, are answered with the whole file.
fn part(text: &str, size: u64) -> Part {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u64>())
    };
    let range = match (number(first.trim()), number(last.trim())) {
        (Some(Ok(first)), Some(Ok(last))) if first <= last => first..u64::min(last, u64::MAX - 1) + 1,
        (Some(Ok(first)), None) if last.trim().is_empty() => first..u64::MAX,
        (None, Some(Ok(count))) if first.trim().is_empty() => size - u64::min(count, size)..u64::MAX,
        _ => return Part::Whole,
    };
    let range = range.start..range.end.min(size);
    if range.is_empty() { Part::None } else { Part::Range(range) }
}

/// Returns a body that reads the file piece by piece, as the client takes them.
fn body(file: File, range: Range<u64>) -> Body {
    let file = Arc::new(file);
    let pieces = stream::try_unfold(range, move |range| {
        let file = file.clone();
        async move {
            if range.is_empty() {
                return Ok::<_, io::Error>(None);
            }
            let end = range.end.min(range.start + PIECE);
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; (end - range.start) as usize];
                file.read_exact_at(&mut bytes, range.start).map(|()| Bytes::from(bytes))
            });
            let bytes = read.await.map_err(io::Error::other)??;
            Ok(Some((bytes, end..range.end)))
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_parsed() {
        for (text, part) in [
            ("bytes=0-0", Part::Range(0..1)),
            ("bytes=0-99", Part::Range(0..100)),
            ("bytes=10-1000", Part::Range(10..100)),
            ("bytes=10-", Part::Range(10..100)),
            ("bytes=-10", Part::Range(90..100)),
            ("bytes=-1000", Part::Range(0..100)),
            ("bytes=0-18446744073709551615", Part::Range(0..100)),
            ("bytes=100-", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=99999999999999999999-", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(super::part(text, 100), part, "{text}");
        }
        assert_eq!(super::part("bytes=0-", 0), Part::None);
    }

    #[test]
    fn addresses_are_parsed_and_lead_nowhere_else() {
        let stem = "2026-11-29T08-50-00Z";
        let wanted = parse(&format!("/records/a/b/c/{stem}.mp4")).unwrap();
        assert_eq!((wanted.stream.as_str(), &*wanted.stem, wanted.is_list), ("a/b/c", stem, false));
        let wanted = parse(&format!("/records/live/x/.0123/{stem}.m3u8")).unwrap();
        assert_eq!((wanted.stream.as_str(), wanted.session.as_deref()), ("live/x", Some("0123")));
        for bad in
            ["/records/live/x/a.keep", "/records/live/../x/a.mp4", "/records/x/a.mp4", "/records/../../a.mp4"]
        {
            let wanted = parse(bad);
            assert!(
                wanted.is_none_or(|wanted| wanted.session.is_some_and(|id| id.starts_with('.'))),
                "{bad}"
            );
        }
    }
}
