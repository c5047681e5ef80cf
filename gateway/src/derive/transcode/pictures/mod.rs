//! Pictures that come in the order shown: a stream's video, encoded anew without B-frames.
//!
//! WebRTC's players show pictures as they come. A stream with B-frames is decoded and encoded for them
//! by ffmpeg, a process beside the gateway: once per stream, while somebody needs it.

mod child;
mod disorder;
mod ffmpeg;
mod places;
mod restart;

use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use media::time::{Micros, SECOND};
use media::{Config, Frame};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument as _;

pub(super) use self::disorder::Disorder;
use self::ffmpeg::{Ffmpeg, Made, encodes};
use self::places::EncoderPermit;
pub use self::places::Reencoders;
use self::restart::Restarts;
use super::pool;
use super::view::{Feed, Held, LIMITS};
use crate::core::hub::ring::Ring;
use crate::core::hub::{Entry, Start, Stream, Subscriber};

/// Being behind by more than a second of the stream for as long as this: the machine is too slow.
const PATIENCE: Duration = Duration::from_secs(5);
/// A child that neither reads nor writes for so long hangs.
const HANGS: Duration = Duration::from_secs(10);
/// FLV's milliseconds have 32 bits: a new child long before they are used up.
const TERM: Micros = 12 * 3600 * SECOND;
/// What comes out may be larger than what comes in, for B-frames save much; in bits a second.
const GROWTH: (u64, u64) = (5, 4);
const RATES: std::ops::RangeInclusive<u64> = 400_000..=20_000_000;

/// One stream's pictures in the order shown, shared by all who read them: its ring has nothing else. It
/// is closed when they can't be had.
#[derive(Debug)]
pub(super) struct Pictures {
    pub(super) ring: Arc<Ring<Arc<Entry>>>,
    task: Option<AbortHandle>,
}

impl Pictures {
    /// Those of `stream`, encoded when one of `reencoders` is free. Inside a tokio runtime.
    pub(super) fn of(stream: &Arc<Stream>, reencoders: &Reencoders) -> Held {
        let pictures = stream.derive(|stream| {
            let ring = Ring::new(LIMITS);
            let span = tracing::info_span!("pictures", stream = %stream.name());
            let task =
                pool::spawn(run(stream.clone(), Feed(ring.clone()), reencoders.clone()).instrument(span));
            Arc::new(Self { ring, task: Some(task) })
        });
        Held::new(pictures.ring.clone(), pictures)
    }

