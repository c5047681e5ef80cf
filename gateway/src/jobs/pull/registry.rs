//! The pulls of the gateway.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::entries::{Known, PullInfo, Running, State};
use super::error::PullError;
use super::job::{PullJob, Shared};
use super::kept::PullFile;
use super::origin::PullOrigin;
use super::rule::Rule;
use super::settings::{PullRule, PullSettings};
use super::status::SharedStatus;
use crate::context::Context;
use crate::core::auth::StreamPattern;
use crate::core::hub::StreamName;
use crate::jobs::{JobState, Jobs};
use crate::net::worker::Workers;
use crate::remote::{ConnectionLimit, Dialer};
use crate::service::StartError;

/// Maximum number of pulls and files, from the settings and from the API together.
pub const MAX_PULLS: usize = 64;
/// Maximum number of streams that wait for room among those that are pulled.
const MAX_WAITING: usize = 16;

/// The content of [`Pulls`].
#[derive(Debug)]
struct Inner {
    jobs: Jobs,
    context: Context,
    stop: CancellationToken,
    /// Runs the jobs. Threads of other runtimes add pulls, too.
    runtime: Handle,
    shared: Shared,
    file: PullFile,
    /// Whether the last stream that was wanted found no room; then the log has said so.
    is_full: AtomicBool,
    state: Mutex<State>,
    /// The rules of [`State`] by which streams are pulled on demand. The network threads read them, and must not wait
    /// until rules are stored.
    on_demand: RwLock<Arc<[Arc<Rule>]>>,
}

/// All pulls. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Pulls(Arc<Inner>);

/// The pulls, once they are started. Cloning shares them.
pub type LatePulls = Arc<OnceLock<Pulls>>;

impl Pulls {
    /// Checks the pulls of the settings, before anything starts.
    ///
    /// # Errors
    /// A pull is not valid; the text names its streams, not its address.
    pub fn check(settings: &PullSettings) -> Result<(), PullError> {
        let rules = Rule::all(settings).map_err(PullError::Request)?;
        if rules.len() > MAX_PULLS { Err(PullError::TooMany) } else { Ok(()) }
    }

