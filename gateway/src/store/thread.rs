//! The thread of the store. Hashes and signatures of large bodies must not delay the network threads.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

use super::error::{StoreError, StoreErrorKind};

/// A thread with a runtime of its own. It ends when the value is dropped.
#[derive(Debug)]
pub(super) struct StoreThread {
    handle: Handle,
    _stop: DropGuard,
}

impl StoreThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no more threads or files.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(8).build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let stopped = stop.clone();
        let run = move || {
            runtime.block_on(stopped.cancelled());
            // Files and names that are read now need not be waited for.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("store".to_owned()).spawn(run)?;
        Ok(Self { handle, _stop: stop.drop_guard() })
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a request on the thread. It is given up when the future is dropped.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        request: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let task = AbortOnDropHandle::new(self.handle.spawn(request));
        let failed = |_| StoreError::new(StoreErrorKind::Away, "the thread of the store has ended");
        Ok(task.await.map_err(failed)??)
    }
}
