//! HLS: `GET /live/x.m3u8` and its MPEG-TS segments, which are kept in memory.
//!
//! Every stream is segmented from its first frame on, even without viewers, so that the first viewer starts
//! without delay. Segmenting happens once per stream; every viewer receives the same bytes.
//!
//! Start reading at [`Hls::serve`], which handles a request. `feed` fills the `store` of each stream,
//! `render` writes playlists, `access` decides who may read, `sessions` and `viewers` count the viewers of
//! protected and of open streams.

mod access;
mod demand;
mod dropped_segments;
mod feed;
mod render;
mod service;
mod sessions;
mod store;
mod stored;
#[cfg(test)]
mod tests;
mod viewers;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use media::hls::SegmenterConfig;
use media::ts::Muxer;
use media::{Config, Track};

use self::access::{Access, Admitted};
use self::render::Rendered;
pub use self::service::HlsService;
use self::sessions::Sessions;
use self::store::{Missing, Store};
use self::viewers::ClientOrigin;
use crate::context::Context;
use crate::core::admission::PlayGrant;
use crate::core::client::ClientInfo;
use crate::core::close::CloseReason;
use crate::core::hub::{PlayError, Stream, StreamName};
use crate::derive::transcode::Want;
use crate::net::worker::{Secure, SharedBody};
use crate::web::endpoint::PLAYLIST;
use crate::web::problem::Problem;
use crate::web::request::{address, cut, decoded};

/// The protocol name in the API and the log.
const PROTOCOL: &str = "hls";

/// Rules for segments, and the limits of their storage.
#[derive(Debug, Clone, Copy)]
pub struct SegmentRules {
    /// Rules for segment boundaries.
    pub segmenter: SegmenterConfig,
    /// Minimum number of segments in the playlist. There are more if they are shorter than three target
    /// durations together.
    pub window: usize,
    /// Maximum bytes of stored segments per stream, listed or not. The newest segment is always kept.
    pub max_bytes: usize,
    /// Maximum bytes per stream of segments that are no longer stored and that slow clients still read.
    /// Beyond it, the slowest clients are disconnected.
    pub max_lent: usize,
    /// Time that the playlist of an ended stream is available, so that viewers see its end.
    pub farewell: Duration,
    /// Time that the segments of an ended stream are kept after that.
    pub linger: Duration,
    /// Time that the sequence numbers of a name are remembered after that.
    pub memory: Duration,
}

impl Default for SegmentRules {
    fn default() -> Self {
        Self {
            segmenter: SegmenterConfig::default(),
            window: 6,
            max_bytes: 64 << 20,
            max_lent: 32 << 20,
            farewell: Duration::from_secs(10),
            linger: Duration::from_secs(50),
            memory: Duration::from_secs(600),
        }
    }
}

#[derive(Debug, Default)]
struct Stores {
    by_name: HashMap<StreamName, Arc<Store>>,
    by_token: HashMap<String, Arc<Store>>,
}

/// The content of [`Hls`].
#[derive(Debug)]
struct Inner {
    context: Context,
    rules: SegmentRules,
    stores: Mutex<Stores>,
    /// Sessions of viewers of protected streams.
    sessions: Sessions,
}

/// The HLS edge. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Hls(Arc<Inner>);