    /// Starts the pulls of the settings, and those of the API that are kept in the folder `data`; they end with `stop`.
    /// Call it before the first viewer comes.
    ///
    /// # Errors
    /// The file with the pulls of the API is not readable.
    pub fn start(
        settings: &PullSettings,
        (dialer, data): (Dialer, &Path),
        jobs: &Jobs,
        (context, workers, stop): (&Context, &Workers, &CancellationToken),
    ) -> Result<Self, StartError> {
        let shared = Shared {
            dialer,
            workers: workers.clone(),
            limit: ConnectionLimit::new(settings.pull_max),
            linger: Duration::from_secs(settings.pull_linger),
        };
        let file = PullFile::new(data);
        let kept = file.read().map_err(|error| StartError::File("--data", file.path().to_owned(), error))?;
        let pulls = Self(Arc::new(Inner {
            jobs: jobs.clone(),
            context: context.clone(),
            stop: stop.clone(),
            runtime: Handle::current(),
            shared,
            file,
            is_full: AtomicBool::new(false),
            state: Mutex::default(),
            on_demand: RwLock::default(),
        }));
        context.hub.add_origin(Arc::new(PullOrigin::new(pulls.clone())));
        pulls.set(settings);
        for rule in &kept {
            let made = Rule::of_pull(rule).map_err(PullError::Request);
            if let Err(error) = made.and_then(|rule| pulls.insert(&mut pulls.state(), rule, false)) {
                tracing::warn!(streams = rule.stream, %error, "pull of the API not started");
            }
        }
        Ok(pulls)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pulls by these settings from now on. A pull that was there before keeps its connections; those that are not in the
    /// settings end. The settings must be valid.
    pub fn set(&self, settings: &PullSettings) {
        let wanted = Rule::all(settings).unwrap_or_default();
        {
            let _inside = self.0.runtime.enter();
            self.0.shared.limit.set(settings.pull_max);
        }
        let mut state = self.state();
        let gone = |known: &Known| known.is_set && !wanted.contains(&known.rule);
        let ended: Vec<u64> = state.rules.iter().filter(|known| gone(known)).map(|known| known.id).collect();
        ended.into_iter().for_each(|id| self.end(&mut state, id));
        // One of the API that is in the settings now must not come back from the file.
        let was_kept = state.rules.iter().any(|known| !known.is_set && wanted.contains(&known.rule));
        // The first rule that fits counts, so the order of the settings does.
        let before = std::mem::take(&mut state.rules);
        let (mut before, mut rest): (Vec<_>, Vec<_>) =
            before.into_iter().partition(|known| wanted.contains(&known.rule));
        for rule in wanted {
            match before.iter().position(|known| *known.rule == rule) {
                Some(index) => state.rules.push(Known { is_set: true, ..before.swap_remove(index) }),
                None => {
                    let streams = rule.streams.to_string();
                    // The rest counts for the limit, too.
                    let room = state.rules.len() + before.len() + rest.len() < MAX_PULLS;
                    let added = if room {
                        self.insert(&mut state, rule, true).map(drop)
                    } else {
                        Err(PullError::TooMany)
                    };
                    if let Err(error) = added {
                        tracing::warn!(streams, %error, "pull of the settings not started");
                    }
                }
            }
        }
        state.rules.append(&mut rest);
        self.tell_hub(&state);
        if was_kept && let Err(error) = self.store(&state, None) {
            tracing::warn!(%error, "a pull of the API is in the settings and in the data folder now");
        }
    }

    /// Pulls by `rule` from now on, also after a restart. Returns the id of the pull.
    ///
    /// # Errors
    /// The rule is not valid, exists already, cannot be stored, or there are too many.
    pub fn add(&self, rule: &PullRule) -> Result<u64, PullError> {
        let rule = Rule::of_pull(rule).map_err(PullError::Request)?;
        let mut state = self.state();
        let id = self.insert(&mut state, rule, false)?;
        self.store(&state, None).inspect_err(|_| self.end(&mut state, id))?;
        Ok(id)
    }

    /// Ends a pull and its connections. One of the settings begins again when the gateway starts.
    ///
    /// # Errors
    /// There is no such pull, or the change cannot be stored: then the pull stays.
    pub fn remove(&self, id: u64) -> Result<(), PullError> {
        let mut state = self.state();
        let known = state.rules.iter().find(|known| known.id == id).ok_or(PullError::Unknown)?;
        if !known.is_set {
            self.store(&state, Some(id))?;
        }
        self.end(&mut state, id);
        Ok(())
    }

    /// Stores the pulls of the API, without one of them.
    fn store(&self, state: &State, without: Option<u64>) -> Result<(), PullError> {
        let kept = state.rules.iter().filter(|known| !known.is_set && Some(known.id) != without);
        let kept: Vec<PullRule> = kept.filter_map(|known| known.rule.to_pull()).collect();
        self.0.file.write(&kept).map_err(|error| PullError::Store(error.to_string()))
    }

    fn insert(&self, state: &mut State, rule: Rule, is_set: bool) -> Result<u64, PullError> {
        if state.rules.len() >= MAX_PULLS {
            return Err(PullError::TooMany);
        }
        if state.rules.iter().any(|known| *known.rule == rule) {
            return Err(PullError::Twice);
        }
        let _inside = self.0.runtime.enter();
        state.last_id += 1;
        let (id, rule) = (state.last_id, Arc::new(rule));
        state.rules.push(Known { id, is_set, rule: rule.clone() });
        self.tell_hub(state);
        if let (StreamPattern::One(name), true) = (&rule.streams, rule.always) {
            self.pull(state, id, &rule, name);
        }
        Ok(id)
    }

    /// Ends a rule and its streams.
    fn end(&self, state: &mut State, id: u64) {
        state.rules.retain(|known| known.id != id);
        self.tell_hub(state);
        state.running.retain(|_, running| {
            if running.rule == id {
                let _ = self.0.jobs.remove(running.job);
            }
            running.rule != id
        });
    }

    /// Lets the hub know the rules of now.
    fn tell_hub(&self, state: &State) {
        let rules =
            state.rules.iter().map(|known| &known.rule).filter(|rule| !rule.always).cloned().collect();
        *self.0.on_demand.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Returns whether a stream is pulled on demand. Does not wait while the rules are stored.
    pub(super) fn pulls(&self, stream: &StreamName) -> bool {
        let on_demand = self.0.on_demand.read().unwrap_or_else(PoisonError::into_inner).clone();
        on_demand.iter().any(|rule| rule.streams.has(stream))
    }

    /// Starts the pull of a stream that a viewer wants, if there is one for it.
    pub(super) fn wanted(&self, stream: &StreamName) {
        let mut state = self.state();
        let known = state.rules.iter().find(|known| !known.rule.always && known.rule.streams.has(stream));
        if let Some((id, rule)) = known.map(|known| (known.id, known.rule.clone())) {
            self.pull(&mut state, id, &rule, stream);
        }
    }

    fn pull(&self, state: &mut State, id: u64, rule: &Rule, stream: &StreamName) {
        self.forget_ended(state);
        if state.running.contains_key(stream) {
            return;
        }
        // Viewers choose the names. Streams that are not there must not take the places of other jobs.
        let is_full =
            !rule.always && state.running.len() >= self.0.shared.limit.max().saturating_add(MAX_WAITING);
        let was_full = self.0.is_full.swap(is_full, Ordering::Relaxed);
        if is_full {
            if !was_full {
                tracing::warn!(%stream, "stream not pulled: too many wait for room among --pull-max");
            }
            return;
        }
        let from = match rule.from.of(stream) {
            Ok(from) => from,
            Err(error) => return tracing::warn!(%stream, %error, "stream not pulled"),
        };
        let status = Arc::new(SharedStatus::new(stream.clone()));
        let job =
            PullJob { from, always: rule.always, status: status.clone(), shared: self.0.shared.clone() };
        match self.0.jobs.add(Box::new(job), &self.0.context, &self.0.stop) {
            Some(job) => {
                state.running.insert(stream.clone(), Running { job, rule: id, status });
            }
            None => tracing::warn!(%stream, "stream not pulled: there are too many jobs"),
        }
    }

    /// Removes the pulled streams whose jobs have ended.
    fn forget_ended(&self, state: &mut State) {
        let jobs = self.0.jobs.list();
        state.running.retain(|_, pull| {
            let job = jobs.iter().find(|job| job.id == pull.job);
            let ended = job.is_none_or(|job| job.state == JobState::Ended);
            if ended {
                let _ = self.0.jobs.remove(pull.job);
            }
            !ended
        });
    }

    /// Returns all pulls, those of the settings first.
    pub fn list(&self) -> Vec<PullInfo> {
        let mut state = self.state();
        self.forget_ended(&mut state);
        let sources = |id| state.running.values().filter(move |pull| pull.rule == id);
        let info = |known: &Known| PullInfo {
            id: known.id,
            is_set: known.is_set,
            streams: known.rule.streams.to_string(),
            from: known.rule.from.to_string(),
            always: known.rule.always,
            sources: sources(known.id).map(|pull| pull.status.get()).collect(),
        };
        state.rules.iter().map(info).collect()
    }
}
