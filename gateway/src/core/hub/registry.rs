//! The hub, which holds all streams by name. `play` waits for them.

mod play;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use media::time::SECOND;
use tokio::sync::watch;

use super::clock::Clock;
use super::error::PublishError;
use super::events::{self, Happened, HubEvents};
use super::origin::Origin;
use super::publisher::Publisher;
use super::publisher_state::PublisherKind;
use super::ring::RingLimits;
use super::stream::Stream;
use super::waiting::WaitingViewers;
use super::watcher::StreamWatcher;
use crate::core::admission::grant::PublishGrant;
use crate::core::client::Identity;
use crate::core::close::{CloseReason, Revocation};
use crate::core::name::StreamName;

/// Size limits and timeouts of the hub.
#[derive(Debug, Clone, Copy)]
pub struct HubConfig {
    /// Maximum number of streams.
    pub max_streams: usize,
    /// Maximum number of cached frames per stream. The cache contains the newest group of pictures and a short time
    /// before it.
    pub gop_max_frames: usize,
    /// Maximum number of cached bytes per stream.
    pub gop_max_bytes: usize,
    /// Time for which a stream stays, and its viewers wait, after its publisher left.
    pub reconnect: Duration,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            max_streams: 1000,
            gop_max_frames: 4096,
            gop_max_bytes: 32 << 20,
            reconnect: Duration::from_secs(15),
        }
    }
}

/// A publisher that is silent for this long can be replaced: its browser or network is gone, and the new
/// publisher is usually the same person.
const REPLACEABLE_AFTER: Duration = Duration::from_secs(5);

/// A stream, and the state of its publisher.
#[derive(Debug)]
struct StreamEntry {
    stream: Arc<Stream>,
    /// The number of this stream: the hub numbers its streams in the order in which they start.
    number: u64,
    /// The number of the newest publisher. The publishers of a stream are numbered from 1.
    turn: u64,
    /// Closes the newest publisher.
    revocation: Revocation,
    /// The identity of the newest publisher.
    identity: Identity,
    /// Whether every other publisher may replace the current one.
    yields: bool,
    /// The stream's clock while there is no publisher; `None` while there is one, which owns the clock.
    clock: Option<Clock>,
}

impl StreamEntry {
    /// Returns whether the stream has a publisher that a client with this identity must not replace.
    ///
    /// A participant of a room may replace an earlier connection of the same seat: only this participant has the key
    /// of the seat.
    fn is_taken(&self, identity: &Identity) -> bool {
        let same_seat = matches!(identity, Identity::Seat { .. }) && *identity == self.identity;
        self.clock.is_none() && !self.yields && !same_seat && self.stream.silence() < REPLACEABLE_AFTER
    }
}

impl StreamEntry {
    /// Returns whether a job may take the place of the current publisher: that one is silent, or is another job that
    /// yields.
    fn can_be_filled(&self, identity: &Identity) -> bool {
        self.stream.silence() >= REPLACEABLE_AFTER || (self.yields && self.identity != *identity)
    }
}

/// The way in which a publisher enters a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entrance {
    /// As a client does: replaces a publisher that left, yields or is silent.
    Normal,
    /// Only where there is no stream; every other publisher may replace this one.
    Yielding,
    /// The same, or where the publisher has left, is silent, or is another job that yields.
    Filling,
    /// The same, with a stream that another node of the cluster publishes.
    Relayed,
    /// Only where nobody publishes. Sends no frames; every other publisher may replace this one.
    Placeholder,
}

impl Entrance {
    const fn kind(self) -> PublisherKind {
        match self {
            Self::Normal => PublisherKind::Own,
            Self::Yielding | Self::Filling => PublisherKind::Stopgap,
            Self::Relayed => PublisherKind::Relay,
            Self::Placeholder => PublisherKind::Placeholder,
        }
    }
}

/// All streams by name.
#[derive(Debug, Default)]
struct StreamTable {
    streams: HashMap<StreamName, StreamEntry>,
    /// Number of streams that have started so far.
    begun: u64,
    closed: bool,
}

/// The content of a [`Hub`].
#[derive(Debug)]
struct Inner {
    config: RwLock<HubConfig>,
    table: Mutex<StreamTable>,
    /// Changes whenever a stream starts, loses its publisher or ends.
    changed: watch::Sender<u64>,
    events: events::Sender,
    /// Asked in this order.
    origins: RwLock<Vec<Arc<dyn Origin>>>,
    waiting: WaitingViewers,
    runtime: tokio::runtime::Handle,
}

/// All streams by name. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

