//! The segments and the playlist of one stream, in memory.
//!
//! A store outlives its stream for a while: if the publisher returns, the sequence numbers continue, as RFC
//! 8216 6.2.2 requires. Even after a restart of the server, or on another server, they are higher than before: a store
//! starts to count from the current Unix time in seconds, its epoch, and segments are longer than a second. Segments
//! are called `NAME-EPOCH-NUMBER.ts`, so that no two have the same name.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::hls::Segment;
use media::hls::playlist::Media;
use media::time::Micros;
use tokio::sync::watch;

use super::SegmentRules;
use super::demand::Demand;
use super::dropped_segments::{Data, DroppedSegments};
use super::render::{self, Rendered};
use super::stored::Stored;
use super::upload::{Piece, Uploader};
use super::viewers::Viewers;
use crate::core::close::CloseReason;
use crate::core::hub::{HlsSegment, Stream, StreamName};
use crate::store::Store as ObjectStore;

/// Why a segment is not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// The segment was removed.
    Gone,
    /// The segment never existed, or does not exist yet.
    Unknown,
}

/// The content of a [`Store`].
#[derive(Debug)]
struct State {
    /// The listed segments, and a few earlier ones for slow players.
    segments: VecDeque<Stored>,
    bytes: usize,
    /// Segments that left `segments` and are still being sent.
    dropped: DroppedSegments,
    /// The sequence number of the first segment since the stream began: the time in seconds since 1970.
    epoch: u64,
    next: u64,
    /// The first listed sequence number; it never decreases.
    listed: u64,
    discontinuities: u64,
    /// Whether any segment was ever stored.
    used: bool,
    /// The longest duration so far: `EXT-X-TARGETDURATION` must not decrease.
    target: Micros,
    /// Whether every segment since the start of the stream can be decoded without the previous one.
    independent: bool,
    ended: bool,
    hidden: bool,
    /// Number of streams that were fed into this store.
    turn: u64,
    stream: Weak<Stream>,
    rendered: Option<Arc<Rendered>>,
}

/// The segments of one stream name.
#[derive(Debug)]
pub(super) struct Store {
    name: StreamName,
    rules: SegmentRules,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    pub(super) viewers: Viewers,
    pub(super) demand: Demand,
    /// Uploads everything, if there is an object store.
    uploader: Option<Uploader>,
}

impl Store {
    pub(super) fn new(name: StreamName, rules: SegmentRules, objects: Option<&ObjectStore>) -> Self {
        let state = State {
            segments: VecDeque::new(),
            bytes: 0,
            dropped: DroppedSegments::default(),
            epoch: 0,
            next: 0,
            listed: 0,
            discontinuities: 0,
            used: false,
            target: rules.segmenter.target,
            independent: true,
            ended: true,
            hidden: true,
            turn: 0,
            stream: Weak::new(),
            rendered: None,
        };
        let uploader = objects.map(|objects| Uploader::start(objects, &name));
        Self {
            name,
            uploader,
            rules,
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            viewers: Viewers::default(),
            demand: Demand::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn name(&self) -> &StreamName {
        &self.name
    }

    /// Returns the stream that feeds this store, while it is live.
    pub(super) fn stream(&self) -> Option<Arc<Stream>> {
        self.state().stream.upgrade()
    }

    /// Returns how long a viewer may be silent before it counts as gone: three target durations.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_micros((self.state().target * 3).max(0) as u64)
    }

    /// Announces the segments of `stream`. Returns the number of this turn.
    pub(super) fn begin(&self, stream: &Arc<Stream>) -> u64 {
        let mut state = self.state();
        if state.ended {
            // Another server may have had the stream meanwhile: numbers begin anew, higher than all before.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            if now > state.next {
                (state.epoch, state.next) = (now, now);
            }
            // New viewers see the new stream, not the end of the old one.
            state.listed = state.next;
            state.independent = true;
            self.viewers.expire(Duration::ZERO, &CloseReason::StreamEnded);
            let epoch = state.epoch;
            self.upload(|uploader| uploader.begin(epoch));
        }
        (state.ended, state.hidden, state.rendered) = (false, false, None);
        state.stream = Arc::downgrade(stream);
        state.turn += 1;
        state.turn
    }

    /// Appends a segment, whose first frame was captured at about `now - duration`. The last segment of a
    /// stream that was already followed by another one is dropped.
    pub(super) fn push(&self, turn: u64, segment: Segment, now: SystemTime) -> Option<HlsSegment> {
        let mut state = self.state();
        if state.turn != turn {
            return None;
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
        let discontinuity = segment.discontinuity && state.used;
        let date = match state.segments.back() {
            Some(last) if !discontinuity => last.date + last.duration,
            _ => now - segment.duration,
        };
        state.discontinuities += u64::from(discontinuity);
        state.used = true;
        state.independent &= segment.independent;
        state.target = state.target.max(segment.duration);
        state.bytes += segment.data.len();
        let sequence = state.next;
        let complete = HlsSegment {
            path: format!("{}-{}-{}.ts", self.name, state.epoch, sequence - state.epoch),
            sequence,
            duration: Duration::from_micros(segment.duration.max(0) as u64),
        };
        self.upload(|uploader| {
            uploader.push(Piece {
                number: sequence - state.epoch,
                bytes: segment.data.clone(),
                duration: segment.duration,
                discontinuity,
                independent: segment.independent,
                date,
            });
        });
        let stored = Stored {
            epoch: state.epoch,
            sequence,
            duration: segment.duration,
            discontinuity,
            discontinuities: state.discontinuities,
            date,
            data: Data::new(segment.data),
        };
        state.segments.push_back(stored);
        state.next += 1;
        state.rendered = None;
        state.trim(&self.rules);
        drop(state);
        self.changed.send_replace(());
        Some(complete)
    }

    /// Ends the playlist. Returns whether `turn` is still the current one.
    pub(super) fn end(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            (state.ended, state.rendered) = (true, None);
            self.upload(Uploader::end);
        }
        let present = state.turn == turn;
        drop(state);
        self.changed.send_replace(());
        present
    }

