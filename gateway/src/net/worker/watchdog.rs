//! Detects stalled workers.
//!
//! A worker that is busy with one task serves no other, and cannot report that itself. So a separate thread
//! regularly posts a task to every worker and checks whether it ran.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::runtime::Handle;

/// Metric: number of workers that do not answer now.
pub const STALLED: &str = "lianmai_stalled_workers";
/// Metric: number of times that a worker did not answer.
pub const STALLS: &str = "lianmai_worker_stalls_total";

/// Interval between checks.
const INTERVAL: Duration = Duration::from_millis(250);
/// A worker counts as stalled after this many checks without an answer: 1 s. Checks are counted instead of
/// time, so that a process that was suspended as a whole does not count as stalled.
const PATIENCE: u32 = 4;

/// The state of one worker. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct WorkerStatus {
    name: Arc<str>,
    handle: Handle,
    stalled: Arc<AtomicBool>,
}

impl WorkerStatus {
    pub(super) fn new(name: &str, handle: Handle) -> Self {
        Self { name: name.into(), handle, stalled: Arc::default() }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Returns whether the worker has not run its tasks for 1 s.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}

/// Watches workers until it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches the current runtime, which must run on one thread, under this name.
    ///
    /// # Errors
    /// The system provides no thread.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn current(name: &str) -> io::Result<Self> {
        Self::start(vec![WorkerStatus::new(name, Handle::current())])
    }

    pub(super) fn start(watched: Vec<WorkerStatus>) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let mut workers: Vec<_> = watched.into_iter().map(WatchedWorker::new).collect();
        let run = move || {
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                workers.iter_mut().for_each(WatchedWorker::look);
            }
            workers.iter_mut().for_each(WatchedWorker::forget);
        };
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sets its flag when the worker runs it, or when the worker has ended.
struct Answer(Arc<AtomicBool>);

impl Drop for Answer {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A worker with the state of its checks.
struct WatchedWorker {
    watched: WorkerStatus,
    answered: Arc<AtomicBool>,
    detector: StallDetector,
}

impl WatchedWorker {
    fn new(watched: WorkerStatus) -> Self {
        Self { watched, answered: Arc::new(AtomicBool::new(true)), detector: StallDetector::default() }
    }

    fn look(&mut self) {
        let answered = self.answered.load(Ordering::Acquire);
        let worker = &self.watched.name;
        match self.detector.look(answered) {
            Some(Change::Stalled) => {
                self.watched.stalled.store(true, Ordering::Relaxed);
                gauge!(STALLED).increment(1.0);
                counter!(STALLS).increment(1);
                tracing::error!(%worker, "worker stalled: its connections wait, and it gets no new ones");
            }
            Some(Change::Resumed(looks)) => {
                self.forget();
                let seconds = (INTERVAL * looks).as_secs_f64();
                tracing::warn!(worker = %self.watched.name, seconds, "worker resumed");
            }
            None => {}
        }
        if answered {
            self.answered.store(false, Ordering::Release);
            let answer = Answer(self.answered.clone());
            self.watched.handle.spawn(async move { drop(answer) });
        }
    }

    fn forget(&mut self) {
        if self.watched.stalled.swap(false, Ordering::Relaxed) {
            gauge!(STALLED).decrement(1.0);
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Stalled,
    /// After this many checks without an answer.
    Resumed(u32),
}

/// Derives from a worker's answers when it stalls and when it resumes, each once.
#[derive(Debug, Default)]
struct StallDetector {
    missed: u32,
}

impl StallDetector {
    fn look(&mut self, answered: bool) -> Option<Change> {
        if answered {
            let missed = std::mem::take(&mut self.missed);
            return (missed >= PATIENCE).then_some(Change::Resumed(missed));
        }
        self.missed = self.missed.saturating_add(1);
        (self.missed == PATIENCE).then_some(Change::Stalled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_and_its_end_are_told_once() {
        let mut detector = StallDetector::default();
        let mut looks =
            |answered, count| -> Vec<Change> { (0..count).filter_map(|_| detector.look(answered)).collect() };
        assert_eq!(looks(true, 10), []);
        assert_eq!(looks(false, PATIENCE - 1), []);
        assert_eq!(looks(true, 1), []);
        assert_eq!(looks(false, 1000), [Change::Stalled]);
        assert_eq!(looks(true, 10), [Change::Resumed(1000)]);
        assert_eq!(looks(false, PATIENCE), [Change::Stalled]);
    }
}
