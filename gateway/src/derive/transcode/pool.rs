//! Threads for what takes long, apart from those that serve sockets.

use tokio::task::AbortHandle;

/// Runs a task whose work would keep sockets waiting: on one of as many threads as there are cores,
/// in turn, on which it stays.
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

/// In a test it runs where the test runs, by the same clock.
#[cfg(test)]
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}
