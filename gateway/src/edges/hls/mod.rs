//! HLS: `GET /live/x.m3u8` and its MPEG-TS segments, which are kept in memory.
//!
//! Every stream is segmented from its first frame on, even without viewers, so that the first viewer starts
//! without delay. Segmenting happens once per stream; every viewer receives the same bytes.
//!
//! Start reading at [`Hls::serve`], which handles a request. `feed` fills the `store` of each stream,
//! `render` writes playlists, `access` decides who may read, `pass` signs the addresses of protected streams,
//! `sessions` and `viewers` count the viewers of protected and of open streams. In a cluster, `remote` fetches the files
//! of streams that other nodes publish, and `node` answers the other nodes.

mod access;
mod answers;
mod demand;
mod dropped_segments;
mod feed;
mod node;
mod pass;
mod remote;
mod render;
mod service;
mod sessions;
mod settings;
mod source;
mod store;
mod stored;
#[cfg(test)]
mod tests;
mod upload;
mod viewers;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use media::hls::SegmenterConfig;
use media::ts::Muxer;
use media::{Config, Track};

use self::access::{Access, Admitted};
use self::answers::{Asked, SHORT, accepts_gzip, playlist_response, redirect};
use self::dropped_segments::Data;
use self::pass::Passes;
use self::remote::Remotes;
pub use self::service::HlsService;
use self::sessions::Sessions;
pub use self::settings::HlsSettings;
use self::store::Store;
use self::viewers::{ClientOrigin, Viewers};
use crate::cluster::LateCluster;
use crate::context::Context;
use crate::core::admission::PlayGrant;
use crate::core::client::ClientInfo;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, Stream, StreamName};
use crate::derive::transcode::Want;
use crate::net::worker::{Secure, SharedBody};
use crate::store::Store as ObjectStore;
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

/// The content of [`Hls`].
#[derive(Debug)]
struct Inner {
    context: Context,
    rules: SegmentRules,
    stores: Mutex<HashMap<StreamName, Arc<Store>>>,
    /// Sessions of viewers of protected streams, and the passes by which they go on.
    sessions: Arc<Sessions>,
    passes: Passes,
    /// Streams that other nodes of the cluster publish.
    remotes: Remotes,
    /// The object store to which everything is uploaded, if there is one.
    objects: Option<ObjectStore>,
}

/// The HLS edge. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Hls(Arc<Inner>);

