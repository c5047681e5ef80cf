//! Keeps one stream coming from another server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{SemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::feed::{Feed, FeedError, SourceError, Started};
use super::source::{self, SourceAddress, SourceSetup};
use super::status::{PullState, SharedStatus};
use crate::context::Context;
use crate::net::worker::Workers;
use crate::remote::{Backoff, ConnectionLimit, Dialer};
use crate::service::{Job, Run};

/// Interval at which a pull on demand looks whether somebody needs its stream.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the pulls of a gateway share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) dialer: Dialer,
    pub(super) workers: Workers,
    /// Limits the number of pulled streams.
    pub(super) limit: ConnectionLimit,
    pub(super) linger: Duration,
}

/// One pulled stream. The job of a pull on demand ends when nobody has needed the stream for some time.
#[derive(Debug)]
pub(super) struct PullJob {
    pub(super) from: SourceAddress,
    pub(super) always: bool,
    pub(super) status: Arc<SharedStatus>,
    pub(super) shared: Shared,
}

impl Job for PullJob {
    fn kind(&self) -> &'static str {
        "pull"
    }

    fn target(&self) -> String {
        format!("{} from {}", self.status.stream, self.from)
    }

    fn run(&self, context: &Context) -> Run {
        let pull = Pull {
            from: self.from.clone(),
            always: self.always,
            status: self.status.clone(),
            shared: self.shared.clone(),
            context: context.clone(),
        };
        let workers = self.shared.workers.clone();
        Box::pin(async move {
            // Ends with this future.
            let mut task = JoinSet::new();
            task.spawn_on(async move { pull.run().await }, workers.next());
            match task.join_next().await {
                Some(Err(error)) if error.is_panic() => Err("the pull failed".to_owned()),
                _ => Ok(()),
            }
        })
    }
}

struct Pull {
    from: SourceAddress,
    always: bool,
    status: Arc<SharedStatus>,
    shared: Shared,
    context: Context,
}

impl Pull {
    async fn run(&self) {
        let Some(_permit) = self.permit().await else { return };
        let name = &self.status.stream;
        let (sender, started) = watch::channel(None);
        let mut feed = Feed::new(&self.context.hub, &self.status, sender);
        let mut backoff = Backoff::default();
        let mut used = Instant::now();
        loop {
            self.status.set(PullState::Connecting);
            let begun = Instant::now();
            let received = self.receive(&mut feed, &started, &mut used).await;
            if started.borrow().is_some() {
                backoff.connected_since(begun);
            }
            feed.leave();
            let (reason, refused) = match received {
                Ended::Source(Ok(())) => ("the source ended the stream".to_owned(), false),
                Ended::Source(Err(SourceError::Remote(error))) => (error.to_string(), error.is_refused()),
                Ended::Source(Err(SourceError::Feed(FeedError::Hub(error)))) => (error.to_string(), true),
                Ended::Unused => return,
                Ended::Source(Err(SourceError::Feed(FeedError::Taken))) | Ended::Revoked => {
                    if !self.always || !self.others_leave().await {
                        return;
                    }
                    continue;
                }
            };
            let reason = self.from.hide_in(&reason);
            let pause = backoff.failed(refused);
            tracing::warn!(stream = %name, from = %self.from, reason, pause = pause.as_secs_f32(), "pull disconnected");
            metrics::counter!("lianmai_pull_failures_total").increment(1);
            self.status.failed(reason);
            // The next viewer asks again; the others are told after the hub's time for publishers to return.
            let patience = self.patience();
            if !self.always && (refused || used.elapsed() + pause > patience) {
                return;
            }
            sleep(pause).await;
        }
    }

    /// Returns the time after which nobody waits any more for a stream that does not come.
    fn patience(&self) -> Duration {
        self.shared.linger.max(self.context.limits.get().play_wait)
    }

    /// Waits for room among the pulled streams. Returns `None` if nobody can be waiting for the stream any more.
    async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        let patience = if self.always { Duration::MAX } else { self.patience() };
        timeout(patience, self.shared.limit.enter()).await.ok()?
    }

    /// Receives until the source ends, the stream is taken, or nobody needs it any more.
    async fn receive(
        &self,
        feed: &mut Feed<'_>,
        started: &watch::Receiver<Started>,
        used: &mut Instant,
    ) -> Ended {
        let setup = SourceSetup {
            dialer: &self.shared.dialer,
            max_message: self.context.limits.get().message,
            id: &self.context.ids.server,
        };
        tokio::select! {
            ended = source::receive(&self.from, setup, feed) => Ended::Source(ended),
            () = revoked(started.clone()) => Ended::Revoked,
            () = self.unused(started, used) => Ended::Unused,
        }
    }

    /// Resolves when nobody has needed the stream of a pull on demand for some time.
    async fn unused(&self, started: &watch::Receiver<Started>, used: &mut Instant) {
        loop {
            sleep(LOOK_EVERY).await;
            let (is_needed, patience) = match &*started.borrow() {
                Some((_, stream)) => (stream.is_needed(), self.shared.linger),
                // The viewers that wait for the stream are not counted.
                None => (false, self.patience()),
            };
            if self.always || is_needed {
                *used = Instant::now();
            } else if used.elapsed() >= patience {
                return;
            }
        }
    }

    /// Waits until nobody else publishes the stream. Returns false if the hub stops.
    async fn others_leave(&self) -> bool {
        self.status.set(PullState::Yielding);
        let mut changed = self.context.hub.changed();
        while self.context.hub.stream(&self.status.stream).is_some() {
            if changed.changed().await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Resolves when the stream has another publisher, or was ended by an operator or the server.
async fn revoked(mut started: watch::Receiver<Started>) {
    loop {
        let revocation = started.borrow_and_update().as_ref().map(|(revocation, _)| revocation.clone());
        match revocation {
            Some(revocation) => {
                revocation.revoked().await;
                return;
            }
            None if started.changed().await.is_err() => return,
            None => {}
        }
    }
}

/// Why a connection to the source ended.
enum Ended {
    /// Nobody needs the stream any more.
    Unused,
    /// The stream was taken or ended here.
    Revoked,
    /// The source ended, or failed.
    Source(Result<(), SourceError>),
}
