//! The viewer state that all FLV transports share.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::Request;

use super::query;
use super::wire::{FORMAT, header};
use crate::context::Context;
use crate::core::admission::PlayGrant;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, Start, Stream};
use crate::derive::batch::{BatchReader, Wire};
use crate::derive::transcode::Want;

/// The options in the query of a viewer's address.
pub(super) struct Options {
    start: Start,
    want: Want,
}

impl Options {
    /// Reads the options. `?gop=0` waits for the next key frame instead of starting with cached frames. `?codecs=opus`
    /// says that the player decodes Opus in Enhanced FLV; without it, Opus is transcoded to AAC.
    pub(super) fn of(request: &Request<Body>) -> Self {
        let text = request.uri().query().unwrap_or_default();
        let start = if query(text, "gop").next().as_deref() == Some("0") { Start::Live } else { Start::Key };
        let is_opus = |codec: &str| codec.trim().eq_ignore_ascii_case("opus");
        let opus = query(text, "codecs").any(|list| list.split(',').any(is_opus));
        Self { start, want: if opus { Want::FLV_WITH_OPUS } else { Want::FLV } }
    }
}

/// An admitted viewer.
pub(super) struct Viewer {
    reader: BatchReader,
    pub(super) header: Bytes,
    pub(super) handle: ClientHandle,
    revoked: Pin<Box<dyn Future<Output = CloseReason> + Send>>,
    /// Number of missed batches that the metrics already include.
    skipped: u64,
}

impl Viewer {
    pub(super) fn new(context: &Context, grant: &PlayGrant, stream: &Arc<Stream>, options: Options) -> Self {
        let handle = context.clients.add(grant, stream);
        let revoked = Box::pin(grant.revocation().clone().into_revoked());
        let reader = Wire::of(stream, FORMAT, options.want).reader(options.start);
        Self { reader, header: header(stream), handle, revoked, skipped: 0 }
    }

    /// Waits for the next bytes to write. Safe to cancel and call again.
    ///
    /// # Errors
    /// The stream has ended, or the viewer was closed from outside.
    pub(super) async fn next(&mut self, out: &mut Vec<Bytes>) -> Result<(), CloseReason> {
        let more = tokio::select! {
            biased;
            more = self.reader.next(out) => more,
            reason = &mut self.revoked => {
                self.handle.close(reason.clone());
                return Err(reason);
            }
        };
        self.handle.reached(self.reader.time());
        let skipped = self.reader.skipped();
        if skipped > self.skipped {
            self.handle.skipped(skipped - self.skipped);
            self.skipped = skipped;
        }
        if more {
            return Ok(());
        }
        self.handle.close(CloseReason::StreamEnded);
        Err(CloseReason::StreamEnded)
    }

    /// Records that the connection was lost.
    pub(super) fn lost(&self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::TimedOut {
            self.handle.close(CloseReason::Stalled);
        }
    }
}
