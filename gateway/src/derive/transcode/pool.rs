//! Threads for work that takes long, apart from the network threads.

use tokio::task::AbortHandle;

/// Runs a task whose work would keep sockets waiting. There is one thread per core; tasks are given to them in turn, and
/// stay there.
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

/// In tests the task runs in the test's runtime, by its clock.
#[cfg(test)]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}
