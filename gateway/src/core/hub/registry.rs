//! The hub: all streams by name.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use media::time::SECOND;
use tokio::sync::watch;

use super::clock::Clock;
use super::events::{self, Happened, HubEvents};
use super::origin::Origin;
use super::publisher::Publisher;
use super::ring::Limits;
use super::stream::Stream;
use super::watcher::StreamWatcher;
use crate::core::admission::grant::{PlayGrant, PublishGrant};
use crate::core::close::{CloseReason, Revocation};
use crate::core::name::StreamName;

/// Size limits and timeouts of the hub.
#[derive(Debug, Clone, Copy)]
pub struct HubConfig {
    /// Maximum number of streams.
    pub max_streams: usize,
    /// Maximum number of cached frames per stream: the newest group of pictures and a short time before it.
    pub gop_max_frames: usize,
    /// Maximum number of cached bytes per stream.
    pub gop_max_bytes: usize,
    /// How long viewers wait for a publisher that left.
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

/// Why a name cannot be published now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// Another publisher has the name.
    Busy,
    /// The server has reached its maximum number of streams.
    TooManyStreams,
    /// The server is stopping.
    ShuttingDown,
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "someone else is publishing this stream",
            Self::TooManyStreams => "the server has as many streams as it is allowed to",
            Self::ShuttingDown => "the server is shutting down",
        })
    }
}

impl std::error::Error for PublishError {}

impl From<PublishError> for CloseReason {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::ShuttingDown => Self::Shutdown,
            PublishError::Busy | PublishError::TooManyStreams => Self::Refused(error.to_string()),
        }
    }
}

/// Why a stream cannot be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayError {
    /// Nobody published it, or no frame came, within the waiting time.
    NotFound,
    /// The publisher sends only this, which is not readable.
    Unreadable(String),
    /// The server is stopping.
    ShuttingDown,
}

impl fmt::Display for PlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("nobody is publishing this stream"),
            Self::Unreadable(what) => write!(f, "the publisher sends {what}, which this server cannot read"),
            Self::ShuttingDown => f.write_str("the server is shutting down"),
        }
    }
}

impl std::error::Error for PlayError {}

impl From<PlayError> for CloseReason {
    fn from(error: PlayError) -> Self {
        match error {
            PlayError::ShuttingDown => Self::Shutdown,
            PlayError::NotFound | PlayError::Unreadable(_) => Self::Refused(error.to_string()),
        }
    }
}

/// A publisher that is silent for this long can be replaced: its browser or network is gone, and the new
/// publisher is usually the same person.
const SILENCE: Duration = Duration::from_secs(5);

/// A stream's entry in the hub.
#[derive(Debug)]
struct Place {
    stream: Arc<Stream>,
    /// Position of this stream in the order in which the hub's streams began.
    number: u64,
    /// Number of publishers so far, which is the number of the newest.
    turn: u64,
    /// Closes the newest publisher.
    revocation: Revocation,
    /// Whether any other publisher replaces the current one.
    yields: bool,
    /// The stream's clock while there is no publisher.
    clock: Option<Clock>,
}

impl Place {
    /// Returns whether there is a publisher that is not replaced by others.
    fn is_taken(&self) -> bool {
        self.clock.is_none() && !self.yields && self.stream.silence() < SILENCE
    }
}

#[derive(Debug, Default)]
struct Places {
    streams: HashMap<StreamName, Place>,
    /// Number of streams that have begun so far.
    begun: u64,
    closed: bool,
}

