//! Passes what a source delivers to the hub.

use std::sync::Arc;

use media::Frame;
use media::flv::Metadata;
use tokio::sync::watch;

use super::status::{PullState, SharedStatus};
use crate::core::admission::PublishGrant;
use crate::core::close::Revocation;
use crate::core::hub::{Hub, PublishError, Publisher, Stream};
use crate::remote::RemoteError;

/// The publisher of a pull, as its job sees it: how it is ended from outside, and the stream.
pub(super) type Started = Option<(Revocation, Arc<Stream>)>;

/// The stream of a pull. It begins with the first frame, so that viewers of a dead source do not see a stream.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    hub: &'a Hub,
    status: &'a SharedStatus,
    publisher: Option<Publisher>,
    started: watch::Sender<Started>,
}

/// Why a pull does not feed the stream.
#[derive(Debug)]
pub(super) enum FeedError {
    /// Somebody else publishes it.
    Taken,
    /// The gateway has too many streams, or stops.
    Hub(PublishError),
}

impl<'a> Feed<'a> {
    pub(super) const fn new(hub: &'a Hub, status: &'a SharedStatus, started: watch::Sender<Started>) -> Self {
        Self { hub, status, publisher: None, started }
    }

    /// Passes on a frame.
    pub(super) fn frame(&mut self, frame: Frame) -> Result<(), FeedError> {
        self.status.received.add(frame.data.len() as u64);
        metrics::counter!("lianmai_pull_received_bytes_total").increment(frame.data.len() as u64);
        let publisher = match &mut self.publisher {
            Some(publisher) => publisher,
            None => {
                let grant = PublishGrant::for_job(&self.status.stream, "pull");
                let publisher = self.hub.publish_filling(&grant).map_err(|error| match error {
                    PublishError::Busy => FeedError::Taken,
                    error => FeedError::Hub(error),
                })?;
                self.started.send_replace(Some((grant.revocation().clone(), publisher.stream().clone())));
                self.publisher.insert(publisher)
            }
        };
        publisher.push(frame);
        self.status.set(PullState::Receiving);
        Ok(())
    }

    /// The same, for a source that makes key frames on request.
    pub(super) fn frame_with_keys(&mut self, frame: Frame) -> Result<(), FeedError> {
        let is_new = self.publisher.is_none();
        self.frame(frame)?;
        if let Some(publisher) = self.publisher.as_ref().filter(|_| is_new) {
            publisher.promise_keys();
        }
        Ok(())
    }

    /// Resolves when a viewer needs a key frame.
    pub(super) async fn key_asked(&self) {
        match &self.publisher {
            Some(publisher) => publisher.key_asked().await,
            None => std::future::pending().await,
        }
    }

    /// Returns whether the source should make a key frame now.
    pub(super) fn key_wanted(&self) -> bool {
        self.publisher.as_ref().is_some_and(Publisher::key_wanted)
    }

    /// Passes on the source's own description of the stream.
    pub(super) fn metadata(&self, metadata: Metadata) {
        if let Some(publisher) = &self.publisher {
            publisher.describe(metadata.fields);
        }
    }

    /// Counts a frame that cannot be read.
    pub(super) fn bad_frame(&mut self, why: &media::Error) {
        if let Some(publisher) = &mut self.publisher {
            publisher.bad_frame(why);
        }
    }

    /// Leaves the stream. Its viewers wait for the hub's time; the next frame continues it.
    pub(super) fn leave(&mut self) {
        self.publisher = None;
        self.started.send_replace(None);
    }
}

/// The error of a source, or of the feed.
#[derive(Debug)]
pub(super) enum SourceError {
    Remote(RemoteError),
    Feed(FeedError),
}

impl From<RemoteError> for SourceError {
    fn from(error: RemoteError) -> Self {
        Self::Remote(error)
    }
}

impl From<FeedError> for SourceError {
    fn from(error: FeedError) -> Self {
        Self::Feed(error)
    }
}
