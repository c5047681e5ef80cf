//! What every edge is given: the hub, and the gateway's rules.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::core::admission::Admission;
use crate::core::auth::Auth;
use crate::core::hub::{Clients, Hub, HubConfig};
use crate::derive::transcode::{Reencoders, Transcode, TranscodeSettings};
use crate::flags;
use crate::limits::{LimitSettings, Limits};
use crate::net::worker::Gate;

/// How long a picture that a publisher sends in parts waits for its next part. A stall of the network in the middle
/// of a picture that lasts longer costs that picture its rest.
pub const MAX_PICTURE_WAIT: Duration = Duration::from_millis(500);

/// Until when the picture that waits may wait.
#[derive(Debug, Default)]
pub struct Held {
    since: Option<Instant>,
    frames: u64,
}

impl Held {
    /// Notes whether a picture waits after so many frames were passed on. Where another one waited before, that one was
    /// passed on since, and this one's time begins anew.
    pub fn note(&mut self, holds: bool, frames: u64) {
        let same = frames == self.frames;
        self.frames = frames;
        self.since = holds.then(|| self.since.filter(|_| same).unwrap_or_else(Instant::now));
    }

    /// When it has waited long enough; none while no picture waits.
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

/// The hub and the rules that hold for whoever comes to it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Context {
    /// The streams.
    pub hub: Hub,
    /// Who publishes and plays.
    pub clients: Clients,
    /// Authentication rules.
    pub auth: Arc<Auth>,
    /// Admits clients to the hub.
    pub admission: Admission,
    /// Places for connections that have not shown what they may.
    pub pending: Gate,
    /// What a connection may cost.
    pub limits: Arc<Limits>,
    /// The video encoders that all streams share.
    pub reencoders: Reencoders,
    /// What this gateway calls itself in SRS's JSON; another one with every start.
    pub ids: Arc<Ids>,
}

/// A gateway's names for itself.
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
    /// An empty hub under these settings; inside a runtime that outlives it.
    pub fn new(settings: impl Into<ContextSettings>, auth: Auth) -> Self {
        let ContextSettings { limits, transcode } = settings.into();
        let limits = limits.limits();
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
        Self {
            hub,
            clients: Clients::new(),
            admission: Admission::new(auth.clone(), limits.client()),
            auth,
            pending: Gate::pending(limits.pending, limits.pending_per_ip),
            limits: Arc::new(limits),
            reencoders,
            ids: Ids::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_picture_has_its_own_time_to_become_whole() {
        let mut held = Held::default();
        assert_eq!(held.until(), None);
        for frames in 0..100 {
            let due = Some(Instant::now() + MAX_PICTURE_WAIT);
            for _part in 0..3 {
                held.note(true, frames);
                assert_eq!(held.until(), due);
                tokio::time::advance(Duration::from_millis(10)).await;
            }
        }
        held.note(false, 100);
        assert_eq!(held.until(), None);
    }
}
