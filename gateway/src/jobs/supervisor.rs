//! Runs jobs and restarts them after failures, with back-off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::service::{Greeting, Job};

/// Maximum number of jobs that run, wait or have ended and are still listed.
pub(super) const MAX_JOBS: usize = 256;
/// Maximum number of ended jobs that stay in the list. Beyond it, those that ended first are removed.
pub(super) const MAX_ENDED_JOBS: usize = 64;
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
pub enum JobState {
    /// The job is running.
    Running,
    /// The job failed and will be restarted.
    Waiting,
    /// The job has ended and is not restarted automatically.
    Ended,
}

impl JobState {
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
pub struct JobInfo {
    /// Unique in this run of the gateway.
    pub id: u64,
    /// The kind of job, in one word.
    pub kind: &'static str,
    /// The stream or address that the job works on.
    pub target: String,
    /// The current state.
    pub state: JobState,
    /// Time of the last state change.
    pub since: SystemTime,
    /// Number of restarts after a failure or by an operator.
    pub restarts: u64,
    /// The error of the last run, if it failed.
    pub failure: Option<String>,
}

/// A job in the list.
struct JobEntry {
    job: Box<dyn Job>,
    restart: Notify,
    /// Stops the job's supervisor.
    stop: CancellationToken,
    info: Mutex<JobInfo>,
}

impl JobEntry {
    fn info(&self) -> MutexGuard<'_, JobInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, state: JobState) {
        let mut info = self.info();
        (info.state, info.since) = (state, SystemTime::now());
    }
}

/// There is no job of this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownJob;

/// The list of jobs.
#[derive(Default)]
struct JobTable {
    next: u64,
    entries: BTreeMap<u64, Arc<JobEntry>>,
}

/// All jobs of a gateway. Cloning shares them.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<JobTable>>);

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Jobs").field(&self.list()).finish()
    }
}

impl Jobs {
    fn table(&self) -> MutexGuard<'_, JobTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `job` until `stop`, on the current runtime. Returns `None` if the maximum number of jobs is
    /// reached. An ended job stays in the list, until [`Jobs::remove`] or until many others have ended later.
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
        let info = JobInfo {
            id,
            kind: job.kind(),
            target: job.target(),
            state: JobState::Running,
            since: SystemTime::now(),
            restarts: 0,
            failure: None,
        };
        let (stop, restart) = (stop.child_token(), Notify::new());
        let entry = Arc::new(JobEntry { job, restart, stop, info: Mutex::new(info) });
        table.entries.insert(id, entry.clone());
        let (jobs, context) = (Arc::downgrade(&self.0), context.clone());
        tokio::spawn(async move {
            let ended = || {
                if let Some(table) = jobs.upgrade() {
                    Self(table).remove_oldest_ended();
                }
            };
            tokio::select! {
                () = supervise(&entry, &context, ended) => {}
                () = entry.stop.cancelled() => {}
            }
            entry.set_state(JobState::Ended);
            ended();
        });
        Some(id)
    }

    /// Returns all jobs, oldest first.
    pub fn list(&self) -> Vec<JobInfo> {
        // What a job works on changes with the settings.
        let info = |entry: &Arc<JobEntry>| JobInfo { target: entry.job.target(), ..entry.info().clone() };
        self.table().entries.values().map(info).collect()
    }

    /// Stops the job's current run, if any, and starts it again immediately.
    ///
    /// # Errors
    /// There is no such job.
    pub fn restart(&self, id: u64) -> Result<(), UnknownJob> {
        self.table().entries.get(&id).ok_or(UnknownJob)?.restart.notify_one();
        Ok(())
    }

    /// Stops the job, and removes it from the list.
    ///
    /// # Errors
    /// There is no such job.
    pub fn remove(&self, id: u64) -> Result<(), UnknownJob> {
        let removed = self.table().entries.remove(&id).ok_or(UnknownJob)?;
        removed.stop.cancel();
        Ok(())
    }

    /// Removes the jobs that ended first, while more than [`MAX_ENDED_JOBS`] have ended.
    fn remove_oldest_ended(&self) {
        let mut table = self.table();
        let ended = table.entries.iter().filter_map(|(id, entry)| {
            let info = entry.info();
            (info.state == JobState::Ended).then_some((info.since, *id))
        });
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable();
        for (_, id) in ended.iter().take(ended.len().saturating_sub(MAX_ENDED_JOBS)) {
            if let Some(removed) = table.entries.remove(id) {
                removed.stop.cancel();
            }
        }
    }

    /// Adds the lines of all jobs to the greeting.
    pub fn greet(&self, greeting: &mut Greeting) {
        self.table().entries.values().for_each(|entry| entry.job.greet(greeting));
    }
}

/// Runs the job, and restarts it after a failure or when an operator asks for it. Calls `on_end` when a run has
/// completed its work.
async fn supervise(entry: &JobEntry, context: &Context, on_end: impl Fn()) {
    let mut pause = FIRST_PAUSE;
    loop {
        entry.set_state(JobState::Running);
        let (kind, target) = (entry.job.kind(), entry.job.target());
        let begun = Instant::now();
        // A separate task, so that a panic only ends this run.
        let mut run = AbortOnDrop(tokio::spawn(entry.job.run(context)));
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
                entry.set_state(JobState::Ended);
                on_end();
                entry.restart.notified().await;
            }
            Err(failure) => {
                if begun.elapsed() >= HEALTHY_AFTER {
                    pause = FIRST_PAUSE;
                }
                let failure: String = failure.chars().take(MAX_FAILURE).collect();
                tracing::warn!(kind, target, failure, pause = pause.as_secs(), "job failed");
                entry.info().failure = Some(failure);
                entry.set_state(JobState::Waiting);
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
struct AbortOnDrop(tokio::task::JoinHandle<Result<(), String>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
