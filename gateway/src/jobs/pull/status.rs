//! The state of a pulled stream.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::core::hub::StreamName;
use crate::core::hub::meter::Meter;

/// What a pull does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    /// It waits for room among the pulls.
    Waiting,
    /// Somebody else publishes the stream here.
    Yielding,
    /// It connects.
    Connecting,
    /// It receives.
    Receiving,
    /// The last try failed; the next one follows after a pause.
    Retrying,
}

impl PullState {
    /// Returns the state's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Yielding => "yielding",
            Self::Connecting => "connecting",
            Self::Receiving => "receiving",
            Self::Retrying => "retrying",
        }
    }
}

/// A copy of a pull's state.
#[derive(Debug, Clone)]
pub struct PullStatus {
    /// The stream.
    pub stream: StreamName,
    /// What the pull does now.
    pub state: PullState,
    /// Time of the last change of the state.
    pub since: SystemTime,
    /// Rate over the last 30 s, in kbit/s.
    pub kbps: u64,
    /// Bytes of media so far.
    pub received_bytes: u64,
    /// Number of connections and tries so far.
    pub tries: u64,
    /// Why the last connection failed or ended, in the server's words if it gave any.
    pub last_words: Option<String>,
}

#[derive(Debug)]
struct State {
    state: PullState,
    since: SystemTime,
    tries: u64,
    last_words: Option<String>,
}

/// The state of a pulled stream, shared by its task and the API.
#[derive(Debug)]
pub(super) struct SharedStatus {
    pub(super) stream: StreamName,
    pub(super) received: Meter,
    state: Mutex<State>,
}

impl SharedStatus {
    pub(super) fn new(stream: StreamName) -> Self {
        let state = State { state: PullState::Waiting, since: SystemTime::now(), tries: 0, last_words: None };
        Self { stream, received: Meter::default(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, new: PullState) {
        let mut state = self.state();
        state.tries += u64::from(new == PullState::Connecting);
        if state.state != new {
            (state.state, state.since) = (new, SystemTime::now());
        }
    }

    pub(super) fn failed(&self, words: String) {
        self.state().last_words = Some(words);
        self.set(PullState::Retrying);
    }

    pub(super) fn get(&self) -> PullStatus {
        let state = self.state();
        PullStatus {
            stream: self.stream.clone(),
            state: state.state,
            since: state.since,
            kbps: self.received.kbps(),
            received_bytes: self.received.total(),
            tries: state.tries,
            last_words: state.last_words.clone(),
        }
    }
}
