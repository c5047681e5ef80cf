//! Passes the frames of an FLV stream to the hub.

use bytes::Bytes;
use media::flv::{Demuxer, Event, Metadata, message};
use tokio::time::sleep_until;

use crate::context::FrameDeadline;
use crate::core::admission::Publishing;
use crate::core::close::CloseReason;

/// Reads the FLV stream of one publisher.
#[derive(Debug)]
pub(super) struct Ingest {
    demuxer: Demuxer,
    publishing: Publishing,
    /// Number of frames passed to the hub.
    frames: u64,
    deadline: FrameDeadline,
}

impl Ingest {
    pub(super) fn new(publishing: Publishing) -> Self {
        Self { demuxer: Demuxer::for_publisher(), frames: 0, deadline: FrameDeadline::default(), publishing }
    }

    /// Adds the next bytes. An error ends the publisher's connection.
    pub(super) fn push(&mut self, bytes: Bytes) -> Result<(), CloseReason> {
        self.publishing.client.received(bytes.len());
        self.demuxer.push(bytes);
        let read = self.read();
        self.deadline.note(self.demuxer.holds(), self.frames);
        read
    }

    /// Resolves when a video frame has waited long enough for further parts; then call [`Ingest::flush`].
    pub(super) async fn overdue(&self) {
        match self.deadline.until() {
            Some(time) => sleep_until(time).await,
            None => std::future::pending().await,
        }
    }

    /// Passes on a waiting video frame.
    pub(super) fn flush(&mut self) {
        self.demuxer.flush();
        // Its bytes were read before, so there is no new error.
        let _ = self.read();
        self.deadline.note(self.demuxer.holds(), self.frames);
    }

    fn read(&mut self) -> Result<(), CloseReason> {
        let publisher = &mut self.publishing.publisher;
        while let Some(event) = self.demuxer.next() {
            match event {
                Ok(Event::Header { audio, video }) => publisher.announce(audio, video),
                Ok(Event::Frame(frame)) => {
                    self.frames += 1;
                    publisher.push(frame);
                }
                Ok(Event::Script(body)) => {
                    if let Some(message) = message(&body) {
                        publisher.send_message(message);
                    }
                    let Ok(Some(metadata)) = Metadata::read(&body) else { continue };
                    if let (Some(audio), Some(video)) = (metadata.has_audio, metadata.has_video) {
                        publisher.announce(audio, video);
                    }
                    publisher.describe(metadata.fields);
                }
                Err(error) if self.demuxer.failed() => {
                    return Err(CloseReason::Media(format!("the data is not an FLV stream: {error}")));
                }
                Err(error) => publisher.bad_frame(&error),
            }
        }
        if self.demuxer.body().has_other_tracks() {
            publisher.passes_tracks_over();
        }
        Ok(())
    }

    /// Resolves when the publisher is closed from outside, with the reason.
    pub(super) async fn revoked(&self) -> CloseReason {
        self.publishing.revoked().await
    }

    /// Stores the close reason. Drop the ingest afterwards.
    pub(super) fn close(&self, reason: CloseReason) {
        self.publishing.client.close(reason);
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.flush();
    }
}
