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
use crate::derive::batch::{Reader, Wire};

/// Returns the start position. `?gop=0` waits for the next key frame instead of starting with cached frames.
pub(super) fn start(request: &Request<Body>) -> Start {
    let gop = query(request.uri().query().unwrap_or_default(), "gop").next();
    if gop.as_deref() == Some("0") { Start::Live } else { Start::Key }
}

/// An admitted viewer.
pub(super) struct Viewer {
    reader: Reader,
    pub(super) header: Bytes,
    pub(super) handle: ClientHandle,
    revoked: Pin<Box<dyn Future<Output = CloseReason> + Send>>,
    /// Number of missed batches that the metrics already include.
    skipped: u64,
}

impl Viewer {
    pub(super) fn new(context: &Context, grant: &PlayGrant, stream: &Arc<Stream>, start: Start) -> Self {
        let handle = context.clients.add(grant, stream);
        let revoked = Box::pin(grant.revocation().clone().into_revoked());
        let reader = Wire::of(stream, FORMAT).reader(start);
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
