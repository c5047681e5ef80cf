//! Latency control: decides when to play faster, slower, or to jump. It has no clock and no media element:
//! time and playhead are arguments, the result is a rate or a seek.
//!
//! The *edge* is the newest playable moment, as a straight line through the arrivals: `wall clock + base`,
//! where `base` is the best value of an arrival in the last seconds. The *lag* is the edge minus the
//! playhead. The *target* is the sum of three values: how far media was behind that line between recent
//! arrivals (99th percentile), the time that the decoder needs, and an addition after stalls.

mod arrivals;

use media::time::{MILLI, Micros, SECOND};

use arrivals::Arrivals;

/// The distance to live that the viewer prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// As close as the network allows.
    Realtime,
    /// About a second; smooth on most networks.
    Low,
    /// About three seconds; smooth on bad networks.
    Normal,
}

/// The state of the media element.
#[derive(Debug, Clone, Copy, Default)]
pub struct Playhead {
    /// Media time.
    pub time: Micros,
    /// Paused by the viewer.
    pub paused: bool,
    /// A seek is in progress.
    pub seeking: bool,
    /// There is no media for the next moment.
    pub starved: bool,
    /// The page is hidden.
    pub hidden: bool,
    /// The sought media is being fetched.
    pub fetching: bool,
}

/// An action for the media element.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Set the playback rate, in thousandths.
    Rate(i64),
    /// Set the media time.
    Seek(Micros),
}

const FASTEST: i64 = 1_500;
const SLOWEST: i64 = 900;
const HYSTERESIS: Micros = 60 * MILLI;
/// A correction ends at this distance from the target.
const SETTLED: Micros = 10 * MILLI;
/// A seek to unbuffered media moves to the nearest range after this time.
const LOST: Micros = 300 * MILLI;
/// A gap is skipped if less than this is buffered before it.
const LEFT: Micros = 200 * MILLI;
/// A gap is skipped if playback has not moved for this long.
const STUCK: Micros = SECOND;
/// A viewer who moves further behind the target than this stays there.
const CHOSEN: Micros = SECOND;
/// The playhead of a hidden page is moved forward when it falls this far behind.
const FROZEN: Micros = 30 * SECOND;
/// Minimum time between two seeks.
const SEEK_PAUSE: Micros = SECOND;

/// Controls the playback of one stream in one media element.
#[derive(Debug)]
pub struct Pacer {
    latency: Latency,
    sound: bool,
    /// Whether media arrives in segments, seconds apart.
    segmented: bool,
    /// Whether this is a file: play from its beginning at normal speed.
    file: bool,
    arrivals: Arrivals,
    /// Addition to the target after stalls.
    raised: Micros,
    raised_at: Micros,
    started: bool,
    was_hidden: bool,
    /// Whether to move to live next, even if the lag is small.
    jump: bool,
    /// Whether the viewer chose to be behind live, which pauses latency control.
    behind: bool,
    /// Since when the element starves although something is buffered.
    starved_at: Micros,
    /// Since when a seek points to unbuffered media.
    lost_at: Option<Micros>,
    seek_at: Micros,
    rate: i64,
    lag: Micros,
}

impl Pacer {
    /// Creates a pacer for a new stream.
    pub fn new(latency: Latency, segmented: bool) -> Self {
        Self {
            latency,
            sound: false,
            segmented,
            file: false,
            arrivals: Arrivals::default(),
            raised: 0,
            raised_at: 0,
            started: false,
            was_hidden: false,
            jump: false,
            behind: false,
            starved_at: 0,
            lost_at: None,
            seek_at: -SEEK_PAUSE,
            rate: 1_000,
            lag: 0,
        }
    }

    /// Changes the latency mode.
    pub fn set_latency(&mut self, latency: Latency) {
        self.latency = latency;
    }

    /// Sets whether the stream has audio, which needs more decoded media ahead.
    pub fn set_sound(&mut self, sound: bool) {
        self.sound = sound;
    }

