//! Sends new batches to all clients of a room, with one task per worker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::task::coop::unconstrained;
use tokio::task::yield_now;

use crate::rooms::state::Connection;

/// Number of clients that a task sends to before it lets the worker's other tasks run.
const CLIENTS_IN_A_ROW: usize = 64;

/// The way to one client.
pub(in crate::rooms) trait Outlet: Send + Sync + std::fmt::Debug {
    /// Sends what waits for the client, as far as its socket takes it now. Never waits.
    fn pump(&self);
}

/// The clients of a room on one worker.
#[derive(Debug, Default)]
struct Fan {
    outlets: Mutex<HashMap<Connection, Arc<dyn Outlet>>>,
    /// Whether the last client has left, so that the task ends.
    ended: AtomicBool,
    changed: Notify,
}

/// The clients of a room by worker. The runtime identifies the worker.
#[derive(Debug, Default)]
pub(in crate::rooms) struct Fans(Mutex<HashMap<Id, Arc<Fan>>>);

/// A client that gets batches until this is dropped.
#[derive(Debug)]
pub(in crate::rooms) struct Attached {
    fans: Arc<Fans>,
    runtime: Id,
    connection: Connection,
}

impl Fans {
    fn fans(&self) -> MutexGuard<'_, HashMap<Id, Arc<Fan>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a client on this task's worker.
    pub(in crate::rooms) fn attach(
        self: &Arc<Self>,
        connection: Connection,
        outlet: Arc<dyn Outlet>,
    ) -> Attached {
        let runtime = Handle::current().id();
        let mut fans = self.fans();
        let fan = fans.entry(runtime).or_insert_with(|| {
            let fan = Arc::<Fan>::default();
            // The task yields by itself. The scheduler's own budget would make sockets look as if they could take
            // nothing.
            tokio::spawn(unconstrained(fan.clone().run()));
            fan
        });
        fan.outlets().insert(connection, outlet);
        Attached { fans: self.clone(), runtime, connection }
    }

    /// Makes all workers send the new batches.
    pub(in crate::rooms) fn wake(&self) {
        for fan in self.fans().values() {
            fan.changed.notify_one();
        }
    }
}

impl Fan {
    fn outlets(&self) -> MutexGuard<'_, HashMap<Connection, Arc<dyn Outlet>>> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>) {
        let mut present = Vec::new();
        loop {
            self.changed.notified().await;
            if self.ended.load(Ordering::Acquire) {
                return;
            }
            present.extend(self.outlets().values().cloned());
            for (n, outlet) in present.drain(..).enumerate() {
                outlet.pump();
                if n % CLIENTS_IN_A_ROW == CLIENTS_IN_A_ROW - 1 {
                    yield_now().await;
                }
            }
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let mut fans = self.fans.fans();
        let Some(fan) = fans.get(&self.runtime).cloned() else { return };
        let mut outlets = fan.outlets();
        outlets.remove(&self.connection);
        if outlets.is_empty() {
            fans.remove(&self.runtime);
            fan.ended.store(true, Ordering::Release);
            fan.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Debug, Default)]
    struct Counter(AtomicUsize);

    impl Outlet for Counter {
        fn pump(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn every_client_is_served_until_it_leaves() {
        let fans = Arc::<Fans>::default();
        let counters: Vec<_> = (0..3 * CLIENTS_IN_A_ROW).map(|_| Arc::<Counter>::default()).collect();
        let mut attached: Vec<_> =
            counters.iter().zip(0..).map(|(counter, n)| fans.attach(n, counter.clone())).collect();
        let total = || counters.iter().map(|counter| counter.0.load(Ordering::Relaxed)).sum::<usize>();
        let served = async |expected| {
            while total() < expected {
                yield_now().await;
            }
            yield_now().await;
            assert_eq!(total(), expected);
        };
        fans.wake();
        served(counters.len()).await;
        attached.truncate(1);
        fans.wake();
        served(counters.len() + 1).await;
        let fan = fans.fans().values().next().cloned().unwrap();
        drop(attached);
        assert!(fans.fans().is_empty());
        while Arc::strong_count(&fan) > 1 {
            yield_now().await;
        }
    }
}
