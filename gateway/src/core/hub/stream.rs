//! One stream with its frames, its properties and its derived streams.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use media::time::Micros;
use media::{Config, Frame, Track, TrackId};
use tokio::time::Instant;

use super::audio_level::AudioLevel;
use super::derived::DerivedStreams;
use super::events::{self, Happened};
use super::frame_entry::{FrameEntry, Subscriber};
use super::keys::{Demand, KeyFrameWait, Keys};
use super::meter::Meter;
use super::notes::{Fields, Note, Notes};
use super::phase::PublisherPhase;
use super::publisher_state::{PublisherKind, PublisherState};
use super::ring::{Ring, RingLimits, Start};
use super::stand_in::{Covered, StandIn};
use super::viewer_count::ViewerCount;
use crate::core::name::StreamName;

/// A publisher that was covered returns without a key frame if none comes for so long.
const LONGEST_KEY_WAIT: Duration = Duration::from_secs(10);

/// Counters of a stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct StreamStats {
    /// Number of published frames of both tracks.
    pub frames: u64,
    /// Number of published video frames.
    pub video_frames: u64,
    /// Number of received bytes in frames.
    pub received: u64,
    /// Number of bytes sent to viewers.
    pub sent: u64,
    /// Received rate over the last 30 s in kbit/s.
    pub received_kbps: u64,
    /// Sent rate over the last 30 s in kbit/s.
    pub sent_kbps: u64,
    /// Number of bytes in cached frames.
    pub cached: usize,
}

/// A named stream. It starts with its first publisher, and ends when a publisher leaves and none returns in time.
#[derive(Debug)]
pub struct Stream {
    name: StreamName,
    events: events::Sender,
    id: String,
    started: SystemTime,
    ring: Arc<Ring<Arc<FrameEntry>>>,
    known: Mutex<PublisherState>,
    phase: PublisherPhase,
    derived: DerivedStreams,
    keys: Arc<Keys>,
    notes: Notes,
    frames: AtomicU64,
    video_frames: AtomicU64,
    received: Meter,
    sent: Meter,
    viewers: Arc<ViewerCount>,
    audio_level: AudioLevel,
    /// Its clones are the jobs that need the stream.
    held: Arc<()>,
}

/// The need of a job for a stream: see [`Stream::hold`].
#[derive(Debug)]
pub struct Hold {
    _count: Arc<()>,
}

