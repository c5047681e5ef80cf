//! A stream as RTP payloads, made once for all its viewers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use media::codec::audio_samples;
use media::rtp::h264::packetize;
use media::time::{MILLI, Micros, to_ticks};
use media::{Codec, Frame};

use crate::core::hub::ring::Item;
use crate::core::hub::{FrameEntry, Start, Stream};
use crate::derive::derived::{Derivation, Output, Started};
use crate::derive::transcode::{Frames, Want};

/// Maximum size of an RTP payload in bytes. Packets of 1200 bytes are safe on every path; SRTP, the header and its
/// extensions need some of these.
const PAYLOAD: usize = 1200 - 12 - 20 - 16;

/// One frame, ready to be sent.
#[derive(Debug)]
pub(super) struct PacketizedFrame {
    pub(super) frame: Frame,
    /// The frame's time in ticks of the codec's RTP clock, from a random offset.
    pub(super) rtp: u32,
    /// The RTP payloads; the last one is sent with the marker bit. Empty for codecs that str0m packetizes for each
    /// viewer.
    pub(super) payloads: Vec<Arc<[u8]>>,
    /// For audio: the previous payload, and how many ticks older it is.
    pub(super) before: Option<(Arc<[u8]>, u32)>,
    start: bool,
}

impl Item for Arc<PacketizedFrame> {
    fn key(&self) -> bool {
        self.start
    }
    fn size(&self) -> usize {
        self.frame.data.len() * 2 + size_of::<PacketizedFrame>()
    }
    fn time(&self) -> Micros {
        self.frame.pts
    }
}

/// Returns the RTP clock rate of a codec.
pub(super) const fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus => 48_000,
        _ => 90_000,
    }
}

/// A stream as RTP payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packets {
    /// The codecs that WebRTC carries.
    pub(super) want: Want,
}

impl Derivation for Packets {
    type Item = Arc<PacketizedFrame>;
    type Shared = Arc<ReportClock>;

    fn start(&self, stream: &Arc<Stream>, output: Output<Arc<PacketizedFrame>>) -> Started<Arc<ReportClock>> {
        self.start_at(stream, output, rand::random())
    }
}

impl Packets {
    /// Starts the task. RTP times begin at `offset`.
    pub(super) fn start_at(
        &self,
        stream: &Arc<Stream>,
        output: Output<Arc<PacketizedFrame>>,
        offset: u32,
    ) -> Started<Arc<ReportClock>> {
        let clock = Arc::new(ReportClock::new(stream.newest().unwrap_or(0), now()));
        let mut task = PacketTask {
            frames: Frames::new(stream, &self.want, Start::Key),
            output,
            clock: clock.clone(),
            followed: None,
            offset,
            audio: None,
            before: None,
        };
        while let Some(entry) = task.frames.try_next() {
            task.push(&entry, None);
        }
        Started { task: tokio::spawn(task.run()).abort_handle(), shared: clock }
    }
}

/// Maps the stream's times to the gateway's clock, for sender reports. Both tracks and all viewers share it.
///
/// str0m cannot report an instant in the future, so the results are in the past, by more than frames arrive early or
/// are shown late.
#[derive(Debug)]
pub(super) struct ReportClock {
    began: Instant,
    /// The stream's time minus the time since `began`.
    offset: AtomicI64,
}

/// Distance of the results into the past.
const PAST: Micros = 500 * MILLI;

impl ReportClock {
    fn new(newest: Micros, now: Instant) -> Self {
        // Cached frames have earlier times.
        let began = now.checked_sub(Duration::from_secs(60)).unwrap_or(now);
        let clock = Self { began, offset: AtomicI64::new(0) };
        clock.offset.store(clock.wanted(newest, now), Ordering::Relaxed);
        clock
    }

    fn wanted(&self, time: Micros, now: Instant) -> Micros {
        time - (now - self.began).as_micros() as Micros + PAST
    }

    /// Follows the publisher's clock: the newest frame has the time `time`. The correction is at most a thousandth of
    /// the time that `passed`, so that the reports of the two tracks agree.
    fn follow(&self, time: Micros, now: Instant, passed: Micros) {
        let offset = self.offset.load(Ordering::Relaxed);
        let off = self.wanted(time, now) - offset;
        let step = if off > PAST { off } else { off.clamp(-passed / 1000, passed / 1000) };
        self.offset.store(offset + step, Ordering::Relaxed);
    }

    /// Returns the instant that sender reports contain for `time`.
    pub(super) fn moment(&self, time: Micros) -> Instant {
        let since = time - self.offset.load(Ordering::Relaxed);
        self.began + Duration::from_micros(since.max(0) as u64)
    }
}

/// Returns the current time, which is virtual in tests.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The task that packetizes a stream.
struct PacketTask {
    frames: Frames,
    output: Output<Arc<PacketizedFrame>>,
    clock: Arc<ReportClock>,
    followed: Option<Instant>,
    offset: u32,
    /// The RTP time at which the next audio packet begins.
    audio: Option<i64>,
    /// The last audio payload and its RTP time.
    before: Option<(Arc<[u8]>, u32)>,
}

/// Difference from the expected time, in ticks of 48 kHz, from which audio has a gap.
const GAP: i64 = 48 * 40;

impl PacketTask {
    async fn run(mut self) {
        while let Some(entry) = self.frames.next().await {
            self.push(&entry, Some(now()));
        }
    }

    /// Packetizes one entry. `now` is set if the entry has just arrived, and not for cached ones.
    fn push(&mut self, entry: &FrameEntry, now: Option<Instant>) {
        let frame = &entry.frame;
        if let Some(now) = now {
            let passed = self.followed.replace(now).map_or(0, |before| (now - before).as_micros() as Micros);
            self.clock.follow(frame.pts, now, passed);
        }
        if !frame.is_video() && frame.config.codec != Codec::Opus {
            return;
        }
        let payloads = match frame.config.codec {
            Codec::H264 => match packetize(frame, PAYLOAD) {
                Ok(payloads) => payloads,
                Err(error) => {
                    metrics::counter!("lianmai_bad_frames_total").increment(1);
                    tracing::debug!(%error, "frame cannot be sent by RTP");
                    return;
                }
            },
            Codec::Opus => vec![Arc::from(&frame.data[..])],
            _ => Vec::new(),
        };
        let rtp = (self.ticks(frame) as u32).wrapping_add(self.offset);
        let mut before = None;
        if let (false, Some(payload)) = (frame.is_video(), payloads.first()) {
            let last = self.before.replace((payload.clone(), rtp));
            before = last.map(|(payload, at)| (payload, rtp.wrapping_sub(at)));
        }
        let unit = PacketizedFrame { frame: frame.clone(), rtp, payloads, before, start: entry.start };
        self.output.push(Arc::new(unit));
    }

    /// Returns a frame's time in ticks. Audio times are counted in samples, because its timestamps are rounded, and a
    /// player mistakes a step that is wrong by one sample for a loss.
    fn ticks(&mut self, frame: &Frame) -> i64 {
        let ticks = to_ticks(frame.pts, clock_rate(frame.config.codec));
        if frame.is_video() {
            return ticks;
        }
        let counted = self.audio.filter(|counted| (ticks - counted).abs() <= GAP).unwrap_or(ticks);
        self.audio = Some(counted + i64::from(audio_samples(&frame.config, &frame.data).unwrap_or(0)));
        counted
    }
}
