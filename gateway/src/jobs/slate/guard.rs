//! Watches one stream, and takes its publisher's place while it is away.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use media::time::Micros;
use media::{Codec, Config, Format, Frame, Track};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use super::encode::{self, Slate};
use crate::core::admission::PublishGrant;
use crate::core::hub::{Hub, Publisher, StandIn, Stream};

/// Interval at which the guard looks at its stream.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A publisher that is away for so long is replaced by the slate.
const AWAY_AFTER: Duration = Duration::from_millis(400);
/// A publisher that is connected and silent for so long is covered.
const SILENT_AFTER: Duration = Duration::from_millis(700);
/// For a publisher that sends few frames, the time is this many times the usual distance of two frames, if that is longer.
const SILENT_FRAMES: u32 = 4;
/// After a jump of the machine's clock, for example when it was suspended, the slate goes on from there.
const LARGEST_DELAY: Duration = Duration::from_secs(2);

/// The guard of one stream.
pub(super) struct Guard {
    pub(super) hub: Hub,
    pub(super) stream: Arc<Stream>,
    pub(super) path: PathBuf,
    pub(super) limit: Duration,
    pub(super) encoders: Arc<Semaphore>,
}

/// What a slate has to be like: codecs, sizes and the profile of H.264. Equal for a publisher and its slate.
type Kind = [Option<(Codec, Format, Option<u8>)>; 2];

fn kind(configs: &[Option<Arc<Config>>; 2]) -> Kind {
    configs.each_ref().map(|config| {
        let config = config.as_deref()?;
        let profile = config.description.get(1).copied().filter(|_| config.codec == Codec::H264);
        Some((config.codec, config.format, profile))
    })
}