impl Hls {
    /// Segments every stream of the hub from now on, in tasks on the current runtime. The admission of `context` has
    /// a guard for the passes.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    fn new(
        context: Context,
        rules: SegmentRules,
        passes: Passes,
        objects: Option<ObjectStore>,
        cluster: LateCluster,
    ) -> Self {
        let (sessions, stores) = (Arc::new(Sessions::new(passes.life())), Mutex::default());
        let remotes = Remotes::new(cluster, &context, sessions.clone());
        let hls = Self(Arc::new(Inner { context, rules, stores, sessions, passes, remotes, objects }));
        tokio::spawn(feed::watch(hls.clone()));
        hls
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<StreamName, Arc<Store>>> {
        self.0.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the store of this name, and creates it if needed.
    fn store(&self, name: &StreamName) -> Arc<Store> {
        let new = || Arc::new(Store::new(name.clone(), self.0.rules, self.0.objects.as_ref()));
        self.stores().entry(name.clone()).or_insert_with(new).clone()
    }

    /// Removes a store, unless its name is published again.
    fn forget(&self, name: &StreamName, turn: u64) {
        let mut stores = self.stores();
        if stores.get(name).is_some_and(|store| store.is_turn(turn)) {
            stores.remove(name);
        }
    }

    /// Handles a request for an address that ends in `.m3u8` or `.ts`.
    pub async fn serve(&self, peer: SocketAddr, request: Request<Body>) -> Response {
        let (mut request, _) = request.into_parts();
        let asked = Asked::of(&mut request);
        let answer = self.answer(&asked, peer, &request).await;
        let mut response = PLAYLIST.share(answer.unwrap_or_else(IntoResponse::into_response));
        let open = asked.pass.is_some() || !self.0.context.admission.restricts_play();
        if open && matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
            // Many viewers of a CDN who wait for a stream must not be as many requests.
            response.headers_mut().insert(header::CACHE_CONTROL, SHORT);
        }
        if request.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn answer(&self, asked: &Asked, peer: SocketAddr, request: &Parts) -> Result<Response, Problem> {
        if let Some(response) = PLAYLIST.answer(&request.method) {
            return Ok(response);
        }
        let path = decoded(request.uri.path())?;
        if let Some(name) = path.strip_suffix(".m3u8") {
            return self.playlist(&StreamName::parse(name)?, asked, peer, request).await;
        }
        self.segment(&path, asked.pass.as_deref(), peer, request).await
    }

    async fn playlist(
        &self,
        name: &StreamName,
        asked: &Asked,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Response, Problem> {
        if self.is_of_node(request) {
            return self.playlist_for_node(name, peer, request).await;
        }
        let context = &self.0.context;
        let admitted = self.admit(name, asked.pass.as_deref(), peer, request).await?;
        if let Admitted::Pass(pass) = &admitted {
            return redirect(&pass::link(&asked.path, request.uri.path(), pass));
        }
        let (source, playlist) = match self.ready(name)? {
            Some(ready) => ready,
            None if request.method == Method::HEAD => return Err(context.hub.missing(name).into()),
            None => self.wait(&self.grant(&admitted, name, peer, request).await?).await?,
        };
        let gzip = accepts_gzip(&request.headers);
        let body = if gzip { playlist.gzip.clone() } else { playlist.plain.clone() };
        let stream = source.stream(&context.hub);
        let register = |grant: &PlayGrant| stream.as_ref().map(|stream| context.clients.add(grant, stream));
        let counted = match &admitted {
            _ if request.method == Method::HEAD => true,
            Admitted::Session(id) => {
                self.0.sessions.sent(name, id, body.len(), stream.as_deref(), register);
                true
            }
            Admitted::Public(Some(grant)) => {
                let register = || register(grant);
                self.count(source.viewers(), peer, request, body.len(), register)
            }
            _ => self.count(source.viewers(), peer, request, body.len(), || None),
        };
        if !counted {
            return Err(kicked());
        }
        Ok(playlist_response(&request.headers, &playlist, gzip, body))
    }

    /// Counts a viewer of an open stream. Returns false if an operator closed it.
    fn count(
        &self,
        viewers: &Viewers,
        peer: SocketAddr,
        request: &Parts,
        bytes: usize,
        register: impl FnOnce() -> Option<ClientHandle>,
    ) -> bool {
        viewers.ask(&ClientOrigin::of(request, peer), &short_query(request), bytes, register)
    }

    async fn segment(
        &self,
        path: &str,
        pass: Option<&str>,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Response, Problem> {
        let not_found =
            || Problem::new(StatusCode::NOT_FOUND, "there is no such segment: load the playlist again");
        let mut parts = path.strip_suffix(".ts").unwrap_or_default().rsplitn(3, '-');
        let (Some(number), Some(epoch), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(not_found());
        };
        let name = StreamName::parse(name)?;
        let store = self.stores().get(&name).cloned();
        if self.is_of_node(request) {
            let (Ok(epoch), Ok(number)) = (epoch.parse(), number.parse()) else { return Err(not_found()) };
            return self.segment_for_node(&name, |store| store.segment(epoch, number), peer, request).await;
        }
        let patience = self.patience(store.as_deref().map(Store::patience));
        let session = self.admit_segment(&name, patience, pass, peer, request).await?;
        let (Ok(epoch), Ok(number)) = (epoch.parse(), number.parse()) else { return Err(not_found()) };
        let (source, data) = self.find_segment(&name, store, epoch, number).await?;
        let stream = source.stream(&self.0.context.hub);
        let counted = match &session {
            Access::Free => source.viewers().sent(&ClientOrigin::of(request, peer), data.len()),
            Access::Session(id) => self.0.sessions.sent(&name, id, data.len(), stream.as_deref(), |_| None),
            Access::Secret => false,
        };
        if request.method == Method::GET && !counted {
            // A client that plays without requesting the playlist: a cache, or a script.
            if let Some(stream) = stream {
                stream.count_sent(data.len() as u64);
            }
        }
        // A segment address is never reused, so caches may keep it. An address with a secret is for one viewer.
        let keep = match session {
            Access::Free | Access::Session(_) => "public, max-age=86400, immutable",
            Access::Secret => "private, max-age=86400, immutable",
        };
        Ok(segment_response(&data, keep))
    }
}

/// Returns the response with a segment, and how caches keep it.
fn segment_response(data: &Arc<Data>, keep: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("video/mp2t")),
        (header::CONTENT_LENGTH, HeaderValue::from(data.len())),
        (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
    ];
    let shared = SharedBody { revoked: Some(data.revoked()) };
    (axum::Extension(shared), headers, Body::from(data.lend())).into_response()
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
