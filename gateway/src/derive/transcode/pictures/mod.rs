//! Re-encodes a stream's video without B-frames, so that its frames come in presentation order.
//!
//! WebRTC players show frames in the order of their arrival. For them ffmpeg, a process beside the gateway, decodes
//! and encodes a stream with B-frames: once per stream, while somebody needs it.

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
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument as _;

pub(super) use self::disorder::Disorder;
use self::ffmpeg::{Ffmpeg, Made, encodes};
use self::places::EncoderPermit;
pub use self::places::Reencoders;
use self::restart::Restarts;
use super::pool;
use crate::core::hub::{Entry, Start, Stream, Subscriber};
use crate::derive::derived::{Derivation, Output, Started};

/// When the encoder is more than a second of the stream behind for as long as this, the machine is too slow.
const PATIENCE: Duration = Duration::from_secs(5);
/// An ffmpeg process that neither reads nor writes for so long hangs.
const HANGS: Duration = Duration::from_secs(10);
/// FLV's milliseconds have 32 bits: a new process is started long before they are used up.
const TERM: Micros = 12 * 3600 * SECOND;
/// The output's bit rate may be higher than the input's by this factor, because B-frames save much.
const GROWTH: (u64, u64) = (5, 4);
/// The lowest and the highest bit rate of the output, in bits a second.
const RATES: std::ops::RangeInclusive<u64> = 400_000..=20_000_000;

/// A stream's video in presentation order, re-encoded without B-frames; its ring holds nothing else. It ends when the
/// video cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReencodedVideo {
    /// The encoder takes one of these places.
    pub(super) reencoders: Reencoders,
}

impl Derivation for ReencodedVideo {
    type Item = Arc<Entry>;
    type Shared = ();

    const LINGER: Duration = Duration::from_secs(10);

    fn start(&self, stream: &Arc<Stream>, output: Output<Arc<Entry>>) -> Started<()> {
        let span = tracing::info_span!("pictures", stream = %stream.name());
        let run = run(stream.clone(), output, self.reencoders.clone());
        Started { task: pool::spawn(run.instrument(span)), shared: () }
    }
}

/// Why encoding stopped.
enum Stop {
    /// The stream is over.
    Over,
    /// Another publisher or another configuration: a new process has to be started.
    Anew,
    /// The process ended, or cannot be started.
    Failed,
    /// Trying again is of no use.
    Hopeless,
}

async fn run(stream: Arc<Stream>, output: Output<Arc<Entry>>, reencoders: Reencoders) {
    let mut restarts = Restarts::default();
    while disordered(&stream).await {
        let Some(permit) = permit(&reencoders).await else { return };
        let since = Instant::now();
        let stop = encode(&stream, &output, &reencoders).await;
        // Other streams may use the place in the meantime.
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

/// Waits for a place. Meanwhile viewers get the stream's own video without the frames that come late.
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

/// Waits until there are B-frames, in video that can be encoded; false when the stream is over.
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

async fn encode(stream: &Stream, output: &Output<Arc<Entry>>, reencoders: &Reencoders) -> Stop {
    // From the newest key frame on, though frames of the past are only decoded.
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
                        output.push(entry(frame, !std::mem::replace(&mut started, true)));
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

/// Waits for a key frame, where the next encoder begins: the cached one may be older than the change.
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

/// The output's bit rate, by the input's: bits a second.
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