#[derive(Debug)]
struct Inner {
    config: HubConfig,
    places: Mutex<Places>,
    /// Changes whenever a stream starts, loses its publisher or ends.
    changed: watch::Sender<u64>,
    events: events::Sender,
    origin: OnceLock<Box<dyn Origin>>,
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
            config,
            places: Mutex::default(),
            changed: watch::Sender::new(0),
            events: events::Sender::new(runtime.clone()),
            origin: OnceLock::new(),
            runtime,
        }))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        self.0.changed.send_modify(|version| *version += 1);
    }

    /// Publishes the grant's stream. Replaces a publisher that left, yields or is silent.
    ///
    /// # Errors
    /// The name has a publisher, there are too many streams, or the server is stopping.
    pub fn publish(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, false)
    }

    /// Publishes the grant's stream only while nobody else does: any other publisher replaces this one
    /// immediately, and viewers who wait for a publisher to return are not disturbed.
    ///
    /// # Errors
    /// The same as [`Hub::publish`]; also [`PublishError::Busy`] while viewers wait for a publisher.
    pub fn publish_yielding(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, true)
    }

    /// Checks whether [`Hub::publish`] would succeed now.
    ///
    /// # Errors
    /// The same as [`Hub::publish`].
    pub fn available(&self, name: &StreamName) -> Result<(), PublishError> {
        let places = self.places();
        match places.streams.get(name) {
            _ if places.closed => Err(PublishError::ShuttingDown),
            Some(place) if place.is_taken() => Err(PublishError::Busy),
            None if places.streams.len() >= self.0.config.max_streams => Err(PublishError::TooManyStreams),
            _ => Ok(()),
        }
    }

    fn enter(&self, grant: &PublishGrant, yields: bool) -> Result<Publisher, PublishError> {
        let (name, revocation) = (grant.name(), grant.revocation());
        let mut places = self.places();
        if places.closed {
            return Err(PublishError::ShuttingDown);
        }
        if let Some(place) = places.streams.get_mut(name) {
            if yields || place.is_taken() {
                return Err(PublishError::Busy);
            }
            // A yielding publisher keeps its clock until it is dropped. The viewers' time must continue now,
            // so the new publisher continues from the newest frame of the stream.
            let mut clock = match place.clock.take() {
                Some(clock) => clock,
                None => Clock::after(place.stream.newest()),
            };
            clock.restart();
            place.revocation.revoke(CloseReason::Replaced);
            place.revocation = revocation.clone();
            place.turn += 1;
            place.yields = false;
            place.stream.begin(place.turn);
            let publisher = self.publisher(place.stream.clone(), clock, place.turn, revocation.clone());
            drop(places);
            self.touch();
            self.0.events.send(name, Happened::Resumed);
            return Ok(publisher);
        }
        if places.streams.len() >= self.0.config.max_streams {
            return Err(PublishError::TooManyStreams);
        }
        let limits = Limits {
            items: self.0.config.gop_max_frames,
            bytes: self.0.config.gop_max_bytes,
            span: 4 * SECOND,
        };
        let stream = Stream::new(name.clone(), limits, self.0.events.clone());
        stream.begin(1);
        let publisher = self.publisher(stream.clone(), Clock::new(), 1, revocation.clone());
        places.begun += 1;
        let number = places.begun;
        let place = Place { stream, number, turn: 1, revocation: revocation.clone(), yields, clock: None };
        places.streams.insert(name.clone(), place);
        drop(places);
        self.touch();
        self.0.events.send(name, Happened::Started);
        Ok(publisher)
    }

    fn publisher(&self, stream: Arc<Stream>, clock: Clock, turn: u64, revocation: Revocation) -> Publisher {
        let (hub, left) = (self.clone(), stream.clone());
        let leave = Box::new(move |clock| hub.leave(&left, turn, clock));
        Publisher::new(stream, clock, turn, revocation, leave)
    }

    /// Handles a leaving publisher: the stream stays for a while.
    fn leave(&self, stream: &Arc<Stream>, turn: u64, clock: Clock) {
        let mut places = self.places();
        let closed = places.closed;
        let Some(place) = places.streams.get_mut(stream.name()) else { return };
        if place.turn != turn || !Arc::ptr_eq(&place.stream, stream) {
            return;
        }
        place.clock = Some(clock);
        place.yields = false;
        stream.pause();
        drop(places);
        self.touch();
        self.0.events.send(stream.name(), Happened::Paused);
        if closed || stream.newest().is_none() {
            // The stream never had a frame, so there is nothing to continue.
            self.remove(stream, turn);
            return;
        }
        let (hub, stream) = (self.clone(), stream.clone());
        self.0.runtime.spawn(async move {
            tokio::time::sleep(hub.0.config.reconnect).await;
            hub.remove(&stream, turn);
        });
    }

    /// Ends the stream, unless another publisher came after `turn`.
    fn remove(&self, stream: &Arc<Stream>, turn: u64) {
        let mut places = self.places();
        let same = |place: &Place| place.turn == turn && Arc::ptr_eq(&place.stream, stream);
        if places.streams.get(stream.name()).is_some_and(same) {
            places.streams.remove(stream.name());
            drop(places);
            stream.end();
            self.touch();
            self.0.events.send(stream.name(), Happened::Ended);
        }
    }

    /// Returns the granted stream once its tracks are known. Waits up to `wait` for a publisher.
    ///
    /// While a publisher is away, a new viewer waits for the next one: the cached frames are no longer live.
    ///
    /// # Errors
    /// Nothing was published in time, or the server is stopping.
    pub async fn play(&self, grant: &PlayGrant, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        self.find(grant.name(), wait).await
    }

    /// Returns whether [`Hub::play`] would return a stream immediately.
    pub fn is_on_air(&self, name: &StreamName) -> bool {
        self.find(name, Duration::ZERO).now_or_never().is_some_and(|found| found.is_ok())
    }

    async fn find(&self, name: &StreamName, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        let mut changed = self.0.changed.subscribe();
        let found = async {
            // The publisher that was absent at the time of the call.
            let mut away = None;
            let mut first = true;
            // Whether the origin has been asked for the stream.
            let mut asked = wait.is_zero();
            loop {
                changed.borrow_and_update();
                let stream = {
                    let places = self.places();
                    if places.closed {
                        return Err(PlayError::ShuttingDown);
                    }
                    let place = places.streams.get(name);
                    if std::mem::take(&mut first) {
                        away = place.filter(|place| place.clock.is_some()).map(|place| place.turn);
                    }
                    place.filter(|place| away != Some(place.turn)).map(|place| place.stream.clone())
                };
                if stream.is_none()
                    && !std::mem::replace(&mut asked, true)
                    && let Some(origin) = self.0.origin.get()
                {
                    origin.wanted(name);
                }
                if let Some(stream) = stream {
                    tokio::select! {
                        () = stream.settled() => return Ok(stream),
                        () = stream.stays_unreadable() => {
                            if let Some(what) = stream.only_unreadable() {
                                return Err(PlayError::Unreadable(what));
                            }
                        }
                        _ = changed.changed() => continue,
                    }
                }
                if changed.changed().await.is_err() {
                    return Err(PlayError::ShuttingDown);
                }
            }
        };
        tokio::time::timeout(wait, found).await.unwrap_or_else(|_| Err(self.missing(name)))
    }

    /// Returns why a stream is not there, after the waiting time.
    pub fn missing(&self, name: &StreamName) -> PlayError {
        let what = self.stream(name).and_then(|stream| stream.only_unreadable());
        what.map_or(PlayError::NotFound, PlayError::Unreadable)
    }

    /// Returns the stream of this name, even if it has no frame yet.
    pub fn stream(&self, name: &StreamName) -> Option<Arc<Stream>> {
        self.places().streams.get(name).map(|place| place.stream.clone())
    }

    /// Returns all streams, by name.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = self.places().streams.values().map(|place| place.stream.clone()).collect();
        streams.sort_by(|a, b| a.name().cmp(b.name()));
        streams
    }

    /// Returns a watcher of every present and future stream.
    pub fn watch(&self) -> StreamWatcher {
        StreamWatcher::new(self.clone())
    }

    /// Returns the streams that began after stream `number`, in order, with their numbers; [`None`] once the hub is
    /// shut down.
    pub(super) fn streams_after(&self, number: u64) -> Option<Vec<(u64, Arc<Stream>)>> {
        let places = self.places();
        if places.closed {
            return None;
        }
        let later = places.streams.values().filter(|place| place.number > number);
        let mut later: Vec<_> = later.map(|place| (place.number, place.stream.clone())).collect();
        later.sort_by_key(|(number, _)| *number);
        Some(later)
    }

    /// Returns the events from now on.
    pub fn events(&self) -> HubEvents {
        self.0.events.listen()
    }

    /// Sets the origin, which is asked for streams that viewers want and nobody publishes here. There is one
    /// origin, set before viewers come. Returns false if there is one already.
    pub fn set_origin(&self, origin: Box<dyn Origin>) -> bool {
        self.0.origin.set(origin).is_ok()
    }

    /// Changes whenever a stream starts, loses its publisher or ends.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Ends all streams and refuses new ones.
    pub fn shutdown(&self) {
        let streams = {
            let mut places = self.places();
            places.closed = true;
            std::mem::take(&mut places.streams)
        };
        for place in streams.values() {
            place.revocation.revoke(CloseReason::Shutdown);
            place.stream.end();
            self.0.events.send(place.stream.name(), Happened::Ended);
        }
        self.touch();
    }
}
