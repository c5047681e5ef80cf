//! What happened at an address: the last request and its answer, and counts, for the API.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::action::Action;
use super::client::Answer;
use super::event::Event;
use crate::core::text::clean;

/// Maximum number of characters of an answer that are kept.
const MAX_SHOWN: usize = 500;
/// The fields of a request that may contain secrets.
const SECRET_FIELDS: [&str; 2] = ["param", "pageUrl"];

/// The counts of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookCounts {
    /// Events that were delivered, and questions that were answered with yes.
    pub delivered: u64,
    /// Clients that the back end refused.
    pub refused: u64,
    /// Requests without a usable answer, tries included.
    pub failed: u64,
    /// Events that were given up after the last try.
    pub given_up: u64,
    /// Events that were dropped because too many waited.
    pub dropped: u64,
}

/// The last request.
#[derive(Debug, Clone)]
pub struct LastRequest {
    /// When it was sent.
    pub at: SystemTime,
    /// The action.
    pub action: &'static str,
    /// The JSON, without secrets.
    pub request: Value,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The start of the answer.
    pub answer: Option<String>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// Time until the answer.
    pub took: Duration,
}

/// The state of an address, for the operator.
#[derive(Debug, Clone)]
pub struct HookReport {
    /// The address without secrets.
    pub address: String,
    /// The actions that it gets.
    pub actions: Vec<&'static str>,
    /// Number of events that wait.
    pub waiting: usize,
    /// The counts.
    pub counts: HookCounts,
    /// The last request.
    pub last: Option<LastRequest>,
}

/// The content of a [`HookRecord`].
#[derive(Debug, Default)]
struct State {
    counts: HookCounts,
    last: Option<LastRequest>,
    /// Whether the last request failed: only changes are logged.
    failing: bool,
}

/// The record of an address.
#[derive(Debug, Default)]
pub(super) struct HookRecord(Mutex<State>);

impl HookRecord {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request and its answer. Logs when an address begins to fail, and when it works again.
    pub(super) fn sent(&self, hook: &str, event: &Event, answer: &Result<Answer, String>, took: Duration) {
        let mut state = self.state();
        let failed = answer.is_err();
        state.counts.failed += u64::from(failed);
        let action = event.action.name();
        match answer {
            Err(error) if !state.failing => {
                tracing::warn!(hook, action, error, "hook failed; further failures are only counted");
            }
            Ok(_) if state.failing => tracing::info!(hook, action, "hook works again"),
            _ => {}
        }
        state.failing = failed;
        state.last = Some(LastRequest {
            at: SystemTime::now() - took,
            action,
            request: without_secrets(&event.body),
            status: answer.as_ref().ok().map(|answer| answer.status.as_u16()),
            answer: answer.as_ref().ok().map(|answer| shown(event.action, &answer.body)),
            error: answer.as_ref().err().cloned(),
            took,
        });
    }

    /// Changes the counts.
    pub(super) fn count(&self, change: impl FnOnce(&mut HookCounts)) {
        change(&mut self.state().counts);
    }

    /// Returns the counts and the last request.
    pub(super) fn get(&self) -> (HookCounts, Option<LastRequest>) {
        let state = self.state();
        (state.counts, state.last.clone())
    }
}

fn shown(action: Action, text: &str) -> String {
    if action == Action::Forward {
        // Addresses of other servers hold keys.
        return format!("… ({} bytes, not shown)", text.len());
    }
    clean(text).chars().take(MAX_SHOWN).collect()
}

/// Returns the JSON of a request with its secrets hidden.
fn without_secrets(body: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
    for field in SECRET_FIELDS {
        if let Some(Value::String(text)) = value.get_mut(field)
            && let Some((start, _)) = text.split_once('?')
        {
            *text = format!("{start}?…");
        }
    }
    value
}
