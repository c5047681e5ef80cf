//! Threads for long computations, separate from the network threads.

use tokio::task::AbortHandle;

/// Runs a task whose computations would delay sockets. There is one thread per core. Tasks are assigned to
/// the threads in turn, and stay there.
#[cfg(not(test))]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    use std::sync::OnceLock;

    use crate::net::worker::Workers;

    static WORKERS: OnceLock<Option<Workers>> = OnceLock::new();
    let workers = WORKERS.get_or_init(|| match Workers::named("transcode", 0) {
        Ok(workers) => Some(workers),
        Err(error) => {
            tracing::warn!(%error, "no threads for transcoding: it shares those of the network");
            None
        }
    });
    match workers {
        Some(workers) => workers.next().spawn(task).abort_handle(),
        None => tokio::spawn(task).abort_handle(),
    }
}

/// Runs the task in the test's runtime, so that it follows the test's paused clock.
#[cfg(test)]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}
