//! The thread that talks to back ends. A slow one, or a slow name server, takes no time from network threads.

use std::io;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// A thread with its runtime. It ends when this is dropped, without waiting for name lookups.
#[derive(Debug)]
pub(super) struct HookThread {
    handle: Handle,
    stop: CancellationToken,
}

impl HookThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system provides no thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let stopped = stop.clone();
        std::thread::Builder::new().name("hooks".to_owned()).spawn(move || {
            runtime.block_on(stopped.cancelled());
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, stop })
    }

    /// Returns the handle for new tasks.
    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for HookThread {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
