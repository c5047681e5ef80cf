//! Shared state for all edges: the hub, and the gateway's rules.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::core::admission::{Admission, Bans, Drain, IpListSettings, IpLists};
use crate::core::auth::Auth;
use crate::core::facts::Facts;
use crate::core::hub::{Clients, Hub, HubConfig};
use crate::derive::transcode::{Reencoders, Transcode, TranscodeSettings};
use crate::flags;
use crate::limits::{LimitSettings, LiveLimits};
use crate::net::proxies::Proxies;
use crate::net::worker::Gate;

/// Maximum time that a video frame, sent in parts, waits for its next part. After a longer network stall within a
/// frame, the rest of the frame is lost.
pub const MAX_PICTURE_WAIT: Duration = Duration::from_millis(500);

/// Deadline of the video frame that waits for its next part.
#[derive(Debug, Default)]
pub struct FrameDeadline {
    since: Option<Instant>,
    frames: u64,
}

impl FrameDeadline {
    /// Records whether a frame waits after `frames` were passed on. A different count means that another
    /// frame waits now, and its time starts again.
    pub fn note(&mut self, holds: bool, frames: u64) {
        let same = frames == self.frames;
        self.frames = frames;
        self.since = holds.then(|| self.since.filter(|_| same).unwrap_or_else(Instant::now));
    }

    /// Returns the deadline; `None` while no frame waits.
    pub fn until(&self) -> Option<Instant> {
        Some(self.since? + MAX_PICTURE_WAIT)
    }
}

/// Settings of what all services share: the limits of connections, and transcoding.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct ContextSettings {
    /// Limits of connections and streams.
    #[command(flatten)]
    #[serde(flatten)]
    pub limits: LimitSettings,

    /// Trusted proxies.
    #[command(flatten)]
    #[serde(flatten)]
    pub proxies: Proxies,

    /// Networks of clients.
    #[command(flatten)]
    #[serde(flatten)]
    pub ip_lists: IpListSettings,

    /// Transcoding.
    #[command(flatten)]
    #[serde(flatten)]
    pub transcode: TranscodeSettings,
}

impl Default for ContextSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

impl From<LimitSettings> for ContextSettings {
    fn from(limits: LimitSettings) -> Self {
        Self { limits, ..Self::default() }
    }
}

/// The hub and the rules for its clients. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Context {
    /// The streams.
    pub hub: Hub,
    /// The registry of publishers and viewers.
    pub clients: Clients,
    /// What happened in the last hour.
    pub facts: Facts,
    /// Authentication rules.
    pub auth: Arc<Auth>,
    /// Admits clients to the hub.
    pub admission: Admission,
    /// Clients that the operator keeps out.
    pub bans: Bans,
    /// Networks of clients that may come in.
    pub ip_lists: IpLists,
    /// Whether the gateway is about to stop, and takes no new clients.
    pub drain: Drain,
    /// Limits connections that have not been admitted yet.
    pub pending: Gate,
    /// Trusted proxies.
    pub proxies: Arc<Proxies>,
    /// Limits of connections.
    pub limits: LiveLimits,
    /// Limits the video encoders of all streams.
    pub reencoders: Reencoders,
    /// This gateway's ids in SRS's JSON; new on every start.
    pub ids: Arc<Ids>,
}

/// Ids of a gateway in SRS's JSON.
#[derive(Debug)]
pub struct Ids {
    /// SRS's `server`.
    pub server: String,
    /// SRS's `service`.
    pub service: String,
}

impl Ids {
    fn new() -> Arc<Self> {
        let id = || format!("vid-{:07x}", rand::random::<u32>() >> 4);
        Arc::new(Self { server: id(), service: id() })
    }
}

impl Context {
    /// Creates an empty hub with these settings. Call it inside a runtime that outlives the context.
    pub fn new(settings: impl Into<ContextSettings>, auth: Auth) -> Self {
        let ContextSettings { limits, proxies, ip_lists, transcode } = settings.into();
        let ip_lists = IpLists::new(ip_lists);
        let (limits, proxies) = (limits.limits(), Arc::new(proxies));
        let hub = Hub::new(HubConfig {
            max_streams: limits.streams,
            reconnect: limits.reconnect,
            ..HubConfig::default()
        });
        let reencoders = match transcode.transcode {
            Transcode::Auto => Reencoders::new(transcode.max_reencoders),
            Transcode::Off => Reencoders::off(),
        };
        let auth = Arc::new(auth);
        let (bans, drain, facts) = (Bans::default(), Drain::default(), Facts::default());
        Self {
            hub,
            clients: Clients::with_facts(&facts),
            admission: Admission::new(auth.clone(), limits.client())
                .with_first(ip_lists.clone())
                .with_first(drain.clone())
                .with(bans.clone())
                .with_facts(&facts),
            facts,
            bans,
            drain,
            ip_lists,
            auth,
            pending: Gate::pending(proxies.clone(), limits.pending, limits.pending_per_ip),
            proxies,
            limits: LiveLimits::new(limits),
            reencoders,
            ids: Ids::new(),
        }
    }

    /// Replaces the limits from now on. Clients that are there stay, even if there are more than the new limits allow.
    pub fn set_limits(&self, settings: &LimitSettings) {
        let limits = settings.limits();
        self.hub.set_limits(limits.streams, limits.reconnect);
        self.admission.set_limits(limits.client());
        self.pending.set_max(limits.pending, limits.pending_per_ip);
        self.limits.set(limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::admission::PublishGrant;
    use crate::core::hub::{PublishError, StreamName};

    #[tokio::test]
    async fn new_limits_count_at_once() {
        let context = Context::new(LimitSettings::default(), Auth::default());
        let shared = context.clone();
        let settings =
            LimitSettings { max_streams: 1, max_pending: 1, publish_timeout: 7, ..LimitSettings::default() };
        context.set_limits(&settings);
        assert_eq!(shared.limits.get().publish_timeout, Duration::from_secs(7));
        let grant = |name: &str| PublishGrant::for_job(&StreamName::parse(name).unwrap(), "test");
        let _first = shared.hub.publish(&grant("live/a")).unwrap();
        assert_eq!(shared.hub.publish(&grant("live/b")).unwrap_err(), PublishError::TooManyStreams(1));
        let ip = [192, 0, 2, 1].into();
        let _one = shared.pending.enter(ip).unwrap();
        assert!(shared.pending.enter(ip).is_none());
        context.set_limits(&LimitSettings::default());
        assert!(shared.pending.enter(ip).is_some() && shared.hub.publish(&grant("live/b")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn every_picture_has_its_own_time_to_become_whole() {
        let mut deadline = FrameDeadline::default();
        assert_eq!(deadline.until(), None);
        for frames in 0..100 {
            let due = Some(Instant::now() + MAX_PICTURE_WAIT);
            for _part in 0..3 {
                deadline.note(true, frames);
                assert_eq!(deadline.until(), due);
                tokio::time::advance(Duration::from_millis(10)).await;
            }
        }
        deadline.note(false, 100);
        assert_eq!(deadline.until(), None);
    }
}