    /// Reports that media up to the time `end` is playable since `now`.
    pub fn arrived(&mut self, now: Micros, end: Micros) {
        self.arrivals.add(now, end);
    }

    /// Reports that playback ran out of media.
    pub fn stalled(&mut self, now: Micros) {
        // A larger target does not help after a seek, or when the network is down.
        let gone = self.arrivals.silence(now) > SECOND && !self.segmented;
        if self.started && !gone && now - self.seek_at > SECOND {
            self.raised = (self.raised(now) + 50 * MILLI).min(SECOND);
            self.raised_at = now;
        }
    }

    /// The viewer resumes: continue live, unless they chose to be behind.
    pub fn resume(&mut self) {
        self.jump = !self.behind;
    }

    /// Moves to live. `elsewhere` means that nothing near live is buffered.
    pub fn go_live(&mut self, elsewhere: bool) {
        self.behind = false;
        self.jump = true;
        self.started &= !elsewhere;
    }

    /// The viewer chose the media time `to`.
    pub fn sought(&mut self, now: Micros, to: Micros) {
        self.jump = false;
        self.seek_at = now;
        self.lost_at = None;
        self.behind =
            !self.file && self.arrivals.edge(now).is_some_and(|edge| edge - to > self.target(now) + CHOSEN);
    }

    /// Returns whether the viewer chose to be behind live.
    pub const fn behind(&self) -> bool {
        self.behind
    }

    /// Treats the stream as a file: play from its beginning at normal speed.
    pub fn set_file(&mut self) {
        self.file = true;
    }

    /// Reports that the element has a new, empty source.
    pub fn rebuilt(&mut self) {
        self.started = false;
        self.behind = false;
        self.rate = 1_000;
    }

    /// Returns the time between the newest playable moment and the playhead at the last [`Pacer::poll`].
    pub const fn lag(&self) -> Micros {
        self.lag
    }

    /// Returns the intended lag.
    pub fn target(&self, now: Micros) -> Micros {
        let decoded = if self.sound { 90 * MILLI } else { 30 * MILLI };
        let (least, most) = match (self.latency, self.segmented) {
            (Latency::Realtime, false) if self.sound => (200 * MILLI, 800 * MILLI),
            (Latency::Realtime, false) => (50 * MILLI, 800 * MILLI),
            (Latency::Low, false) => (500 * MILLI, 2 * SECOND),
            (Latency::Normal, false) => (2 * SECOND, 5 * SECOND),
            (Latency::Realtime, true) => (SECOND, 10 * SECOND),
            (Latency::Low, true) => (2 * SECOND, 15 * SECOND),
            (Latency::Normal, true) => (4 * SECOND, 20 * SECOND),
        };
        let spare = if self.segmented { 300 * MILLI } else { 0 };
        (self.arrivals.shortfall() + decoded + spare + self.raised(now)).clamp(least, most)
    }

    /// Returns the addition after stalls, which decays over half a minute.
    fn raised(&self, now: Micros) -> Micros {
        let left = (30 * SECOND - (now - self.raised_at)).max(0);
        self.raised * left / (30 * SECOND)
    }

