//! One who watches, whatever carries the bytes.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use tracing::Span;

use super::query;
use super::wire::{Tags, header};
use crate::context::Context;
use crate::core::hub::{ClientHandle, ClientInfo, Start, Stream};
use crate::derive::batch::{Reader, Wire};

/// `?gop=0`: rather wait for the next key frame than begin in the past.
pub(super) fn start(request: &Request<Body>) -> Start {
    let gop = query(request.uri().query().unwrap_or_default(), "gop");
    if gop.as_deref() == Some("0") { Start::Live } else { Start::Key }
}

/// One who watches.
pub(super) struct Viewer {
    reader: Reader<Tags>,
    pub(super) header: Bytes,
    pub(super) handle: Arc<ClientHandle>,
    kicked: Pin<Box<dyn Future<Output = ()> + Send>>,
    span: Span,
    /// Batches missed that were counted.
    skipped: u64,
    /// Why it is over, as far as that is known.
    pub(super) why: &'static str,
}

impl Viewer {
    pub(super) fn new(context: &Context, stream: &Arc<Stream>, info: ClientInfo, start: Start) -> Self {
        let span =
            tracing::info_span!("play", peer = %info.peer, stream = %stream.name(), protocol = info.protocol);
        span.in_scope(|| tracing::debug!("begins"));
        let handle = Arc::new(context.clients.add(info, stream));
        let kicked = {
            let handle = handle.clone();
            Box::pin(async move { handle.kicked().await })
        };
        let reader = Wire::<Tags>::of(stream).reader(start);
        Self { reader, header: header(stream), handle, kicked, span, skipped: 0, why: "the viewer left" }
    }

    /// Waits for the bytes to be written next; false when it is over. May be dropped and called again.
    pub(super) async fn next(&mut self, out: &mut Vec<Bytes>) -> bool {
        let more = tokio::select! {
            biased;
            more = self.reader.next(out) => more,
            () = &mut self.kicked => {
                self.why = "ended by an operator";
                return false;
            }
        };
        if !more {
            self.why = "the stream is over";
        }
        self.handle.reached(self.reader.time());
        let skipped = self.reader.skipped();
        if skipped > self.skipped {
            self.handle.skipped(skipped - self.skipped);
            self.skipped = skipped;
        }
        more
    }

    pub(super) fn lost(&mut self, error: &std::io::Error) {
        if error.kind() == std::io::ErrorKind::TimedOut {
            self.why = "it took no bytes for too long";
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let sent = self.handle.client().sent.total();
        let _entered = self.span.enter();
        tracing::info!(sent, skipped = self.skipped, why = self.why, "ends");
    }
}
