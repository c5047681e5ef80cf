//! Answers other nodes of the cluster, which fetch playlists and segments of the streams that are published here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use tokio::time::timeout;

use super::answers::playlist_response;
use super::dropped_segments::Data;
use super::render::Rendered;
use super::store::{Missing, Store};
use super::{Hls, PROTOCOL, carries, info, segment_response};
use crate::cluster::ticket::PARAMETER;
use crate::core::admission::Refusal;
use crate::core::auth::AuthRequest;
use crate::core::client::Act;
use crate::core::hub::StreamName;
use crate::web::problem::Problem;

/// The parameter with the version of the playlist that a node has: the answer waits for another one.
const AFTER: &str = "after";
/// Longest time for which an answer waits.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Hls {
    /// Returns whether a request is one of another node.
    pub(super) fn is_of_node(&self, request: &Parts) -> bool {
        self.0.remotes.is_on() && parameter(request, PARAMETER).is_some()
    }

    /// Checks the ticket of a node.
    async fn admit_node(&self, name: &StreamName, peer: SocketAddr, request: &Parts) -> Result<(), Problem> {
        let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
        let admission = &self.0.context.admission;
        let asked = admission.probe(Act::Play, name, &about, &info(request, peer)).await;
        asked.map_err(|refusal: Refusal| {
            let problem = Problem::from(refusal);
            admission.refused(Act::Play, PROTOCOL, peer, request.uri.path(), &problem.detail);
            problem
        })
    }

    /// Answers a node with the playlist of a stream that is published here, once it is another one than `after`, or after
    /// [`LONGEST_WAIT`].
    pub(super) async fn playlist_for_node(
        &self,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Response, Problem> {
        self.admit_node(name, peer, request).await?;
        let missing = || Problem::new(StatusCode::NOT_FOUND, "this node does not publish the stream");
        let stream = self.0.context.hub.stream(name);
        if stream.as_ref().is_some_and(|stream| stream.remote()) {
            return Err(missing());
        }
        if let Some(stream) = stream.filter(|stream| stream.publishing().is_some()) {
            carries(&stream)?;
        }
        let store = self.stores().get(name).cloned().ok_or_else(missing)?;
        store.demand.ask();
        let after = parameter(request, AFTER).unwrap_or_default();
        let newer = timeout(LONGEST_WAIT, store.newer(&after)).await.ok();
        let playlist: Option<Arc<Rendered>> = newer.or_else(|| store.playlist());
        let playlist = playlist.ok_or_else(missing)?;
        metrics::counter!("lianmai_cluster_hls_served_total", "file" => "playlist").increment(1);
        Ok(playlist_response(&request.headers, &playlist, false, playlist.plain.clone()))
    }

    /// Answers a node with a segment that was made here.
    pub(super) async fn segment_for_node(
        &self,
        name: &StreamName,
        found: impl FnOnce(&Store) -> Result<Arc<Data>, Missing>,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Response, Problem> {
        self.admit_node(name, peer, request).await?;
        let store = self.stores().get(name).cloned();
        let data = store.as_deref().map_or(Err(Missing::Unknown), found)?;
        metrics::counter!("lianmai_cluster_hls_served_total", "file" => "segment").increment(1);
        Ok(segment_response(&data, "private, no-store"))
    }
}

fn parameter(request: &Parts, wanted: &str) -> Option<String> {
    let query = request.uri.query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.into_owned())
}