impl Hub {
    /// Creates an empty hub. Its timers run on the current runtime, which must outlive it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(config: HubConfig) -> Self {
        let runtime = tokio::runtime::Handle::current();
        Self(Arc::new(Inner {
            config: RwLock::new(config),
            table: Mutex::default(),
            changed: watch::Sender::new(0),
            events: events::Sender::new(runtime.clone()),
            origins: RwLock::default(),
            waiting: WaitingViewers::default(),
            runtime,
        }))
    }

    fn table(&self) -> MutexGuard<'_, StreamTable> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn config(&self) -> HubConfig {
        *self.0.config.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the maximum number of streams, and the time for which a stream waits for its publisher. Streams that
    /// are there stay; those whose publisher is away already wait as long as before.
    pub fn set_limits(&self, max_streams: usize, reconnect: Duration) {
        let mut config = self.0.config.write().unwrap_or_else(PoisonError::into_inner);
        (config.max_streams, config.reconnect) = (max_streams, reconnect);
    }

    fn notify_changed(&self) {
        self.0.changed.send_modify(|version| *version += 1);
    }

    /// Starts to publish the stream that `grant` allows. Replaces a publisher that left, yields or is silent.
    ///
    /// # Errors
    /// The name has a publisher, there are too many streams, or the server is stopping.
    pub fn publish(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, Entrance::Normal)
    }

    /// Starts to publish the stream that `grant` allows, but only while no other client publishes it. Every other
    /// publisher may replace this one immediately.
    ///
    /// # Errors
    /// The same as [`Hub::publish`]; also [`PublishError::Busy`] while the stream waits for its publisher to return.
    pub fn publish_yielding(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, Entrance::Yielding)
    }

    /// The same as [`Hub::publish_yielding`], but also continues a stream whose publisher has left and not yet
    /// returned, is silent, or is another job that yields.
    ///
    /// # Errors
    /// The same as [`Hub::publish`].
    pub fn publish_filling(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, Entrance::Filling)
    }

    /// The same as [`Hub::publish_filling`], for a stream that another node of the cluster publishes: see
    /// [`Stream::remote`].
    ///
    /// # Errors
    /// The same as [`Hub::publish`].
    pub fn publish_relayed(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, Entrance::Relayed)
    }

    /// Holds the place of a stream that another node of the cluster publishes, so that viewers of its HLS can be counted
    /// and ended here. No frames come. Every other publisher may replace this one immediately, and viewers who need
    /// frames wait for one.
    ///
    /// # Errors
    /// The same as [`Hub::publish`].
    pub fn publish_placeholder(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, Entrance::Placeholder)
    }

    /// Checks whether [`Hub::publish`] would succeed now.
    ///
    /// # Errors
    /// The same as [`Hub::publish`].
    pub fn available(&self, grant: &PublishGrant) -> Result<(), PublishError> {
        let (table, max_streams) = (self.table(), self.config().max_streams);
        match table.streams.get(grant.name()) {
            _ if table.closed => Err(PublishError::ShuttingDown),
            Some(entry) if entry.is_taken(grant.identity()) => Err(PublishError::Busy),
            None if table.streams.len() >= max_streams => Err(PublishError::TooManyStreams(max_streams)),
            _ => Ok(()),
        }
    }

    fn enter(&self, grant: &PublishGrant, entrance: Entrance) -> Result<Publisher, PublishError> {
        let yields = entrance != Entrance::Normal;
        let (name, revocation) = (grant.name(), grant.revocation());
        let mut table = self.table();
        if table.closed {
            return Err(PublishError::ShuttingDown);
        }
        if let Some(entry) = table.streams.get_mut(name) {
            let busy = match entrance {
                Entrance::Normal => entry.is_taken(grant.identity()),
                Entrance::Yielding => true,
                Entrance::Placeholder => entry.clock.is_none(),
                Entrance::Filling | Entrance::Relayed => {
                    entry.clock.is_none() && !entry.can_be_filled(grant.identity())
                }
            };
            if busy {
                return Err(PublishError::Busy);
            }
            // A publisher that is replaced keeps its clock until it is dropped, which may be later than now. So the
            // new publisher gets a clock that continues from the newest frame of the stream.
            let mut clock = match entry.clock.take() {
                Some(clock) => clock,
                None => Clock::after(entry.stream.newest()),
            };
            clock.restart();
            entry.revocation.revoke(CloseReason::Replaced);
            entry.revocation = revocation.clone();
            entry.identity = grant.identity().clone();
            entry.turn += 1;
            entry.yields = yields;
            entry.stream.begin(entry.turn, entrance.kind());
            let publisher = self.publisher(entry.stream.clone(), clock, entry.turn, revocation.clone());
            drop(table);
            self.notify_changed();
            self.0.events.send(name, Happened::Resumed);
            return Ok(publisher);
        }
        let config = self.config();
        if table.streams.len() >= config.max_streams {
            return Err(PublishError::TooManyStreams(config.max_streams));
        }
        let limits =
            RingLimits { items: config.gop_max_frames, bytes: config.gop_max_bytes, span: 4 * SECOND };
        let stream = Stream::new(name.clone(), limits, self.0.events.clone());
        stream.begin(1, entrance.kind());
        let publisher = self.publisher(stream.clone(), Clock::new(), 1, revocation.clone());
        table.begun += 1;
        let number = table.begun;
        let (revocation, identity) = (revocation.clone(), grant.identity().clone());
        let entry = StreamEntry { stream, number, turn: 1, revocation, identity, yields, clock: None };
        table.streams.insert(name.clone(), entry);
        drop(table);
        self.notify_changed();
        self.0.events.send(name, Happened::Started);
        Ok(publisher)
    }

    fn publisher(&self, stream: Arc<Stream>, clock: Clock, turn: u64, revocation: Revocation) -> Publisher {
        let (hub, left) = (self.clone(), stream.clone());
        let leave = Box::new(move |clock| hub.leave(&left, turn, clock));
        Publisher::new(stream, clock, turn, revocation, leave)
    }

    /// Handles a publisher that leaves: the stream waits for [`HubConfig::reconnect`], and then ends.
    fn leave(&self, stream: &Arc<Stream>, turn: u64, clock: Clock) {
        let mut table = self.table();
        let closed = table.closed;
        let Some(entry) = table.streams.get_mut(stream.name()) else { return };
        if entry.turn != turn || !Arc::ptr_eq(&entry.stream, stream) {
            return;
        }
        entry.clock = Some(clock);
        entry.yields = false;
        stream.pause();
        drop(table);
        self.notify_changed();
        self.0.events.send(stream.name(), Happened::Paused);
        if closed || stream.newest().is_none() {
            // The stream never had a frame, so there is nothing to continue.
            self.remove(stream, turn);
            return;
        }
        let (hub, stream) = (self.clone(), stream.clone());
        self.0.runtime.spawn(async move {
            tokio::time::sleep(hub.config().reconnect).await;
            hub.remove(&stream, turn);
        });
    }

    /// Ends the stream, unless a newer publisher than `turn` has started.
    fn remove(&self, stream: &Arc<Stream>, turn: u64) {
        let mut table = self.table();
        let same = |entry: &StreamEntry| entry.turn == turn && Arc::ptr_eq(&entry.stream, stream);
        if table.streams.get(stream.name()).is_some_and(same) {
            table.streams.remove(stream.name());
            drop(table);
            stream.end();
            self.notify_changed();
            self.0.events.send(stream.name(), Happened::Ended);
        }
    }

    /// Returns the stream of this name, even if it has no frame yet.
    pub fn stream(&self, name: &StreamName) -> Option<Arc<Stream>> {
        self.table().streams.get(name).map(|entry| entry.stream.clone())
    }

    /// Returns all streams, sorted by name.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = self.table().streams.values().map(|entry| entry.stream.clone()).collect();
        streams.sort_by(|a, b| a.name().cmp(b.name()));
        streams
    }

    /// Returns a watcher of every present and future stream.
    pub fn watch(&self) -> StreamWatcher {
        StreamWatcher::new(self.clone())
    }

    /// Returns the streams that started after stream `number`, in this order, with their numbers. Returns [`None`] once
    /// the hub is shut down.
    pub(super) fn streams_after(&self, number: u64) -> Option<Vec<(u64, Arc<Stream>)>> {
        let table = self.table();
        if table.closed {
            return None;
        }
        let later = table.streams.values().filter(|entry| entry.number > number);
        let mut later: Vec<_> = later.map(|entry| (entry.number, entry.stream.clone())).collect();
        later.sort_by_key(|(number, _)| *number);
        Some(later)
    }

    /// Returns a receiver of all events from now on.
    pub fn events(&self) -> HubEvents {
        self.0.events.listen()
    }

    /// Reports what happened to a stream, or to what was made of it, to all listeners.
    pub fn report(&self, stream: &StreamName, happened: Happened) {
        self.0.events.send(stream, happened);
    }

    /// Closes the publisher of a stream, if it is a client of this gateway or a job that makes the stream here. Returns
    /// whether there is one.
    pub fn end_publisher(&self, name: &StreamName, reason: CloseReason) -> bool {
        let table = self.table();
        let entry = table.streams.get(name).filter(|entry| entry.clock.is_none());
        entry
            .is_some_and(|entry| entry.stream.kind() == PublisherKind::Own && entry.revocation.revoke(reason))
    }

    /// Returns a receiver that changes whenever a stream starts, loses its publisher or ends.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Ends all streams and refuses new ones.
    pub fn shutdown(&self) {
        let streams = {
            let mut table = self.table();
            table.closed = true;
            std::mem::take(&mut table.streams)
        };
        for entry in streams.values() {
            entry.revocation.revoke(CloseReason::Shutdown);
            entry.stream.end();
            self.0.events.send(entry.stream.name(), Happened::Ended);
        }
        self.notify_changed();
    }
}
