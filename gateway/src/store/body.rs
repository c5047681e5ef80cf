//! The body of a response of the store.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use object_store::client::{HttpError, HttpErrorKind};
use tokio::time::{Instant, Sleep, sleep};

use super::connector::{Lease, broken, late};

/// Time without a byte after which a body that is waited for is given up.
const SILENCE: Duration = Duration::from_secs(15);
/// Maximum bytes of a body that is read whole: a list, or the text of an error.
const MAX_TEXT: usize = 4 << 20;

/// A body that has an end in time, and in bytes unless it is an object.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Incoming,
    /// The connection, until the body has ended.
    lease: Option<Lease>,
    /// Bytes that may still come; `None`: any number.
    left: Option<usize>,
    silence: Pin<Box<Sleep>>,
    /// Whether the reader waits for bytes.
    waits: bool,
}

impl ResponseBody {
    /// Creates a body. `is_empty` says that the request was `HEAD`.
    pub(super) fn new(body: Incoming, lease: Lease, unlimited: bool, is_empty: bool) -> Self {
        let left = (!unlimited).then_some(MAX_TEXT);
        let silence = Box::pin(sleep(SILENCE));
        let mut new = Self { body, lease: Some(lease), left, silence, waits: false };
        if is_empty || new.body.is_end_stream() {
            new.end();
        }
        new
    }

    fn end(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) else {
            // A reader that was slow itself has not waited.
            if !std::mem::replace(&mut this.waits, true) {
                this.silence.as_mut().reset(Instant::now() + SILENCE);
            }
            ready!(this.silence.as_mut().poll(context));
            let words = format!("the store sent nothing for {} s", SILENCE.as_secs());
            return Poll::Ready(Some(Err(late(&words))));
        };
        this.waits = false;
        let Some(frame) = frame else {
            this.end();
            return Poll::Ready(None);
        };
        let frame = frame.map_err(broken)?;
        if let (Some(left), Some(bytes)) = (&mut this.left, frame.data_ref()) {
            let Some(rest) = left.checked_sub(bytes.len()) else {
                let error = std::io::Error::other("the answer of the store is too large");
                return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Decode, error))));
            };
            *left = rest;
        }
        if this.body.is_end_stream() {
            this.end();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
