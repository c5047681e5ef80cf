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

/// What one RTP packet carries at most: 1200 bytes in all are safe on every path, and SRTP, the header
/// and its extensions are some of them.
const PAYLOAD: usize = 1200 - 12 - 20 - 16;

/// One frame, ready to be sent.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) frame: Frame,
    /// Its time in ticks of the codec's RTP clock, from a random beginning.
    pub(super) rtp: u32,
    /// Its RTP payloads, the last of which is marked; none where a viewer has to make its own.
    pub(super) payloads: Vec<Arc<[u8]>>,
    /// Of audio: the payload before, and how many ticks older it is.
    pub(super) before: Option<(Arc<[u8]>, u32)>,
    start: bool,
}

impl Item for Arc<Unit> {
    fn key(&self) -> bool {
        self.start
    }
    fn size(&self) -> usize {
        self.frame.data.len() * 2 + size_of::<Unit>()
    }
    fn time(&self) -> Micros {
        self.frame.pts
    }
}

/// The RTP clock's rate of a codec.
pub(super) const fn clock_rate(codec: Codec) -> u32 {
    match codec {
        Codec::Opus => 48_000,
        _ => 90_000,
    }
}

/// A stream as RTP payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packets {
    /// What WebRTC carries.
    pub(super) want: Want,
}

impl Derivation for Packets {
    type Item = Arc<Unit>;
    type Shared = Arc<Line>;

    fn start(&self, stream: &Arc<Stream>, output: Output<Arc<Unit>>) -> Started<Arc<Line>> {
        self.start_at(stream, output, rand::random())
    }
}

impl Packets {
    /// Begins to make packets; RTP times begin at `offset`.
    pub(super) fn start_at(
        &self,
        stream: &Arc<Stream>,
        output: Output<Arc<Unit>>,
        offset: u32,
    ) -> Started<Arc<Line>> {
        let line = Arc::new(Line::new(stream.newest().unwrap_or(0), now()));
        let mut pump = Pump {
            frames: Frames::new(stream, &self.want, Start::Key),
            output,
            line: line.clone(),
            followed: None,
            offset,
            sound: None,
            before: None,
        };
        while let Some(entry) = pump.frames.try_next() {
            pump.take(&entry, None);
        }
        Started { task: tokio::spawn(pump.run()).abort_handle(), shared: line }
    }
}

/// The stream's times on our clock: the moments that sender reports name. There is one line for both tracks and all
/// viewers.
///
/// str0m cannot report a moment in the future, so the line leads to the past, by more than frames come early and are
/// shown late.
#[derive(Debug)]
pub(super) struct Line {
    began: Instant,
    /// The stream's time less this is the time since it began.
    offset: AtomicI64,
}

/// How far in the past.
const PAST: Micros = 500 * MILLI;

impl Line {
    fn new(newest: Micros, now: Instant) -> Self {
        // Times of the past have a place on it.
        let began = now.checked_sub(Duration::from_secs(60)).unwrap_or(now);
        let line = Self { began, offset: AtomicI64::new(0) };
        line.offset.store(line.wanted(newest, now), Ordering::Relaxed);
        line
    }

    fn wanted(&self, time: Micros, now: Instant) -> Micros {
        time - (now - self.began).as_micros() as Micros + PAST
    }

    /// The newest frame is of `time`. The publisher's clock is not ours: this follows it by at most a
    /// thousandth of the time that `passed`, so that reports of the two tracks agree.
    fn follow(&self, time: Micros, now: Instant, passed: Micros) {
        let offset = self.offset.load(Ordering::Relaxed);
        let off = self.wanted(time, now) - offset;
        let step = if off > PAST { off } else { off.clamp(-passed / 1000, passed / 1000) };
        self.offset.store(offset + step, Ordering::Relaxed);
    }

    /// The moment that sender reports name for `time`.
    pub(super) fn moment(&self, time: Micros) -> Instant {
        let since = time - self.offset.load(Ordering::Relaxed);
        self.began + Duration::from_micros(since.max(0) as u64)
    }
}

/// (Virtual in tests.)
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

struct Pump {
    frames: Frames,
    output: Output<Arc<Unit>>,
    line: Arc<Line>,
    followed: Option<Instant>,
    offset: u32,
    /// The RTP time at which the next packet of sound begins.
    sound: Option<i64>,
    /// The last packet of audio and its RTP time.
    before: Option<(Arc<[u8]>, u32)>,
}

/// Sound that is off by more than this, in ticks of 48 kHz, has a gap.
const GAP: i64 = 48 * 40;

impl Pump {
    async fn run(mut self) {
        while let Some(entry) = self.frames.next().await {
            self.take(&entry, Some(now()));
        }
    }

    /// `now` for an entry that has just come.
    fn take(&mut self, entry: &FrameEntry, now: Option<Instant>) {
        let frame = &entry.frame;
        if let Some(now) = now {
            let passed = self.followed.replace(now).map_or(0, |before| (now - before).as_micros() as Micros);
            self.line.follow(frame.pts, now, passed);
        }
        if !frame.is_video() && frame.config.codec != Codec::Opus {
            return;
        }
        let payloads = match frame.config.codec {
            Codec::H264 => match packetize(frame, PAYLOAD) {
                Ok(payloads) => payloads,
                Err(error) => {
                    metrics::counter!("lianmai_bad_frames_total").increment(1);
                    tracing::debug!(%error, "a frame can't be sent by RTP");
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
        let unit = Unit { frame: frame.clone(), rtp, payloads, before, start: entry.start };
        self.output.push(Arc::new(unit));
    }

    /// A frame's time in ticks. Sound is counted in samples: its times are rounded on their way, and a
    /// player takes a step that is one sample short for a loss.
    fn ticks(&mut self, frame: &Frame) -> i64 {
        let ticks = to_ticks(frame.pts, clock_rate(frame.config.codec));
        if frame.is_video() {
            return ticks;
        }
        let counted = self.sound.filter(|counted| (ticks - counted).abs() <= GAP).unwrap_or(ticks);
        self.sound = Some(counted + i64::from(audio_samples(&frame.config, &frame.data).unwrap_or(0)));
        counted
    }
}
