//! One stream's segments and its playlist, in memory.
//!
//! The store outlives the stream for a while: a publisher who comes back finds the numbers going on
//! where they were, as RFC 8216 6.2.2 asks. Even a server that was restarted gives higher ones,
//! since a store counts from the second of its making: seconds pass faster than segments.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::hls::Segment;
use media::hls::playlist::Media;
use media::time::Micros;
use tokio::sync::watch;

use super::Settings;
use super::demand::Demand;
use super::lent::{Data, Lent};
use super::render::{self, Rendered};
use super::stored::Stored;
use super::viewers::Viewers;
use crate::core::close::CloseReason;
use crate::core::hub::{Stream, StreamName};

/// Why there is no segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It was there.
    Gone,
    /// It never was, or is not yet.
    Unknown,
}

#[derive(Debug)]
struct State {
    /// Those that are listed, and a few before for players that are slow.
    segments: VecDeque<Stored>,
    bytes: usize,
    /// Segments that left `segments` and are still being sent.
    lent: Lent,
    next: u64,
    /// The first sequence number that is listed; it never goes back.
    listed: u64,
    discontinuities: u64,
    /// Any segment was ever stored.
    used: bool,
    /// The longest duration so far: `EXT-X-TARGETDURATION` may not go back.
    target: Micros,
    /// Every segment since the stream began can be decoded without the one before.
    independent: bool,
    ended: bool,
    hidden: bool,
    /// Counts the streams that were fed into this store.
    turn: u64,
    stream: Weak<Stream>,
    rendered: Option<Arc<Rendered>>,
}

/// The segments of one stream name.
#[derive(Debug)]
pub(super) struct Store {
    name: StreamName,
    /// Unguessable, and part of every segment's name: a name is never used twice, and whoever was
    /// refused the playlist cannot ask for its segments.
    token: String,
    settings: Settings,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    pub(super) viewers: Viewers,
    pub(super) demand: Demand,
}

impl Store {
    pub(super) fn new(name: StreamName, settings: Settings) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let state = State {
            segments: VecDeque::new(),
            bytes: 0,
            lent: Lent::default(),
            next: since.as_secs(),
            listed: since.as_secs(),
            discontinuities: 0,
            used: false,
            target: settings.segmenter.target,
            independent: true,
            ended: true,
            hidden: true,
            turn: 0,
            stream: Weak::new(),
            rendered: None,
        };
        Self {
            name,
            token: format!("{:016x}", rand::random::<u64>()),
            settings,
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

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The stream that feeds it, while it lives.
    pub(super) fn stream(&self) -> Option<Arc<Stream>> {
        self.state().stream.upgrade()
    }

    /// How long a viewer may be silent before it counts as gone: three target durations.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_micros((self.state().target * 3).max(0) as u64)
    }

    /// Segments of `stream` will follow. Answers this turn's number.
    pub(super) fn begin(&self, stream: &Arc<Stream>) -> u64 {
        let mut state = self.state();
        if state.ended {
            // Who comes now is to see what is live, not the end of what was.
            state.listed = state.next;
            state.independent = true;
            self.viewers.expire(Duration::ZERO, &CloseReason::StreamEnded);
        }
        (state.ended, state.hidden, state.rendered) = (false, false, None);
        state.stream = Arc::downgrade(stream);
        state.turn += 1;
        state.turn
    }

    /// Appends a segment, whose first frame was shot about `now - duration`. The last one of a
    /// stream that another has followed already is left out.
    pub(super) fn push(&self, turn: u64, segment: Segment, now: SystemTime) {
        let mut state = self.state();
        if state.turn != turn {
            return;
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
        let stored = Stored {
            sequence: state.next,
            duration: segment.duration,
            discontinuity,
            discontinuities: state.discontinuities,
            date,
            data: Data::new(segment.data),
        };
        state.segments.push_back(stored);
        state.next += 1;
        state.rendered = None;
        state.trim(&self.settings);
        drop(state);
        self.changed.send_replace(());
    }

    /// Nothing follows; the playlist says so. Whether `turn` is still the present one.
    pub(super) fn end(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            (state.ended, state.rendered) = (true, None);
        }
        let present = state.turn == turn;
        drop(state);
        self.changed.send_replace(());
        present
    }

    /// Who asks from now on is told that there is no stream; the segments are still there.
    pub(super) fn hide(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            state.hidden = true;
        }
        state.turn == turn
    }

    /// Frees the segments; the numbers stay.
    pub(super) fn clear(&self, turn: u64) -> bool {
        let mut state = self.state();
        if state.turn == turn {
            let segments = std::mem::take(&mut state.segments);
            segments.into_iter().for_each(|segment| state.lent.add(segment.data));
            state.lent.trim(self.settings.max_lent);
            (state.bytes, state.listed, state.rendered) = (0, state.next, None);
        }
        state.turn == turn
    }

    /// Whether `turn` is still the present one.
    pub(super) fn is_turn(&self, turn: u64) -> bool {
        self.state().turn == turn
    }

    /// The playlist, if there is a stream and anything in it.
    pub(super) fn playlist(&self) -> Option<Arc<Rendered>> {
        let mut state = self.state();
        if state.hidden || state.segments.back().is_none_or(|last| last.sequence < state.listed) {
            return None;
        }
        if state.rendered.is_none() {
            let listed = state.segments.iter().filter(|s| s.sequence >= state.listed);
            let list = render::list(&self.name, &self.token, listed, state.target, state.ended);
            let list = Media { independent: state.independent, ..list };
            state.rendered = Some(Arc::new(Rendered::new(&list, format!("{}-{}", self.token, state.next))));
        }
        state.rendered.clone()
    }

    /// Waits for the first segment. May be dropped and called again.
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

    /// A segment's bytes.
    pub(super) fn segment(&self, sequence: u64) -> Result<Arc<Data>, Missing> {
        let state = self.state();
        let first = state.segments.front().map_or(state.next, |s| s.sequence);
        match sequence.checked_sub(first) {
            None => Err(Missing::Gone),
            Some(at) => {
                let found = usize::try_from(at).ok().and_then(|at| state.segments.get(at));
                found.map(|s| s.data.clone()).ok_or(Missing::Unknown)
            }
        }
    }
}

impl State {
    /// Moves the window on and frees what nobody will ask for.
    fn trim(&mut self, settings: &Settings) {
        let total = |segments: &VecDeque<Stored>, listed: u64, in_window: bool| -> Micros {
            segments.iter().filter(|s| (s.sequence >= listed) == in_window).map(|s| s.duration).sum()
        };
        // At least `window` segments and three target durations stay listed (6.2.2).
        let mut window = total(&self.segments, self.listed, true);
        while let Some(first) = self.segments.iter().find(|s| s.sequence >= self.listed) {
            let count = self.next - self.listed;
            if count <= settings.window as u64 || window - first.duration < self.target * 3 {
                break;
            }
            window -= first.duration;
            self.listed = first.sequence + 1;
        }
        // What left the list stays for its own and the list's duration (6.2.2).
        let mut old = total(&self.segments, self.listed, false);
        while let Some(first) = self.segments.front() {
            let stale = first.sequence < self.listed && old - first.duration > window + first.duration;
            let over = self.bytes > settings.max_bytes && self.segments.len() > 1;
            if !stale && !over {
                break;
            }
            old -= first.duration;
            self.bytes -= first.data.len();
            self.listed = self.listed.max(first.sequence + 1);
            if let Some(gone) = self.segments.pop_front() {
                self.lent.add(gone.data);
            }
        }
        self.lent.trim(settings.max_lent);
    }
}
