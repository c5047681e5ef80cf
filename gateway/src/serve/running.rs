//! The parts of a running gateway whose settings change.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::api::{ApiParts, ServerFacts};
use crate::context::Context;
use crate::jobs::slate::Slates;
use crate::log::Log;
use crate::net::worker::Gate;
use crate::settings::Settings;

/// The parts that take new settings. A new part needs a few lines in [`RunningGateway::apply`].
pub(super) struct RunningGateway {
    pub(super) context: Context,
    /// Limits the connections.
    pub(super) gate: Gate,
    pub(super) parts: ApiParts,
    pub(super) slates: Slates,
    /// The settings that the API shows.
    pub(super) facts: Arc<ServerFacts>,
    pub(super) stop: CancellationToken,
}

impl RunningGateway {
    /// Applies the settings of `new` that differ from `current` and can change, and copies them there. They were
    /// checked before. What stays the same keeps running. Returns why some were not applied.
    pub(super) fn apply(&self, current: &mut Settings, new: &Settings, log: &Log) -> Vec<String> {
        let Self { context, gate, parts, slates, stop, .. } = self;
        let mut failed = Vec::new();
        if replace(&mut current.context.ip_lists, &new.context.ip_lists) {
            context.ip_lists.set(new.context.ip_lists.clone());
        }
        if replace(&mut current.context.limits, &new.context.limits) {
            context.set_limits(&new.context.limits);
            let limits = context.limits.get();
            gate.set_max(limits.connections, limits.connections_per_ip);
        }
        if new.hooks != current.hooks {
            match parts.hooks.set(&new.hooks, &current.data) {
                Ok(()) => current.hooks = new.hooks.clone(),
                Err(error) => failed.push(format!("hook: {error}")),
            }
        }
        if new.log.filter != current.log.filter {
            match log.set(&new.log.filter) {
                Ok(()) => current.log.filter.clone_from(&new.log.filter),
                Err(error) => failed.push(format!("log: {error}")),
            }
        }
        if replace(&mut current.forward, &new.forward)
            && let Some(forwards) = parts.forwards.get()
        {
            forwards.set(&new.forward);
        }
        let pulls = replace(&mut current.pull.pull, &new.pull.pull);
        let files = replace(&mut current.pull.file, &new.pull.file);
        let max = replace(&mut current.pull.pull_max, &new.pull.pull_max);
        if (pulls || files || max)
            && let Some(pulls) = parts.pulls.get()
        {
            pulls.set(&new.pull);
        }
        if replace(&mut current.slate, &new.slate) {
            slates.set(&new.slate, &parts.jobs, context, stop);
        }
        if replace(&mut current.record, &new.record) {
            parts.records.set(&new.record);
        }
        failed
    }
}

/// Replaces a value. Returns whether it differs.
fn replace<T: Clone + PartialEq>(current: &mut T, new: &T) -> bool {
    let differs = current != new;
    if differs {
        current.clone_from(new);
    }
    differs
}
