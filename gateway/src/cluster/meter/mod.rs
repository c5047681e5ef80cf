//! Metering over the bus: sums of sessions and bytes for each stream, protocol and kind of client.
//!
//! Every [`EVERY`], a node tells its sums up to now, those of running sessions included. If a node is killed, the
//! sums of the last interval are lost, and no more. `totals` sums up, `record` is the message.

mod record;
mod totals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

pub use record::{MeterAct, MeterKey, MeterRecord};
pub use totals::{LAST_WORDS, MAX_TOTALS, Metered, Sums, Told, Totals};

use super::node::NodeName;
use super::protocol;
use crate::core::bus::Bus;
use crate::core::hub::{Client, Clients};
use crate::core::session::{ClientSession, Observer, SessionCounts, SessionEnd};

/// Interval at which sums are told. With the pauses of [`BURST`], it stays below 10 s.
pub const EVERY: Duration = Duration::from_secs(5);
/// Number of records after which the node pauses for [`PAUSE`], so that its other messages are not dropped.
const BURST: usize = 256;
const PAUSE: Duration = Duration::from_millis(20);
/// Maximum time that the last records wait to be sent when the gateway ends.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// The meter of a node.
pub(super) struct Meter {
    node: NodeName,
    bus: Arc<dyn Bus>,
    clients: Clients,
    totals: Mutex<Totals>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Meter {
    pub(super) fn new(node: NodeName, bus: Arc<dyn Bus>, clients: Clients) -> Self {
        Self { node, bus, clients, totals: Mutex::default() }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the sums until `stop`.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            self.tell().await;
        }
    }

    /// Tells the last sums: the gateway ends, and its sessions have ended.
    pub(super) async fn finish(&self) {
        self.tell().await;
        if !self.bus.flush(LAST_WAIT).await {
            tracing::debug!("the last metering records may not have been sent");
        }
    }

    async fn tell(&self) {
        let heard = *self.bus.connected().borrow();
        self.totals().begin();
        let now = SystemTime::now();
        let running: Vec<Metered> = self.clients.list().iter().map(|client| running(client, now)).collect();
        let (told, lost) = self.totals().tell(&running, heard);
        metrics::counter!("lianmai_cluster_unmetered_sessions_total").increment(lost);
        if !heard {
            return;
        }
        for (n, Told { key, from_ms, running, sums }) in told.into_iter().enumerate() {
            if n % BURST == BURST - 1 {
                sleep(PAUSE).await;
            }
            let record = MeterRecord {
                node: self.node.clone(),
                stream: key.stream.to_string(),
                protocol: key.protocol.to_owned(),
                act: key.act,
                from_ms,
                to_ms: millis(now),
                sessions: sums.sessions,
                running,
                session_ms: sums.session_ms,
                received_bytes: sums.received,
                sent_bytes: sums.sent,
            };
            self.bus.publish(&record.subject(&key.stream), protocol::write(&record));
        }
    }
}

impl Observer for Meter {
    fn ended(&self, session: &Arc<ClientSession>, end: &SessionEnd<'_>) {
        if !self.totals().ended(&metered(session, end.since, &end.counts, SystemTime::now())) {
            metrics::counter!("lianmai_cluster_unmetered_sessions_total").increment(1);
        }
    }
}

fn running(client: &Client, now: SystemTime) -> Metered {
    metered(client.session(), client.since, &client.counts(), now)
}

fn metered(session: &ClientSession, since: SystemTime, counts: &SessionCounts, now: SystemTime) -> Metered {
    let key = MeterKey {
        stream: session.stream.clone(),
        protocol: session.client.protocol,
        act: MeterAct::of(session.act, &session.identity),
    };
    let session_ms = now.duration_since(since).unwrap_or_default().as_millis() as u64;
    let sums = Sums { sessions: 1, session_ms, received: counts.received, sent: counts.sent };
    Metered { key, id: session.id, since_ms: millis(since), sums }
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
