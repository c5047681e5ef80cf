//! The audio track. Its times are counted in samples; the count follows the timestamps.

use std::sync::Arc;

use bytes::Bytes;
use media::codec::{aac::AudioSpecificConfig, mp3, opus};
use media::time::{MILLI, Micros, SECOND, from_ticks};
use media::{Codec, Config, Frame, mp4};

use super::silence::silence;

/// Number of audio frames in a fragment.
const BUNDLE: usize = 3;
/// Maximum difference between timestamps and count. Beyond it, frames are dropped or silence is inserted.
const DRIFT: Micros = 45 * MILLI;
/// Audio this far behind the video has stopped. The value allows for MPEG-TS, whose packets may hold a second
/// of audio.
const STOPPED: Micros = SECOND;
const STOPPED_TS: Micros = 3 * SECOND;
/// Silence is written up to this far behind the video, so that returning audio still fits.
const BEHIND: Micros = 300 * MILLI;
/// Maximum duration of inserted silence. Longer gaps are skipped (the video has the same gap).
const LONGEST_FILL: Micros = 6 * SECOND;

/// A frame that waits until its fragment is complete.
pub(super) struct PendingSample {
    dts: Micros,
    duration: Micros,
    data: Bytes,
}

impl PendingSample {
    pub(super) fn sample(&self) -> mp4::Sample<'_> {
        let &Self { dts, duration, ref data } = self;
        mp4::Sample { dts, pts: dts, duration: duration as u32, key: true, data }
    }
}

/// State of the audio track.
pub(super) struct AudioLane {
    /// Whether the frames come from MPEG-TS.
    ts: bool,
    config: Option<Arc<Config>>,
    /// Number of samples per frame, if it is constant.
    samples: u32,
    /// Start time of the sample count, and the count.
    origin: Option<Micros>,
    count: i64,
    /// Media time up to which fragments were output.
    flushed: Micros,
    held: Vec<PendingSample>,
    /// Whether silence is output instead of frames.
    stopped: bool,
}

impl AudioLane {
    pub(super) fn new(ts: bool) -> Self {
        Self {
            ts,
            config: None,
            samples: 0,
            origin: None,
            count: 0,
            flushed: 0,
            held: Vec::new(),
            stopped: false,
        }
    }

    pub(super) fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    pub(super) fn set(&mut self, config: Option<Arc<Config>>) {
        self.samples = match config.as_deref() {
            Some(config) if config.codec == Codec::Aac => {
                AudioSpecificConfig::parse(&config.description).map_or(1024, |asc| asc.samples())
            }
            _ => 1152,
        };
        self.config = config;
        self.cut();
    }

    /// Returns whether frames of `config` can continue the track.
    pub(super) fn is(&self, config: &Arc<Config>) -> bool {
        self.config.as_ref().is_some_and(|own| Arc::ptr_eq(own, config) || own == config)
    }

    /// Places the next frame at `at`, even if that is earlier.
    pub(super) fn go_to(&mut self, at: Micros) {
        self.flushed = at;
    }

    /// Returns whether silence can replace frames.
    pub(super) fn can_be_silent(&self) -> bool {
        self.config.as_deref().and_then(silence).is_some()
    }

    pub(super) fn flushed(&self) -> Micros {
        self.flushed
    }

    /// Restarts the count at the next frame's own time.
    pub(super) fn cut(&mut self) {
        self.origin = None;
        self.count = 0;
        self.stopped = false;
        self.held.clear();
    }

    fn rate(&self) -> u32 {
        self.config.as_ref().and_then(|config| config.audio()).map_or(48_000, |a| a.sample_rate.max(1))
    }

    /// Returns the time after the newest frame, by the count.
    fn end(&self) -> Option<Micros> {
        self.origin.map(|origin| origin + from_ticks(self.count, self.rate()))
    }

    pub(super) fn push(&mut self, frame: Frame) {
        let samples = match frame.config.codec {
            Codec::Opus => opus::samples(&frame.data).unwrap_or(960),
            Codec::Mp3 => mp3::Header::parse(&frame.data).map_or(1152, |header| header.samples),
            _ => self.samples,
        };
        match self.end().filter(|_| self.count > 0) {
            None => {
                self.origin = Some(frame.dts);
                self.count = 0;
            }
            // The audio lies in the past: the source stepped back slightly.
            Some(end) if frame.dts < end - DRIFT => {
                // If it is only late, it may catch up with the silence.
                self.stopped = false;
                return;
            }
            Some(end) if frame.dts > end + DRIFT => self.fill_up_to(frame.dts),
            Some(_) => {}
        }
        self.stopped = false;
        self.add(frame.data, samples);
    }

    /// The video has reached `time`: stopped audio must not stop the video.
    pub(super) fn keep_up(&mut self, time: Micros) {
        let Some(end) = self.end() else {
            self.origin = Some(time);
            return;
        };
        self.stopped |= time > end + if self.ts { STOPPED_TS } else { STOPPED };
        if self.stopped {
            self.fill_up_to(time - BEHIND);
        }
    }

    /// Inserts silence if audio is missing up to `time` by more than jitter.
    fn fill_up_to(&mut self, time: Micros) {
        let Some(end) = self.end().filter(|&end| time > end + DRIFT) else { return };
        let frame = self.config.as_deref().and_then(silence);
        match frame {
            Some(data) if time - end < LONGEST_FILL => {
                while self.end().is_some_and(|end| end + MILLI < time) {
                    self.add(Bytes::from_static(data), self.samples);
                }
            }
            // This codec has no silent frame: the count continues from here.
            _ => {
                self.origin = Some(time);
                self.count = 0;
            }
        }
    }

    fn add(&mut self, data: Bytes, samples: u32) {
        let Some(dts) = self.end() else { return };
        self.count += i64::from(samples);
        let duration = self.end().unwrap_or(dts) - dts;
        self.held.push(PendingSample { dts, duration, data });
    }

    /// Returns the frames for a fragment once there are enough; with `all`, whatever there is.
    pub(super) fn bundle(&mut self, all: bool) -> Option<Vec<PendingSample>> {
        let size = if all { self.held.len().min(BUNDLE) } else { BUNDLE };
        if size == 0 || self.held.len() < size {
            return None;
        }
        let rest = self.held.split_off(size);
        let frames = std::mem::replace(&mut self.held, rest);
        if let Some(last) = frames.last() {
            self.flushed = last.dts + last.duration;
        }
        Some(frames)
    }
}
