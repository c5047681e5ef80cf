//! Time in signed microseconds. Convert absolute times first and subtract afterwards, to avoid rounding
//! errors.

/// Microseconds.
pub type Micros = i64;

/// Microseconds in a millisecond.
pub const MILLI: Micros = 1_000;
/// Microseconds in a second.
pub const SECOND: Micros = 1_000_000;

/// Converts `ticks` of a clock of `rate` Hz to microseconds, rounded to nearest.
pub const fn from_ticks(ticks: i64, rate: u32) -> Micros {
    scale(ticks, rate as i64, SECOND)
}

/// Converts `micros` to ticks of a clock of `rate` Hz, rounded to nearest.
pub const fn to_ticks(micros: Micros, rate: u32) -> i64 {
    scale(micros, SECOND, rate as i64)
}

/// Returns `value * to / from`, rounded to nearest, for rates below 2^32. The calculation has two parts
/// because a 128-bit division adds a kilobyte of WebAssembly.
const fn scale(value: i64, from: i64, to: i64) -> i64 {
    let (whole, rest) = (value.div_euclid(from), value.rem_euclid(from));
    whole.saturating_mul(to).saturating_add((rest * to + from / 2) / from)
}

/// Unwraps a counter of `BITS` bits (FLV, RTMP and RTP: 32, MPEG-TS: 33).
///
/// Each value is taken as the one nearest to the previous value, so small steps back stay small.
#[derive(Debug, Clone)]
pub struct Unwrapper<const BITS: u32> {
    last: Option<i64>,
}

impl<const BITS: u32> Default for Unwrapper<BITS> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BITS: u32> Unwrapper<BITS> {
    /// Creates an unwrapper. The first value is returned unchanged.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Unwraps `raw`; the first value is taken as the one nearest to the last value of `other`.
    pub fn unwrap_near(&mut self, raw: u64, other: &Self) -> i64 {
        self.last = self.last.or(other.last);
        self.unwrap(raw)
    }

    /// Returns the unwrapped value of `raw`, which must be below 2^BITS.
    pub fn unwrap(&mut self, raw: u64) -> i64 {
        let period = 1i64 << BITS;
        let raw = raw as i64 & (period - 1);
        let value = match self.last {
            None => raw,
            Some(last) => {
                let delta = (raw - last).rem_euclid(period);
                last + if delta >= period / 2 { delta - period } else { delta }
            }
        };
        self.last = Some(value);
        value
    }
}

/// Maps sources that jump, restart or do not start at 0 to one timeline.
///
/// Pass every frame's `dts` of one source in arrival order. The result is the offset to add to that frame's
/// `dts` and `pts`. Both tracks share one offset, so their distance is kept. A step of more than
/// [`Timeline::MAX_STEP`] from the newest time, in either direction, is a jump: the offset changes so that
/// the frame follows the newest one after `gap`.
#[derive(Debug, Clone)]
pub struct Timeline {
    offset: Micros,
    newest: Option<Micros>,
    start: Micros,
}

impl Timeline {
    /// Larger steps from the newest dts are jumps, not jitter or a pause.
    pub const MAX_STEP: Micros = 5 * SECOND;

    /// Creates a timeline whose first frame gets the dts `start`.
    pub const fn new(start: Micros) -> Self {
        Self { offset: 0, newest: None, start }
    }

    /// Returns the offset for a frame of source time `dts`, and whether the source jumped here.
    ///
    /// `gap` is the distance to the newest time after a jump (a frame's duration).
    pub fn offset(&mut self, dts: Micros, gap: Micros) -> (Micros, bool) {
        let Some(newest) = self.newest else {
            self.offset = self.start.saturating_sub(dts);
            self.newest = Some(self.start);
            return (self.offset, false);
        };
        let at = dts.saturating_add(self.offset);
        let jumped = at.saturating_sub(newest).saturating_abs() > Self::MAX_STEP;
        if jumped {
            self.offset = newest.saturating_add(gap).saturating_sub(dts);
        }
        self.newest = Some(newest.max(dts.saturating_add(self.offset)));
        (self.offset, jumped)
    }

    /// Prepares for a new source, whose first frame will follow the newest time after `gap`.
    pub fn restart(&mut self, gap: Micros) {
        if let Some(newest) = self.newest.take() {
            self.start = newest.saturating_add(gap);
        }
    }

    /// Returns the newest dts so far.
    pub const fn newest(&self) -> Option<Micros> {
        self.newest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_to_nearest_and_back() {
        for ticks in [-90_001i64, -1, 0, 1, 2, 90_000, 8_589_934_591] {
            assert_eq!(to_ticks(from_ticks(ticks, 90_000), 90_000), ticks);
        }
    }

    #[test]
    fn a_wrap_goes_on_and_a_small_step_back_stays_small() {
        let mut u = Unwrapper::<32>::new();
        assert_eq!(u.unwrap(0xffff_fff0), 0xffff_fff0);
        assert_eq!(u.unwrap(0x10), 0x1_0000_0010);
        assert_eq!(u.unwrap(0xffff_fff8), 0xffff_fff8);
    }

    #[test]
    fn two_counters_begin_together_and_then_wrap_each_for_itself() {
        let (mut a, mut b) = (Unwrapper::<32>::new(), Unwrapper::<32>::new());
        assert_eq!(a.unwrap_near(0xffff_fff0, &b), 0xffff_fff0);
        assert_eq!(b.unwrap_near(0x10, &a), 0x1_0000_0010);
        // At any distance; at exactly half the range both directions are equally near.
        let (mut a, mut b) = (Unwrapper::<32>::new(), Unwrapper::<32>::new());
        let first = [a.unwrap_near(0, &b), b.unwrap_near(0x8000_0005, &a)];
        for n in 1..20 {
            let next = [a.unwrap_near(n * 40, &b), b.unwrap_near(0x8000_0005 + n * 40, &a)];
            assert_eq!(next.map(|t| t - n as i64 * 40), first);
        }
    }

    #[test]
    fn a_reset_is_joined_without_a_jump_and_keeps_the_tracks_apart() {
        let mut t = Timeline::new(0);
        assert_eq!(t.offset(7_000_000, 33_000), (-7_000_000, false));
        assert_eq!(t.offset(7_040_000, 33_000), (-7_000_000, false));
        let (offset, jumped) = t.offset(0, 33_000);
        assert!(jumped);
        assert_eq!(offset, 73_000);
        // The other track of the restarted source gets the same offset.
        assert_eq!(t.offset(21_000, 33_000), (73_000, false));
    }
}
