//! The forwards of the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::job::{Forward, ForwardJob};
use super::settings::{ForwardRule, ForwardSettings};
use super::status::TargetStatus;
use super::target::Shared;
use crate::context::Context;
use crate::core::auth::StreamPattern;
use crate::core::hub::StreamName;
use crate::jobs::{JobState, Jobs};
use crate::net::worker::Workers;
use crate::remote::{Dialer, Template};

/// Maximum number of forwards, from the settings and from the API together.
pub const MAX_FORWARDS: usize = 64;

/// Why a forward is not started. The texts do not contain the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForwardError {
    /// A value of the request is not valid.
    Request(String),
    /// There are as many forwards as allowed.
    TooMany,
    /// The same streams are already sent there.
    Twice,
    /// There is no such forward.
    Unknown,
    /// The gateway cannot start more jobs.
    Unavailable,
}

impl fmt::Display for ForwardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) => f.write_str(text),
            Self::TooMany => write!(f, "there are {MAX_FORWARDS} forwards, and no more are allowed: end one"),
            Self::Twice => f.write_str("these streams are already forwarded to this address"),
            Self::Unknown => f.write_str("there is no forward with this id"),
            Self::Unavailable => f.write_str("there are too many jobs"),
        }
    }
}

impl std::error::Error for ForwardError {}

/// A forward as the API lists it.
#[derive(Debug, Clone)]
pub struct ForwardInfo {
    /// The id, which is also the id of its job.
    pub id: u64,
    /// The pattern of the streams.
    pub streams: String,
    /// The address without its key.
    pub to: String,
    /// Whether it ends with the stream that is live now.
    pub once: bool,
    /// The streams that are being sent.
    pub targets: Vec<TargetStatus>,
}

/// The content of [`Forwards`].
#[derive(Debug)]
struct Inner {
    jobs: Jobs,
    context: Context,
    workers: Workers,
    stop: CancellationToken,
    shared: Shared,
    forwards: Mutex<BTreeMap<u64, Arc<Forward>>>,
}

/// All forwards. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Forwards(Arc<Inner>);

impl Forwards {
    /// Checks the forwards of the settings, before anything starts.
    ///
    /// # Errors
    /// A forward is not valid; the text names its streams, not its address.
    pub fn check(settings: &ForwardSettings) -> Result<(), ForwardError> {
        if settings.forward.len() > MAX_FORWARDS {
            return Err(ForwardError::TooMany);
        }
        settings.forward.iter().try_for_each(|rule| {
            let named = |error| ForwardError::Request(format!("forward of {:?}: {error}", rule.stream));
            check(rule).map(drop).map_err(named)
        })
    }

    /// Starts the forwards of the settings; they end with `stop`. More can be added.
    pub fn start(
        settings: &ForwardSettings,
        dialer: Dialer,
        jobs: &Jobs,
        (context, workers, stop): (&Context, &Workers, &CancellationToken),
    ) -> Self {
        let shared = Shared {
            hub: context.hub.clone(),
            dialer,
            permits: Arc::new(Semaphore::new(settings.forward_max.clamp(1, Semaphore::MAX_PERMITS))),
            id: context.ids.server.clone(),
        };
        let forwards = Self(Arc::new(Inner {
            jobs: jobs.clone(),
            context: context.clone(),
            workers: workers.clone(),
            stop: stop.clone(),
            shared,
            forwards: Mutex::default(),
        }));
        for rule in &settings.forward {
            if let Err(error) = forwards.add(rule) {
                tracing::warn!(streams = rule.stream, %error, "forward of the settings not started");
            }
        }
        forwards
    }

    fn forwards(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Forward>>> {
        self.0.forwards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the forwards whose jobs have ended.
    fn forget_ended(&self) {
        let mut forwards = self.forwards();
        let jobs = self.0.jobs.list();
        forwards.retain(|id, _| {
            let ended = jobs.iter().find(|job| job.id == *id).is_none_or(|job| job.state == JobState::Ended);
            if ended {
                let _ = self.0.jobs.remove(*id);
            }
            !ended
        });
    }

    /// Starts to send the streams of `rule`, those that are live and those that will be. Returns the forward's id.
    ///
    /// # Errors
    /// The rule is not valid, exists already, or there are too many.
    pub fn add(&self, rule: &ForwardRule) -> Result<u64, ForwardError> {
        self.insert(Forward::new(check(rule)?, rule.to.clone(), false))
    }

    /// Starts to send one live stream, until it has ended. This is for answers of hooks.
    ///
    /// # Errors
    /// The address is not valid, the stream is already sent there, or there are too many forwards.
    pub fn add_once(&self, stream: &StreamName, to: &str) -> Result<u64, ForwardError> {
        let to = Template::new(to);
        to.fill(stream).map_err(|error| ForwardError::Request(error.to_string()))?;
        self.insert(Forward::new(StreamPattern::One(stream.clone()), to, true))
    }

    fn insert(&self, forward: Forward) -> Result<u64, ForwardError> {
        self.forget_ended();
        let mut forwards = self.forwards();
        if forwards.len() >= MAX_FORWARDS {
            return Err(ForwardError::TooMany);
        }
        if forwards.values().any(|known| known.streams == forward.streams && known.to == forward.to) {
            return Err(ForwardError::Twice);
        }
        let forward = Arc::new(forward);
        let job = ForwardJob {
            forward: forward.clone(),
            shared: self.0.shared.clone(),
            workers: self.0.workers.clone(),
        };
        let id = self.0.jobs.add(Box::new(job), &self.0.context, &self.0.stop);
        let id = id.ok_or(ForwardError::Unavailable)?;
        forwards.insert(id, forward);
        Ok(id)
    }

    /// Ends a forward and its connections.
    ///
    /// # Errors
    /// There is no such forward.
    pub fn remove(&self, id: u64) -> Result<(), ForwardError> {
        self.forwards().remove(&id).ok_or(ForwardError::Unknown)?;
        self.0.jobs.remove(id).map_err(|_| ForwardError::Unknown)
    }

    /// Returns all forwards, oldest first.
    pub fn list(&self) -> Vec<ForwardInfo> {
        self.forget_ended();
        let info = |(id, forward): (&u64, &Arc<Forward>)| ForwardInfo {
            id: *id,
            streams: forward.streams.to_string(),
            to: forward.to.to_string(),
            once: forward.once,
            targets: forward.targets(),
        };
        self.forwards().iter().map(info).collect()
    }
}

/// Returns the pattern of a valid rule.
fn check(rule: &ForwardRule) -> Result<StreamPattern, ForwardError> {
    let streams = StreamPattern::try_from(rule.stream.clone());
    let streams = streams.map_err(|error| ForwardError::Request(error.to_owned()))?;
    let address = match &streams {
        StreamPattern::One(name) => rule.to.fill(name),
        _ => rule.to.check(),
    };
    let address = address.map_err(|error| ForwardError::Request(error.to_string()))?;
    if !address.scheme.is_rtmp() {
        return Err(ForwardError::Request("forwards go to rtmp:// and rtmps:// addresses".to_owned()));
    }
    Ok(streams)
}
