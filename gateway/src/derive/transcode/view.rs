//! A stream as some need it: a ring beside the stream's own, fed by one task.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use media::time::SECOND;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::pool;
use crate::core::hub::ring::{Limits, Ring};
use crate::core::hub::{Entry, Start, Stream, Subscriber};

/// As much as the stream's own ring keeps; pictures lie in both and in memory once.
pub(super) const LIMITS: Limits = Limits { items: 4096, bytes: 32 << 20, span: 4 * SECOND };
/// A view that nobody reads is kept for this long: a viewer who comes back finds it running.
const LINGER: Duration = Duration::from_secs(10);
/// Being behind by more than a second of the stream, for as long as this, is not a burst: the machine
/// is too slow.
const PATIENCE: Duration = Duration::from_millis(500);

/// Makes a view's entries out of a stream's.
pub(super) trait Maker: Send + 'static {
    /// At the beginning of a stream, or anywhere in it.
    fn new() -> Self;

    /// Takes the next entry and appends what the view has in its place, now or for entries before.
    /// `skipped`: entries before this one were missed. `late`: only what is cheap should be done.
    fn take(&mut self, entry: &Arc<Entry>, skipped: bool, late: bool, out: &mut Vec<Arc<Entry>>);
}

/// One stream's entries as an `M` makes them, shared by all who read it.
#[derive(Debug)]
pub(super) struct View<M> {
    ring: Arc<Ring<Arc<Entry>>>,
    task: AbortHandle,
    maker: PhantomData<fn() -> M>,
}

impl<M: Maker> View<M> {
    /// The view of `stream`, shared with whoever reads it already. Inside a tokio runtime.
    pub(super) fn of(stream: &Arc<Stream>) -> Held {
        let view = stream.derive(|stream| {
            let ring = Ring::new(LIMITS);
            // From the newest key frame on: who comes to the view gets its sound too.
            let frames = stream.subscribe(Start::Key);
            let task = pool::spawn(run(M::new(), frames, Feed(ring.clone())));
            Arc::new(Self { ring, task, maker: PhantomData })
        });
        Held::new(view.ring.clone(), view)
    }
}

impl<M> Drop for View<M> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Someone's interest in a view.
#[derive(Debug)]
pub(super) struct Held {
    /// What it reads.
    pub(super) ring: Arc<Ring<Arc<Entry>>>,
    view: Option<Arc<dyn Any + Send + Sync>>,
}

impl Held {
    /// In `view`, which has this ring.
    pub(super) fn new(ring: Arc<Ring<Arc<Entry>>>, view: Arc<dyn Any + Send + Sync>) -> Self {
        Self { ring, view: Some(view) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let view = self.view.take();
        // Outside a runtime everything is ending.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                sleep(LINGER).await;
                drop(view);
            });
        }
    }
}

/// The writing end of a view's ring: whatever ends the task, readers see the end.
pub(super) struct Feed(pub(super) Arc<Ring<Arc<Entry>>>);

impl Drop for Feed {
    fn drop(&mut self) {
        self.0.close();
    }
}

async fn run<M: Maker>(mut maker: M, mut frames: Subscriber, feed: Feed) {
    let mut out = Vec::new();
    let mut behind: Option<Instant> = None;
    while let Some(entry) = frames.next().await {
        let skipped = frames.take_skip();
        if frames.lag() > SECOND {
            behind.get_or_insert_with(Instant::now);
        } else {
            behind = None;
        }
        let late = behind.is_some_and(|since| since.elapsed() > PATIENCE);
        maker.take(&entry, skipped, late, &mut out);
        for entry in out.drain(..) {
            feed.0.push(entry);
        }
        if !entry.frame.is_video() {
            // Between two packets the other streams on this thread have their turn.
            tokio::task::yield_now().await;
        }
    }
}
