//! A slate as a job: guards each stream that fits.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::guard::Guard;
use super::settings::{SlateRule, SlateSettings};
use crate::context::Context;
use crate::service::{Job, Run};

/// Maximum number of encoders of one slate at the same time.
const MAX_ENCODERS: usize = 1;

/// A slate of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlateJob {
    rule: SlateRule,
    limit: Duration,
}

impl SlateJob {
    /// Returns the jobs of the settings.
    pub(super) fn all(settings: &SlateSettings) -> Vec<Self> {
        let limit = Duration::from_secs(settings.slate_limit);
        settings.slate.iter().map(|rule| Self { rule: rule.clone(), limit }).collect()
    }

    /// Returns the pattern of its streams.
    pub(super) fn streams(&self) -> &str {
        &self.rule.stream
    }
}

impl Job for SlateJob {
    fn kind(&self) -> &'static str {
        "slate"
    }

    fn target(&self) -> String {
        format!("{} for {}", self.rule.path.display(), self.rule.stream)
    }

    fn run(&self, context: &Context) -> Run {
        let (hub, rule, limit) = (context.hub.clone(), self.rule.clone(), self.limit);
        Box::pin(async move {
            let pattern = rule.pattern().map_err(str::to_owned)?;
            let encoders = Arc::new(Semaphore::new(MAX_ENCODERS));
            let mut streams = hub.watch();
            // Dropping the set ends its tasks.
            let mut guards = JoinSet::new();
            loop {
                let stream = tokio::select! {
                    stream = streams.next() => stream,
                    Some(_) = guards.join_next() => continue,
                };
                let Some(stream) = stream else { return Ok(()) };
                if pattern.has(stream.name()) {
                    let path = rule.path.clone();
                    guards.spawn(
                        Guard { hub: hub.clone(), stream, path, limit, encoders: encoders.clone() }.run(),
                    );
                }
            }
        })
    }
}
