//! A stream as RTP payloads, made once for all its viewers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use media::codec::audio_samples;
use media::codec::h264::{Order, Place, Reorder};
use media::rtp::h264::packetize;
use media::time::{Micros, SECOND, to_ticks};
use media::{Codec, Frame};
use tokio::task::AbortHandle;

use crate::hub::ring::{Cursor, Item, Limits, Ring};
use crate::hub::{Entry, Start, Stream};
use crate::transcode::{Sound, Source};

/// What one RTP packet carries at most: 1200 bytes in all are safe on every path, and SRTP, the header
/// and its extensions are some of them.
const PAYLOAD: usize = 1200 - 12 - 20 - 16;
const LIMITS: Limits = Limits { items: 4096, bytes: 32 << 20, span: 4 * SECOND };

/// One frame, ready to be sent.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) frame: Frame,
    /// Its time in ticks of the codec's RTP clock, from a random beginning.
    pub(super) rtp: u32,
    /// Its RTP payloads, the last of which is marked; none where a viewer has to make its own.
    pub(super) payloads: Vec<Arc<[u8]>>,
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

/// A stream's packets. Its task runs while someone holds it.
#[derive(Debug)]
pub(super) struct Packets {
    ring: Arc<Ring<Arc<Unit>>>,
    task: AbortHandle,
    /// A moment, and the stream's time then: what sender reports tell of both tracks alike.
    anchor: (Instant, Micros),
    reordered: Arc<AtomicBool>,
}

impl Packets {
    /// The packets of `stream`, shared with whoever plays it already. Inside a tokio runtime.
    pub(super) fn of(stream: &Arc<Stream>) -> Arc<Self> {
        stream.derive(|stream| {
            let ring = Ring::new(LIMITS);
            let reordered = Arc::new(AtomicBool::new(false));
            let anchor = (Instant::now(), stream.newest().unwrap_or(0));
            let mut pump = Pump {
                frames: Source::new(stream, Sound::Opus, Start::Key),
                ring: ring.clone(),
                reorder: Reorder::new(),
                reordered: reordered.clone(),
                offset: rand::random(),
                sound: None,
            };
            while let Some(entry) = pump.frames.try_next() {
                pump.take(&entry);
            }
            let task = tokio::spawn(pump.run()).abort_handle();
            Arc::new(Self { ring, task, anchor, reordered })
        })
    }

    /// Another viewer.
    pub(super) fn reader(self: &Arc<Self>, start: Start) -> Cursor<Arc<Unit>> {
        self.ring.cursor(start)
    }

    /// The stream's time of the newest packet.
    pub(super) fn newest(&self) -> Option<Micros> {
        self.ring.newest()
    }

    /// The moment at which `time` is shown: in step for both tracks and all viewers.
    pub(super) fn moment(&self, time: Micros) -> Instant {
        let (moment, anchor) = self.anchor;
        let step = Duration::from_micros(time.abs_diff(anchor));
        if time >= anchor { moment + step } else { moment.checked_sub(step).unwrap_or(moment) }
    }

    /// Whether pictures come in another order than they are shown, and can't be put in order by leaving
    /// some out: a browser shows such a stream badly.
    pub(super) fn reordered(&self) -> bool {
        self.reordered.load(Ordering::Relaxed)
    }
}

impl Drop for Packets {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Pump {
    frames: Source,
    ring: Arc<Ring<Arc<Unit>>>,
    reorder: Reorder,
    reordered: Arc<AtomicBool>,
    offset: u32,
    /// The RTP time at which the next packet of sound begins.
    sound: Option<i64>,
}

/// Sound that is off by more than this, in ticks of 48 kHz, has a gap.
const GAP: i64 = 48 * 40;

impl Pump {
    async fn run(mut self) {
        while let Some(entry) = self.frames.next().await {
            self.take(&entry);
        }
        self.ring.close();
    }

    fn take(&mut self, entry: &Entry) {
        let frame = &entry.frame;
        if frame.is_video() {
            if self.reorder.push(frame) == Place::Droppable {
                return;
            }
            self.reordered.store(self.reorder.order() == Order::Mixed, Ordering::Relaxed);
        } else if frame.config.codec != Codec::Opus {
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
        self.ring.push(Arc::new(Unit { frame: frame.clone(), rtp, payloads, start: entry.start }));
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