impl Hls {
    /// Segments every stream of the hub from now on, in tasks on the current runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(context: Context) -> Self {
        Self::with(context, SegmentRules::default())
    }

    fn with(context: Context, rules: SegmentRules) -> Self {
        let hls =
            Self(Arc::new(Inner { context, rules, stores: Mutex::default(), sessions: Sessions::default() }));
        tokio::spawn(feed::watch(hls.clone()));
        hls
    }

    fn stores(&self) -> MutexGuard<'_, Stores> {
        self.0.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the store of this name, and creates it if needed.
    fn store(&self, name: &StreamName) -> Arc<Store> {
        let mut stores = self.stores();
        if let Some(store) = stores.by_name.get(name) {
            return store.clone();
        }
        let store = Arc::new(Store::new(name.clone(), self.0.rules));
        stores.by_token.insert(store.token().to_owned(), store.clone());
        stores.by_name.insert(name.clone(), store.clone());
        store
    }

    /// Removes a store, unless its name is published again.
    fn forget(&self, name: &StreamName, turn: u64) {
        let mut stores = self.stores();
        if stores.by_name.get(name).is_some_and(|store| store.is_turn(turn))
            && let Some(store) = stores.by_name.remove(name)
        {
            stores.by_token.remove(store.token());
        }
    }

    /// Handles a request for an address that ends in `.m3u8` or `.ts`.
    pub async fn serve(&self, peer: SocketAddr, request: Request<Body>) -> Response {
        let (request, _) = request.into_parts();
        let mut response =
            PLAYLIST.share(self.answer(peer, &request).await.unwrap_or_else(IntoResponse::into_response));
        if request.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn answer(&self, peer: SocketAddr, request: &Parts) -> Result<Response, Problem> {
        if let Some(response) = PLAYLIST.answer(&request.method) {
            return Ok(response);
        }
        let path = decoded(request.uri.path())?;
        if let Some(name) = path.strip_suffix(".m3u8") {
            return self.playlist(&StreamName::parse(name)?, peer, request).await;
        }
        self.segment(&path, peer, request).await
    }

    async fn playlist(
        &self,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Response, Problem> {
        let context = &self.0.context;
        let admitted = self.admit(name, peer, request).await?;
        let public = matches!(admitted, Admitted::Public(_));
        if let Some(stream) = context.hub.stream(name).filter(|stream| stream.publishing().is_some()) {
            carries(&stream)?;
        }
        let known = self.stores().by_name.get(name).cloned();
        known.iter().for_each(|store| store.demand.ask());
        let ready = known.and_then(|store| store.playlist().map(|playlist| (store, playlist)));
        let (store, playlist) = match ready {
            Some(ready) => ready,
            None if request.method == Method::HEAD => return Err(context.hub.missing(name).into()),
            None => self.wait(&self.grant(&admitted, name, peer, request).await?).await?,
        };
        let gzip = public && accepts_gzip(&request.headers);
        let playlist = match &admitted {
            Admitted::Session(id) => Arc::new(playlist.in_session(id)),
            Admitted::Public(_) => playlist,
        };
        let body = if gzip { playlist.gzip.clone() } else { playlist.plain.clone() };
        let register = |grant: &PlayGrant| store.stream().map(|stream| context.clients.add(grant, &stream));
        let counted = match &admitted {
            _ if request.method == Method::HEAD => true,
            Admitted::Session(id) => {
                let stream = store.stream();
                self.0.sessions.sent(name, id, body.len(), stream.as_deref(), register);
                true
            }
            Admitted::Public(grant) => {
                let register = || grant.as_ref().and_then(register);
                store.viewers.ask(
                    &ClientOrigin::of(request, peer),
                    &short_query(request),
                    body.len(),
                    register,
                )
            }
        };
        if !counted {
            return Err(kicked());
        }
        Ok(playlist_response(&request.headers, &playlist, gzip, body, !public))
    }

    /// Waits for a publisher and then for the first segment.
    async fn wait(&self, grant: &PlayGrant) -> Result<(Arc<Store>, Arc<Rendered>), Problem> {
        let (context, name) = (&self.0.context, grant.name());
        let waited = tokio::time::timeout(grant.limits().play_wait, async {
            let stream = context.hub.play(grant, grant.limits().play_wait).await?;
            carries(&stream)?;
            let store = self.store(name);
            store.demand.ask();
            let playlist = store.ready().await;
            Ok((store, playlist))
        });
        match waited.await {
            Ok(ready) => ready,
            Err(_) if context.hub.stream(name).is_none() => Err(PlayError::NotFound.into()),
            Err(_) if context.hub.missing(name) != PlayError::NotFound => {
                Err(context.hub.missing(name).into())
            }
            Err(_) => {
                let words = "the first segment of the stream is not complete yet: try again in a second";
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, words))
            }
        }
    }

    async fn segment(&self, path: &str, peer: SocketAddr, request: &Parts) -> Result<Response, Problem> {
        let not_found =
            || Problem::new(StatusCode::NOT_FOUND, "there is no such segment: load the playlist again");
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut parts = name.strip_suffix(".ts").unwrap_or_default().rsplitn(3, '-');
        let (Some(sequence), Some(token)) = (parts.next(), parts.next()) else { return Err(not_found()) };
        let sequence = sequence.parse().map_err(|_| not_found())?;
        let store = self.stores().by_token.get(token).cloned();
        let session = self.admit_segment(store.as_deref(), peer, request).await?;
        let store = store.ok_or_else(not_found)?;
        let data = store.segment(sequence).map_err(|missing| match missing {
            Missing::Gone => Problem::new(
                StatusCode::GONE,
                "the segment is too old and was deleted: load the playlist again",
            ),
            Missing::Unknown => not_found(),
        })?;
        let counted = match &session {
            Access::Free => store.viewers.sent(&ClientOrigin::of(request, peer), data.len()),
            Access::Session(id) => {
                let stream = store.stream();
                self.0.sessions.sent(store.name(), id, data.len(), stream.as_deref(), |_| None)
            }
            Access::Secret => false,
        };
        if request.method == Method::GET && !counted {
            // A client that plays without requesting the playlist: a cache, or a script.
            if let Some(stream) = store.stream() {
                stream.count_sent(data.len() as u64);
            }
        }
        // A segment address is never reused, so caches may keep it.
        let keep = match session {
            Access::Free => "public, max-age=86400, immutable",
            _ => "private, max-age=86400, immutable",
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("video/mp2t")),
            (header::CONTENT_LENGTH, HeaderValue::from(data.len())),
            (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        ];
        let shared = SharedBody { revoked: Some(data.revoked()) };
        Ok((axum::Extension(shared), headers, Body::from(data.lend())).into_response())
    }
}

