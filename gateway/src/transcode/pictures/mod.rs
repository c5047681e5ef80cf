//! Pictures that come in the order shown: a stream's video, encoded anew without B-frames.
//!
//! WebRTC's players show pictures as they come. A stream with B-frames is decoded and encoded for them
//! by ffmpeg, a process beside the gateway: once per stream, while somebody needs it.

mod disorder;
mod ffmpeg;

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use media::Frame;
use media::time::{Micros, SECOND};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

pub(super) use self::disorder::Disorder;
use self::ffmpeg::{Ffmpeg, Made};
use super::pool;
use super::view::{Feed, Held, LIMITS};
use crate::hub::ring::Ring;
use crate::hub::{Entry, Start, Stream, Subscriber};

/// A child that ends is followed by another one after a while: so many times.
const PAUSES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
/// One that ran for so long was all right: its end says nothing about the next.
const SOUND: Duration = Duration::from_secs(60);
/// Being behind by more than a second of the stream for as long as this: the machine is too slow.
const PATIENCE: Duration = Duration::from_secs(5);
/// FLV's milliseconds have 32 bits: a new child long before they are used up.
const TERM: Micros = 12 * 3600 * SECOND;
/// What comes out may be larger than what comes in, for B-frames save much; in bits a second.
const GROWTH: (u64, u64) = (5, 4);
const RATES: std::ops::RangeInclusive<u64> = 400_000..=20_000_000;

static RUNNING: AtomicI64 = AtomicI64::new(0);

/// Streams whose pictures are being encoded anew.
pub fn reencoding() -> i64 {
    RUNNING.load(Ordering::Relaxed)
}

/// Counts one that runs, until dropped.
struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One stream's pictures in the order shown, shared by all who read them: its ring has nothing else. It
/// is closed when they can't be had.
#[derive(Debug)]
pub(super) struct Pictures {
    pub(super) ring: Arc<Ring<Arc<Entry>>>,
    task: Option<AbortHandle>,
}

impl Pictures {
    /// Those of `stream`. Inside a tokio runtime.
    pub(super) fn of(stream: &Arc<Stream>) -> Held {
        let pictures = stream.derive(|stream| {
            let ring = Ring::new(LIMITS);
            let span = tracing::info_span!("pictures", stream = %stream.name());
            let task = pool::spawn(run(stream.clone(), Feed(ring.clone())).instrument(span));
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

async fn run(stream: Arc<Stream>, feed: Feed) {
    let mut failed = 0;
    loop {
        if !disordered(&stream).await {
            return;
        }
        let since = Instant::now();
        match encode(&stream, &feed).await {
            Stop::Over | Stop::Hopeless => return,
            Stop::Anew => continue,
            Stop::Failed if since.elapsed() > SOUND => failed = 0,
            Stop::Failed => {}
        }
        let Some(pause) = PAUSES.get(failed) else {
            tracing::warn!("ffmpeg ends again and again: WebRTC viewers get fewer pictures");
            return;
        };
        failed += 1;
        tracing::debug!(failed, "ffmpeg ended; another one follows");
        sleep(*pause).await;
    }
}

/// Waits until pictures come out of order; false when the stream is over.
async fn disordered(stream: &Stream) -> bool {
    let mut frames = stream.subscribe(Start::Key);
    let mut disorder = Disorder::default();
    while !disorder.matters() {
        let Some(entry) = frames.next().await else { return false };
        if entry.frame.is_video() {
            disorder.push(&entry);
        }
    }
    true
}

async fn encode(stream: &Stream, feed: &Feed) -> Stop {
    // From the newest key frame on, though what is past need not be encoded.
    let mut frames = stream.subscribe(Start::Key);
    let first = loop {
        match frames.next().await {
            Some(entry) if entry.frame.is_video() && entry.start => break entry,
            Some(_) => {}
            None => return Stop::Over,
        }
    };
    let from = first.frame.pts.saturating_add(frames.lag());
    let mut ffmpeg = match Ffmpeg::start(&first.frame, from, rate(stream)) {
        Ok(ffmpeg) => ffmpeg,
        Err(error) => return not_started(&error),
    };
    let (_running, mut started) = (Running::new(), false);
    tracing::debug!("pictures are encoded anew");
    let (config, begin) = (first.frame.config.clone(), first.frame.dts);
    ffmpeg.push(&first.frame);
    let mut behind: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            made = ffmpeg.next() => match made {
                Made::Picture(frame) => feed.0.push(entry(frame, !std::mem::replace(&mut started, true))),
                Made::Room => {}
                Made::End => return Stop::Failed,
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
