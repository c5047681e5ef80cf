//! Network threads: one per core, each with its own single-threaded runtime.
//!
//! A connection stays on its worker, so it never needs another core. Start reading at [`Workers`]; `accept`
//! distributes connections, `gate` limits their number, `socket`, `direct` and `tcp` wrap a connection, `watchdog`
//! detects stalled workers.

mod accept;
mod answer;
mod direct;
mod gate;
mod socket;
mod tcp;
#[cfg(test)]
mod tests;
mod watchdog;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

pub use accept::{Connection, Refusal, accept, bind, has_both_families, refuse};
pub use answer::SharedBody;
pub use direct::Direct;
pub use gate::{Gate, Permit, counted_as};
pub use socket::{Secure, Socket};
pub use tcp::Tcp;
pub use watchdog::{STALLED, STALLS, Watchdog};

use self::watchdog::WorkerStatus;
use crate::net::wake;

/// The network threads. Dropping the last clone stops them and their tasks.
#[derive(Debug, Clone)]
pub struct Workers(Arc<Inner>);

/// The content of [`Workers`].
#[derive(Debug)]
struct Inner {
    workers: Vec<WorkerStatus>,
    threads: Vec<JoinHandle<()>>,
    next: AtomicUsize,
    stop: CancellationToken,
    /// Dropped after the threads, so that it watches them until they end.
    _watchdog: Watchdog,
}

impl Workers {
    /// Starts `count` network threads; 0 means one per core.
    ///
    /// # Errors
    /// The system provides no thread or no poller.
    pub fn start(count: usize) -> io::Result<Self> {
        Self::named("worker", count)
    }

    /// Starts threads with another name, for other work.
    ///
    /// # Errors
    /// The same as [`Workers::start`].
    pub fn named(name: &str, count: usize) -> io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = if count == 0 { cores() } else { count };
        let stop = CancellationToken::new();
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for index in 0..count {
            let name = format!("{name}-{index}");
            let runtime = Builder::new_current_thread().enable_all().build()?;
            workers.push(WorkerStatus::new(&name, runtime.handle().clone()));
            let stop = stop.clone();
            let run = move || {
                runtime.block_on(async {
                    wake::join_worker();
                    stop.cancelled().await;
                });
            };
            threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        }
        let watchdog = Watchdog::start(workers.clone())?;
        let next = AtomicUsize::new(0);
        Ok(Self(Arc::new(Inner { workers, threads, next, stop, _watchdog: watchdog })))
    }

    /// Returns the next worker in turn that is not stalled; if all are stalled, the next one.
    pub fn next(&self) -> &Handle {
        let workers = &self.0.workers;
        let turn = self.0.next.fetch_add(1, Ordering::Relaxed) % workers.len();
        let in_turn = || workers[turn..].iter().chain(&workers[..turn]);
        in_turn().find(|worker| !worker.is_stalled()).unwrap_or(&workers[turn]).handle()
    }

    /// Returns the number of workers that have not run their tasks for 1 s.
    pub fn stalled(&self) -> usize {
        self.0.workers.iter().filter(|worker| worker.is_stalled()).count()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            // The last clone may be dropped on a worker, which cannot join itself.
            if thread.thread().id() != std::thread::current().id() {
                // A worker that panicked has printed its message already.
                let _ = thread.join();
            }
        }
    }
}
