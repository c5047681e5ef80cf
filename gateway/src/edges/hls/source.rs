//! Finds the playlist and the segments of a stream: those that are made here, or those of another node.

use std::sync::Arc;

use http::StatusCode;

use super::dropped_segments::Data;
use super::remote::{FetchError, RemoteStream};
use super::render::Rendered;
use super::store::{Missing, Store};
use super::viewers::Viewers;
use super::{Hls, carries};
use crate::core::admission::PlayGrant;
use crate::core::hub::{Hub, PlayError, Stream, StreamName};
use crate::web::problem::Problem;

/// The origin of the files of a stream.
#[derive(Debug)]
pub(super) enum Source {
    /// They are made here.
    Own(Arc<Store>),
    /// They are fetched from another node.
    Other(Arc<RemoteStream>),
}

impl Source {
    /// Returns the viewers of an open stream.
    pub(super) fn viewers(&self) -> &Viewers {
        match self {
            Self::Own(store) => &store.viewers,
            Self::Other(other) => &other.viewers,
        }
    }

    /// Returns the stream to which viewers belong, while it is live.
    pub(super) fn stream(&self, hub: &Hub) -> Option<Arc<Stream>> {
        match self {
            Self::Own(store) => store.stream(),
            Self::Other(other) => hub.stream(other.name()).filter(|stream| stream.remote()),
        }
    }
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Gone => {
                Self::new(StatusCode::GONE, "the segment is too old and was deleted: load the playlist again")
            }
            Missing::Unknown => {
                Self::new(StatusCode::NOT_FOUND, "there is no such segment: load the playlist again")
            }
        }
    }
}

impl From<FetchError> for Problem {
    fn from(error: FetchError) -> Self {
        let (status, words) = match error {
            FetchError::Unknown => return Missing::Unknown.into(),
            FetchError::Gone => return Missing::Gone.into(),
            FetchError::Away => {
                (StatusCode::BAD_GATEWAY, "the node that publishes the stream does not send the segment")
            }
            FetchError::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "too many segments are being fetched: try again in a second",
            ),
        };
        Self::new(status, words)
    }
}

impl Hls {
    /// Returns a stream of another node, and looks for it from now on; `None` if a publisher or a pull of this gateway has
    /// the stream, or without a cluster.
    ///
    /// # Errors
    /// Too many streams are looked for.
    fn other(&self, name: &StreamName) -> Result<Option<Arc<RemoteStream>>, Problem> {
        let (hub, remotes) = (&self.0.context.hub, &self.0.remotes);
        if !remotes.is_on() {
            return Ok(None);
        }
        let is_elsewhere = match hub.stream(name) {
            Some(stream) => stream.remote(),
            // The pulls of this gateway come before other nodes.
            None => remotes.known(name).is_some() || !hub.ask_origins_for_hls(name),
        };
        if is_elsewhere { remotes.follow(name) } else { Ok(None) }
    }

    /// Returns the playlist of a stream, if there is one now.
    ///
    /// # Errors
    /// HLS cannot carry the stream, or too many streams of other nodes are looked for.
    pub(super) fn ready(&self, name: &StreamName) -> Result<Option<(Source, Arc<Rendered>)>, Problem> {
        if let Some(other) = self.other(name)?
            && let Some(playlist) = other.playlist()
        {
            return Ok(Some((Source::Other(other), playlist)));
        }
        let stream = self.0.context.hub.stream(name);
        if stream.as_ref().is_some_and(|stream| stream.remote()) && self.0.remotes.is_on() {
            return Ok(None);
        }
        if let Some(stream) = stream.filter(|stream| stream.publishing().is_some()) {
            carries(&stream)?;
        }
        let store = self.stores().get(name).cloned();
        store.iter().for_each(|store| store.demand.ask());
        Ok(store.and_then(|store| store.playlist().map(|playlist| (Source::Own(store), playlist))))
    }

    /// Waits for a publisher and then for the first segment.
    pub(super) async fn wait(&self, grant: &PlayGrant) -> Result<(Source, Arc<Rendered>), Problem> {
        let (hub, name) = (&self.0.context.hub, grant.name());
        let limit = grant.limits().play_wait;
        let waited = tokio::time::timeout(limit, hub.while_waiting(grant, self.wait_long(grant)));
        match waited.await {
            Ok(Ok(ready)) => ready,
            Ok(Err(revoked)) => Err(revoked.into()),
            Err(_) if hub.stream(name).is_none() => Err(PlayError::NotFound.into()),
            Err(_) if hub.missing(name) != PlayError::NotFound => Err(hub.missing(name).into()),
            Err(_) => {
                let words = "the first segment of the stream is not complete yet: try again in a second";
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, words))
            }
        }
    }

    async fn wait_long(&self, grant: &PlayGrant) -> Result<(Source, Arc<Rendered>), Problem> {
        let (hub, name) = (&self.0.context.hub, grant.name());
        loop {
            if let Some(other) = self.other(name)? {
                match other.ready().await {
                    Ok(Some(playlist)) => return Ok((Source::Other(other), playlist)),
                    // A publisher of this gateway has the stream now.
                    Ok(None) => continue,
                    Err(status) => {
                        let words = "HLS carries H.264 or H.265 with AAC or MP3, and the stream has other codecs: \
                                     play it as .flv or over WebRTC";
                        return Err(Problem::new(status, words));
                    }
                }
            }
            let stream = hub.play(grant, grant.limits().play_wait).await?;
            if stream.remote() && self.0.remotes.is_on() {
                continue;
            }
            carries(&stream)?;
            let store = self.store(name);
            store.demand.ask();
            let playlist = store.ready().await;
            return Ok((Source::Own(store), playlist));
        }
    }

    /// Returns a segment that was made here, or that another node has made.
    pub(super) async fn find_segment(
        &self,
        name: &StreamName,
        store: Option<Arc<Store>>,
        epoch: u64,
        number: u64,
    ) -> Result<(Source, Arc<Data>), Problem> {
        let found = store.as_ref().map_or(Err(Missing::Unknown), |store| store.segment(epoch, number));
        match (found, store) {
            (Ok(data), Some(store)) => Ok((Source::Own(store), data)),
            (found, _) => {
                let missing = found.err().unwrap_or(Missing::Unknown);
                let Some(other) = self.other(name)? else { return Err(missing.into()) };
                let data = self.0.remotes.segment(&other, epoch, number).await?;
                Ok((Source::Other(other), data))
            }
        }
    }
}
