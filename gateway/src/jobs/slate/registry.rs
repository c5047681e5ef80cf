//! The slates of the gateway.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::job::SlateJob;
use super::settings::SlateSettings;
use crate::context::Context;
use crate::jobs::Jobs;

/// All slates. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Slates(Arc<Mutex<Vec<Running>>>);

/// A slate and its job.
#[derive(Debug)]
struct Running {
    slate: SlateJob,
    job: u64,
}

impl Slates {
    /// Guards streams by these settings from now on. A slate that was there before keeps its job; those that are not in
    /// the settings end. The settings must be valid. The jobs end with `stop`.
    pub fn set(&self, settings: &SlateSettings, jobs: &Jobs, context: &Context, stop: &CancellationToken) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *running);
        for slate in SlateJob::all(settings) {
            if let Some(index) = before.iter().position(|known| known.slate == slate) {
                running.push(before.swap_remove(index));
                continue;
            }
            match jobs.add(Box::new(slate.clone()), context, stop) {
                Some(job) => running.push(Running { slate, job }),
                None => {
                    tracing::warn!(streams = slate.streams(), "slate not started: there are too many jobs");
                }
            }
        }
        for ended in before {
            // An operator may have removed the job.
            let _ = jobs.remove(ended.job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::auth::Auth;
    use crate::jobs::slate::SlateRule;
    use crate::limits::LimitSettings;

    #[tokio::test]
    async fn a_slate_that_stays_keeps_its_job() {
        let context = Context::new(LimitSettings::default(), Auth::default());
        let (jobs, stop, slates) = (Jobs::default(), CancellationToken::new(), Slates::default());
        let settings = |streams: &[&str], slate_limit| SlateSettings {
            slate: streams
                .iter()
                .map(|s| SlateRule { stream: (*s).to_owned(), path: "soon.png".into() })
                .collect(),
            slate_limit,
        };
        let set = |streams: &[&str], limit| {
            slates.set(&settings(streams, limit), &jobs, &context, &stop);
            jobs.list().iter().map(|job| job.id).collect::<Vec<_>>()
        };
        let first = set(&["live/a", "live/b"], 600);
        assert_eq!(first.len(), 2);
        let second = set(&["live/c", "live/b"], 600);
        assert!(second.len() == 2 && second[0] == first[1] && !first.contains(&second[1]), "{second:?}");
        let third = set(&["live/b", "live/c"], 60);
        assert!(third.len() == 2 && third.iter().all(|job| !second.contains(job)), "{third:?}");
        assert!(set(&[], 60).is_empty());
        stop.cancel();
    }
}
