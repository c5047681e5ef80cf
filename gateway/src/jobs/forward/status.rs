//! The state of a target.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::core::hub::StreamName;
use crate::core::hub::meter::Meter;

/// What a target does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// It waits for the stream's first media, or for room among the connections.
    Waiting,
    /// It connects.
    Connecting,
    /// It sends.
    Sending,
    /// The last try failed; the next one follows after a pause.
    Retrying,
    /// The server refused the stream, or does not take its codec; the next try follows after a long pause.
    Refused,
}

impl TargetState {
    /// Returns the state's name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Connecting => "connecting",
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Refused => "refused",
        }
    }
}

/// A copy of a target's state.
#[derive(Debug, Clone)]
pub struct TargetStatus {
    /// The stream that is sent.
    pub stream: StreamName,
    /// What the target does now.
    pub state: TargetState,
    /// Time of the last change of the state.
    pub since: SystemTime,
    /// Time of the next try, while there is a pause.
    pub next_try: Option<SystemTime>,
    /// Rate over the last 30 s, in kbit/s.
    pub kbps: u64,
    /// Bytes sent so far.
    pub sent_bytes: u64,
    /// Number of times that the target had to skip to the next key frame, because it was too slow.
    pub skipped: u64,
    /// Number of connections and tries so far.
    pub tries: u64,
    /// Why the last connection failed or ended, in the server's words if it gave any.
    pub last_words: Option<String>,
}

/// The parts that change together.
#[derive(Debug)]
struct State {
    state: TargetState,
    since: SystemTime,
    next_try: Option<SystemTime>,
    tries: u64,
    last_words: Option<String>,
}

/// The state of a target, shared by its task and the API.
#[derive(Debug)]
pub(super) struct SharedStatus {
    stream: StreamName,
    state: Mutex<State>,
    pub(super) sent: Meter,
    skipped: AtomicU64,
}

impl SharedStatus {
    pub(super) fn new(stream: StreamName) -> Self {
        let (state, since) = (TargetState::Waiting, SystemTime::now());
        let state = State { state, since, next_try: None, tries: 0, last_words: None };
        Self { stream, state: Mutex::new(state), sent: Meter::default(), skipped: AtomicU64::new(0) }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.state;
        change(&mut state);
        if state.state != before {
            state.since = SystemTime::now();
        }
    }

    pub(super) fn waiting(&self) {
        self.change(|state| (state.state, state.next_try) = (TargetState::Waiting, None));
    }

    pub(super) fn connecting(&self) {
        self.change(|state| {
            (state.state, state.next_try) = (TargetState::Connecting, None);
            state.tries += 1;
        });
    }

    pub(super) fn sending(&self) {
        self.change(|state| state.state = TargetState::Sending);
    }

    pub(super) fn failed(&self, words: String, refused: bool, next_try: SystemTime) {
        self.change(|state| {
            state.state = if refused { TargetState::Refused } else { TargetState::Retrying };
            (state.last_words, state.next_try) = (Some(words), Some(next_try));
        });
    }

    pub(super) fn skipped(&self, count: u64) {
        self.skipped.fetch_add(count, Ordering::Relaxed);
        metrics::counter!("lianmai_forward_skips_total").increment(count);
    }

    pub(super) fn get(&self) -> TargetStatus {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        TargetStatus {
            stream: self.stream.clone(),
            state: state.state,
            since: state.since,
            next_try: state.next_try,
            kbps: self.sent.kbps(),
            sent_bytes: self.sent.total(),
            skipped: self.skipped.load(Ordering::Relaxed),
            tries: state.tries,
            last_words: state.last_words.clone(),
        }
    }
}
