use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::supervisor::{MAX_ENDED_JOBS, MAX_JOBS};
use super::{JobState, Jobs};
use crate::context::Context;
use crate::core::auth::Auth;
use crate::limits::LimitSettings;
use crate::service::{Job, Run};

/// A job whose first runs fail: by an error, and by a panic. After `fails` runs it keeps running.
struct Flaky {
    fails: usize,
    runs: Arc<AtomicUsize>,
}

impl Job for Flaky {
    fn kind(&self) -> &'static str {
        "flaky"
    }

    fn target(&self) -> String {
        "live/x".to_owned()
    }

    fn run(&self, _: &Context) -> Run {
        let (run, fails) = (self.runs.fetch_add(1, Ordering::Relaxed), self.fails);
        Box::pin(async move {
            assert!(run >= fails || run.is_multiple_of(2), "run {run} panics");
            if run < fails {
                return Err(format!("run {run} fails {}", "x".repeat(1000)));
            }
            std::future::pending().await
        })
    }
}

fn start(fails: usize) -> (Jobs, Arc<AtomicUsize>, CancellationToken) {
    let context = Context::new(LimitSettings::default(), Auth::default());
    let (jobs, runs, stop) = (Jobs::default(), Arc::new(AtomicUsize::new(0)), CancellationToken::new());
    let job = Flaky { fails, runs: runs.clone() };
    assert_eq!(jobs.add(Box::new(job), &context, &stop), Some(1));
    (jobs, runs, stop)
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_started_again_after_growing_pauses() {
    let begun = Instant::now();
    let (jobs, runs, stop) = start(3);
    while runs.load(Ordering::Relaxed) < 4 {
        sleep(Duration::from_millis(100)).await;
    }
    // 1 + 2 + 4 s.
    let took = begun.elapsed().as_secs_f64();
    assert!((7.0..7.5).contains(&took), "{took}");
    let info = jobs.list().remove(0);
    assert_eq!((info.state, info.restarts, info.kind), (JobState::Running, 3, "flaky"));
    let failure = info.failure.unwrap();
    assert!(failure.starts_with("run 2 fails") && failure.len() <= 300, "{failure}");
    stop.cancel();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(jobs.list()[0].state, JobState::Ended);
}

#[tokio::test(start_paused = true)]
async fn an_operator_starts_a_job_anew_while_it_runs_waits_or_has_ended() {
    let (jobs, runs, _stop) = start(2);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(jobs.list()[0].state, JobState::Waiting);
    for expected in [2, 3, 4] {
        jobs.restart(1).unwrap();
        sleep(Duration::from_millis(100)).await;
        assert_eq!(runs.load(Ordering::Relaxed), expected);
    }
    assert_eq!((jobs.list()[0].state, jobs.list()[0].restarts), (JobState::Running, 3));
    assert!(jobs.restart(2).is_err());
}

#[tokio::test(start_paused = true)]
async fn there_is_a_bound_to_the_number_of_jobs() {
    let context = Context::new(LimitSettings::default(), Auth::default());
    let (jobs, stop) = (Jobs::default(), CancellationToken::new());
    let add = || jobs.add(Box::new(Flaky { fails: 0, runs: Arc::default() }), &context, &stop);
    let added = (0..MAX_JOBS + 10).filter(|_| add().is_some()).count();
    assert_eq!(added, MAX_JOBS);
    jobs.remove(7).unwrap();
    assert!(add().is_some() && add().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_removed_job_stops_and_leaves_the_list() {
    let (jobs, runs, _stop) = start(0);
    sleep(Duration::from_millis(1)).await;
    assert_eq!((runs.load(Ordering::Relaxed), Arc::strong_count(&runs)), (1, 2));
    jobs.remove(1).unwrap();
    assert!(jobs.list().is_empty() && jobs.remove(1).is_err() && jobs.restart(1).is_err());
    sleep(Duration::from_millis(1)).await;
    assert_eq!(Arc::strong_count(&runs), 1, "the job is dropped with its run");
}

/// A job that has nothing to do.
struct Done;

impl Job for Done {
    fn kind(&self) -> &'static str {
        "done"
    }

    fn target(&self) -> String {
        String::new()
    }

    fn run(&self, _: &Context) -> Run {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(start_paused = true)]
async fn the_jobs_that_ended_first_are_removed() {
    let (jobs, _, stop) = start(0);
    let context = Context::new(LimitSettings::default(), Auth::default());
    for id in 2..2 + MAX_JOBS as u64 {
        assert_eq!(jobs.add(Box::new(Done), &context, &stop), Some(id));
        sleep(Duration::from_millis(1)).await;
    }
    let list = jobs.list();
    assert_eq!((list[0].id, list[0].state), (1, JobState::Running), "a job that runs stays");
    assert_eq!(list.len(), 1 + MAX_ENDED_JOBS);
    assert_eq!(list.last().unwrap().id, 1 + MAX_JOBS as u64, "the newest stay");
    // An ended job that is still listed can be started again.
    jobs.restart(list[1].id).unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(jobs.list()[1].restarts, 1);
}
