//! Snapshots: `GET /live/x.jpg` is the newest key frame of a stream as a JPEG picture.
//!
//! A child process, ffmpeg, decodes one frame. It is started at most once in [`INTERVAL`] for each stream, and all
//! viewers get the same picture meanwhile.

mod picture;
mod service;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode, header};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::Instant;

pub use service::SnapshotService;

use crate::context::Context;
use crate::core::auth::AuthRequest;
use crate::core::client::{Act, ClientInfo};
use crate::core::hub::StreamName;
use crate::net::worker::Secure;
use crate::web::endpoint::FILE;
use crate::web::problem::Problem;
use crate::web::request::{address, shown, stream_name};

/// The protocol name in the log.
const PROTOCOL: &str = "jpg";
/// Ending of the addresses.
const ENDING: &str = ".jpg";
/// Time for which a picture is used.
const INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of child processes at once. Further requests wait.
const MAX_CHILDREN: usize = 2;
/// Maximum number of streams whose pictures are kept.
const MAX_PICTURES: usize = 256;

/// A picture, or why there is none, and when it was made.
type Slot = Option<(Instant, Result<Bytes, Problem>)>;

/// The pictures of all streams.
#[derive(Debug)]
pub struct Snapshots {
    context: Context,
    /// A slot is locked while its picture is made.
    slots: Mutex<HashMap<StreamName, Arc<AsyncMutex<Slot>>>>,
    children: Semaphore,
}

impl Snapshots {
    /// Creates an empty collection.
    pub fn new(context: Context) -> Self {
        Self { context, slots: Mutex::default(), children: Semaphore::new(MAX_CHILDREN) }
    }

    /// Handles a request for an address that ends in `.jpg`.
    pub async fn serve(&self, peer: SocketAddr, request: Request<Body>) -> Response {
        let (request, _) = request.into_parts();
        if let Some(response) = FILE.answer(&request.method) {
            return FILE.share(response);
        }
        let mut response =
            FILE.share(self.answer(peer, &request).await.unwrap_or_else(IntoResponse::into_response));
        if request.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    async fn answer(&self, peer: SocketAddr, request: &Parts) -> Result<Response, Problem> {
        let path = request.uri.path();
        let name = stream_name(path.strip_suffix(ENDING).unwrap_or(path))?;
        let about = AuthRequest::http(Some(&name), &request.uri, &request.headers, peer).by(request.version);
        let secure = request.extensions.get::<Secure>().is_some();
        let client = ClientInfo {
            protocol: PROTOCOL,
            peer,
            url: address("http", secure, &request.headers, path),
            agent: shown(&request.headers, header::USER_AGENT),
        };
        let admission = &self.context.admission;
        let admitted = match request.method {
            Method::HEAD => admission.probe(Act::Play, &name, &about, &client).await,
            _ => admission.play(&name, &about, client).await.map(drop),
        };
        if let Err(refusal) = admitted {
            admission.refused(Act::Play, PROTOCOL, peer, path, &refusal.to_string());
            return Err(refusal.into());
        }
        let picture = self.picture(&name).await?;
        let keep = if admission.restricts_play() { "private, max-age=5" } else { "max-age=5" };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
            (header::CONTENT_LENGTH, HeaderValue::from(picture.len())),
            (header::CACHE_CONTROL, HeaderValue::from_static(keep)),
        ];
        Ok((headers, Body::from(picture)).into_response())
    }

    /// Returns the picture of a stream, which is at most [`INTERVAL`] old.
    async fn picture(&self, name: &StreamName) -> Result<Bytes, Problem> {
        let Some(stream) = self.context.hub.stream(name) else {
            return Err(self.context.hub.missing(name).into());
        };
        let slot = self.slot(name)?;
        // Others who want the same picture wait here for it.
        let mut slot = slot.lock().await;
        if let Some((made, picture)) = &*slot
            && made.elapsed() < INTERVAL
        {
            return picture.clone();
        }
        let _child = self.children.acquire().await;
        let picture = picture::of(&stream).await;
        *slot = Some((Instant::now(), picture.clone()));
        picture
    }

    /// Returns the slot of a stream. If there are too many, those that nobody uses and that are old are removed.
    fn slot(&self, name: &StreamName) -> Result<Arc<AsyncMutex<Slot>>, Problem> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(name) {
            return Ok(slot.clone());
        }
        if slots.len() >= MAX_PICTURES {
            slots.retain(|_, slot| {
                let fresh = |slot: &Slot| slot.as_ref().is_some_and(|(made, _)| made.elapsed() < INTERVAL);
                slot.try_lock().map_or(true, |slot| fresh(&slot))
            });
        }
        if slots.len() >= MAX_PICTURES {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many pictures: try again later"));
        }
        Ok(slots.entry(name.clone()).or_default().clone())
    }
}
