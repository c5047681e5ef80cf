//! Maps the timestamps of one track to the stream's clock.

use super::{DEFAULT_GAP, MAX_APART, TOGETHER};
use crate::time::{MILLI, Micros, SECOND};

mod pace;

use pace::{Leads, Pace};

/// Minimum distance between two frames of a track: one millisecond, the unit of FLV timestamps.
const MIN_STEP: Micros = MILLI;
/// Maximum time that a frame may be ahead of real time, measured against the frames before it.
const MAX_LEAD: Micros = 500 * MILLI;
/// Maximum lead while the arrival times say little: at the start, and while frames arrive faster than real
/// time.
const MAX_LEAD_UNSURE: Micros = MAX_APART;
/// After a jump both tracks keep their distance, unless one track would move back further than this.
const MAX_SQUEEZE: Micros = 500 * MILLI;
/// After a jump both tracks keep their distance, unless one track would move forward further than this.
const MAX_MOVE: Micros = SECOND;
/// Maximum time that frames may be ahead of real time after a jump.
const MAX_HURRY: Micros = 300 * MILLI;
/// A step back of at most this much is timestamp jitter, not a jump.
const WAVER: Micros = 100 * MILLI;
/// Maximum number of consecutive frames that may be out of order.
const MAX_DISORDER: u32 = 16;
/// Maximum number of consecutive frames with the same timestamp that may be parts of one access unit.
const MAX_PARTS: u32 = 16;
/// Audio without timestamps counts as late when it is further than this behind the video.
const STALE: Micros = SECOND;
/// Audio that stays late for this long has lost frames, and is moved forward.
const STALE_FOR: Micros = 2 * SECOND;

/// An arriving frame.
pub(super) struct Moment<'a> {
    /// Decode time on the publisher's clock.
    pub(super) dts: Micros,
    /// Arrival time.
    pub(super) now: Micros,
    /// Returns the playing time of an audio frame.
    pub(super) duration: &'a dyn Fn() -> Option<Micros>,
}

/// The relation of a frame's timestamp to the previous frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Regular,
    /// The frame's timestamp is smaller than that of an earlier frame.
    OutOfOrder,
    /// The publisher's clock jumped.
    Jump,
}

#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// State of the publisher's clock; `None` before its first frame.
    source: Option<PublisherClock>,
    /// The newest output time, and the offset from the publisher's time to it.
    newest: Option<Micros>,
    shift: Micros,
    /// Distance between two frames, if it is short.
    gap: Option<Micros>,
    /// Distance between the newest two frames.
    interval: Micros,
}

/// The state of the publisher's clock for one track.
#[derive(Debug, Clone)]
struct PublisherClock {
    offset: Micros,
    /// Publisher's time of the newest frame, and its arrival time.
    dts: Micros,
    at: Micros,
    leads: Leads,
    pace: Pace,
    /// The state before the newest jump.
    former: Option<Former>,
    /// Largest step back of frames that arrive out of order.
    disorder: Micros,
    /// Step back of the previous out-of-order frames.
    doubt: Micros,
    /// Number of consecutive frames that are out of order or repeat a timestamp.
    held: u32,
    repeats: u32,
    stale: Option<Micros>,
    /// Time of the frame before the newest, if the newest is far after it.
    leapt: Option<Micros>,
}

/// The state of the publisher's clock before its newest jump.
#[derive(Debug, Clone, Copy)]
struct Former {
    offset: Micros,
    /// The publisher's time at the jump, and how far back it jumped.
    dts: Micros,
    back: Micros,
    at: Micros,
    frames: u32,
    /// Upper limit for the lead of a frame while the cause of the jump is not known.
    ceiling: Option<Micros>,
}

impl Lane {
    pub(super) const fn new() -> Self {
        Self { source: None, newest: None, shift: 0, gap: None, interval: 0 }
    }

    pub(super) const fn after(newest: Micros) -> Self {
        Self { source: None, newest: Some(newest), shift: 0, gap: None, interval: 0 }
    }

    pub(super) fn restart(&mut self) {
        (self.source, self.gap, self.interval) = (None, None, 0);
    }

    pub(super) const fn newest(&self) -> Option<Micros> {
        self.newest
    }

    pub(super) const fn gap(&self) -> Option<Micros> {
        self.gap
    }

    /// Returns whether the publisher has sent a frame of this track.
    pub(super) const fn is_begun(&self) -> bool {
        self.source.is_some()
    }

    pub(super) fn offset(&self) -> Option<Micros> {
        self.source.as_ref().map(|source| source.offset)
    }

    /// Returns the newest time of the current publisher and the distance to the frame before.
    pub(super) fn progress(&self) -> Option<(Micros, Micros)> {
        self.source.as_ref()?;
        Some((self.newest?, self.interval))
    }

    /// Returns the newest frame's time and its offset from the publisher's time.
    pub(super) fn placed(&self) -> (Micros, Micros) {
        (self.newest.unwrap_or(0), self.shift)
    }

