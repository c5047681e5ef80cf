//! A forward as a job: starts a target for each stream that fits.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::task::JoinSet;

use super::settings::ForwardRule;
use super::status::{SharedStatus, TargetStatus};
use super::target::{self, Shared};
use crate::context::Context;
use crate::core::auth::StreamPattern;
use crate::core::hub::Stream;
use crate::net::worker::Workers;
use crate::remote::{Hidden, Template};
use crate::service::{Job, Run};

/// Where a forward comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardOrigin {
    /// The settings.
    Settings,
    /// A request of the operator; it is kept over a restart.
    Api,
    /// The answer of a hook: it is for the stream that is live now, and ends with it.
    Hook,
}

impl ForwardOrigin {
    /// Returns the name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Api => "api",
            Self::Hook => "hook",
        }
    }
}

/// A rule, and the state of its targets.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) streams: StreamPattern,
    pub(super) to: Template,
    /// The token for a WHIP server.
    pub(super) token: Hidden,
    origin: Mutex<ForwardOrigin>,
    targets: Mutex<Vec<Weak<SharedStatus>>>,
}

impl Forward {
    pub(super) fn new(streams: StreamPattern, to: Template, token: Hidden, origin: ForwardOrigin) -> Self {
        Self { streams, to, token, origin: Mutex::new(origin), targets: Mutex::default() }
    }

    pub(super) fn origin(&self) -> ForwardOrigin {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_origin(&self, origin: ForwardOrigin) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin;
    }

    /// Returns whether both send the same streams to the same place.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (&self.streams, &self.to, &self.token) == (&other.streams, &other.to, &other.token)
    }

    /// Returns the rule from which this forward was made.
    pub(super) fn rule(&self) -> ForwardRule {
        ForwardRule { stream: self.streams.to_string(), to: self.to.clone(), token: self.token.clone() }
    }

    /// Returns the states of the targets.
    pub(super) fn targets(&self) -> Vec<TargetStatus> {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.iter().filter_map(Weak::upgrade).map(|status| status.get()).collect()
    }

    fn add_target(&self, stream: &Stream) -> Arc<SharedStatus> {
        let status = Arc::new(SharedStatus::new(stream.name().clone()));
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|known| known.strong_count() > 0);
        targets.push(Arc::downgrade(&status));
        status
    }
}

/// The job of a rule. Its targets run on the network threads.
#[derive(Debug)]
pub(super) struct ForwardJob {
    pub(super) forward: Arc<Forward>,
    pub(super) shared: Shared,
    pub(super) workers: Workers,
}

impl Job for ForwardJob {
    fn kind(&self) -> &'static str {
        "forward"
    }

    fn target(&self) -> String {
        format!("{} to {}", self.forward.streams, self.forward.to)
    }

    fn run(&self, context: &Context) -> Run {
        let (forward, shared, workers) = (self.forward.clone(), self.shared.clone(), self.workers.clone());
        let mut streams = context.hub.watch();
        let is_over = match (&forward.streams, forward.origin()) {
            // The stream may have ended while its back end was asked; the next one of its name is another one.
            (StreamPattern::One(name), ForwardOrigin::Hook) => context.hub.stream(name).is_none(),
            _ => false,
        };
        Box::pin(async move {
            if is_over {
                return Ok(());
            }
            // Dropping the set ends its tasks.
            let mut targets = JoinSet::new();
            loop {
                let stream = tokio::select! {
                    stream = streams.next() => stream,
                    Some(_) = targets.join_next() => {
                        if forward.origin() == ForwardOrigin::Hook && targets.is_empty() {
                            return Ok(());
                        }
                        continue;
                    }
                };
                let Some(stream) = stream else { return Ok(()) };
                if !forward.streams.has(stream.name()) {
                    continue;
                }
                match forward.to.fill(stream.name()) {
                    Ok(address) => {
                        let (status, to) = (forward.add_target(&stream), (address, forward.token.clone()));
                        let run = target::run(stream.clone(), to, status, shared.clone());
                        targets.spawn_on(run, workers.next());
                    }
                    Err(error) => tracing::warn!(stream = %stream.name(), %error, "stream not forwarded"),
                }
            }
        })
    }
}
