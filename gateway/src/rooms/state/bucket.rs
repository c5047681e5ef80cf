//! A token bucket, which limits the rate of messages.

use super::Millis;

/// A token bucket. It allows `rate` units per second on average, and a burst of `burst` units.
#[derive(Debug, Clone, Copy)]
pub(in crate::rooms) struct Bucket {
    rate: u64,
    /// The available amount, in thousandths of a unit.
    level: u64,
    /// The maximum of `level`.
    burst: u64,
    /// When `level` was calculated.
    since: Millis,
}

impl Bucket {
    /// Creates a full bucket.
    pub(in crate::rooms) fn new(rate: u32, burst: u32, now: Millis) -> Self {
        let burst = u64::from(burst) * 1000;
        Self { rate: u64::from(rate), level: burst, burst, since: now }
    }

    /// Takes `units` out of the bucket.
    ///
    /// # Errors
    /// The bucket contains too few units. The error is the time in milliseconds until it has enough.
    pub(in crate::rooms) fn take(&mut self, units: u32, now: Millis) -> Result<(), Millis> {
        let passed = now.saturating_sub(self.since);
        self.since = now.max(self.since);
        self.level = self.level.saturating_add(passed.saturating_mul(self.rate)).min(self.burst);
        let wanted = u64::from(units) * 1000;
        if wanted <= self.level {
            self.level -= wanted;
            return Ok(());
        }
        Err((wanted - self.level).div_ceil(self.rate.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut bucket = Bucket::new(1, 5, 1_000);
        for _ in 0..5 {
            assert_eq!(bucket.take(1, 1_000), Ok(()));
        }
        assert_eq!(bucket.take(1, 1_000), Err(1_000));
        assert_eq!(bucket.take(1, 1_600), Err(400));
        assert_eq!(bucket.take(1, 2_000), Ok(()));
        // A clock that goes back adds no units.
        assert_eq!(bucket.take(1, 0), Err(1_000));
        assert_eq!(bucket.take(5, u64::MAX), Ok(()));
        assert_eq!(bucket.take(1, u64::MAX), Err(1_000));
    }
}