    /// Returns the action to take now, given the buffered ranges in order.
    pub fn poll(&mut self, now: Micros, head: Playhead, ranges: &[(Micros, Micros)]) -> Option<Action> {
        let &(last, end) = ranges.last()?;
        let edge = self.arrivals.edge(now).unwrap_or(end);
        let target = self.target(now);
        self.lag = (edge - head.time).max(0);
        if !self.started {
            return self.start(now, target, ranges);
        }
        if self.was_hidden && !head.hidden {
            self.jump = !self.behind;
        }
        self.was_hidden = head.hidden;
        if head.fetching {
            self.lost_at = None;
            return None;
        }
        // The position of the target, but within the buffered media and not in a gap.
        let live = (edge - target).min(end - 30 * MILLI).max(last);
        let outside = !ranges.iter().any(|&(start, end)| start <= head.time && head.time < end);
        if head.seeking {
            // Such a seek never completes by itself, unless its media is about to arrive. The same applies to
            // a range that is too short to start in.
            let since = *self.lost_at.get_or_insert(now);
            let next = ranges.iter().map(|&(start, _)| start).find(|&start| start > head.time);
            let to = match next {
                _ if outside && now - since >= LOST => self.nearest(head.time, live, ranges),
                Some(next) if !outside && now - since >= STUCK => next,
                _ => return None,
            };
            self.lost_at = None;
            return self.seek(now, to);
        }
        self.lost_at = None;
        if head.paused {
            return None;
        }
        // Browsers report starvation before all media is played.
        let left = ranges.iter().any(|&(start, end)| start <= head.time && head.time + LEFT < end);
        if !head.starved || !left {
            self.starved_at = now;
        }
        if outside || head.starved && (!left || now - self.starved_at > STUCK) {
            let next = ranges.iter().map(|&(start, _)| start).find(|&start| start > head.time);
            if let Some(next) = next {
                let own = self.file || self.behind;
                return self.seek(now, if next == last && !own { live } else { next });
            }
        }
        if self.file || self.behind {
            return self.set_rate(1_000);
        }
        if head.hidden {
            // Browsers may stop hidden pages; the buffer must not grow meanwhile.
            return if self.lag > FROZEN && self.arrivals.calm(now) { self.seek(now, live) } else { None };
        }
        let ahead = live - head.time;
        if self.jump && self.arrivals.calm(now) {
            self.jump = false;
            if ahead > 2 * HYSTERESIS {
                return self.seek(now, live);
            }
        }
        let too_far = self.lag > (5 * target).max(SECOND) && ahead > 300 * MILLI;
        if too_far && self.arrivals.calm(now) && now - self.seek_at > SEEK_PAUSE {
            return self.seek(now, live);
        }
        self.steer(now, target)
    }

    /// Moves to the start position: first to the first video frame, which can be shown at once, then to live.
    fn start(&mut self, now: Micros, target: Micros, ranges: &[(Micros, Micros)]) -> Option<Action> {
        let &(first, end) = ranges.last()?;
        self.started = true;
        let edge = self.arrivals.edge(now).unwrap_or(end);
        let live = (edge - target).min(end - 30 * MILLI);
        self.jump = !self.arrivals.calm(now) || live - first > 300 * MILLI;
        self.seek(now, if self.jump || self.file { first } else { live.max(first) })
    }

    /// Returns the nearest buffered media time; live if all ranges are before `time`.
    fn nearest(&self, time: Micros, live: Micros, ranges: &[(Micros, Micros)]) -> Micros {
        let within = |&(start, end): &(Micros, Micros)| time.clamp(start, (end - 100 * MILLI).max(start));
        match ranges.last() {
            Some(&(_, end)) if time >= end && !self.file => live,
            _ => ranges.iter().map(within).min_by_key(|near| (near - time).abs()).unwrap_or(live),
        }
    }

    fn seek(&mut self, now: Micros, to: Micros) -> Option<Action> {
        self.seek_at = now;
        Some(Action::Seek(to))
    }

    fn steer(&mut self, now: Micros, target: Micros) -> Option<Action> {
        let error = self.lag - target;
        let settled = if self.rate == 1_000 { HYSTERESIS } else { SETTLED };
        let mut rate = 1_000;
        if error.abs() > settled {
            // 1 + error in seconds.
            rate = (1_000 + error / MILLI).clamp(SLOWEST, FASTEST);
        }
        // No media arrives: the edge is only a guess now, and playing faster would cause a stall.
        if rate > 1_000 && self.arrivals.silence(now) > self.arrivals.shortfall() + 100 * MILLI {
            rate = 1_000;
        }
        self.set_rate(rate)
    }

    fn set_rate(&mut self, rate: i64) -> Option<Action> {
        if (rate - self.rate).abs() < 15 && (rate == 1_000) == (self.rate == 1_000) {
            return None;
        }
        self.rate = rate;
        Some(Action::Rate(rate))
    }
}

#[cfg(test)]
mod tests;