/// Returns the start of the query, which distinguishes viewers. Its length is limited because it is stored
/// per viewer.
fn short_query(request: &Parts) -> String {
    cut(request.uri.query().unwrap_or_default())
}

/// The response to a viewer that was closed. Its player keeps asking and gets this each time, therefore 403
/// and not 410.
fn kicked() -> Problem {
    Problem::new(StatusCode::FORBIDDEN, CloseReason::Operator.to_string())
}

/// Describes the client that requests a playlist.
fn info(request: &Parts, peer: SocketAddr) -> ClientInfo {
    let secure = request.extensions.get::<Secure>().is_some();
    let url = address("http", secure, &request.headers, request.uri.path());
    ClientInfo { protocol: PROTOCOL, peer, url, agent: ClientOrigin::of(request, peer).agent }
}

fn playlist_response(
    asked: &HeaderMap,
    playlist: &Rendered,
    gzip: bool,
    body: Bytes,
    private: bool,
) -> Response {
    let etag = |suffix: &str| format!("{}{suffix}\"", playlist.etag.trim_end_matches('"'));
    let etag = if gzip { etag("-gz") } else { etag("") };
    let known = asked.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let fresh =
        known.is_some_and(|known| known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut headers = HeaderMap::new();
    let keep = if private { "private, no-cache" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(header::ETAG, etag);
    }
    if fresh {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.apple.mpegurl"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let mut response = (headers, Body::from(body)).into_response();
    if !private {
        response.extensions_mut().insert(SharedBody::default());
    }
    response
}

/// Returns whether `gzip` is among the encodings, and not with weight 0.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|v| v.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.chars().all(|c| "0.".contains(c)));
        (coding.trim().eq_ignore_ascii_case("gzip") || coding.trim() == "*") && !refused
    })
}

/// Refuses a stream whose video, or both of whose tracks, MPEG-TS cannot carry.
fn carries(stream: &Stream) -> Result<(), Problem> {
    let config = |track| Want::MPEG_TS.config(stream, track);
    let fits = |config: &Arc<Config>| Muxer::supports(config.codec);
    let (video, audio) = (config(Track::Video), config(Track::Audio));
    let refused = match (&video, &audio) {
        (Some(video), _) => !fits(video),
        (None, Some(audio)) => !fits(audio),
        (None, None) => false,
    };
    if !refused {
        return Ok(());
    }
    let codecs: Vec<_> = video.iter().chain(&audio).map(|config| config.codec.name()).collect();
    let words = format!(
        "HLS carries H.264 or H.265 with AAC or MP3, but the stream is {}: play it as .flv or over WebRTC",
        codecs.join(" and ")
    );
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, words))
}
