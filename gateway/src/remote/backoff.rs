//! When to connect again.

use std::time::Duration;

use tokio::time::Instant;

/// During this time of an outage, a try follows each second: a server that restarts is found at once.
const SHORT_OUTAGE: Duration = Duration::from_secs(30);
/// Pause between tries during a short outage.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Maximum pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// First and maximum pause after a refusal, which will probably come again.
const FIRST_REFUSED_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_REFUSED_PAUSE: Duration = Duration::from_secs(300);
/// A connection that worked for so long ends an outage.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// Computes the pauses between tries: 1 s during the first 30 s, then 2, 4, 8, 16 and 30 s. After refusals: 30 s to
/// 5 min. Each is shortened at random by up to a fifth, so that many clients of a server do not come back at once.
#[derive(Debug, Default)]
pub struct Backoff {
    /// Start of the outage.
    since: Option<Instant>,
    /// The last pause after the short outage.
    pause: Option<Duration>,
    /// The last pause after a refusal.
    refused_pause: Option<Duration>,
    /// Start of the last connection that worked.
    connected: Option<Instant>,
    /// Whether a connection has worked since the last refusal that was waited for.
    has_worked: bool,
}

impl Backoff {
    /// Records that a connection works.
    pub fn connected(&mut self) {
        self.connected_since(Instant::now());
    }

    /// Records that a connection has worked since this time.
    pub fn connected_since(&mut self, since: Instant) {
        self.connected = Some(since);
        self.has_worked = true;
    }

    /// Records a failure. Returns the pause before the next try.
    pub fn failed(&mut self, refused: bool) -> Duration {
        let now = Instant::now();
        if self.connected.take().is_some_and(|since| now >= since + HEALTHY_AFTER) {
            (self.since, self.pause, self.refused_pause) = (None, None, None);
        }
        let since = *self.since.get_or_insert(now);
        let short = now < since + SHORT_OUTAGE;
        // A server may refuse a stream whose last connection it has not yet missed.
        if refused && !(short && self.has_worked) {
            self.has_worked = false;
            let pause = self.refused_pause.map_or(FIRST_REFUSED_PAUSE, |last| last * 2);
            return shorten(*self.refused_pause.insert(pause.min(LONGEST_REFUSED_PAUSE)));
        }
        if short {
            return shorten(FIRST_PAUSE);
        }
        let pause = self.pause.unwrap_or(FIRST_PAUSE) * 2;
        shorten(*self.pause.insert(pause.min(LONGEST_PAUSE)))
    }
}

/// Shortens a pause at random by up to a fifth.
fn shorten(pause: Duration) -> Duration {
    pause.mul_f64(1.0 - 0.2 * rand::random::<f64>())
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    fn is_about(pause: Duration, seconds: f64) {
        let range = seconds * 0.8 - 0.01..=seconds + 0.01;
        assert!(range.contains(&pause.as_secs_f64()), "{pause:?} is not about {seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn short_outages_are_tried_every_second_and_long_ones_every_half_minute() {
        let mut backoff = Backoff::default();
        let start = Instant::now();
        while start.elapsed() < SHORT_OUTAGE {
            let pause = backoff.failed(false);
            is_about(pause, 1.0);
            sleep(pause).await;
        }
        for seconds in [2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let pause = backoff.failed(false);
            is_about(pause, seconds);
            sleep(pause).await;
        }
        // A connection that works only briefly does not end the outage.
        backoff.connected();
        sleep(Duration::from_secs(1)).await;
        is_about(backoff.failed(false), 30.0);
        backoff.connected();
        sleep(HEALTHY_AFTER).await;
        is_about(backoff.failed(false), 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_tried_slowly_unless_the_stream_has_just_worked() {
        let mut backoff = Backoff::default();
        for seconds in [30.0, 60.0, 120.0, 240.0, 300.0, 300.0] {
            let pause = backoff.failed(true);
            is_about(pause, seconds);
            sleep(pause).await;
        }
        backoff.connected();
        sleep(HEALTHY_AFTER).await;
        // The server still has the last connection.
        for _ in 0..5 {
            let pause = backoff.failed(true);
            is_about(pause, 1.0);
            sleep(pause).await;
        }
    }
}
