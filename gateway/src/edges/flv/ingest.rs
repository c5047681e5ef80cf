//! The bytes of an FLV stream, to the hub.

use bytes::Bytes;
use media::flv::{Demuxer, Event, Metadata, message};
use tokio::time::sleep_until;

use crate::context::Held;
use crate::core::hub::{ClientHandle, Publisher};

/// Why an operator's publisher ends; whoever reads it had better not come back at once.
pub(super) const KICKED: &str = "ended by an operator";

/// Reads one publisher's FLV.
#[derive(Debug)]
pub(super) struct Ingest {
    demuxer: Demuxer,
    publisher: Publisher,
    handle: ClientHandle,
    /// Tags that could not be read.
    bad: u64,
    /// Frames that were passed on.
    frames: u64,
    held: Held,
}

impl Ingest {
    pub(super) fn new(publisher: Publisher, handle: ClientHandle) -> Self {
        Self {
            demuxer: Demuxer::for_publisher(),
            frames: 0,
            held: Held::default(),
            publisher,
            handle,
            bad: 0,
        }
    }

    /// Hands in the next bytes; an error, in words for the publisher, ends it.
    pub(super) fn push(&mut self, bytes: Bytes) -> Result<(), String> {
        self.handle.received(bytes.len());
        self.demuxer.push(bytes);
        let read = self.read();
        self.held.note(self.demuxer.holds(), self.frames);
        read
    }

    /// Resolves when a picture waits no longer for what may belong to it; then call [`Ingest::flush`].
    pub(super) async fn overdue(&self) {
        match self.held.until() {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
    }

    /// Passes on a picture that waits.
    pub(super) fn flush(&mut self) {
        self.demuxer.flush();
        // Its bytes were read before.
        let _ = self.read();
        self.held.note(self.demuxer.holds(), self.frames);
    }

    fn read(&mut self) -> Result<(), String> {
        while let Some(event) = self.demuxer.next() {
            match event {
                Ok(Event::Header { audio, video }) => self.publisher.announce(audio, video),
                Ok(Event::Frame(frame)) => {
                    self.frames += 1;
                    self.publisher.push(frame);
                }
                Ok(Event::Script(body)) => {
                    if let Some(message) = message(&body) {
                        self.publisher.tell(message);
                    }
                    let Ok(Some(metadata)) = Metadata::read(&body) else { continue };
                    if let (Some(audio), Some(video)) = (metadata.has_audio, metadata.has_video) {
                        self.publisher.announce(audio, video);
                    }
                    self.publisher.describe(metadata.fields);
                }
                Err(error) if self.demuxer.failed() => return Err(format!("this is no FLV stream: {error}")),
                Err(error) => {
                    self.bad += 1;
                    self.publisher.bad_frame(&error);
                }
            }
        }
        if self.demuxer.body().has_other_tracks() {
            self.publisher.passes_tracks_over();
        }
        Ok(())
    }

    /// Tags that were passed over.
    pub(super) const fn bad(&self) -> u64 {
        self.bad
    }

    /// Resolves, with words, when the publisher has to go.
    pub(super) async fn ended(&self) -> &'static str {
        tokio::select! {
            // An operator who ends a publisher takes its turn, too.
            biased;
            () = self.handle.kicked() => KICKED,
            () = self.publisher.revoked() => "the stream was ended by the server",
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.flush();
    }
}