    /// Hides the playlist: new requests get "no stream". The segments stay available.
    pub(super) fn hide(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            state.hidden = true;
        }
        state.turn == turn
    }

    /// Frees the segments but keeps the sequence numbers.
    pub(super) fn clear(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            let segments = std::mem::take(&mut state.segments);
            segments.into_iter().for_each(|segment| state.dropped.add(segment.data));
            state.dropped.trim(self.rules.max_lent);
            (state.bytes, state.listed, state.rendered) = (0, state.next, None);
            self.upload(Uploader::clear);
        }
        state.turn == turn
    }

    fn upload(&self, work: impl FnOnce(&Uploader)) {
        if let Some(uploader) = &self.uploader {
            work(uploader);
        }
    }

    /// Returns whether segments are uploaded, so that viewers are not known here.
    pub(super) const fn uploads(&self) -> bool {
        self.uploader.is_some()
    }

    /// Returns whether `turn` is still the current one.
    pub(super) fn is_turn(&self, turn: u64) -> bool {
        self.state().turn == turn
    }

    /// Returns the playlist, if there is a stream with at least one segment.
    pub(super) fn playlist(&self) -> Option<Arc<Rendered>> {
        let mut state = self.state();
        if state.hidden || state.segments.back().is_none_or(|last| last.sequence < state.listed) {
            return None;
        }
        if state.rendered.is_none() {
            let listed = state.segments.iter().filter(|s| s.sequence >= state.listed);
            let list = render::list(&self.name, listed, state.target, state.ended);
            let list = Media { independent: state.independent, ..list };
            state.rendered = Some(Arc::new(Rendered::new(&list, format!("{}-{}", state.epoch, state.next))));
        }
        state.rendered.clone()
    }

    /// Waits for the first segment. Safe to cancel and call again.
    pub(super) async fn ready(&self) -> Arc<Rendered> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if let Some(playlist) = self.playlist() {
                return playlist;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits for a playlist of another version than this one.
    pub(super) async fn newer(&self, version: &str) -> Arc<Rendered> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            if let Some(playlist) = self.playlist()
                && playlist.etag.trim_matches('"') != version
            {
                return playlist;
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns the bytes of segment `number` of an epoch.
    pub(super) fn segment(&self, epoch: u64, number: u64) -> Result<Arc<Data>, Missing> {
        let sequence = epoch.checked_add(number).ok_or(Missing::Unknown)?;
        let state = self.state();
        let found = state.segments.iter().find(|s| (s.epoch, s.sequence) == (epoch, sequence));
        let first = state.segments.front().map_or(state.next, |s| s.sequence);
        let was = if sequence < first { Missing::Gone } else { Missing::Unknown };
        found.map(|s| s.data.clone()).ok_or(was)
    }
}

/// Segments that are kept of a stream, listed or not. Segments of the usual length need a fraction of it; a publisher
/// that changes its codec configuration with every frame makes one segment of each.
pub(super) const MAX_SEGMENTS: usize = 128;

impl State {
    /// Moves the playlist window and frees segments that no viewer needs.
    fn trim(&mut self, rules: &SegmentRules) {
        let total = |segments: &VecDeque<Stored>, listed: u64, in_window: bool| -> Micros {
            segments.iter().filter(|s| (s.sequence >= listed) == in_window).map(|s| s.duration).sum()
        };
        // At least `window` segments and three target durations stay listed (6.2.2).
        let mut window = total(&self.segments, self.listed, true);
        while let Some(first) = self.segments.iter().find(|s| s.sequence >= self.listed) {
            let count = self.next - self.listed;
            if count <= rules.window as u64 || window - first.duration < self.target * 3 {
                break;
            }
            window -= first.duration;
            self.listed = first.sequence + 1;
        }
        // A segment that left the playlist is kept for its own and the playlist's duration (6.2.2).
        let mut old = total(&self.segments, self.listed, false);
        while let Some(first) = self.segments.front() {
            let stale = first.sequence < self.listed && old - first.duration > window + first.duration;
            let over = self.segments.len() > MAX_SEGMENTS
                || (self.bytes > rules.max_bytes && self.segments.len() > 1);
            if !stale && !over {
                break;
            }
            old -= first.duration;
            self.bytes -= first.data.len();
            self.listed = self.listed.max(first.sequence + 1);
            if let Some(gone) = self.segments.pop_front() {
                self.dropped.add(gone.data);
            }
        }
        self.dropped.trim(rules.max_lent);
    }
}
