//! Re-encodes a stream's video without B-frames, so that its frames are in presentation order.
//!
//! WebRTC players show frames in the order of arrival. For these players, ffmpeg decodes and encodes a stream with
//! B-frames, in a child process: once per stream, while a viewer needs it.

mod disorder;
mod ffmpeg;
mod reencoders;

use std::io;
use std::sync::{Arc, Once};
use std::time::Duration;

use media::time::{Micros, SECOND};
use media::{Config, Frame};
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

pub(super) use self::disorder::Disorder;
use self::ffmpeg::{Ffmpeg, Made, encodes};
use self::reencoders::EncoderPermit;
pub use self::reencoders::Reencoders;
use super::pool;
use crate::core::hub::{FrameEntry, Start, Stream, Subscriber};
use crate::derive::derived::{Derivation, Output, Started};
use crate::net::child::Restarts;

/// Time to catch up when more than a second of the stream is waiting. After this time the machine is too slow.
const PATIENCE: Duration = Duration::from_secs(5);
/// Stream time after which a new process replaces the current one, long before FLV's 32-bit milliseconds overflow.
const TERM: Micros = 12 * 3600 * SECOND;
/// Maximum ratio of the output's to the input's bit rate. Video without B-frames needs a higher bit rate.
const GROWTH: (u64, u64) = (5, 4);
/// Minimum and maximum bit rate of the output, in bits per second.
const RATES: std::ops::RangeInclusive<u64> = 400_000..=20_000_000;

/// The derived stream of a stream's video, re-encoded without B-frames. Its ring contains no audio. It ends when the
/// video cannot be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReencodedVideo {
    /// The limit that the encoder counts towards.
    pub(super) reencoders: Reencoders,
}

impl Derivation for ReencodedVideo {
    type Item = Arc<FrameEntry>;
    type Shared = ();

    const LINGER: Duration = Duration::from_secs(10);

    fn start(&self, stream: &Arc<Stream>, output: Output<Arc<FrameEntry>>) -> Started<()> {
        let span = tracing::info_span!("pictures", stream = %stream.name());
        let run = run(stream.clone(), output, self.reencoders.clone());
        Started { task: pool::spawn(run.instrument(span)), shared: () }
    }
}

/// The reason why encoding stopped.
enum Stop {
    /// The stream has ended.
    Ended,
    /// Another publisher came, or the configuration changed: a new process is needed.
    Restart,
    /// The process ended, or could not be started.
    Failed,
    /// A further attempt would fail, too.
    Hopeless,
}

async fn run(stream: Arc<Stream>, output: Output<Arc<FrameEntry>>, reencoders: Reencoders) {
    let mut restarts = Restarts::default();
    while wait_for_b_frames(&stream).await {
        let Some(permit) = permit(&reencoders).await else { return };
        let since = Instant::now();
        let stop = encode(&stream, &output, &reencoders).await;
        // Other streams may use the permit during the pause.
        drop(permit);
        let pause = match stop {
            Stop::Ended | Stop::Hopeless => return,
            Stop::Restart => restarts.changed(since.elapsed()),
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

/// Waits for a permit to run an encoder. Meanwhile viewers get the stream's own video without B-frames.
async fn permit(reencoders: &Reencoders) -> Option<EncoderPermit> {
    if let Some(permit) = reencoders.try_permit() {
        return Some(permit);
    }
    tracing::warn!(
        max_reencoders = reencoders.most(),
        "no video encoder is free: WebRTC viewers of this stream get fewer pictures until one is"
    );
    reencoders.permit().await
}

/// Waits until the stream has B-frames and its video can be encoded. Returns false when the stream has ended.
async fn wait_for_b_frames(stream: &Stream) -> bool {
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

async fn encode(stream: &Stream, output: &Output<Arc<FrameEntry>>, reencoders: &Reencoders) -> Stop {
    // From the newest key frame on, though frames of the past are only decoded.
    let mut frames = stream.subscribe(Start::Key);
    let first = loop {
        match frames.next().await {
            Some(entry) if entry.frame.is_video() && entry.start => break entry,
            Some(_) => {}
            None => return Stop::Ended,
        }
    };
    if !fits(&first.frame.config) {
        return Stop::Restart;
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
    loop {
        tokio::select! {
            biased;
            made = ffmpeg.next() => match made {
                Made::Picture(frame) => {
                    output.push(entry(frame, !std::mem::replace(&mut started, true)));
                }
                Made::Room => {}
                Made::End => return Stop::Failed,
            },
            entry = frames.next(), if ffmpeg.has_room() => {
                let Some(entry) = entry else { return Stop::Ended };
                let frame = &entry.frame;
                if !frame.is_video() {
                    continue;
                }
                let other = !Arc::ptr_eq(&frame.config, &config) && frame.config != config;
                if entry.discontinuity || other || entry.start && frame.dts - begin > TERM {
                    return wait_for_key(&mut frames, entry.start).await;
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

/// Waits for a key frame, at which the next encoder starts. The cached one may be older than the change.
async fn wait_for_key(frames: &mut Subscriber, mut key: bool) -> Stop {
    while !key {
        match frames.next().await {
            Some(entry) => key = entry.frame.is_video() && entry.start,
            None => return Stop::Ended,
        }
    }
    Stop::Restart
}

fn entry(frame: Frame, discontinuity: bool) -> Arc<FrameEntry> {
    let start = frame.key;
    Arc::new(FrameEntry { frame, discontinuity, start })
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

/// Computes the output's bit rate from the input's, in bits per second.
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
