//! Derived streams: items that are made from a stream once and shared by all viewers who need them.
//!
//! A [`Derivation`] defines how the items are made, and its value is the key. The first [`Holder`] of a key
//! starts a task that reads the stream and fills a ring. Further holders of an equal key read the same ring.
//! The task stops when the last holder is dropped.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use media::time::Micros;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::core::hub::ring::{Cursor, Item, Ring};
use crate::core::hub::{Start, Stream};

/// A kind of derived stream, and the key of one: equal values share one derived stream.
pub trait Derivation: Clone + Eq + Debug + Send + Sync + 'static {
    /// Type of the items in the ring.
    type Item: Item + Debug + Send + Sync + 'static;
    /// Data that the holders share in addition to the ring.
    type Shared: Debug + Send + Sync + 'static;

    /// Time that the task continues without a holder, so that a viewer who returns soon need not start it again.
    const LINGER: Duration = Duration::ZERO;

    /// Starts the task that fills `output`. The task may hold the stream or a cursor of it, but no [`Holder`] of this
    /// key: it would never stop.
    fn start(&self, stream: &Arc<Stream>, output: Output<Self::Item>) -> Started<Self::Shared>;
}

/// A started task, and the data that its holders share.
#[derive(Debug)]
pub struct Started<S> {
    /// Stops the task.
    pub task: AbortHandle,
    /// See [`Derivation::Shared`].
    pub shared: S,
}

/// The writing end of a derived stream's ring. Dropping it ends the ring, so readers notice the end even if the task
/// panics.
#[derive(Debug)]
pub struct Output<T: Item>(Arc<Ring<T>>);

impl<T: Item> Output<T> {
    /// Appends an item.
    pub fn push(&self, item: T) {
        self.0.push(item);
    }
}

impl<T: Item> Drop for Output<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// One derived stream. Its holders share it.
#[derive(Debug)]
pub struct Derived<D: Derivation> {
    ring: Arc<Ring<D::Item>>,
    started: Started<D::Shared>,
}

impl<D: Derivation> Derived<D> {
    /// Returns the derived stream of `key`, and starts its task if nobody holds it yet. Must be called inside a tokio
    /// runtime.
    pub fn of(stream: &Arc<Stream>, key: D) -> Holder<D> {
        Self::started_by(stream, key.clone(), |stream, output| key.start(stream, output))
    }

    /// Returns the derived stream of `key`. `start` starts its task if nobody holds it yet.
    pub fn started_by(
        stream: &Arc<Stream>,
        key: D,
        start: impl FnOnce(&Arc<Stream>, Output<D::Item>) -> Started<D::Shared>,
    ) -> Holder<D> {
        let derived = stream.derive(key, |stream| {
            // The limits of the stream's own ring fit: a derived item represents a frame and is about as large.
            let ring = Ring::new(stream.limits());
            let started = start(stream, Output(ring.clone()));
            Arc::new(Self { ring, started })
        });
        Holder(derived)
    }

    /// Creates a reader. The reader does not keep the task running: keep the [`Holder`] as well.
    pub fn cursor(&self, start: Start) -> Cursor<D::Item> {
        self.ring.cursor(start)
    }

    /// Returns the time of the newest item.
    pub fn newest(&self) -> Option<Micros> {
        self.ring.newest()
    }

    /// Returns the data that the holders share.
    pub fn shared(&self) -> &D::Shared {
        &self.started.shared
    }
}

#[cfg(test)]
impl<D: Derivation<Shared = ()>> Derived<D> {
    /// Creates a derived stream that a test fills. [`Derived::of`] returns it for an equal `key` while it is held.
    pub(crate) fn by_hand(stream: &Arc<Stream>, key: D) -> (Holder<D>, Output<D::Item>) {
        let mut by_hand = None;
        let holder = Self::started_by(stream, key, |_, output| {
            by_hand = Some(output);
            Started { task: tokio::spawn(std::future::pending::<()>()).abort_handle(), shared: () }
        });
        (holder, by_hand.expect("nobody holds it yet"))
    }
}

#[cfg(test)]
impl<D: Derivation> Holder<D> {
    /// Returns a weak reference, by which a test sees when the last holder is gone.
    pub(crate) fn downgrade(&self) -> std::sync::Weak<Derived<D>> {
        Arc::downgrade(&self.0)
    }
}

impl<D: Derivation> Drop for Derived<D> {
    fn drop(&mut self) {
        self.started.task.abort();
    }
}

/// A reference to a derived stream that keeps its task running.
#[derive(Debug)]
pub struct Holder<D: Derivation>(Arc<Derived<D>>);

impl<D: Derivation> Deref for Holder<D> {
    type Target = Derived<D>;

    fn deref(&self) -> &Derived<D> {
        &self.0
    }
}

impl<D: Derivation> Clone for Holder<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Derivation> Drop for Holder<D> {
    fn drop(&mut self) {
        if D::LINGER.is_zero() {
            return;
        }
        let derived = self.0.clone();
        // Without a runtime the gateway is stopping, so there is nothing to keep.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                sleep(D::LINGER).await;
                drop(derived);
            });
        }
    }
}

#[cfg(test)]
mod tests;
