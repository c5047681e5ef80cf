//! Limits HTTP responses that are being sent: the time a client may take, and the memory of unsent responses.
//!
//! hyper queues a body before the socket accepts it, so a response counts until its last byte has left the
//! queue. Endless bodies (FLV) have no length; they are limited by their own code.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::StatusCode;
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::net::worker::SharedBody;
use crate::web::problem::Problem;

/// Maximum bytes of unsent responses that were made for one client each, over all connections.
pub(super) const MAX_UNSENT: usize = 64 << 20;
/// Minimum rate of a client in bytes per second, after the grace period of the stall timeout.
pub(super) const MIN_RATE: u64 = 32 << 10;
/// Responses up to this many bytes fit into the kernel's send buffer and are not counted.
const SMALL: usize = 16 << 10;

/// Bytes of unsent responses of the whole process.
static UNSENT: AtomicUsize = AtomicUsize::new(0);

/// A response that is being sent.
#[derive(Debug)]
struct OpenAnswer {
    id: u64,
    deadline: Instant,
    revoked: Option<CancellationToken>,
}

/// The content of [`Answers`].
#[derive(Debug)]
struct Inner {
    grace: Duration,
    next: AtomicU64,
    /// In the order in which they are sent.
    open: Mutex<Vec<OpenAnswer>>,
    changed: Notify,
}

/// The responses that one connection is sending. Cloning shares them.
#[derive(Debug, Clone)]
pub(super) struct Answers(Arc<Inner>);

impl Answers {
    /// Creates the list. Each response may take `grace` plus the time that [`MIN_RATE`] needs for its size.
    pub(super) fn new(grace: Duration) -> Self {
        let open = Mutex::default();
        Self(Arc::new(Inner { grace, next: AtomicU64::new(0), open, changed: Notify::new() }))
    }

    /// Tracks `response` until it is sent. Replaces it with a refusal if too many bytes are unsent already.
    pub(super) fn watch(&self, mut response: Response) -> Response {
        let Some(size) = response.body().size_hint().exact().filter(|size| *size > 0) else {
            return response;
        };
        let shared = response.extensions_mut().remove::<SharedBody>();
        let own = usize::try_from(size).unwrap_or(usize::MAX);
        let counted = if shared.is_some() || own <= SMALL { 0 } else { own };
        if UNSENT.fetch_add(counted, Ordering::Relaxed).saturating_add(counted) > MAX_UNSENT {
            UNSENT.fetch_sub(counted, Ordering::Relaxed);
            metrics::counter!("lianmai_answers_refused_total").increment(1);
            let words = "too many responses wait for slow clients: try again later";
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, words).into_response();
        }
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + self.0.grace + Duration::from_secs(size.div_ceil(MIN_RATE));
        let revoked = shared.and_then(|shared| shared.revoked);
        self.0.open().push(OpenAnswer { id, deadline, revoked });
        self.0.changed.notify_waiters();
        let unsent = Arc::new(UnsentBytes { answers: self.clone(), id, counted });
        response.map(|body| Body::new(CountedBody { body, unsent }))
    }

    /// Resolves when the current response has to be aborted, with the reason for the log.
    pub(super) async fn overdue(&self) -> &'static str {
        loop {
            let mut changed = std::pin::pin!(self.0.changed.notified());
            // Enable the notification before the check, so that no change in between is missed.
            changed.as_mut().enable();
            // The first response: those behind it wait for it.
            let first = self.0.open().first().map(|open| (open.deadline, open.revoked.clone()));
            let Some((deadline, revoked)) = first else {
                changed.await;
                continue;
            };
            let revoked = async {
                match revoked {
                    Some(revoked) => revoked.cancelled_owned().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(deadline) => return "the client read the response too slowly",
                () = revoked => return "the client read a segment too slowly, and it is no longer stored",
            }
        }
    }
}

impl Inner {
    fn open(&self) -> MutexGuard<'_, Vec<OpenAnswer>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a response until it is dropped.
#[derive(Debug)]
struct UnsentBytes {
    answers: Answers,
    id: u64,
    counted: usize,
}

impl Drop for UnsentBytes {
    fn drop(&mut self) {
        UNSENT.fetch_sub(self.counted, Ordering::Relaxed);
        self.answers.0.open().retain(|open| open.id != self.id);
        self.answers.0.changed.notify_waiters();
    }
}

/// A body whose bytes are [`CountedBytes`].
struct CountedBody {
    body: Body,
    unsent: Arc<UnsentBytes>,
}

/// Bytes of a body that stay counted until hyper drops them.
struct CountedBytes {
    data: Bytes,
    _unsent: Arc<UnsentBytes>,
}

impl AsRef<[u8]> for CountedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.data
    }
}

impl http_body::Body for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let unsent = &self.unsent;
        let hold = |data| Bytes::from_owner(CountedBytes { data, _unsent: unsent.clone() });
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(hold))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
