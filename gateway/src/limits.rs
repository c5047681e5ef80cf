//! Limits of connections and streams, for all protocols.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::flags;

/// The limits as operator's settings. Times are in whole seconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct LimitSettings {
    /// Maximum number of connections at the same time, all protocols together; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Limits"
    )]
    pub max_connections: usize,

    /// Maximum number of connections at the same time from one address; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_CONNECTIONS_PER_IP",
        value_name = "N",
        default_value_t = 0,
        help_heading = "Limits"
    )]
    pub max_connections_per_ip: usize,

    /// Maximum number of RTMP and TLS connections that have not yet asked to publish or play; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_PENDING",
        value_name = "N",
        default_value_t = 4_000,
        help_heading = "Limits"
    )]
    pub max_pending: usize,

    /// Maximum number of such connections from one address, except this machine; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_PENDING_PER_IP",
        value_name = "N",
        default_value_t = 256,
        help_heading = "Limits"
    )]
    pub max_pending_per_ip: usize,

    /// Maximum number of streams at the same time; 0: no limit
    #[arg(
        long,
        env = "LIANMAI_MAX_STREAMS",
        value_name = "N",
        default_value_t = 1_000,
        help_heading = "Limits"
    )]
    pub max_streams: usize,

    /// Largest RTMP or WebSocket message that is accepted, in bytes (an FLV tag has at most 16 MiB)
    #[arg(long, env = "LIANMAI_MAX_MESSAGE", value_name = "BYTES", default_value_t = 16 << 20, help_heading = "Limits")]
    pub max_message: usize,

    /// Largest HTTP request head, in bytes (at least 8192)
    #[arg(long, env = "LIANMAI_MAX_HEADER", value_name = "BYTES", default_value_t = 32 << 10, help_heading = "Limits")]
    pub max_header: usize,

    /// Seconds in which a client must send a request head or finish a handshake; also for the next request
    #[arg(
        long,
        env = "LIANMAI_HEADER_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub header_timeout: u64,

    /// Seconds without a byte from a publisher, after which it is disconnected
    #[arg(
        long,
        env = "LIANMAI_PUBLISH_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 30,
        help_heading = "Limits"
    )]
    pub publish_timeout: u64,

    /// Seconds in which a viewer takes no byte, after which it is disconnected
    #[arg(
        long,
        env = "LIANMAI_STALL_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 60,
        help_heading = "Limits"
    )]
    pub stall_timeout: u64,

    /// Seconds a player waits for a stream that nobody publishes yet
    #[arg(
        long,
        env = "LIANMAI_PLAY_WAIT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub play_wait: u64,

    /// Seconds for which viewers are kept while their publisher is away
    #[arg(
        long,
        env = "LIANMAI_RECONNECT",
        value_name = "SECONDS",
        default_value_t = 15,
        help_heading = "Limits"
    )]
    pub reconnect: u64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

impl LimitSettings {
    /// Returns the limits as durations and sizes.
    pub fn limits(&self) -> Limits {
        let or_all = |count: usize| if count == 0 { usize::MAX } else { count };
        Limits {
            connections: or_all(self.max_connections),
            connections_per_ip: self.max_connections_per_ip,
            pending: or_all(self.max_pending),
            pending_per_ip: self.max_pending_per_ip,
            streams: or_all(self.max_streams),
            message: self.max_message,
            header: self.max_header.max(8192),
            header_timeout: Duration::from_secs(self.header_timeout),
            publish_timeout: Duration::from_secs(self.publish_timeout),
            stall_timeout: Duration::from_secs(self.stall_timeout),
            play_wait: Duration::from_secs(self.play_wait),
            reconnect: Duration::from_secs(self.reconnect),
        }
    }
}

/// Limits of connections, as durations and sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connections.
    pub connections: usize,
    /// Maximum number of connections from one address; 0 is no limit.
    pub connections_per_ip: usize,
    /// Maximum number of connections that are not admitted yet.
    pub pending: usize,
    /// Maximum number of such connections from one address; 0 is no limit.
    pub pending_per_ip: usize,
    /// Maximum number of streams.
    pub streams: usize,
    /// Maximum size in bytes of an RTMP or WebSocket message.
    pub message: usize,
    /// Maximum size in bytes of an HTTP request head.
    pub header: usize,
    /// Timeout for a request head or a handshake.
    pub header_timeout: Duration,
    /// Timeout for a silent publisher.
    pub publish_timeout: Duration,
    /// Timeout for a viewer that receives no bytes.
    pub stall_timeout: Duration,
    /// Maximum time that a player waits for a publisher.
    pub play_wait: Duration,
    /// Maximum time that viewers are kept while their publisher is away.
    pub reconnect: Duration,
}

impl Limits {
    /// Returns the limits of one client, before a guard lowers them.
    pub const fn client(&self) -> ClientLimits {
        ClientLimits {
            message: self.message,
            publish_timeout: self.publish_timeout,
            stall_timeout: self.stall_timeout,
            play_wait: self.play_wait,
        }
    }
}

/// The limits in use, which change when the settings are read again. Cloning shares them.
#[derive(Debug, Clone)]
pub struct LiveLimits(Arc<RwLock<Arc<Limits>>>);

impl LiveLimits {
    /// Creates limits with these values.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(limits))))
    }

    /// Returns the values of now. A connection keeps those of its begin where they set up a library.
    pub fn get(&self) -> Arc<Limits> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the values from now on.
    pub fn set(&self, limits: Limits) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits);
    }
}

/// The limits of one client. Its grant carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Maximum size in bytes of a WebSocket message. RTMP messages arrive before admission, so their limit is
    /// in [`Limits`].
    pub message: usize,
    /// Timeout for a silent publisher.
    pub publish_timeout: Duration,
    /// Timeout for a client that receives no bytes.
    pub stall_timeout: Duration,
    /// Maximum time that a viewer waits for a publisher.
    pub play_wait: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Limits::default().client()
    }
}

impl Default for Limits {
    fn default() -> Self {
        LimitSettings::default().limits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_limit_for_every_count() {
        let settings = LimitSettings {
            max_connections: 0,
            max_connections_per_ip: 0,
            max_pending: 0,
            max_pending_per_ip: 0,
            max_streams: 0,
            ..LimitSettings::default()
        };
        let limits = settings.limits();
        assert_eq!([limits.connections, limits.pending, limits.streams], [usize::MAX; 3]);
        assert_eq!([limits.connections_per_ip, limits.pending_per_ip], [0; 2], "the gate knows 0");
    }
}
