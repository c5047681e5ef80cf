//! Passes frames on at the pace of their timestamps.

use std::time::Duration;

use media::Frame;
use media::time::{Micros, SECOND};
use tokio::time::{Instant, sleep_until};

/// A step of the timestamps of more than this is a discontinuity: the pace begins anew.
const LARGEST_STEP: Micros = 10 * SECOND;
/// After a delay of more than this, the pace goes on from there: viewers have waited, too.
const LARGEST_DELAY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Begun {
    at: Instant,
    first: Micros,
    newest: Micros,
}

/// The pace of one source.
#[derive(Debug, Default)]
pub(super) struct Pace(Option<Begun>);

impl Pace {
    /// Waits until the frame is due.
    pub(super) async fn wait(&mut self, frame: &Frame) {
        let now = Instant::now();
        let anew = Begun { at: now, first: frame.dts, newest: frame.dts };
        let begun = self.0.get_or_insert(anew);
        if (frame.dts - begun.newest).abs() > LARGEST_STEP {
            *begun = anew;
        }
        let due = begun.at + Duration::from_micros(u64::try_from(frame.dts - begun.first).unwrap_or(0));
        if now > due + LARGEST_DELAY {
            begun.at += now - due;
        }
        begun.newest = begun.newest.max(frame.dts);
        sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use media::time::MILLI;
    use media::{Audio, Codec, Config, Format};

    use super::*;

    fn frame(dts: Micros) -> Frame {
        let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
        let config = Arc::new(Config { codec: Codec::Mp3, format, description: Bytes::new() });
        Frame { number: 0, config, dts, pts: dts, key: true, data: Bytes::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn frames_come_at_their_times_and_jumps_begin_anew() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..100 {
            pace.wait(&frame(7 * SECOND + n * 40 * MILLI)).await;
        }
        assert_eq!(start.elapsed(), Duration::from_millis(99 * 40));
        // A jump costs no time, in either direction.
        let before = Instant::now();
        pace.wait(&frame(500 * SECOND)).await;
        pace.wait(&frame(3 * SECOND)).await;
        assert_eq!(before.elapsed(), Duration::ZERO);
        pace.wait(&frame(4 * SECOND)).await;
        assert_eq!(before.elapsed(), Duration::from_secs(1));
        // A delay of the network is not caught up.
        tokio::time::sleep(Duration::from_secs(20)).await;
        pace.wait(&frame(5 * SECOND)).await;
        let resumed = Instant::now();
        pace.wait(&frame(6 * SECOND)).await;
        assert_eq!(resumed.elapsed(), Duration::from_secs(1));
    }
}
