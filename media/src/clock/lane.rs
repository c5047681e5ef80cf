//! One track of a stream on the stream's clock.

use super::{DEFAULT_GAP, MAX_APART, TOGETHER};
use crate::time::{MILLI, Micros, SECOND};

mod pace;

use pace::{Leads, Pace};

/// Two frames of a track are at least this far apart: the unit of FLV's timestamps.
const MIN_STEP: Micros = MILLI;
/// A frame may come this much before real time, compared with the frames before it.
const MAX_LEAD: Micros = 500 * MILLI;
/// The same where real time says little: at the beginning, and while frames come faster than they last.
const MAX_LEAD_UNSURE: Micros = MAX_APART;
/// After a jump the tracks keep their distance, unless one would go back further than this …
const MAX_SQUEEZE: Micros = 500 * MILLI;
/// … or come further than this from where it is expected.
const MAX_MOVE: Micros = SECOND;
/// After a jump frames may come this much before real time.
const MAX_HURRY: Micros = 300 * MILLI;
/// A step back of up to this much is no jump: timestamps waver.
const WAVER: Micros = 100 * MILLI;
/// As many frames in a row may come out of order.
const MAX_DISORDER: u32 = 16;
/// As many frames of one time may be parts of one picture.
const MAX_PARTS: u32 = 16;
/// Audio without timestamps that is further than this behind the video …
const STALE: Micros = SECOND;
/// … for so long has lost frames.
const STALE_FOR: Micros = 2 * SECOND;

/// A frame that comes.
pub(super) struct Moment<'a> {
    /// Its source time.
    pub(super) dts: Micros,
    /// When it comes.
    pub(super) now: Micros,
    /// How long an audio frame sounds.
    pub(super) duration: &'a dyn Fn() -> Option<Micros>,
}

/// How a frame follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Regular,
    /// It is numbered before a frame that came already.
    OutOfOrder,
    /// The source clock jumped.
    Jump,
}

#[derive(Debug, Clone)]
pub(super) struct Lane {
    /// The publisher's clock; none before its first frame.
    source: Option<Source>,
    /// The newest time handed out, and what was added to the frame's own to make it.
    newest: Option<Micros>,
    shift: Micros,
    /// The distance of two frames, where it is short.
    gap: Option<Micros>,
    /// The distance of the newest two frames.
    interval: Micros,
}

#[derive(Debug, Clone)]
struct Source {
    offset: Micros,
    /// The newest frame: its source time, and when it came.
    dts: Micros,
    at: Micros,
    leads: Leads,
    pace: Pace,
    /// What was before the newest jump.
    former: Option<Former>,
    /// How far back frames step that come out of order.
    disorder: Micros,
    /// How far back they stepped the time before.
    doubt: Micros,
    /// Frames in a row that did so, or that have the same time.
    held: u32,
    repeats: u32,
    stale: Option<Micros>,
    /// The time of the frame before the newest, where the newest is far after it.
    leapt: Option<Micros>,
}

#[derive(Debug, Clone, Copy)]
struct Former {
    offset: Micros,
    /// The source time that the clock jumped at, and how far back.
    dts: Micros,
    back: Micros,
    at: Micros,
    frames: u32,
    /// No frame comes this much before its arrival, while it is not known what the jump was.
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

    /// Whether the publisher has sent a frame of it.
    pub(super) const fn is_begun(&self) -> bool {
        self.source.is_some()
    }

    pub(super) fn offset(&self) -> Option<Micros> {
        self.source.as_ref().map(|source| source.offset)
    }

    /// The newest time of the present publisher and the distance to the one before.
    pub(super) fn progress(&self) -> Option<(Micros, Micros)> {
        self.source.as_ref()?;
        Some((self.newest?, self.interval))
    }

    /// The newest frame's time, and what makes it of the frame's own.
    pub(super) fn placed(&self) -> (Micros, Micros) {
        (self.newest.unwrap_or(0), self.shift)
    }

    /// Where a frame of this track would lie that came now.
    pub(super) fn expected(&self, now: Micros) -> Option<Micros> {
        let source = self.source.as_ref()?;
        let waited = if source.pace.is_hurried() { 0 } else { now.saturating_sub(source.at) };
        Some(self.newest?.saturating_add(waited.max(0)))
    }

