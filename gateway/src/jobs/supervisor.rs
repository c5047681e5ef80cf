//! Running jobs: again after a failure, with pauses that grow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::service::{Greeting, Job};

/// Jobs at once at most.
const MAX_JOBS: usize = 256;
/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A run that lasted this long was healthy: the next failure is a first one again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// Characters of a failure's text that are kept.
const MAX_FAILURE: usize = 300;

/// What a job does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It failed and will be started again.
    Waiting,
    /// It has ended, and is not started again by itself.
    Ended,
}

impl State {
    /// The state's name in the API.
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
    /// What it does, in one word.
    pub kind: &'static str,
    /// What it does it with.
    pub target: String,
    /// What it does now.
    pub state: State,
    /// Since when.
    pub since: SystemTime,
    /// How often it was started again after a failure or by an operator.
    pub restarts: u64,
    /// Why the last run failed, if it did.
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

/// All jobs of a gateway. Cloning shares it.
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

    /// Runs `job` until `stop`, on the current runtime. None when there are as many jobs as there may be.
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

    /// All jobs, oldest first.
    pub fn list(&self) -> Vec<Info> {
        self.table().entries.values().map(|entry| entry.info().clone()).collect()
    }

    /// Ends the job's run, if it runs, and starts it anew at once.
    ///
    /// # Errors
    /// When there is no such job.
    pub fn restart(&self, id: u64) -> Result<(), Unknown> {
        self.table().entries.get(&id).ok_or(Unknown)?.restart.notify_one();
        Ok(())
    }

    /// Adds the lines of all jobs to the greeting.
    pub fn greet(&self, greeting: &mut Greeting) {
        self.table().entries.values().for_each(|entry| entry.job.greet(greeting));
    }
}

/// Runs the job, and again whenever it failed or an operator wants it anew.
async fn supervise(entry: &Entry, context: &Context) {
    let mut pause = FIRST_PAUSE;
    loop {
        entry.enter(State::Running);
        let (kind, target) = (entry.job.kind(), entry.job.target());
        let begun = Instant::now();
        // A task of its own, so that a panic ends this run and nothing else.
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

/// A run that ends with its supervisor.
struct Run(tokio::task::JoinHandle<Result<(), String>>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.abort();
    }
}
