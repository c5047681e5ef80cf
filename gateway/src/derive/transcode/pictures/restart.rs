//! Computes how long a stream waits before it starts the next encoder process.

use std::time::Duration;

/// After a change of the configuration, the pause is this long at first, and twice as long each further time.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// When an encoder ran for so many times the pause before it, the pauses begin with the first one again.
const WORTH: u32 = 10;
/// The pauses after a process that failed; after the last one no other is started.
const FAILURES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
/// A process that ran for so long worked: earlier failures are forgotten.
const SOUND: Duration = Duration::from_secs(60);

/// Follows the encoder processes of one stream.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    pause: Duration,
    failed: usize,
}

impl Restarts {
    /// The pause after a process that ran for `ran` and ended because the publisher changed its configuration:
    /// a publisher that does so all the time does not start a process each time.
    pub(super) fn changed(&mut self, ran: Duration) -> Duration {
        let worth = ran >= (self.pause * WORTH).min(SOUND);
        self.pause = if worth { FIRST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.pause
    }

    /// The pause after a process that failed when it had run for `ran`; none after the last attempt.
    pub(super) fn failed(&mut self, ran: Duration) -> Option<Duration> {
        if ran > SOUND {
            self.failed = 0;
        }
        let pause = FAILURES.get(self.failed).copied();
        self.failed += 1;
        pause
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many processes a stream starts in `time` whose configuration changes after each of `every`, in turn.
    fn starts(every: &[Duration], time: Duration) -> u32 {
        let (mut restarts, mut now, mut count) = (Restarts::default(), Duration::ZERO, 0);
        let mut changes = every.iter().cycle();
        let mut next = Duration::ZERO;
        while now < time {
            count += 1;
            // The process begins with the newest configuration and runs up to the next.
            while next <= now {
                next += *changes.next().unwrap();
            }
            let ran = next - now;
            now = next + restarts.changed(ran);
        }
        count
    }

    #[test]
    fn a_publisher_that_changes_all_the_time_starts_few_processes() {
        let minute = Duration::from_secs(60);
        for (ms, most) in [(1, 12), (50, 12), (200, 12), (1000, 15), (3000, 20), (20_000, 3)] {
            let started = starts(&[Duration::from_millis(ms)], minute);
            assert!((2..=most).contains(&started), "each {ms} ms: {started}");
        }
    }

    #[test]
    fn a_telephone_that_is_turned_now_and_then_waits_little() {
        let mut restarts = Restarts::default();
        for seconds in [20, 4, 70, 3] {
            assert_eq!(restarts.changed(Duration::from_secs(seconds)), FIRST_PAUSE);
        }
        let pauses: Vec<_> =
            (0..8).map(|_| restarts.changed(Duration::from_millis(10)).as_millis()).collect();
        assert_eq!(pauses, [600, 1200, 2400, 4800, 9600, 10_000, 10_000, 10_000]);
        // After a minute in peace all is forgotten.
        assert_eq!(restarts.changed(SOUND), FIRST_PAUSE);
    }

    #[test]
    fn a_process_that_fails_is_followed_by_three_others() {
        let mut restarts = Restarts::default();
        let mut failed = |ran| restarts.failed(Duration::from_secs(ran));
        assert_eq!([0, 5, 0].map(&mut failed), FAILURES.map(Some));
        assert_eq!(failed(1), None);
        assert_eq!(failed(61), Some(FAILURES[0]));
    }

    proptest! {
        #[test]
        fn however_a_publisher_changes_it_starts_less_than_one_process_a_second(
            every in prop::collection::vec(1u64..5000, 1..20),
        ) {
            let every: Vec<_> = every.into_iter().map(Duration::from_millis).collect();
            // (Over a while: the first ones come sooner.)
            prop_assert!(starts(&every, Duration::from_secs(120)) <= 60);
        }
    }
}