impl Guard {
    /// Guards the stream until it has ended.
    pub(super) async fn run(self) {
        let mut prepared: Option<(Kind, Option<Slate>)> = None;
        let mut away_since: Option<Instant> = None;
        // Whether the slate has reached its limit, and no publisher has come since.
        let mut over = false;
        let mut pace = Pace::default();
        while !self.stream.ended() {
            let configs = [Track::Video, Track::Audio].map(|track| self.stream.config(track));
            let is_here = self.stream.publishing().is_some();
            let kind = kind(&configs);
            let known = prepared.as_ref().is_some_and(|(known, _)| *known == kind);
            // Not while the publisher is away: the slate must be ready by then.
            if is_here && !known && configs.iter().any(Option::is_some) && self.stream.newest().is_some() {
                // Streams that come and go must not leave guards that wait for the encoder.
                let slate = tokio::select! {
                    slate = self.encode(&configs) => slate,
                    () = self.ended() => return,
                };
                prepared = Some((kind, slate));
                continue;
            }
            let silence = self.stream.silence();
            pace.look(is_here && silence < AWAY_AFTER, self.stream.stats().frames);
            let silent = is_here && silence >= SILENT_AFTER.max(pace.distance() * SILENT_FRAMES);
            // After the limit, only a publisher that sends again can be covered again.
            over &= !is_here || silent;
            away_since = (!is_here).then(|| away_since.unwrap_or_else(Instant::now));
            let due = silent || away_since.is_some_and(|since| since.elapsed() >= AWAY_AFTER);
            if let (true, false, Some((_, Some(slate)))) = (due, over, &prepared)
                && let Some(place) = self.place(silent)
            {
                tracing::info!(stream = %self.stream.name(), silent, "slate started");
                over = self.play(slate, place).await;
                tracing::info!(stream = %self.stream.name(), at_limit = over, "slate stopped");
                (away_since, pace) = (None, Pace::default());
                continue;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Returns a place from which the slate is sent: beside a publisher that is silent, or instead of one that has left.
    fn place(&self, silent: bool) -> Option<Place> {
        if silent {
            return self.stream.stand_in().map(Place::Beside);
        }
        let grant = PublishGrant::for_job(self.stream.name(), "slate");
        self.hub.publish_filling(&grant).ok().map(Place::Instead)
    }

    /// Resolves when the stream has ended.
    async fn ended(&self) {
        let mut changed = self.hub.changed();
        while !self.stream.ended() && changed.changed().await.is_ok() {}
    }

    async fn encode(&self, configs: &[Option<Arc<Config>>; 2]) -> Option<Slate> {
        let _permit = self.encoders.acquire().await.ok()?;
        let [video, audio] = configs;
        match encode::encode(&self.path, video.as_deref(), audio.as_deref()).await {
            Ok(slate) => Some(slate),
            Err(error) => {
                tracing::warn!(stream = %self.stream.name(), path = %self.path.display(), error, "slate not usable");
                None
            }
        }
    }

    /// Plays the slate in a loop, until a publisher comes or comes back, or the limit is reached. Returns whether it was
    /// the limit.
    async fn play(&self, slate: &Slate, mut place: Place) -> bool {
        let end = Instant::now() + self.limit;
        let (mut start, mut round) = (Instant::now(), 0 as Micros);
        loop {
            for frame in &slate.frames {
                let at = start + Duration::from_micros(u64::try_from(frame.dts).unwrap_or(0));
                if Instant::now() > at + LARGEST_DELAY {
                    start += Instant::now() - at;
                }
                tokio::select! {
                    biased;
                    () = place.taken() => return false,
                    () = sleep_until(end) => return true,
                    () = sleep_until(at) => {}
                }
                let mut frame = frame.clone();
                frame.dts += round;
                frame.pts += round;
                if !place.push(frame) {
                    return false;
                }
            }
            start += Duration::from_micros(u64::try_from(slate.length).unwrap_or(0));
            round += slate.length;
        }
    }
}

/// Where a slate is sent from.
enum Place {
    Beside(StandIn),
    Instead(Publisher),
}

impl Place {
    /// Resolves when another publisher takes the place.
    async fn taken(&self) {
        match self {
            // The next frame notices it.
            Self::Beside(_) => std::future::pending().await,
            Self::Instead(publisher) => drop(publisher.revoked().await),
        }
    }

    /// Passes a frame on. Returns false if the covered publisher is back or gone.
    fn push(&mut self, frame: Frame) -> bool {
        match self {
            Self::Beside(stand_in) => stand_in.push(frame),
            Self::Instead(publisher) => {
                publisher.push(frame);
                true
            }
        }
    }
}

/// The usual distance of a publisher's frames.
#[derive(Default)]
struct Pace {
    /// Time and number of the first frames that were seen.
    first: Option<(Instant, u64)>,
    distance: Duration,
}

impl Pace {
    /// Looks at the number of frames so far. A publisher that does not send now changes nothing.
    fn look(&mut self, sends: bool, frames: u64) {
        let (since, first) = *self.first.get_or_insert_with(|| (Instant::now(), frames));
        let count = u32::try_from(frames - first).unwrap_or(u32::MAX);
        if sends && count > 0 {
            self.distance = since.elapsed() / count;
        }
    }

    const fn distance(&self) -> Duration {
        self.distance
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Audio;

    use super::*;
    use crate::core::hub::{HubConfig, StreamName};

    #[tokio::test(start_paused = true)]
    async fn a_guard_that_waits_for_the_encoder_ends_with_its_stream() {
        let hub = Hub::new(HubConfig::default());
        let grant = PublishGrant::for_job(&StreamName::parse("live/x").unwrap(), "test");
        let mut publisher = hub.publish(&grant).unwrap();
        let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
        let config = Arc::new(Config { codec: Codec::Mp3, format, description: Bytes::new() });
        let data = Bytes::from_static(&[0xff, 0xfb, 0x90, 0]);
        publisher.push(Frame { number: 0, config, dts: 0, pts: 0, key: true, data });
        let guard = Guard {
            hub: hub.clone(),
            stream: publisher.stream().clone(),
            path: PathBuf::from("soon.png"),
            limit: Duration::from_secs(1),
            encoders: Arc::new(Semaphore::new(0)),
        };
        let encoders = guard.encoders.clone();
        let mut guard = tokio::spawn(guard.run());
        let waits = tokio::time::timeout(Duration::from_secs(5), &mut guard).await;
        assert!(waits.is_err(), "the stream is there");
        drop(publisher);
        hub.shutdown();
        guard.await.unwrap();
        assert_eq!(encoders.available_permits(), 0);
    }
}
