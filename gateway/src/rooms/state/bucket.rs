//! A token bucket: limits how often something may happen.

use super::Millis;

/// Allows `rate` units per second on average, and `burst` at once.
#[derive(Debug, Clone, Copy)]
pub(in crate::rooms) struct Bucket {
    rate: u64,
    /// In thousandths of a unit.
    level: u64,
    burst: u64,
    since: Millis,
}

impl Bucket {
    /// Creates a full bucket.
    pub(in crate::rooms) fn new(rate: u32, burst: u32, now: Millis) -> Self {
        let burst = u64::from(burst) * 1000;
        Self { rate: u64::from(rate), level: burst, burst, since: now }
    }

    /// Takes `units`, if there are as many. Otherwise returns the milliseconds until there are.
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
        // A clock that goes back gives nothing.
        assert_eq!(bucket.take(1, 0), Err(1_000));
        assert_eq!(bucket.take(5, u64::MAX), Ok(()));
        assert_eq!(bucket.take(1, u64::MAX), Err(1_000));
    }
}
