//! The pulls of the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::job::{PullJob, Shared};
use super::origin::PullOrigin;
use super::settings::{FileRule, PullRule, PullSettings};
use super::source::SourceAddress;
use super::status::{PullStatus, SharedStatus};
use crate::context::Context;
use crate::core::auth::StreamPattern;
use crate::core::hub::StreamName;
use crate::jobs::{JobState, Jobs};
use crate::net::worker::Workers;
use crate::remote::{AddressError, Dialer, Template};

/// Maximum number of pulls and files in the settings.
pub const MAX_PULLS: usize = 64;
/// Maximum number of streams that wait for room among those that are pulled.
const MAX_WAITING: usize = 16;
/// Maximum number of files of one stream.
const MAX_FILES: usize = 1000;

/// Why a pull of the settings cannot be used. The text does not contain the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullError(String);

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PullError {}

/// A pull as the API lists it.
#[derive(Debug, Clone)]
pub struct PullInfo {
    /// The pattern of the streams.
    pub streams: String,
    /// The address without its key.
    pub from: String,
    /// Whether the stream is pulled at all times.
    pub always: bool,
    /// The streams that are being pulled.
    pub sources: Vec<PullStatus>,
}

#[derive(Debug)]
struct Rule {
    streams: StreamPattern,
    from: RuleFrom,
    always: bool,
}

/// Where the streams of a rule come from.
#[derive(Debug)]
enum RuleFrom {
    Remote(Template),
    Files(Vec<PathBuf>),
}

impl RuleFrom {
    fn of(&self, stream: &StreamName) -> Result<SourceAddress, AddressError> {
        Ok(match self {
            Self::Remote(template) => SourceAddress::Remote(template.fill(stream)?),
            Self::Files(files) => SourceAddress::Files(files.clone()),
        })
    }
}

impl fmt::Display for RuleFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Remote(template) => template.fmt(f),
            Self::Files(files) => SourceAddress::Files(files.clone()).fmt(f),
        }
    }
}

/// A pulled stream: its job, its rule and its state.
#[derive(Debug)]
struct Running {
    job: u64,
    rule: usize,
    status: Arc<SharedStatus>,
}

/// The content of [`Pulls`].
#[derive(Debug)]
struct Inner {
    jobs: Jobs,
    context: Context,
    stop: CancellationToken,
    shared: Shared,
    rules: Vec<Rule>,
    /// Maximum number of streams that are pulled at the same time.
    max: usize,
    /// Whether the last stream that was wanted found no room; then the log has said so.
    is_full: AtomicBool,
    running: Mutex<BTreeMap<StreamName, Running>>,
}

/// All pulls. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Pulls(Arc<Inner>);

impl Pulls {
    /// Checks the pulls of the settings, before anything starts.
    ///
    /// # Errors
    /// A pull is not valid; the text names its streams, not its address.
    pub fn check(settings: &PullSettings) -> Result<(), PullError> {
        let rules = rules(settings)?;
        if rules.len() > MAX_PULLS {
            return Err(PullError(format!("there may be at most {MAX_PULLS} pulls and files")));
        }
        Ok(())
    }

