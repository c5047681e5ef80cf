//! Hooks: HTTP requests to the operator's back end when clients connect, publish, play and leave, in the form of SRS.
//!
//! `on_connect`, `on_publish` and `on_play` ask: the back end answers within 3 s whether the client may come in.
//! `on_forward` asks where a stream that has begun is sent on to: see `forward`. All other hooks only tell: they are queued, and sent in order for each stream.
//!
//! Start reading at [`Hooks`]. `guard` asks during admission, and `observer` hears of the ends of sessions and of
//! finished segments. `address` is one entry of the setting `hook`, with its `action`s. For each there is a `Hook`,
//! with its `queue`, its `client` for HTTP and its `record` for the API. `event` makes the JSON, `signature` signs it.

mod action;
mod address;
mod client;
mod event;
mod forward;
mod guard;
mod hook;
mod observer;
mod queue;
mod record;
mod service;
mod settings;
mod signature;
mod thread;

use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use self::address::HookAddress;
pub use self::event::Recording;
use self::event::{Event, EventMaker};
use self::hook::Hook;
pub use self::record::{HookCounts, HookReport, LastRequest};
pub use self::service::HooksService;
pub use self::settings::HookSettings;
use self::signature::Signer;
use self::thread::HookThread;
use crate::context::Context;
use crate::core::name::StreamName;
use crate::jobs::forward::LateForwards;
use crate::net::tls;
use crate::service::StartError;

/// Maximum number of addresses.
pub const MAX_HOOKS: usize = 16;

/// The stream that a test names.
const TEST_STREAM: &str = "live/test";

/// Why an address is not tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTestError {
    /// There is no such address.
    Unknown,
    /// Tests of this address run already.
    Busy,
}

/// The content of [`Hooks`].
#[derive(Debug, Default)]
struct Inner {
    hooks: RwLock<Arc<[Arc<Hook>]>>,
    /// Runs everything that waits for back ends. Started with the first hook.
    thread: OnceLock<HookThread>,
    events: OnceLock<EventMaker>,
    /// Takes the forwards that back ends ask for.
    forwards: OnceLock<LateForwards>,
}

/// The hooks of a gateway. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Hooks(Arc<Inner>);

impl Hooks {
    /// Checks the hooks of the settings.
    ///
    /// # Errors
    /// A setting is not valid.
    pub fn check(settings: &HookSettings) -> Result<(), StartError> {
        addresses(settings).map(drop)
    }

    /// Sends to the addresses of `settings` from now on. An address that stays keeps its queue.
    ///
    /// # Errors
    /// A setting is not valid, or the secret for signatures cannot be read: nothing changes.
    pub fn set(&self, settings: &HookSettings, data: &Path) -> Result<(), StartError> {
        let addresses = addresses(settings)?;
        if addresses.is_empty() {
            *self.0.hooks.write().unwrap_or_else(PoisonError::into_inner) = Arc::default();
            return Ok(());
        }
        let signer = Arc::new(Signer::of(settings, data)?);
        let tls = tls::client().map_err(|error| StartError::Setting(error.to_string()))?;
        let thread = match self.0.thread.get() {
            Some(thread) => thread,
            None => {
                let started = HookThread::start().map_err(StartError::System)?;
                self.0.thread.get_or_init(|| started)
            }
        };
        let current = self.current();
        let hooks = addresses.into_iter().map(|address| {
            let kept = current.iter().find(|hook| *hook.address() == address);
            kept.cloned().unwrap_or_else(|| Arc::new(Hook::start(address, &tls, thread.handle())))
        });
        let hooks: Arc<[Arc<Hook>]> = hooks.collect();
        hooks.iter().for_each(|hook| hook.sign_with(signer.clone()));
        *self.0.hooks.write().unwrap_or_else(PoisonError::into_inner) = hooks;
        Ok(())
    }

    fn current(&self) -> Arc<[Arc<Hook>]> {
        self.0.hooks.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the state of every address, for the operator.
    pub fn list(&self) -> Vec<HookReport> {
        self.current().iter().map(|hook| hook.report()).collect()
    }

    /// Sends a test (`on_test`) to the address at this place of [`Hooks::list`], and returns its state with the
    /// answer.
    ///
    /// # Errors
    /// There is no such address, or it is being tested.
    pub async fn test(&self, place: usize) -> Result<HookReport, HookTestError> {
        let hook = self.current().get(place).cloned().ok_or(HookTestError::Unknown)?;
        let (Some(events), Some(thread)) = (self.0.events.get(), self.0.thread.get()) else {
            return Err(HookTestError::Unknown);
        };
        let stream = StreamName::parse(TEST_STREAM).map_err(|_| HookTestError::Unknown)?;
        let event = events.test(&stream);
        // On a thread of its own, which a slow name server may delay.
        let tested = thread.handle().spawn(async move {
            let tried = hook.try_out(&event).await;
            tried.map(|()| hook.report())
        });
        tested.await.map_err(|_| HookTestError::Unknown)?.map_err(|_| HookTestError::Busy)
    }

    /// Tells that a recording is complete (`on_dvr`).
    pub fn recorded(&self, stream: &StreamName, recording: &Recording) {
        if let Some(events) = self.0.events.get() {
            self.tell(&events.recorded(stream, recording));
        }
    }

    /// Queues an event for every address that wants it.
    fn tell(&self, event: &Arc<Event>) {
        for hook in self.current().iter().filter(|hook| hook.address().wants(event.action)) {
            hook.tell(event.clone());
        }
    }

    /// Begins to ask and to tell about the clients of `context`.
    fn attach(&self, context: &mut Context) {
        let maker = EventMaker { hub: context.hub.clone(), ids: context.ids.clone() };
        if self.0.events.set(maker).is_ok() {
            context.admission = context.admission.clone().with(guard::HookGuard(self.clone()));
            context.admission.observers().add(Arc::new(observer::HookObserver(self.clone())));
        }
    }

    /// Resolves when no event waits that a back end still takes.
    pub async fn drained(&self) {
        for hook in self.current().iter() {
            hook.drained().await;
        }
    }
}

fn addresses(settings: &HookSettings) -> Result<Vec<HookAddress>, StartError> {
    let all = settings.hook.iter().filter(|entry| !entry.is_empty());
    let all: Vec<HookAddress> =
        all.map(|entry| entry.parse().map_err(StartError::Setting)).collect::<Result<_, _>>()?;
    if all.len() > MAX_HOOKS {
        return Err(StartError::Setting(format!("hook: {MAX_HOOKS} addresses at most")));
    }
    if let Some(twice) = all.iter().enumerate().find_map(|(n, one)| all[..n].contains(one).then_some(one)) {
        return Err(StartError::Setting(format!("hook: {twice} is there twice")));
    }
    Ok(all)
}
