//! The video track.

use std::sync::Arc;

use media::time::{MILLI, Micros};
use media::{Config, Frame, mp4};

/// State of the video track.
#[derive(Default)]
pub(super) struct VideoLane {
    config: Option<Arc<Config>>,
    need_key: bool,
    /// Decode time of the newest frame, and the time that was written for it.
    last: Option<(Micros, Micros)>,
    /// Distance of the newest two frames; 0 before the second one.
    step: Micros,
    end: Micros,
    newest_pts: Micros,
}

impl VideoLane {
    pub(super) fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    pub(super) fn set(&mut self, config: Option<Arc<Config>>) {
        self.config = config;
    }

    /// Returns whether frames of `config` can continue the track.
    pub(super) fn is(&self, config: &Arc<Config>) -> bool {
        self.config.as_ref().is_some_and(|own| Arc::ptr_eq(own, config) || own == config)
    }

    /// Estimates the duration of a frame.
    pub(super) fn duration(&self) -> Micros {
        if self.step == 0 { 33 * MILLI } else { self.step }
    }

    pub(super) fn end(&self) -> Micros {
        self.end
    }

    /// Places the next frame at `at`, even if that is earlier.
    pub(super) fn go_to(&mut self, at: Micros) {
        self.end = at;
    }

    pub(super) fn newest_pts(&self) -> Micros {
        self.newest_pts
    }

    /// Restarts decoding: frames are dropped until the next key frame.
    pub(super) fn cut(&mut self) {
        self.need_key = true;
        self.last = None;
    }

    /// Returns the sample for a frame; `None` if the frame cannot be decoded.
    pub(super) fn sample<'a>(&mut self, frame: &'a Frame) -> Option<mp4::Sample<'a>> {
        if self.need_key && !frame.key {
            return None;
        }
        self.need_key = false;
        let mut dts = frame.dts;
        if let Some((before, written)) = self.last {
            let step = frame.dts - before;
            // Frames with the same time, or a still image, say nothing about the frame rate.
            if (MILLI..500 * MILLI).contains(&step) {
                // MSE drops everything up to the next key frame if a frame comes later than twice the
                // duration of the previous one. Only presentation times are visible, so decode times may be
                // behind the real ones.
                dts = dts.min(written + 2 * self.duration());
                self.step = step;
            } else {
                dts = dts.min(written + 2 * self.duration());
            }
            dts = dts.max(written + 1);
        }
        self.last = Some((frame.dts, dts));
        self.end = frame.dts + self.duration();
        self.newest_pts = frame.pts;
        let duration = self.duration() as u32;
        Some(mp4::Sample { dts, pts: frame.pts, duration, key: frame.key, data: &frame.data })
    }
}
