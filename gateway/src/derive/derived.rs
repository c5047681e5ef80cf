//! A derived stream: something that is made of a stream once and shared by everyone who wants the same.
//!
//! A [`Derivation`] says how it is made, and its value is the key. The first [`Holder`] of a key starts a task that
//! reads the stream and fills a ring; further holders of an equal key read the same ring; the task stops with the
//! last of them.

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

/// How one kind of derived stream is made. Two equal values name the same derived stream.
pub trait Derivation: Clone + Eq + Debug + Send + Sync + 'static {
    /// Type of the items in the ring.
    type Item: Item + Debug + Send + Sync + 'static;
    /// What the holders share beside the ring.
    type Shared: Debug + Send + Sync + 'static;

    /// How long the task runs on without a holder: a viewer who comes back finds it running.
    const LINGER: Duration = Duration::ZERO;

    /// Starts the task that fills `output`. It holds the stream, or a cursor of it, and no [`Holder`] of this key.
    fn start(&self, stream: &Arc<Stream>, output: Output<Self::Item>) -> Started<Self::Shared>;
}

/// A task that runs, and what its holders share.
#[derive(Debug)]
pub struct Started<S> {
    /// Stops the task.
    pub task: AbortHandle,
    /// See [`Derivation::Shared`].
    pub shared: S,
}

/// The writing end of a derived stream's ring. However the task ends, readers see the end.
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

/// One derived stream, which its holders share.
#[derive(Debug)]
pub struct Derived<D: Derivation> {
    ring: Arc<Ring<D::Item>>,
    started: Started<D::Shared>,
}

impl<D: Derivation> Derived<D> {
    /// The derived stream of `key`, shared with whoever holds it already. Inside a tokio runtime.
    pub fn of(stream: &Arc<Stream>, key: D) -> Holder<D> {
        Self::started_by(stream, key.clone(), |stream, output| key.start(stream, output))
    }

    /// The derived stream of `key`, whose task `start` starts where nobody holds it.
    pub fn started_by(
        stream: &Arc<Stream>,
        key: D,
        start: impl FnOnce(&Arc<Stream>, Output<D::Item>) -> Started<D::Shared>,
    ) -> Holder<D> {
        let derived = stream.derive(key, |stream| {
            // As much as the stream keeps itself: a derived item stands for a frame, and is about as large.
            let ring = Ring::new(stream.limits());
            let started = start(stream, Output(ring.clone()));
            Arc::new(Self { ring, started })
        });
        Holder(derived)
    }

    /// A new reader, which does not hold the derived stream: keep the [`Holder`] beside it.
    pub fn cursor(&self, start: Start) -> Cursor<D::Item> {
        self.ring.cursor(start)
    }

    /// The time of the newest item.
    pub fn newest(&self) -> Option<Micros> {
        self.ring.newest()
    }

    /// What its holders share beside the ring.
    pub fn shared(&self) -> &D::Shared {
        &self.started.shared
    }
}

#[cfg(test)]
impl<D: Derivation<Shared = ()>> Derived<D> {
    /// A derived stream that a test fills, for everybody who asks for `key` while it is held.
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
    /// What is held, to see when it goes.
    pub(crate) fn downgrade(&self) -> std::sync::Weak<Derived<D>> {
        Arc::downgrade(&self.0)
    }
}

impl<D: Derivation> Drop for Derived<D> {
    fn drop(&mut self) {
        self.started.task.abort();
    }
}

/// Somebody's interest in a derived stream, which keeps its task running.
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
        // Outside a runtime everything is ending.
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
