//! Latency control: when to play faster, slower, or to jump. No clock and no element in here: time and
//! the playhead are arguments, a rate or a seek is the answer.
//!
//! The *edge* is the newest moment that could be played, drawn through the arrivals as a straight line:
//! `wall clock + base`, where `base` is the best that an arrival of the last seconds reached. *Lag* is the
//! edge less the playhead. The *target* is how far media has fallen short of that line lately (99th
//! percentile, between arrivals), plus what the decoder wants, plus what stalls have taught.

mod arrivals;

use media::time::{MILLI, Micros, SECOND};

use arrivals::Arrivals;

/// How near to live to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// As near as the network allows.
    Realtime,
    /// About a second, and smooth on most networks.
    Low,
    /// About three seconds: smooth on bad networks.
    Normal,
}

/// What the media element says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Playhead {
    /// Media time.
    pub time: Micros,
    /// Not playing, by the viewer's wish.
    pub paused: bool,
    /// A seek is on its way.
    pub seeking: bool,
    /// Has no picture for the next moment.
    pub starved: bool,
    /// Nobody can see the page.
    pub hidden: bool,
    /// What was sought is being fetched.
    pub fetching: bool,
}

/// What to do to the element.
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
/// Closer than this to the target a correction ends.
const SETTLED: Micros = 10 * MILLI;
/// A seek to where nothing is buffered goes to the nearest range after this time.
const LOST: Micros = 300 * MILLI;
/// A hole is jumped when less than this is buffered before it …
const LEFT: Micros = 200 * MILLI;
/// … or nothing moves for this long.
const STUCK: Micros = SECOND;
/// A viewer who goes further behind live than this much more than the target stays there.
const CHOSEN: Micros = SECOND;
/// A playhead of a hidden page that falls this far behind is moved on.
const FROZEN: Micros = 30 * SECOND;
/// Between two seeks, for the element to land.
const SEEK_PAUSE: Micros = SECOND;

/// Steers one element through one stream.
#[derive(Debug)]
pub struct Pacer {
    latency: Latency,
    sound: bool,
    /// Segments of a playlist come seconds apart.
    segmented: bool,
    /// Not live: from its begin, at its own pace.
    file: bool,
    arrivals: Arrivals,
    /// Added to the target after stalls.
    raised: Micros,
    raised_at: Micros,
    started: bool,
    was_hidden: bool,
    /// The viewer came back: to live, however small the lag.
    jump: bool,
    /// The viewer chose to be behind live: latency control rests.
    behind: bool,
    /// Since when it starves though something is buffered.
    starved_at: Micros,
    /// When a seek to where nothing is buffered was seen.
    lost_at: Option<Micros>,
    seek_at: Micros,
    rate: i64,
    lag: Micros,
}

impl Pacer {
    /// A pacer for a stream that begins.
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

    /// Changes the wish.
    pub fn set_latency(&mut self, latency: Latency) {
        self.latency = latency;
    }

    /// Whether the stream has sound, which needs more decoded ahead.
    pub fn set_sound(&mut self, sound: bool) {
        self.sound = sound;
    }

    /// Everything up to the media time `end` can be played since `now`.
    pub fn arrived(&mut self, now: Micros, end: Micros) {
        self.arrivals.add(now, end);
    }

    /// Playback ran out of media.
    pub fn stalled(&mut self, now: Micros) {
        // Not after a seek, and not when the network itself is gone: a larger target helps neither.
        let gone = self.arrivals.silence(now) > SECOND && !self.segmented;
        if self.started && !gone && now - self.seek_at > SECOND {
            self.raised = (self.raised(now) + 50 * MILLI).min(SECOND);
            self.raised_at = now;
        }
    }

    /// The viewer wants to go on: live, unless he chose to be behind.
    pub fn resume(&mut self) {
        self.jump = !self.behind;
    }

    /// The viewer wants to be live. `elsewhere`: nothing that is buffered is near.
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

    /// Whether the viewer chose to be behind live.
    pub const fn behind(&self) -> bool {
        self.behind
    }

    /// This is a file: it plays from its begin, at its own pace.
    pub fn set_file(&mut self) {
        self.file = true;
    }

    /// The element got a new, empty source.
    pub fn rebuilt(&mut self) {
        self.started = false;
        self.behind = false;
        self.rate = 1_000;
    }

    /// Time between the newest playable moment and the playhead, as of the last [`Pacer::poll`].
    pub const fn lag(&self) -> Micros {
        self.lag
    }

    /// The lag to aim at.
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

    /// What stalls added, fading over half a minute.
    fn raised(&self, now: Micros) -> Micros {
        let left = (30 * SECOND - (now - self.raised_at)).max(0);
        self.raised * left / (30 * SECOND)
    }

    /// What to do now, given what is buffered (ranges in order).
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
        // To the target, but not past what is there, nor into a hole.
        let live = (edge - target).min(end - 30 * MILLI).max(last);
        let outside = !ranges.iter().any(|&(start, end)| start <= head.time && head.time < end);
        if head.seeking {
            // Such a seek never ends by itself, unless what it wants is about to come. In a piece too short to
            // begin with, neither.
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
        // Browsers say that they starve before all is played.
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
            // Browsers may stop what nobody sees; the buffer must not grow for it.
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

    /// The first position: the first picture, which can be shown at once; then live.
    fn start(&mut self, now: Micros, target: Micros, ranges: &[(Micros, Micros)]) -> Option<Action> {
        let &(first, end) = ranges.last()?;
        self.started = true;
        let edge = self.arrivals.edge(now).unwrap_or(end);
        let live = (edge - target).min(end - 30 * MILLI);
        self.jump = !self.arrivals.calm(now) || live - first > 300 * MILLI;
        self.seek(now, if self.jump || self.file { first } else { live.max(first) })
    }

    /// The nearest media time that is buffered; live, when everything lies before.
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
        // Nothing comes: the line of the edge is a guess now, and hurrying would only stall.
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
