//! Drains a gateway, so that it can be stopped without cutting anybody off.
//!
//! New clients are refused, so a balancer or the player itself finds another node. Viewers are closed a few at a time,
//! and come back elsewhere. Publishers are waited for, up to a limit. Other nodes of a cluster may pull what is
//! published here until the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::ask::{Ask, Guard, Refusal};
use crate::core::client::{Act, Identity};
use crate::core::close::CloseReason;
use crate::core::hub::{Client, Clients};

/// Interval at which viewers are closed.
const STEP: Duration = Duration::from_secs(1);
/// In each step, one viewer of so many is closed: 5 % of those that were there at the start.
const ONE_IN: usize = 20;
/// Longest time for which publishers are waited for, in seconds: a day.
pub const MAX_DRAIN_WAIT: u64 = 24 * 3600;

#[derive(Debug)]
struct State {
    until: Instant,
    _task: AbortOnDropHandle<()>,
}

/// Whether the gateway is drained. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Drain(Arc<Mutex<Option<State>>>);

/// The progress of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainProgress {
    /// Viewers that are still here.
    pub viewers: usize,
    /// Publishers that are still here.
    pub publishers: usize,
    /// Seconds for which publishers are still waited for.
    pub seconds_left: u64,
}

impl Drain {
    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to drain: closes the viewers among these clients over time, and the publishers that are still there after
    /// `wait`. A drain that runs already gets this limit. Runs on the current runtime.
    pub fn begin(&self, clients: &Clients, wait: Duration) {
        let until = Instant::now() + wait;
        let task = tokio::spawn(run(clients.clone(), until));
        *self.state() = Some(State { until, _task: AbortOnDropHandle::new(task) });
    }

    /// Ends the drain: new clients are admitted again. Returns false if there was none.
    pub fn cancel(&self) -> bool {
        self.state().take().is_some()
    }

    /// Returns whether new clients are refused.
    pub fn is_draining(&self) -> bool {
        self.state().is_some()
    }

    /// Returns the progress; `None` if the gateway is not drained.
    pub fn progress(&self, clients: &Clients) -> Option<DrainProgress> {
        let until = self.state().as_ref()?.until;
        let clients = clients.list();
        Some(DrainProgress {
            viewers: clients.iter().filter(|client| client.is_viewer()).count(),
            publishers: clients.iter().filter(|client| is_publisher(client)).count(),
            seconds_left: until.saturating_duration_since(Instant::now()).as_secs(),
        })
    }
}

fn is_publisher(client: &Client) -> bool {
    client.act == Act::Publish
}

async fn run(clients: Clients, until: Instant) {
    let at_start = clients.list().iter().filter(|client| client.is_viewer()).count();
    let step = at_start.div_ceil(ONE_IN).max(1);
    loop {
        let all = clients.list();
        for viewer in all.iter().filter(|client| client.is_viewer()).take(step) {
            clients.close(viewer.id, CloseReason::Shutdown);
        }
        if Instant::now() >= until {
            for publisher in all.iter().filter(|client| is_publisher(client)) {
                clients.close(publisher.id, CloseReason::Shutdown);
            }
        }
        sleep(STEP).await;
    }
}

impl Guard for Drain {
    fn check<'a>(
        &'a self,
        _: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        let is_node = matches!(known, Some(Identity::Node(_)));
        let refused = self.is_draining() && !is_node;
        let text = "this gateway is about to stop and takes no new clients: connect to another one";
        ready(if refused { Err(Refusal::Unavailable(text.to_owned())) } else { Ok(None) }).boxed()
    }

    fn restricts_play(&self) -> bool {
        // Playlists of an open stream stay public: HLS asks once for each viewer.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::admission::{PlayGrant, PublishGrant};
    use crate::core::hub::{Hub, HubConfig, StreamName};

    #[tokio::test(start_paused = true)]
    async fn viewers_leave_a_few_at_a_time_and_publishers_at_the_end() {
        let (hub, clients, drain) = (Hub::new(HubConfig::default()), Clients::new(), Drain::default());
        let name = StreamName::parse("live/x").unwrap();
        let grant = PublishGrant::for_job(&name, "test");
        let publisher = hub.publish(&grant).unwrap();
        let stream = publisher.stream().clone();
        let publishing = clients.add(&grant, &stream);
        let grants: Vec<_> = (0..100).map(|_| PlayGrant::for_job(&name, "test")).collect();
        let viewers: Vec<_> = grants.iter().map(|grant| clients.add(grant, &stream)).collect();
        let node = PlayGrant::of_identity(&name, Identity::Node("edge".into()));
        let node = clients.add(&node, &stream);
        let mut open: Vec<_> = viewers.into_iter().collect();
        // Viewers leave when they are closed.
        let mut leave = |seconds| {
            let before = open.len();
            open.retain(|viewer| viewer.revocation().reason().is_none());
            assert_eq!(before - open.len(), 5, "after {seconds} s");
        };
        assert_eq!(drain.progress(&clients), None);
        drain.begin(&clients, Duration::from_secs(60));
        for seconds in 0..10 {
            sleep(Duration::from_millis(500)).await;
            leave(seconds);
            sleep(Duration::from_millis(500)).await;
        }
        let progress = drain.progress(&clients).unwrap();
        assert_eq!((progress.viewers, progress.publishers, progress.seconds_left), (50, 1, 50));
        sleep(Duration::from_secs(49)).await;
        assert_eq!(publishing.revocation().reason(), None);
        sleep(Duration::from_secs(3)).await;
        assert_eq!(publishing.revocation().reason(), Some(CloseReason::Shutdown));
        assert_eq!(node.revocation().reason(), None, "another node pulls until the end");
        assert!(drain.cancel() && !drain.is_draining() && !drain.cancel());
    }
}
