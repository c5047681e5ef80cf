//! Finds clients that are gone without closing their connection.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::end::{End, SLOW};

/// Interval of the pings.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A client that sends nothing for this long, not even a pong, is lost.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(40);

/// The pings of one connection, and how long its client has been silent.
#[derive(Debug)]
pub(in crate::rooms) struct Heartbeat {
    heard: Instant,
    pinged: Instant,
    /// Kept between the beats, because resetting a timer is cheaper than creating one.
    timer: Pin<Box<Sleep>>,
}

/// The next step of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rooms) enum Beat {
    /// Send a ping.
    Ping,
    /// The client is lost.
    Lost,
}

impl Heartbeat {
    pub(in crate::rooms) fn new() -> Self {
        let now = Instant::now();
        Self { heard: now, pinged: now, timer: Box::pin(sleep_until(now + PING_INTERVAL)) }
    }

    /// Records that the client has sent something.
    pub(in crate::rooms) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits for the next step. The wait may be cancelled and repeated.
    pub(in crate::rooms) async fn beat(&mut self) -> Beat {
        loop {
            self.timer.as_mut().await;
            let now = Instant::now();
            let lost = self.heard + CLIENT_TIMEOUT;
            if now >= lost {
                return Beat::Lost;
            }
            let ping = now >= self.pinged + PING_INTERVAL;
            if ping {
                self.pinged = now;
            }
            self.timer.as_mut().reset(lost.min(self.pinged + PING_INTERVAL));
            if ping {
                return Beat::Ping;
            }
        }
    }

    /// Returns the close code and text for a client that is lost.
    pub(in crate::rooms) fn lost() -> End {
        (SLOW, format!("the client sent nothing for {CLIENT_TIMEOUT:?}, not even a pong"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_pinged_twice_and_lost_after_40_s() {
        let (start, mut heartbeat) = (Instant::now(), Heartbeat::new());
        for (beat, seconds) in [(Beat::Ping, 15), (Beat::Ping, 30), (Beat::Lost, 40)] {
            assert_eq!((heartbeat.beat().await, start.elapsed().as_secs()), (beat, seconds));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_is_pinged_for_ever() {
        let (start, mut heartbeat) = (Instant::now(), Heartbeat::new());
        for n in 1..=1_000 {
            assert_eq!((heartbeat.beat().await, start.elapsed().as_secs()), (Beat::Ping, 15 * n));
            heartbeat.heard();
        }
        // It falls silent right after an answer.
        for (beat, seconds) in [(Beat::Ping, 15), (Beat::Ping, 30), (Beat::Lost, 40)] {
            assert_eq!((heartbeat.beat().await, start.elapsed().as_secs()), (beat, 15_000 + seconds));
        }
    }
}
