//! The forwards of the gateway.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::ForwardError;
use super::job::{Forward, ForwardJob, ForwardOrigin};
use super::kept::ForwardFile;
use super::settings::{ForwardRule, ForwardSettings};
use super::status::TargetStatus;
use super::target::Shared;
use crate::context::Context;
use crate::core::auth::StreamPattern;
use crate::core::hub::StreamName;
use crate::jobs::{JobState, Jobs};
use crate::net::worker::Workers;
use crate::remote::{ConnectionLimit, Dialer, Hidden, Template};
use crate::service::StartError;

/// Maximum number of forwards, from the settings and from the API together.
pub const MAX_FORWARDS: usize = 64;

/// A forward as the API lists it.
#[derive(Debug, Clone)]
pub struct ForwardInfo {
    /// The id, which is also the id of its job.
    pub id: u64,
    /// The pattern of the streams.
    pub streams: String,
    /// The address without its key.
    pub to: String,
    /// Where it comes from.
    pub origin: ForwardOrigin,
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
    /// Runs the jobs. Threads of other runtimes add forwards, too.
    runtime: Handle,
    shared: Shared,
    file: ForwardFile,
    forwards: Mutex<BTreeMap<u64, Arc<Forward>>>,
}

/// The forwards, once they are started. Cloning shares them.
pub type LateForwards = Arc<OnceLock<Forwards>>;

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

    /// Starts the forwards of the settings, and those of the API that are kept in the folder `data`; they end with
    /// `stop`. More can be added.
    ///
    /// # Errors
    /// The file with the forwards of the API is not readable.
    pub fn start(
        settings: &ForwardSettings,
        (dialer, data): (Dialer, &Path),
        jobs: &Jobs,
        (context, workers, stop): (&Context, &Workers, &CancellationToken),
    ) -> Result<Self, StartError> {
        let shared = Shared {
            hub: context.hub.clone(),
            dialer,
            limit: ConnectionLimit::new(settings.forward_max),
            reencoders: context.reencoders.clone(),
            id: context.ids.server.clone(),
        };
        let file = ForwardFile::new(data);
        let kept = file.read().map_err(|error| StartError::File("--data", file.path().to_owned(), error))?;
        let forwards = Self(Arc::new(Inner {
            jobs: jobs.clone(),
            context: context.clone(),
            workers: workers.clone(),
            stop: stop.clone(),
            runtime: Handle::current(),
            shared,
            file,
            forwards: Mutex::default(),
        }));
        forwards.set(settings);
        for rule in &kept {
            let made = make(rule, ForwardOrigin::Api);
            if let Err(error) = made.and_then(|forward| forwards.insert(&mut forwards.forwards(), forward)) {
                tracing::warn!(streams = rule.stream, %error, "forward of the API not started");
            }
        }
        Ok(forwards)
    }

    /// Sends by these settings from now on. A forward that was there before keeps its connections; those that are not in
    /// the settings end. The settings must be valid.
    pub fn set(&self, settings: &ForwardSettings) {
        self.forget_ended();
        {
            let _inside = self.0.runtime.enter();
            self.0.shared.limit.set(settings.forward_max);
        }
        let mut forwards = self.forwards();
        let wanted: Vec<_> =
            settings.forward.iter().filter_map(|rule| make(rule, ForwardOrigin::Settings).ok()).collect();
        forwards.retain(|id, known| {
            let stays =
                known.origin() != ForwardOrigin::Settings || wanted.iter().any(|new| new.is_same(known));
            if !stays {
                let _ = self.0.jobs.remove(*id);
            }
            stays
        });
        let mut was_kept = false;
        for forward in wanted {
            if let Some(known) = forwards.values().find(|known| known.is_same(&forward)) {
                // From now on it belongs to the settings, and must not come back from the file.
                was_kept |= known.origin() == ForwardOrigin::Api;
                known.set_origin(ForwardOrigin::Settings);
                continue;
            }
            let streams = forward.streams.to_string();
            if let Err(error) = self.insert(&mut forwards, forward) {
                tracing::warn!(streams, %error, "forward of the settings not started");
            }
        }
        if was_kept && let Err(error) = self.store(&forwards) {
            tracing::warn!(%error, "a forward of the API is in the settings and in the data folder now");
        }
    }

    fn forwards(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Forward>>> {
        self.0.forwards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the forwards whose jobs have ended, or were removed by an operator.
    fn forget_ended(&self) {
        if self.0.stop.is_cancelled() {
            // All jobs end with the gateway, and begin again with it.
            return;
        }
        let mut forwards = self.forwards();
        let (jobs, mut is_kept) = (self.0.jobs.list(), false);
        forwards.retain(|id, forward| {
            let ended = jobs.iter().find(|job| job.id == *id).is_none_or(|job| job.state == JobState::Ended);
            if ended {
                let _ = self.0.jobs.remove(*id);
                is_kept |= forward.origin() == ForwardOrigin::Api;
            }
            !ended
        });
        if is_kept && let Err(error) = self.store(&forwards) {
            tracing::warn!(%error, "the list of forwards cannot be stored: an ended one begins again with the gateway");
        }
    }

    /// Starts to send the streams of `rule`, those that are live and those that will be, also after a restart. Returns
    /// the forward's id.
    ///
    /// # Errors
    /// The rule is not valid, exists already, cannot be stored, or there are too many.
    pub fn add(&self, rule: &ForwardRule) -> Result<u64, ForwardError> {
        let forward = make(rule, ForwardOrigin::Api)?;
        self.forget_ended();
        let mut forwards = self.forwards();
        let id = self.insert(&mut forwards, forward)?;
        self.store(&forwards).map_err(|error| {
            // A forward that is gone after a restart helps nobody.
            forwards.remove(&id);
            let _ = self.0.jobs.remove(id);
            ForwardError::store(&error)
        })?;
        Ok(id)
    }

    /// Starts to send one live stream, until it has ended. This is for answers of hooks.
    ///
    /// # Errors
    /// The address is not valid, the stream is already sent there, or there are too many forwards.
    pub fn add_once(&self, stream: &StreamName, to: &str) -> Result<u64, ForwardError> {
        let rule =
            ForwardRule { stream: stream.to_string(), to: Template::new(to), token: Hidden::default() };
        let forward = make(&rule, ForwardOrigin::Hook)?;
        self.forget_ended();
        self.insert(&mut self.forwards(), forward)
    }

    fn insert(
        &self,
        forwards: &mut BTreeMap<u64, Arc<Forward>>,
        forward: Forward,
    ) -> Result<u64, ForwardError> {
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
        let _inside = self.0.runtime.enter();
        let id = self.0.jobs.add(Box::new(job), &self.0.context, &self.0.stop);
        let id = id.ok_or(ForwardError::Unavailable)?;
        forwards.insert(id, forward);
        Ok(id)
    }

    /// Stores the forwards of the API.
    fn store(&self, forwards: &BTreeMap<u64, Arc<Forward>>) -> io::Result<()> {
        let kept = forwards.values().filter(|forward| forward.origin() == ForwardOrigin::Api);
        self.0.file.write(&kept.map(|forward| forward.rule()).collect::<Vec<_>>())
    }

    /// Ends a forward and its connections. One of the settings begins again when the gateway starts.
    ///
    /// # Errors
    /// There is no such forward, or the change cannot be stored: then the forward stays.
    pub fn remove(&self, id: u64) -> Result<(), ForwardError> {
        let mut forwards = self.forwards();
        let removed = forwards.remove(&id).ok_or(ForwardError::Unknown)?;
        if removed.origin() == ForwardOrigin::Api
            && let Err(error) = self.store(&forwards)
        {
            forwards.insert(id, removed);
            return Err(ForwardError::store(&error));
        }
        self.0.jobs.remove(id).map_err(|_| ForwardError::Unknown)
    }

    /// Returns all forwards, oldest first.
    pub fn list(&self) -> Vec<ForwardInfo> {
        self.forget_ended();
        let info = |(id, forward): (&u64, &Arc<Forward>)| ForwardInfo {
            id: *id,
            streams: forward.streams.to_string(),
            to: forward.to.to_string(),
            origin: forward.origin(),
            targets: forward.targets(),
        };
        self.forwards().iter().map(info).collect()
    }
}

/// Returns the forward of a valid rule.
fn make(rule: &ForwardRule, origin: ForwardOrigin) -> Result<Forward, ForwardError> {
    Ok(Forward::new(check(rule)?, rule.to.clone(), rule.token.clone(), origin))
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
    let refused = |text: &str| Err(ForwardError::Request(text.to_owned()));
    if !address.scheme.is_rtmp() && !address.is_whip() {
        return refused(
            "forwards go to addresses that begin with rtmp://, rtmps://, http://, https:// or whip://",
        );
    }
    if !rule.token.is_empty() && !address.is_whip() {
        return refused("a token is for WHIP addresses only");
    }
    Ok(streams)
}
