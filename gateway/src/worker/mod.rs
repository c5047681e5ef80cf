//! Network threads: one per core, each with its own single-threaded runtime. A connection stays on
//! the worker that got it, so nothing it does needs another core.

mod accept;
mod gate;
mod socket;
mod tcp;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

pub use accept::{Connection, Refusal, accept, bind, refuse};
pub use gate::{Gate, Permit};
pub use socket::{Secure, Socket};
pub use tcp::Tcp;

use crate::hub::wake;

/// The network threads. Dropping the last clone stops them and what runs on them.
#[derive(Debug, Clone)]
pub struct Workers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handles: Vec<Handle>,
    threads: Vec<JoinHandle<()>>,
    next: AtomicUsize,
    stop: CancellationToken,
}

impl Workers {
    /// Starts `count` network threads; 0 means one per core.
    ///
    /// # Errors
    /// When the system gives no thread or no poller.
    pub fn start(count: usize) -> io::Result<Self> {
        Self::named("worker", count)
    }

    /// The same under another name, for other work than the network's.
    ///
    /// # Errors
    /// As [`Workers::start`].
    pub fn named(name: &str, count: usize) -> io::Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let count = if count == 0 { cores() } else { count };
        let stop = CancellationToken::new();
        let mut inner =
            Inner { handles: Vec::new(), threads: Vec::new(), next: AtomicUsize::new(0), stop: stop.clone() };
        for index in 0..count {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            inner.handles.push(runtime.handle().clone());
            let stop = stop.clone();
            let run = move || {
                runtime.block_on(async {
                    wake::join_worker();
                    stop.cancelled().await;
                });
            };
            inner.threads.push(std::thread::Builder::new().name(format!("{name}-{index}")).spawn(run)?);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The next worker in turn.
    pub fn next(&self) -> &Handle {
        let turn = self.0.next.fetch_add(1, Ordering::Relaxed);
        &self.0.handles[turn % self.0.handles.len()]
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        for thread in self.threads.drain(..) {
            // The last clone may be dropped on a worker: it can't wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                // A worker that panicked has said so itself.
                let _ = thread.join();
            }
        }
    }
}