    /// The first frame of a publisher.
    pub(super) fn begin(&mut self, moment: &Moment<'_>, offset: Micros) {
        let &Moment { dts, now, .. } = moment;
        self.source = Some(Source {
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
        // A track that begins before the first frame of the other is not before the stream.
        let mut at = dts.saturating_add(offset).max(0);
        if let Some(newest) = self.newest {
            at = at.max(newest.saturating_add(MIN_STEP));
        }
        (self.newest, self.shift) = (Some(at), offset);
    }

    /// Any other frame of the publisher.
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
        } else if at >= next && at <= self.latest(&source, now, other) {
            source.held = 0;
            at
        } else if at < next && (by < 0 || source.held > 0) && source.is_out_of_order(by) {
            source.held += 1;
            step = Step::OutOfOrder;
            next
        } else if at < next && by > 0 && source.held == 0 {
            // Its time was given away already. What is too early is caught up with at half speed.
            next.max(newest.saturating_add(by.min(self.gap.unwrap_or(DEFAULT_GAP)) / 2))
        } else if by < 0 && source.leapt.is_some_and(|before| dts > before) {
            // The frame before was the odd one.
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

    /// The latest time that is believed of a frame that comes `now`.
    fn latest(&self, source: &Source, now: Micros, other: &Self) -> Micros {
        let newest = self.newest.unwrap_or(0);
        let mut latest = newest.saturating_add(self.gap.unwrap_or(DEFAULT_GAP));
        latest = latest.max(now.saturating_add(source.leads.best()));
        if other.offset() == Some(source.offset) {
            latest = latest.max(other.newest.unwrap_or(latest));
        }
        let unsure = self.gap.is_none() || source.pace.is_hurried();
        latest.saturating_add(if unsure { MAX_LEAD_UNSURE } else { MAX_LEAD })
    }

    /// Lays the frame where it would have come without the jump.
    fn jump(&self, source: &mut Source, moment: &Moment<'_>, other: &Self, newest: Micros) {
        let &Moment { dts, now, .. } = moment;
        // As much later as it came, but not before real time: it may be the last of what was held up.
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
        // The clock returns to what it was.
        let before = source.former.filter(recent).map(|former| former.offset);
        // The other track has made the same jump.
        let alike = other.source.as_ref().and_then(|other| {
            let former = other.former.filter(recent)?;
            Some(source.offset.saturating_add(other.offset).saturating_sub(former.offset))
        });
        // Both have one clock now.
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

    /// How much later than the newest a frame is that claims to have its time.
    fn repeat(&self, source: &mut Source, moment: &Moment<'_>, other: &Self) -> Micros {
        source.repeats = source.repeats.saturating_add(1);
        let &Moment { now, .. } = moment;
        let newest = self.newest.unwrap_or(0);
        let by_now = now.saturating_add(source.leads.best());
        let Some(duration) = (moment.duration)() else {
            // Parts of a picture, or a clock that stands still.
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

impl Source {
    /// Whether a step back is the order of the frames, or their timestamps waver.
    fn is_out_of_order(&self, by: Micros) -> bool {
        -by <= self.disorder.max(WAVER) && self.held < MAX_DISORDER
    }

    /// Undoes a small jump back when it shows that it was none: frames in the order of decoding whose
    /// timestamps are those of presentation, or audio whose timestamps waver.
    fn back_in_order(&mut self, dts: Micros, newest: Micros) {
        let Some(former) = &mut self.former else { return };
        former.frames = former.frames.saturating_add(1);
        let &mut Former { offset, dts: top, back, frames, .. } = former;
        if back > 0 && frames <= MAX_DISORDER && dts > top && dts.saturating_add(offset) > newest {
            // Once may be chance.
            if self.doubt >= back / 2 && back <= SECOND {
                self.disorder = self.disorder.max(back);
            }
            (self.offset, self.doubt, self.former) = (offset, back, None);
        }
    }

    /// Takes back what a jump has moved too far: it came with frames that were held up, and more of them
    /// follow at once.
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