impl Stream {
    pub(super) fn new(name: StreamName, limits: RingLimits, events: events::Sender) -> Arc<Self> {
        Arc::new(Self {
            viewers: ViewerCount::new(name.clone(), events.clone()),
            name,
            events,
            id: format!("vid-{:08x}", rand::random::<u32>()),
            started: SystemTime::now(),
            ring: Ring::new(limits),
            known: Mutex::default(),
            phase: PublisherPhase::default(),
            derived: DerivedStreams::default(),
            keys: Arc::default(),
            notes: Notes::default(),
            frames: AtomicU64::new(0),
            video_frames: AtomicU64::new(0),
            received: Meter::default(),
            sent: Meter::default(),
            audio_level: AudioLevel::default(),
            held: Arc::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, PublisherState> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Declares that a job needs the stream, until the returned value is dropped. Other jobs, such as pulls, then
    /// provide it as they do for a viewer.
    pub fn hold(&self) -> Hold {
        Hold { _count: self.held.clone() }
    }

    /// Returns whether somebody needs the stream: a viewer, or a job that holds it.
    pub fn is_needed(&self) -> bool {
        self.viewers() > 0 || Arc::strong_count(&self.held) > 1
    }

    /// Returns the stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// Returns the current number of viewers.
    pub fn viewers(&self) -> usize {
        self.viewers.get()
    }

    /// Counts a new viewer.
    pub(super) fn viewer_came(&self) {
        self.viewers.change(1);
    }

    /// Removes a viewer from the count.
    pub(super) fn viewer_left(&self) {
        self.viewers.change(-1);
    }

    /// Records the audio level of a packet, in dBov: -127 (silence) to 0 (RFC 6464).
    pub(super) fn record_audio_level(&self, level: i8) {
        self.audio_level.record(level);
    }

    /// Returns the highest audio level since the last call, in dBov: -127 (silence) to 0. Returns `None` if no packet
    /// had a level. Only WebRTC publishers send levels.
    pub fn take_audio_level(&self) -> Option<i8> {
        self.audio_level.take()
    }

    /// Returns a short identifier for the API. It is random, and is new for each stream.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns when the first publisher connected.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Returns when the current publisher connected; `None` while there is no publisher.
    pub fn publishing(&self) -> Option<SystemTime> {
        self.known().publishing
    }

    /// Returns the kind of the newest publisher, which may have left.
    pub fn kind(&self) -> PublisherKind {
        self.known().kind
    }

    /// Returns whether another node of the cluster publishes the stream, and this gateway only relays it. Such a
    /// stream is not claimed, forwarded, recorded or pulled here: the other node does that.
    pub fn remote(&self) -> bool {
        matches!(self.kind(), PublisherKind::Relay | PublisherKind::Placeholder)
    }

    /// Returns whether the stream has viewers of HLS that another node makes, and no frames come.
    pub fn is_placeholder(&self) -> bool {
        self.kind() == PublisherKind::Placeholder
    }

    /// Returns whether the newest publisher promises key frames on request.
    pub fn promises_keys(&self) -> bool {
        self.keys.promised()
    }

    /// Returns the newest configuration of a track.
    pub fn config(&self, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        self.known().config(track.into()).cloned()
    }

    /// Returns whether the current publisher has sent this track.
    pub fn has(&self, track: impl Into<TrackId>) -> bool {
        self.config(track).is_some()
    }

    /// Returns the current publisher's metadata.
    pub fn fields(&self) -> Option<Fields> {
        self.notes.fields()
    }

    /// Returns the metadata changes and messages whose number is at least `heard`, and advances `heard` past them.
    pub fn notes_since(&self, heard: &mut u64) -> Vec<Note> {
        self.notes.since(heard)
    }

    /// Adds metadata or a message of publisher `turn`. Returns false if the publisher exceeds its rate limit.
    pub(super) fn push_note(&self, note: Note, fields: Option<Fields>, turn: u64) -> bool {
        self.known().turn != turn || self.notes.push(note, fields)
    }

    /// Returns whether a viewer should expect this track. That is so if the publisher has sent or announced the
    /// track, and while a publisher that has announced nothing is new.
    pub fn promises(&self, track: Track) -> bool {
        self.known().promises(track)
    }

    /// Stores the tracks that publisher `turn` announces.
    pub(super) fn announce(&self, audio: bool, video: bool, turn: u64) {
        let mut known = self.known();
        if known.turn == turn {
            known.announced = Some((audio, video));
        }
    }

    /// Creates a reader of the stream's frames. If the reader has to wait for a requested key frame and the
    /// publisher does not send one in time, the reader starts with the cached key frame.
    pub fn subscribe(&self, start: Start) -> Subscriber {
        let better = self.start(start);
        let cursor = self.ring.cursor(better);
        if better == start { cursor } else { cursor.waiting_for_key_frame(KeyFrameWait::new(&self.keys)) }
    }

    /// Returns the best start position for a viewer that asks for `start`. This is the next key frame if the cached
    /// key frame is old and the publisher creates key frames on request; else it is `start`.
    ///
    /// If the cached key frame is old, requests a new one from a publisher that promises key frames on request, even if
    /// it ignored earlier requests.
    pub fn start(&self, start: Start) -> Start {
        let stale = || self.newest().is_some_and(|now| self.keys.stale(now));
        if start != Start::Key || !self.keys.promised() || !stale() {
            return start;
        }
        self.ask_key();
        if self.makes_keys() { Start::Live } else { start }
    }

    /// Returns how far apart key frames are now; `None` before the first one.
    pub fn key_interval(&self) -> Option<Micros> {
        self.keys.interval(self.newest()?)
    }

    /// Returns whether the publisher is expected to create key frames on request.
    pub fn makes_keys(&self) -> bool {
        self.keys.on_request()
    }

    /// Resolves when the result of [`Stream::makes_keys`] changes after this call.
    pub fn makes_keys_changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.keys.changed()
    }

    /// Requests one key frame from the publisher.
    pub fn ask_key(&self) {
        self.keys.ask();
    }

    /// Requests key frames at least every two seconds, until the returned value is dropped.
    pub fn demand_keys(&self) -> Demand {
        Demand::new(&self.keys)
    }

    /// Returns the decode time of the newest frame; `None` before the first frame.
    pub fn newest(&self) -> Option<Micros> {
        self.ring.newest()
    }

    /// Returns whether the stream has ended: the publisher left, and none returned in time.
    pub fn ended(&self) -> bool {
        self.ring.closed()
    }

    /// Returns the derived stream for `key`. If no viewer holds it, `make` creates it.
    ///
    /// In this way, viewers share derived work. Each viewer holds the `Arc`, and the stream has only a weak
    /// reference, so the work stops with the last viewer. `make` may call this method with another key.
    pub fn derive<K, T>(self: &Arc<Self>, key: K, make: impl FnOnce(&Arc<Self>) -> Arc<T>) -> Arc<T>
    where
        K: Eq + Debug + Send + 'static,
        T: Debug + Send + Sync + 'static,
    {
        self.derived.get_or_make(key, || make(self))
    }

    /// Returns the size limits of the stream's ring. The rings of derived streams use the same limits.
    pub fn limits(&self) -> RingLimits {
        self.ring.limits()
    }

    /// Returns the stream's counters.
    pub fn stats(&self) -> StreamStats {
        StreamStats {
            frames: self.frames.load(Ordering::Relaxed),
            video_frames: self.video_frames.load(Ordering::Relaxed),
            received: self.received.total(),
            sent: self.sent.total(),
            received_kbps: self.received.kbps(),
            sent_kbps: self.sent.kbps(),
            cached: self.ring.bytes(),
        }
    }

    /// Counts bytes sent to a viewer.
    pub fn count_sent(&self, bytes: u64) {
        self.sent.add(bytes);
    }

    /// Resolves when the tracks are known: both tracks or all announced tracks have sent a frame, or one second has
    /// passed since the first frame.
    pub(super) async fn settled(&self) {
        self.phase.settled().await;
    }

    /// Records that publisher `turn` sends unreadable media. Only the first description is kept.
    pub(super) fn unreadable(&self, turn: u64, what: impl FnOnce() -> String) {
        let mut known = self.known();
        if known.turn != turn {
            return;
        }
        known.heard = Some(Instant::now());
        if known.unreadable.is_none() {
            known.unreadable = Some(what());
            drop(known);
            self.phase.set_unreadable();
        }
    }

    /// Returns the description of the unreadable media, if the publisher has sent nothing else.
    pub(super) fn only_unreadable(&self) -> Option<String> {
        let unreadable = self.phase.is_unreadable();
        self.known().unreadable.clone().filter(|_| unreadable)
    }

    /// Resolves when the publisher has sent only unreadable media for some seconds.
    pub(super) async fn stays_unreadable(&self) {
        self.phase.stays_unreadable().await;
    }

    /// Resets the state for the new publisher `turn`.
    pub(super) fn begin(&self, turn: u64, kind: PublisherKind) {
        // The new publisher may send other tracks than the previous one.
        *self.known() = PublisherState::starting(turn, kind);
        self.keys.begin();
        self.notes.reset();
        self.phase.reset();
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Returns the time since the publisher last sent something.
    pub fn silence(&self) -> Duration {
        self.known().heard.map(|heard| heard.elapsed()).unwrap_or_default()
    }

    pub(super) fn pause(&self) {
        self.known().publishing = None;
    }

    pub(super) fn end(&self) {
        self.ring.close();
        self.viewers.end();
    }

    /// Adds a frame of publisher `turn`. Drops the frame if another publisher has replaced this one. `expected` is
    /// the number of announced tracks, if the publisher has announced any.
    pub(super) fn push(&self, entry: FrameEntry, expected: Option<usize>, turn: u64) {
        let mut known = self.known();
        if known.turn != turn {
            return;
        }
        known.heard = Some(Instant::now());
        if !known.covered {
            self.add(entry, expected, known);
        }
    }

    /// Begins to cover the current publisher, if it is connected and nobody else covers it.
    pub fn stand_in(self: &Arc<Self>) -> Option<StandIn> {
        let mut known = self.known();
        if known.publishing.is_none() || known.has_stand_in {
            return None;
        }
        (known.has_stand_in, known.covered, known.returning) = (true, true, None);
        let turn = known.turn;
        drop(known);
        Some(StandIn::new(self.clone(), turn))
    }

    /// Adds a frame in the place of publisher `turn`. Returns false if the publisher is back or gone.
    pub(super) fn push_covering(&self, entry: FrameEntry, turn: u64) -> bool {
        let known = self.known();
        if known.turn != turn || !known.has_stand_in || known.publishing.is_none() {
            return false;
        }
        self.add(entry, None, known);
        true
    }

    /// Ends the covering of publisher `turn`, which returns with its next key frame.
    pub(super) fn end_stand_in(&self, turn: u64) {
        let mut known = self.known();
        known.has_stand_in &= known.turn != turn;
    }

    /// Returns whether publisher `turn` was covered since its last frame.
    pub(super) fn is_covered(&self, turn: u64) -> bool {
        let known = self.known();
        known.turn == turn && known.covered
    }

    /// Finds out how publisher `turn` goes on with `frame`, if it is covered.
    pub(super) fn covered(&self, frame: &Frame, turn: u64) -> Covered {
        let mut known = self.known();
        if known.turn != turn || !known.covered {
            return Covered::No;
        }
        let now = Instant::now();
        known.heard = Some(now);
        let late = known.returning.is_some_and(|since| now >= since + LONGEST_KEY_WAIT);
        if frame.is_video() && frame.key || known.config(Track::Video.into()).is_none() || late {
            (known.covered, known.has_stand_in) = (false, false);
            return Covered::Returns;
        }
        if known.returning.is_none() {
            known.returning = Some(now);
            drop(known);
            self.ask_key();
        }
        Covered::Waits
    }

    fn add(&self, entry: FrameEntry, expected: Option<usize>, mut known: MutexGuard<'_, PublisherState>) {
        let (track, now) = (entry.frame.track(), Instant::now());
        self.frames.fetch_add(1, Ordering::Relaxed);
        self.received.add(entry.frame.data.len() as u64);
        if track == Track::Video {
            self.video_frames.fetch_add(1, Ordering::Relaxed);
            if entry.frame.key {
                self.keys.seen(entry.frame.dts);
            }
        }
        if self.keys.check() {
            tracing::info!(
                stream = %self.name,
                "publisher ignores requests for key frames; viewers begin with the cached one"
            );
        }
        let id = entry.frame.track_id();
        let report = known.store_config(id, &entry.frame.config, now);
        let seen = known.count_default_tracks();
        // The lock is still held, so that no frame of an old publisher can follow the first frame of its successor.
        self.ring.push(Arc::new(entry));
        drop(known);
        if report {
            self.events.send(&self.name, Happened::ConfigChanged(id));
        }
        self.phase.frame_came(seen, expected.unwrap_or(2));
    }
}
