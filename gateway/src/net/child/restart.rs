//! Computes the pause before the next child process is started.

use std::time::Duration;

/// Pause after the first change of the configuration. Each further change doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// Maximum pause after a change.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Ratio of a run to the pause before it, from which the next change counts as the first again.
const WORTH: u32 = 10;
/// Pauses after failures of the process. After a further failure no process is started.
const FAILURES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
/// Duration of a run after which earlier failures are forgotten.
const SOUND: Duration = Duration::from_secs(60);

/// The history of the child processes for one task.
#[derive(Debug, Default)]
pub struct Restarts {
    pause: Duration,
    failed: usize,
}

impl Restarts {
    /// Returns the pause after a process that ran for `ran` and ended because the publisher changed its
    /// configuration. A publisher that changes the configuration all the time must not start a process each
    /// time.
    pub fn changed(&mut self, ran: Duration) -> Duration {
        let worth = ran >= (self.pause * WORTH).min(SOUND);
        self.pause = if worth { FIRST_PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) };
        self.pause
    }

    /// Returns the pause after a process that failed after it ran for `ran`; `None` after the last attempt.
    pub fn failed(&mut self, ran: Duration) -> Option<Duration> {
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

    /// Returns the number of processes that a stream starts in `time` if its configuration changes after each
    /// of `every`, in turn.
    fn starts(every: &[Duration], time: Duration) -> u32 {
        let (mut restarts, mut now, mut count) = (Restarts::default(), Duration::ZERO, 0);
        let mut changes = every.iter().cycle();
        let mut next = Duration::ZERO;
        while now < time {
            count += 1;
            // The process starts with the newest configuration and runs until the next change.
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
        // A run of a minute resets the pauses.
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
            // On average over two minutes; the first pauses are shorter.
            prop_assert!(starts(&every, Duration::from_secs(120)) <= 60);
        }
    }
}