    /// Starts the pulls of the settings; they end with `stop`. Call it before the first viewer comes.
    pub fn start(
        settings: &PullSettings,
        dialer: Dialer,
        jobs: &Jobs,
        (context, workers, stop): (&Context, &Workers, &CancellationToken),
    ) -> Self {
        let max = settings.pull_max.clamp(1, Semaphore::MAX_PERMITS);
        let shared = Shared {
            dialer,
            workers: workers.clone(),
            permits: Arc::new(Semaphore::new(max)),
            linger: Duration::from_secs(settings.pull_linger),
        };
        let pulls = Self(Arc::new(Inner {
            jobs: jobs.clone(),
            context: context.clone(),
            stop: stop.clone(),
            shared,
            // They were checked before.
            rules: rules(settings).unwrap_or_default(),
            max,
            is_full: AtomicBool::new(false),
            running: Mutex::default(),
        }));
        if pulls.0.rules.iter().any(|rule| !rule.always) {
            // There is no other origin.
            context.hub.set_origin(Box::new(PullOrigin::new(pulls.clone())));
        }
        for (index, rule) in pulls.0.rules.iter().enumerate() {
            if let (true, StreamPattern::One(name)) = (rule.always, &rule.streams) {
                pulls.pull(index, rule, name);
            }
        }
        pulls
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<StreamName, Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the pull of a stream that a viewer wants, if there is one for it.
    pub(super) fn wanted(&self, stream: &StreamName) {
        let rule = self.0.rules.iter().enumerate().find(|(_, rule)| !rule.always && rule.streams.has(stream));
        if let Some((index, rule)) = rule {
            self.pull(index, rule, stream);
        }
    }

    fn pull(&self, index: usize, rule: &Rule, stream: &StreamName) {
        self.forget_ended();
        let mut running = self.running();
        if running.contains_key(stream) {
            return;
        }
        // Viewers choose the names. Streams that are not there must not take the places of other jobs.
        let is_full = !rule.always && running.len() >= self.0.max.saturating_add(MAX_WAITING);
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
                running.insert(stream.clone(), Running { job, rule: index, status });
            }
            None => tracing::warn!(%stream, "stream not pulled: there are too many jobs"),
        }
    }

    /// Removes the pulls whose jobs have ended.
    fn forget_ended(&self) {
        let mut running = self.running();
        let jobs = self.0.jobs.list();
        running.retain(|_, pull| {
            let job = jobs.iter().find(|job| job.id == pull.job);
            let ended = job.is_none_or(|job| job.state == JobState::Ended);
            if ended {
                let _ = self.0.jobs.remove(pull.job);
            }
            !ended
        });
    }

    /// Returns all pulls, in the order of the settings.
    pub fn list(&self) -> Vec<PullInfo> {
        self.forget_ended();
        let running = self.running();
        let info = |(index, rule): (usize, &Rule)| PullInfo {
            streams: rule.streams.to_string(),
            from: rule.from.to_string(),
            always: rule.always,
            sources: running
                .values()
                .filter(|pull| pull.rule == index)
                .map(|pull| pull.status.get())
                .collect(),
        };
        self.0.rules.iter().enumerate().map(info).collect()
    }
}

/// Returns a valid rule.
fn rule_of(rule: &PullRule) -> Result<Rule, PullError> {
    let error = |text: &str| PullError(format!("pull of {:?}: {text}", rule.stream));
    let streams = StreamPattern::try_from(rule.stream.clone()).map_err(error)?;
    let address = match &streams {
        StreamPattern::One(name) => rule.from.fill(name),
        _ if rule.always => return Err(error("a pull that is always on is for one stream")),
        _ => rule.from.check(),
    };
    address.map_err(|wrong| error(&wrong.to_string()))?;
    Ok(Rule { streams, from: RuleFrom::Remote(rule.from.clone()), always: rule.always })
}

/// Returns a valid rule of files.
fn rule_of_files(rule: &FileRule) -> Result<Rule, PullError> {
    let error = |text: &str| PullError(format!("file of {:?}: {text}", rule.stream));
    let name = StreamName::parse(&rule.stream).map_err(|wrong| error(&wrong.to_string()))?;
    let files = rule.path.all();
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(error(&format!("a stream has 1 to {MAX_FILES} files")));
    }
    if let Some(missing) = files.iter().find(|file| !file.is_file()) {
        return Err(error(&format!("{} is not a file", missing.display())));
    }
    Ok(Rule { streams: StreamPattern::One(name), from: RuleFrom::Files(files), always: !rule.on_demand })
}

fn rules(settings: &PullSettings) -> Result<Vec<Rule>, PullError> {
    settings.pull.iter().map(rule_of).chain(settings.file.iter().map(rule_of_files)).collect()
}
