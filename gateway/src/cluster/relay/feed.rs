//! Passes what a relay receives to the hub.

use std::time::Duration;

use bytes::Bytes;
use media::Frame;
use media::flv::{Demuxer, Event, Metadata, message};
use tokio::time::Instant;

use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, PublishError, Publisher, StreamName};

/// Minimum time between requests for key frames to the owner.
const KEY_EVERY: Duration = Duration::from_millis(500);
/// The name of relays among the jobs of the hub.
pub(super) const JOB: &str = "cluster";

/// The stream of a relay in the hub. It begins with the first frame.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    hub: &'a Hub,
    name: &'a StreamName,
    demuxer: Demuxer,
    /// The tracks that the current source announces.
    announced: Option<(bool, bool)>,
    key_on_request: bool,
    publisher: Option<Publisher>,
    /// Whether the publisher belongs to an earlier source. The next frame replaces it, so that viewers notice nothing.
    stale: bool,
    key_sent: Option<Instant>,
}

/// The relay cannot pass the stream on.
#[derive(Debug)]
pub(super) enum FeedError {
    /// A publisher of this node has it, or the hub has no room.
    Hub(PublishError),
    /// The bytes are not FLV.
    Media,
}

impl<'a> Feed<'a> {
    pub(super) fn new(hub: &'a Hub, name: &'a StreamName) -> Self {
        Self {
            hub,
            name,
            demuxer: Demuxer::new(),
            announced: None,
            key_on_request: false,
            publisher: None,
            stale: false,
            key_sent: None,
        }
    }

    /// Another source begins.
    pub(super) fn begin(&mut self, key_on_request: bool) {
        self.demuxer = Demuxer::new();
        (self.announced, self.key_on_request, self.stale) = (None, key_on_request, true);
    }

    /// Passes on the next bytes.
    pub(super) fn push(&mut self, bytes: Bytes) -> Result<(), FeedError> {
        self.demuxer.push(bytes);
        while let Some(event) = self.demuxer.next() {
            match event {
                Ok(Event::Header { audio, video }) => self.announced = Some((audio, video)),
                Ok(Event::Frame(frame)) => self.frame(frame).map_err(FeedError::Hub)?,
                Ok(Event::Script(body)) => self.script(&body),
                Err(_) if self.demuxer.failed() => return Err(FeedError::Media),
                Err(why) => {
                    if let Some(publisher) = &mut self.publisher {
                        publisher.bad_frame(&why);
                    }
                }
            }
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame) -> Result<(), PublishError> {
        if self.stale || self.publisher.is_none() {
            // The clock of the stream goes on from the publisher that leaves.
            self.publisher = None;
            let mut publisher = self.hub.publish_relayed(&PublishGrant::for_job(self.name, JOB))?;
            if let Some((audio, video)) = self.announced {
                publisher.announce(audio, video);
            }
            if self.key_on_request {
                publisher.promise_keys();
            }
            self.publisher = Some(publisher);
            self.stale = false;
        }
        if let Some(publisher) = &mut self.publisher {
            publisher.push(frame);
        }
        Ok(())
    }

    /// Passes on the publisher's metadata and messages.
    fn script(&self, body: &Bytes) {
        let Some(publisher) = self.publisher.as_ref().filter(|_| !self.stale) else { return };
        if let Some(message) = message(body) {
            publisher.send_message(message);
        }
        if let Ok(Some(metadata)) = Metadata::read(body) {
            publisher.describe(metadata.fields);
        }
    }

    /// Leaves the stream: nobody publishes it now. Viewers wait for the hub's time, and the next frame continues it.
    pub(super) fn leave(&mut self) {
        self.publisher = None;
    }

    /// Resolves when the stream has another publisher, or was ended by the operator or the gateway.
    pub(super) async fn revoked(&self) {
        match &self.publisher {
            Some(publisher) => drop(publisher.revoked().await),
            None => std::future::pending().await,
        }
    }

    /// Resolves when a viewer asks for a key frame.
    pub(super) async fn key_asked(&self) {
        match &self.publisher {
            Some(publisher) if self.key_on_request => publisher.key_asked().await,
            _ => std::future::pending().await,
        }
    }

    /// Returns whether to ask the owner for a key frame now. At most two requests a second are made.
    pub(super) fn wants_key(&mut self) -> bool {
        let Some(publisher) = self.publisher.as_ref().filter(|_| self.key_on_request) else { return false };
        let recent = self.key_sent.is_some_and(|sent| sent.elapsed() < KEY_EVERY);
        let wanted = !recent && publisher.key_wanted();
        if wanted {
            self.key_sent = Some(Instant::now());
        }
        wanted
    }
}
