//! All streams by name.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use media::time::SECOND;
use tokio::sync::{mpsc, watch};

use super::clock::Clock;
use super::events::{self, Happened, HubEvents};
use super::origin::Origin;
use super::publisher::Publisher;
use super::ring::Limits;
use super::stream::Stream;
use crate::core::admission::grant::{PlayGrant, PublishGrant};
use crate::core::close::{CloseReason, Revocation};
use crate::core::name::StreamName;

/// How much the hub holds and how long it waits.
#[derive(Debug, Clone, Copy)]
pub struct HubConfig {
    /// Streams at most.
    pub max_streams: usize,
    /// Frames cached per stream at most: the newest group of pictures and a little before it.
    pub gop_max_frames: usize,
    /// Bytes cached per stream at most.
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

/// Why nobody may publish a name now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// Someone publishes it already.
    Busy,
    /// The server has as many streams as it may.
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

/// Why a stream can't be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayError {
    /// Nobody publishes it, or nothing came of it, for as long as the viewer would wait.
    NotFound,
    /// Somebody publishes this, which cannot be read, and nothing else.
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

/// A publisher that sent nothing for so long makes way for another: its browser or network is gone, and
/// whoever comes is most often the same person again.
const SILENCE: Duration = Duration::from_secs(5);

/// A stream's place in the hub.
#[derive(Debug)]
struct Place {
    stream: Arc<Stream>,
    /// Counts the publishers; the newest has this number.
    turn: u64,
    /// Ends the newest publisher.
    revocation: Revocation,
    /// Whether the present publisher makes way for any other.
    yields: bool,
    /// The stream's clock, while nobody publishes.
    clock: Option<Clock>,
}

impl Place {
    /// Whether somebody publishes who does not make way.
    fn is_taken(&self) -> bool {
        self.clock.is_none() && !self.yields && self.stream.silence() < SILENCE
    }
}

#[derive(Debug, Default)]
struct Places {
    streams: HashMap<StreamName, Place>,
    watchers: Vec<mpsc::UnboundedSender<Arc<Stream>>>,
    closed: bool,
}

#[derive(Debug)]
struct Inner {
    config: HubConfig,
    places: Mutex<Places>,
    /// Changes whenever a stream begins, loses its publisher or ends.
    changed: watch::Sender<u64>,
    events: events::Sender,
    origin: OnceLock<Box<dyn Origin>>,
    runtime: tokio::runtime::Handle,
}

/// All streams by name. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

impl Hub {
    /// An empty hub. Its timers run on the current runtime, which must outlive its use.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new(config: HubConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            places: Mutex::default(),
            changed: watch::Sender::new(0),
            events: events::Sender::new(),
            origin: OnceLock::new(),
            runtime: tokio::runtime::Handle::current(),
        }))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        self.0.changed.send_modify(|version| *version += 1);
    }

    /// Publishes the grant's stream, or takes it over from a publisher that left, yields or fell silent.
    ///
    /// # Errors
    /// When someone else publishes it, there are too many streams, or the server stops.
    pub fn publish(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, false)
    }

    /// Publishes the grant's stream only while nobody else does: any other publisher takes it over at once,
    /// and viewers who wait for one to come back are not disturbed.
    ///
    /// # Errors
    /// As [`Hub::publish`]; also [`PublishError::Busy`] while viewers wait for a publisher.
    pub fn publish_yielding(&self, grant: &PublishGrant) -> Result<Publisher, PublishError> {
        self.enter(grant, true)
    }

    /// Whether [`Hub::publish`] would let someone in now.
    ///
    /// # Errors
    /// As [`Hub::publish`].
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
            // One that makes way keeps its clock until it is dropped; the viewers' time must go on
            // now, so the newcomer continues from what the stream last showed.
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
        places.watchers.retain(|watcher| watcher.send(stream.clone()).is_ok());
        let place = Place { stream, turn: 1, revocation: revocation.clone(), yields, clock: None };
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

    /// A publisher left: keep its place for a while.
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
            // Nothing was ever shown: there is nothing to come back to.
            self.remove(stream, turn);
            return;
        }
        let (hub, stream) = (self.clone(), stream.clone());
        self.0.runtime.spawn(async move {
            tokio::time::sleep(hub.0.config.reconnect).await;
            hub.remove(&stream, turn);
        });
    }

    /// Ends the stream unless another publisher came after `turn`.
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

    /// The granted stream, once it has shown its tracks; waits up to `wait` for a publisher.
    ///
    /// While a publisher is away, a newcomer waits for the next one: what the stream has cached is
    /// no longer live.
    ///
    /// # Errors
    /// When nothing was published in time, or the server stops.
    pub async fn play(&self, grant: &PlayGrant, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        self.find(grant.name(), wait).await
    }

    /// Whether [`Hub::play`] would answer at once with a stream.
    pub fn is_on_air(&self, name: &StreamName) -> bool {
        self.find(name, Duration::ZERO).now_or_never().is_some_and(|found| found.is_ok())
    }

    async fn find(&self, name: &StreamName, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        let mut changed = self.0.changed.subscribe();
        let found = async {
            // The publisher that had left when we came.
            let mut away = None;
            let mut first = true;
            // Whether the origin knows that the stream is wanted.
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

    /// Why a stream that nobody could wait for any longer is not there.
    pub fn missing(&self, name: &StreamName) -> PlayError {
        let what = self.stream(name).and_then(|stream| stream.only_unreadable());
        what.map_or(PlayError::NotFound, PlayError::Unreadable)
    }

    /// The stream of this name, whether or not it has shown anything yet.
    pub fn stream(&self, name: &StreamName) -> Option<Arc<Stream>> {
        self.places().streams.get(name).map(|place| place.stream.clone())
    }

    /// All streams, by name.
    pub fn streams(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = self.places().streams.values().map(|place| place.stream.clone()).collect();
        streams.sort_by(|a, b| a.name().cmp(b.name()));
        streams
    }

    /// Every stream that exists and each that will begin.
    pub fn watch(&self) -> mpsc::UnboundedReceiver<Arc<Stream>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut places = self.places();
        for place in places.streams.values() {
            // The receiver is in our hands.
            let _ = sender.send(place.stream.clone());
        }
        places.watchers.push(sender);
        receiver
    }

    /// What happens from now on.
    pub fn events(&self) -> HubEvents {
        self.0.events.listen()
    }

    /// Has `origin` asked for streams that viewers want and nobody publishes here. There is one origin, set before
    /// viewers come; false when there is one already.
    pub fn set_origin(&self, origin: Box<dyn Origin>) -> bool {
        self.0.origin.set(origin).is_ok()
    }

    /// Changes whenever a stream begins, loses its publisher or ends.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Ends all streams and refuses new ones.
    pub fn shutdown(&self) {
        let streams = {
            let mut places = self.places();
            places.closed = true;
            places.watchers.clear();
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