    /// Returns the time that a frame of this track would get if it arrived now.
    pub(super) fn expected(&self, now: Micros) -> Option<Micros> {
        let source = self.source.as_ref()?;
        let waited = if source.pace.is_hurried() { 0 } else { now.saturating_sub(source.at) };
        Some(self.newest?.saturating_add(waited.max(0)))
    }

    /// Places the first frame of a publisher.
    pub(super) fn begin(&mut self, moment: &Moment<'_>, offset: Micros) {
        let &Moment { dts, now, .. } = moment;
        self.source = Some(PublisherClock {
            offset,
            dts,
            at: now,
            leads: Leads::new(now, dts.saturating_add(offset).saturating_sub(now)),
            pace: Pace::new(),
            former: None,
            disorder: 0,
            doubt: 0,
            held: 0,
            repeats: 0,
            stale: None,
            leapt: None,
        });
        // The stream does not move back for a track that starts earlier than the other track.
        let mut at = dts.saturating_add(offset).max(0);
        if let Some(newest) = self.newest {
            at = at.max(newest.saturating_add(MIN_STEP));
        }
        (self.newest, self.shift) = (Some(at), offset);
    }

    /// Places every later frame of the publisher.
    pub(super) fn follow(&mut self, moment: &Moment<'_>, other: &Self) -> Step {
        let (Some(newest), Some(mut source)) = (self.newest, self.source.take()) else {
            return Step::Regular;
        };
        let &Moment { dts, now, .. } = moment;
        let by = dts.saturating_sub(source.dts);
        source.back_in_order(dts, newest);
        if (1..=self.gap.unwrap_or(0).max(WAVER)).contains(&by) {
            source.keep_below_ceiling(dts, now);
        }
        let at = dts.saturating_add(source.offset);
        let next = newest.saturating_add(MIN_STEP);
        let mut step = Step::Regular;
        let mut shift = source.offset;
        let placed = if by == 0 {
            let placed = newest.saturating_add(self.repeat(&mut source, moment, other));
            shift = placed.saturating_sub(dts);
            placed
        } else if at >= next
            && at <= self.latest(&source, now, other)
            && !self.leaps_as(&source, moment, other)
        {
            source.held = 0;
            at
        } else if at < next && (by < 0 || source.held > 0) && source.is_out_of_order(by) {
            source.held += 1;
            step = Step::OutOfOrder;
            next
        } else if at < next && by > 0 && source.held == 0 {
            // The time was used already. Frames that are too early catch up at half speed.
            next.max(newest.saturating_add(by.min(self.gap.unwrap_or(DEFAULT_GAP)) / 2))
        } else if by < 0 && source.leapt.is_some_and(|before| dts > before) {
            // The previous frame had the wrong time, not this one.
            next
        } else {
            step = Step::Jump;
            self.jump(&mut source, moment, other, newest);
            shift = source.offset;
            next.max(dts.saturating_add(source.offset))
        };
        if by != 0 {
            (source.repeats, source.stale) = (0, None);
        }
        source.leapt = (step == Step::Regular && by > WAVER).then_some(source.dts);
        source.pace.push(placed.saturating_sub(newest), now.saturating_sub(source.at));
        source.leads.push(now, placed.saturating_sub(now));
        (source.dts, source.at) = (dts, now);
        self.source = Some(source);
        self.interval = placed.saturating_sub(newest);
        if step == Step::Regular && (2 * MIN_STEP..=SECOND).contains(&self.interval) {
            self.gap = Some(self.interval);
        }
        (self.newest, self.shift) = (Some(placed), shift);
        step
    }

    /// Returns the latest time that is plausible for a frame that arrives at `now`.
    fn latest(&self, source: &PublisherClock, now: Micros, other: &Self) -> Micros {
        let newest = self.newest.unwrap_or(0);
        let mut latest = newest.saturating_add(self.gap.unwrap_or(DEFAULT_GAP));
        latest = latest.max(now.saturating_add(source.leads.best()));
        if other.offset() == Some(source.offset) {
            latest = latest.max(other.newest.unwrap_or(latest));
        }
        let unsure = self.gap.is_none() || source.pace.is_hurried();
        latest.saturating_add(if unsure { MAX_LEAD_UNSURE } else { MAX_LEAD })
    }

    /// Returns whether the frame leaps forward as the other track has just done, which took it for a jump. A leap as long
    /// as a plausible loss of frames may look like one or the other in each track, but happened to both.
    fn leaps_as(&self, source: &PublisherClock, moment: &Moment<'_>, other: &Self) -> bool {
        let Some(other) = &other.source else { return false };
        let Some(former) = other.former.filter(|former| moment.now.saturating_sub(former.at) <= TOGETHER)
        else {
            return false;
        };
        let jump = former.offset.saturating_sub(other.offset);
        let waited = moment.now.saturating_sub(source.at).max(0);
        let leap = moment.dts.saturating_sub(source.dts).saturating_sub(waited);
        former.offset == source.offset && jump > WAVER && leap > jump / 2
    }