    /// Without an encoder: a test writes into the ring.
    #[cfg(test)]
    pub(super) fn by_hand(stream: &Arc<Stream>) -> Arc<Self> {
        stream.derive(|_| Arc::new(Self { ring: Ring::new(LIMITS), task: None }))
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// Why encoding stopped.
enum Stop {
    /// The stream is over.
    Over,
    /// What comes next has to be begun anew: another publisher or another configuration.
    Anew,
    /// The child ended, or can't be started.
    Failed,
    /// There is no use in trying again.
    Hopeless,
}

async fn run(stream: Arc<Stream>, feed: Feed, reencoders: Reencoders) {
    let mut restarts = Restarts::default();
    while disordered(&stream).await {
        let Some(permit) = permit(&reencoders).await else { return };
        let since = Instant::now();
        let stop = encode(&stream, &feed, &reencoders).await;
        // Others may have the place in the meantime.
        drop(permit);
        let pause = match stop {
            Stop::Over | Stop::Hopeless => return,
            Stop::Anew => restarts.changed(since.elapsed()),
            Stop::Failed => {
                let Some(pause) = restarts.failed(since.elapsed()) else {
                    tracing::warn!("ffmpeg ends again and again: WebRTC viewers get fewer pictures");
                    return;
                };
                tracing::debug!("ffmpeg ended; another one follows");
                pause
            }
        };
        sleep(pause).await;
    }
}

/// Waits for a place. Meanwhile viewers get the stream's own pictures without those that come late.
async fn permit(reencoders: &Reencoders) -> Option<EncoderPermit> {
    if let Some(permit) = reencoders.try_take() {
        return Some(permit);
    }
    tracing::warn!(
        max_reencoders = reencoders.most(),
        "no video encoder is free: WebRTC viewers of this stream get fewer pictures until one is"
    );
    reencoders.take().await
}

/// Waits until pictures come out of order that can be encoded; false when the stream is over.
async fn disordered(stream: &Stream) -> bool {
    let mut frames = stream.subscribe(Start::Key);
    let (mut disorder, mut said) = (Disorder::default(), false);
    loop {
        let Some(entry) = frames.next().await else { return false };
        if !entry.frame.is_video() {
            continue;
        }
        disorder.push(&entry);
        if !disorder.matters() {
            continue;
        }
        if fits(&entry.frame.config) {
            return true;
        }
        if !std::mem::replace(&mut said, true) {
            tracing::warn!("the video is too large to be encoded: WebRTC viewers get fewer pictures");
        }
    }
}

fn fits(config: &Config) -> bool {
    config.video().is_some_and(encodes)
}

async fn encode(stream: &Stream, feed: &Feed, reencoders: &Reencoders) -> Stop {
    // From the newest key frame on, though what is past need not be encoded.
    let mut frames = stream.subscribe(Start::Key);
    let first = loop {
        match frames.next().await {
            Some(entry) if entry.frame.is_video() && entry.start => break entry,
            Some(_) => {}
            None => return Stop::Over,
        }
    };
    if !fits(&first.frame.config) {
        return Stop::Anew;
    }
    let from = first.frame.pts.saturating_add(frames.lag());
    let mut ffmpeg = match Ffmpeg::start(&first.frame, from, rate(stream)) {
        Ok(ffmpeg) => ffmpeg,
        Err(error) => return not_started(&error),
    };
    reencoders.count_start();
    tracing::debug!("pictures are encoded anew");
    let mut started = false;
    let (config, begin) = (first.frame.config.clone(), first.frame.dts);
    ffmpeg.push(&first.frame);
    let mut behind: Option<Instant> = None;
    let mut active = Instant::now();
    loop {
        tokio::select! {
            biased;
            made = ffmpeg.next() => {
                active = Instant::now();
                match made {
                    Made::Picture(frame) => {
                        feed.0.push(entry(frame, !std::mem::replace(&mut started, true)));
                    }
                    Made::Room => {}
                    Made::End => return Stop::Failed,
                }
            },
            entry = frames.next(), if ffmpeg.has_room() => {
                let Some(entry) = entry else { return Stop::Over };
                let frame = &entry.frame;
                if !frame.is_video() {
                    continue;
                }
                let other = !Arc::ptr_eq(&frame.config, &config) && frame.config != config;
                if entry.discontinuity || other || entry.start && frame.dts - begin > TERM {
                    return anew(&mut frames, entry.start).await;
                }
                ffmpeg.push(frame);
                if frames.lag() <= SECOND {
                    behind = None;
                } else if behind.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                    tracing::warn!("this machine is too slow to encode pictures anew: WebRTC viewers get fewer");
                    return Stop::Hopeless;
                }
            }
            () = sleep_until(active + HANGS), if !ffmpeg.has_room() => {
                tracing::warn!("ffmpeg neither reads nor writes: another one follows");
                return Stop::Failed;
            }
        }
    }
}

/// Another encoder begins at a key frame; the one in the cache may be older than what ended this.
async fn anew(frames: &mut Subscriber, mut key: bool) -> Stop {
    while !key {
        match frames.next().await {
            Some(entry) => key = entry.frame.is_video() && entry.start,
            None => return Stop::Over,
        }
    }
    Stop::Anew
}

fn entry(frame: Frame, discontinuity: bool) -> Arc<Entry> {
    let start = frame.key;
    Arc::new(Entry { frame, discontinuity, start })
}

fn not_started(error: &io::Error) -> Stop {
    static SAID: Once = Once::new();
    if error.kind() == io::ErrorKind::NotFound {
        SAID.call_once(|| {
            tracing::warn!(
                "ffmpeg is not in PATH: of streams with B-frames, WebRTC viewers get fewer pictures"
            );
        });
        return Stop::Hopeless;
    }
    tracing::warn!(%error, "ffmpeg can't be started");
    Stop::Failed
}

/// What may come out, by what comes in: bits a second.
fn rate(stream: &Stream) -> u64 {
    let mut frames = stream.subscribe(Start::Oldest);
    let (mut bytes, mut first, mut last) = (0, None, 0);
    while let Some(entry) = frames.try_next() {
        if entry.frame.is_video() {
            bytes += entry.frame.data.len() as u64;
            first.get_or_insert(entry.frame.dts);
            last = entry.frame.dts;
        }
    }
    let span = (last - first.unwrap_or(last)).max(SECOND / 2) as u64;
    let rate = bytes.saturating_mul(8 * SECOND as u64) / span;
    (rate.saturating_mul(GROWTH.0) / GROWTH.1).clamp(*RATES.start(), *RATES.end())
}
