//! The mixes of the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio_util::sync::CancellationToken;

use super::control::Control;
use super::job::MixJob;
use super::request::{MixChange, MixRequest, check_card};
use super::settings::MixSettings;
use super::status::MixStatus;
use crate::context::Context;
use crate::core::admission::PublishGrant;
use crate::core::hub::{PublishError, StreamName};
use crate::jobs::{JobState, Jobs};

/// Why a mix is not started or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MixError {
    /// A value of the request is not valid.
    Request(String),
    /// The output has another publisher.
    Busy(String),
    /// There are as many mixes as allowed.
    TooMany(usize),
    /// There is no such mix.
    Unknown,
    /// The gateway cannot mix now.
    Unavailable(String),
}

impl fmt::Display for MixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(text) | Self::Unavailable(text) => f.write_str(text),
            Self::Busy(name) => write!(f, "{name:?} has a publisher: end it, or choose another output"),
            Self::TooMany(most) => write!(
                f,
                "{most} mixes run, and no more are allowed: end one, or raise the limit with --mix-max"
            ),
            Self::Unknown => f.write_str("there is no mix with this id; GET /api/v1/mixes lists all mixes"),
        }
    }
}

impl std::error::Error for MixError {}

/// A mix as the API lists it.
#[derive(Debug, Clone)]
pub struct MixInfo {
    /// The id of the mix, which is also the id of its job.
    pub id: u64,
    /// The inputs, the layout and the output.
    pub request: Arc<MixRequest>,
    /// Its state.
    pub status: MixStatus,
    /// The state of its job: a mix that has failed begins again.
    pub state: JobState,
    /// The error of the last run, if it failed.
    pub failure: Option<String>,
}

impl MixInfo {
    /// Returns whether the mix has failed and has not begun again.
    pub fn is_failing(&self) -> bool {
        self.failure.is_some() && self.state != JobState::Running
    }
}

#[derive(Debug)]
struct Shared {
    settings: Arc<MixSettings>,
    jobs: Jobs,
    begun: OnceLock<(Context, CancellationToken)>,
    mixes: Mutex<BTreeMap<u64, Arc<Control>>>,
}

/// All mixes. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Mixes(Arc<Shared>);

impl Default for Mixes {
    fn default() -> Self {
        Self::new(&MixSettings::default(), &Jobs::default())
    }
}

impl Mixes {
    /// Creates an empty list.
    pub fn new(settings: &MixSettings, jobs: &Jobs) -> Self {
        Self(Arc::new(Shared {
            settings: Arc::new(settings.clone()),
            jobs: jobs.clone(),
            begun: OnceLock::new(),
            mixes: Mutex::default(),
        }))
    }

    /// Starts the mixes of the settings. Mixes can be started from now on; they end with `stop`.
    pub fn begin(&self, context: &Context, stop: &CancellationToken) {
        if self.0.begun.set((context.clone(), stop.clone())).is_err() {
            return;
        }
        for request in &self.0.settings.mix {
            if let Err(error) = self.start(request.clone()) {
                tracing::warn!(output = request.output, %error, "mix of the settings not started");
            }
        }
    }

    fn mixes(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Control>>> {
        self.0.mixes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the mixes whose jobs have ended.
    fn forget_ended(&self) {
        // The list of jobs is read under the lock: a mix that starts meanwhile is in both or in none.
        let mut mixes = self.mixes();
        let jobs = self.0.jobs.list();
        mixes.retain(|id, _| {
            let ended = jobs.iter().find(|job| job.id == *id).is_none_or(|job| job.state == JobState::Ended);
            if ended {
                let _ = self.0.jobs.remove(*id);
            }
            !ended
        });
    }

    /// Starts a mix. Returns its id.
    ///
    /// # Errors
    /// The request is not valid, the output has a publisher, there are too many mixes, or ffmpeg is missing.
    pub fn start(&self, request: MixRequest) -> Result<u64, MixError> {
        let settings = &self.0.settings;
        let size = settings.mix_size;
        let request = request.or((size.width, size.height), settings.mix_rate);
        request.check().map_err(MixError::Request)?;
        super::children::check(&self.0.settings.mix_encoder).map_err(MixError::Unavailable)?;
        let Some((context, stop)) = self.0.begun.get() else {
            return Err(MixError::Unavailable("the gateway is starting".to_owned()));
        };
        let name = StreamName::parse(&request.output).map_err(|e| MixError::Request(e.to_string()))?;
        self.forget_ended();
        let mut mixes = self.mixes();
        let most = self.most();
        if mixes.len() >= most {
            return Err(MixError::TooMany(most));
        }
        if mixes.values().any(|control| control.request().output == request.output) {
            return Err(MixError::Busy(request.output));
        }
        match context.hub.available(&PublishGrant::for_job(&name, "mix")) {
            Ok(()) => {}
            Err(PublishError::Busy) => return Err(MixError::Busy(request.output)),
            Err(error) => return Err(MixError::Unavailable(error.to_string())),
        }
        let control = Arc::new(Control::new(request));
        let job = MixJob::new(control.clone(), self.0.settings.clone());
        let Some(id) = self.0.jobs.add(Box::new(job), context, stop) else {
            return Err(MixError::Unavailable("there are too many jobs".to_owned()));
        };
        mixes.insert(id, control);
        Ok(id)
    }

    /// Changes a running mix. Its viewers see no break.
    ///
    /// # Errors
    /// There is no such mix, or the changed mix would not be valid.
    pub fn change(&self, id: u64, change: MixChange) -> Result<(), MixError> {
        let control = self.mixes().get(&id).cloned().ok_or(MixError::Unknown)?;
        control.change(change).map_err(MixError::Request)
    }

    /// Ends a mix. With a text, the mix shows it for some seconds as its last card.
    ///
    /// # Errors
    /// There is no such mix, or the text is too long.
    pub fn stop(&self, id: u64, card: &str) -> Result<(), MixError> {
        check_card(card).map_err(MixError::Request)?;
        let control = self.mixes().get(&id).cloned().ok_or(MixError::Unknown)?;
        let running = self.0.jobs.list().iter().any(|job| job.id == id && job.state == JobState::Running);
        if running && !card.is_empty() && !control.is_ending() {
            control.end(card);
            return Ok(());
        }
        self.mixes().remove(&id);
        self.0.jobs.remove(id).map_err(|_| MixError::Unknown)
    }

    /// Returns all mixes, oldest first.
    pub fn list(&self) -> Vec<MixInfo> {
        self.forget_ended();
        let jobs = self.0.jobs.list();
        let mixes = self.mixes();
        let info = |(id, control): (&u64, &Arc<Control>)| {
            let job = jobs.iter().find(|job| job.id == *id)?;
            Some(MixInfo {
                id: *id,
                request: control.request(),
                status: control.status(),
                state: job.state,
                failure: job.failure.clone(),
            })
        };
        mixes.iter().filter_map(info).collect()
    }

    /// Returns the maximum number of mixes.
    pub fn most(&self) -> usize {
        self.0.settings.most()
    }

    /// Returns a mix.
    pub fn get(&self, id: u64) -> Option<MixInfo> {
        self.list().into_iter().find(|mix| mix.id == id)
    }
}
