//! Runs jobs and restarts them after failures, with back-off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::service::{Greeting, Job};

/// Maximum number of jobs at the same time.
const MAX_JOBS: usize = 256;
/// Pause after the first failure; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Maximum pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A run of this duration was healthy: the next failure counts as the first again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// Maximum number of characters of a failure's text.
const MAX_FAILURE: usize = 300;

/// The current state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The job is running.
    Running,
    /// The job failed and will be restarted.
    Waiting,
    /// The job has ended and is not restarted automatically.
    Ended,
}

impl State {
    /// Returns the state's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Ended => "ended",
        }
    }
}

/// A job as the API lists it.
#[derive(Debug, Clone)]
pub struct Info {
    /// Unique in this run of the gateway.
    pub id: u64,
    /// The kind of job, in one word.
    pub kind: &'static str,
    /// The stream or address that the job works on.
    pub target: String,
    /// The current state.
    pub state: State,
    /// Time of the last state change.
    pub since: SystemTime,
    /// Number of restarts after a failure or by an operator.
    pub restarts: u64,
    /// The error of the last run, if it failed.
    pub failure: Option<String>,
}

struct Entry {
    job: Box<dyn Job>,
    restart: Notify,
    info: Mutex<Info>,
}

impl Entry {
    fn info(&self) -> MutexGuard<'_, Info> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, state: State) {
        let mut info = self.info();
        (info.state, info.since) = (state, SystemTime::now());
    }
}

/// There is no job of this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

#[derive(Default)]
struct Table {
    next: u64,
    entries: BTreeMap<u64, Arc<Entry>>,
}

/// All jobs of a gateway. Cloning shares them.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<Table>>);

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Jobs").field(&self.list()).finish()
    }
}

impl Jobs {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `job` until `stop`, on the current runtime. Returns `None` if the maximum number of jobs is
    /// reached.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn add(&self, job: Box<dyn Job>, context: &Context, stop: &CancellationToken) -> Option<u64> {
        let mut table = self.table();
        if table.entries.len() >= MAX_JOBS {
            return None;
        }
        table.next += 1;
        let id = table.next;
        let info = Info {
            id,
            kind: job.kind(),
            target: job.target(),
            state: State::Running,
            since: SystemTime::now(),
            restarts: 0,
            failure: None,
        };
        let entry = Arc::new(Entry { job, restart: Notify::new(), info: Mutex::new(info) });
        table.entries.insert(id, entry.clone());
        let (context, stop) = (context.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = supervise(&entry, &context) => {}
                () = stop.cancelled() => {}
            }
            entry.enter(State::Ended);
        });
        Some(id)
    }

    /// Returns all jobs, oldest first.
    pub fn list(&self) -> Vec<Info> {
        self.table().entries.values().map(|entry| entry.info().clone()).collect()
    }

    /// Stops the job's current run, if any, and starts it again immediately.
    ///
    /// # Errors
    /// There is no such job.
    pub fn restart(&self, id: u64) -> Result<(), Unknown> {
        self.table().entries.get(&id).ok_or(Unknown)?.restart.notify_one();
        Ok(())
    }

    /// Adds the lines of all jobs to the greeting.
    pub fn greet(&self, greeting: &mut Greeting) {
        self.table().entries.values().for_each(|entry| entry.job.greet(greeting));
    }
}

/// Runs the job, and restarts it after a failure or when an operator asks for it.
async fn supervise(entry: &Entry, context: &Context) {
    let mut pause = FIRST_PAUSE;
    loop {
        entry.enter(State::Running);
        let (kind, target) = (entry.job.kind(), entry.job.target());
        let begun = Instant::now();
        // A separate task, so that a panic only ends this run.
        let mut run = Run(tokio::spawn(entry.job.run(context)));
        let ended = tokio::select! {
            ended = &mut run.0 => ended.unwrap_or_else(|error| Err(error.to_string())),
            () = entry.restart.notified() => {
                tracing::info!(kind, target, "job restarted by an operator");
                drop(run);
                entry.info().restarts += 1;
                continue;
            }
        };
        match ended {
            Ok(()) => {
                entry.enter(State::Ended);
                entry.restart.notified().await;
            }
            Err(failure) => {
                if begun.elapsed() >= HEALTHY_AFTER {
                    pause = FIRST_PAUSE;
                }
                let failure: String = failure.chars().take(MAX_FAILURE).collect();
                tracing::warn!(kind, target, failure, pause = pause.as_secs(), "job failed");
                entry.info().failure = Some(failure);
                entry.enter(State::Waiting);
                tokio::select! {
                    () = sleep(pause) => {}
                    () = entry.restart.notified() => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        entry.info().restarts += 1;
    }
}

/// A run that is aborted together with its supervisor.
struct Run(tokio::task::JoinHandle<Result<(), String>>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.abort();
    }
}