    /// Places a frame after a jump: at the time that it would have had without the jump.
    fn jump(&self, source: &mut PublisherClock, moment: &Moment<'_>, other: &Self, newest: Micros) {
        let &Moment { dts, now, .. } = moment;
        // Move forward by the waiting time, but not ahead of real time: the frame may be the last of a
        // delayed burst.
        let waited = now.saturating_sub(source.at).max(MIN_STEP);
        let soon = newest.saturating_add(waited.min(self.gap.unwrap_or(DEFAULT_GAP)));
        let real = now.saturating_add(source.leads.best());
        let expected = newest.saturating_add(waited).min(real.max(soon));
        let fits = |offset: &Micros| {
            let at = dts.saturating_add(*offset);
            *offset != source.offset
                && at > newest.saturating_sub(MAX_SQUEEZE)
                && at.saturating_sub(expected).saturating_abs() <= MAX_MOVE
        };
        let recent = |former: &Former| now.saturating_sub(former.at) <= TOGETHER;
        // The clock returns to its state before the jump.
        let before = source.former.filter(recent).map(|former| former.offset);
        // The other track has made the same jump.
        let alike = other.source.as_ref().and_then(|other| {
            let former = other.former.filter(recent)?;
            Some(source.offset.saturating_add(other.offset).saturating_sub(former.offset))
        });
        // Both tracks share one clock from now on.
        let candidates = [before, alike, other.offset()];
        let found = candidates.into_iter().flatten().find(fits);
        let offset = found.unwrap_or(expected.saturating_sub(dts));
        let returned = before == Some(offset);
        let back = source.dts.saturating_sub(dts).max(0);
        let ceiling = (!source.pace.is_hurried()).then(|| source.leads.best().saturating_add(MAX_HURRY));
        let former = Former { offset: source.offset, dts: source.dts, back, at: now, frames: 0, ceiling };
        source.former = (!returned).then_some(former);
        (source.offset, source.held) = (offset, 0);
    }

    /// Returns the distance to the newest frame for a frame that repeats its timestamp.
    fn repeat(&self, source: &mut PublisherClock, moment: &Moment<'_>, other: &Self) -> Micros {
        source.repeats = source.repeats.saturating_add(1);
        let &Moment { now, .. } = moment;
        let newest = self.newest.unwrap_or(0);
        let by_now = now.saturating_add(source.leads.best());
        let Some(duration) = (moment.duration)() else {
            // Either the parts of one access unit, or a clock that stands still.
            let stopped = source.repeats >= MAX_PARTS && !source.pace.is_hurried();
            return if stopped { by_now.saturating_sub(newest).max(MIN_STEP) } else { MIN_STEP };
        };
        let beside = other.source.as_ref().filter(|beside| now.saturating_sub(beside.at) <= STALE_FOR);
        let reference = beside.and(other.expected(now)).unwrap_or(by_now);
        let after = newest.saturating_add(duration);
        if beside.is_some() && after > reference.saturating_add(STALE) {
            return MIN_STEP;
        }
        if after >= reference.saturating_sub(STALE) {
            source.stale = None;
        } else if now.saturating_sub(*source.stale.get_or_insert(now)) > STALE_FOR {
            source.stale = None;
            return reference.saturating_sub(newest).max(MIN_STEP);
        }
        duration.max(MIN_STEP)
    }
}

impl PublisherClock {
    /// Returns whether a step back is caused by frame order or jitter, and not by a jump.
    fn is_out_of_order(&self, by: Micros) -> bool {
        -by <= self.disorder.max(WAVER) && self.held < MAX_DISORDER
    }

    /// Undoes a small jump back that turns out to be none: frames in decode order with presentation
    /// timestamps, or audio with jittering timestamps.
    fn back_in_order(&mut self, dts: Micros, newest: Micros) {
        let Some(former) = &mut self.former else { return };
        former.frames = former.frames.saturating_add(1);
        let &mut Former { offset, dts: top, back, frames, .. } = former;
        if back > 0 && frames <= MAX_DISORDER && dts > top && dts.saturating_add(offset) > newest {
            // A single occurrence may be chance.
            if self.doubt >= back / 2 && back <= SECOND {
                self.disorder = self.disorder.max(back);
            }
            (self.offset, self.doubt, self.former) = (offset, back, None);
        }
    }

    /// Reverses the part of a jump that was too large: the jump came with delayed frames, and more delayed
    /// frames follow immediately.
    fn keep_below_ceiling(&mut self, dts: Micros, now: Micros) {
        let recent = self.former.filter(|former| now.saturating_sub(former.at) <= TOGETHER);
        if let Some(ceiling) = recent.and_then(|former| former.ceiling) {
            let lead = dts.saturating_add(self.offset).saturating_sub(now);
            let hurry = lead.saturating_sub(ceiling);
            if (1..MAX_APART).contains(&hurry) {
                self.offset = self.offset.saturating_sub(hurry);
            }
        }
    }
}
