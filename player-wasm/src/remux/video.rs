//! The video track.

use std::sync::Arc;

use media::time::{MILLI, Micros};
use media::{Config, Frame, mp4};

/// Where the video track stands.
#[derive(Default)]
pub(super) struct VideoLane {
    config: Option<Arc<Config>>,
    need_key: bool,
    /// The newest frame's decode time, and what was written for it.
    last: Option<(Micros, Micros)>,
    /// The newest distance between frames; 0 before the second one.
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

    /// Whether frames of `config` need nothing new.
    pub(super) fn is(&self, config: &Arc<Config>) -> bool {
        self.config.as_ref().is_some_and(|own| Arc::ptr_eq(own, config) || own == config)
    }

    /// A guess at how long a frame lasts.
    pub(super) fn duration(&self) -> Micros {
        if self.step == 0 { 33 * MILLI } else { self.step }
    }

    pub(super) fn end(&self) -> Micros {
        self.end
    }

    /// What comes next lies at `at`, be it earlier.
    pub(super) fn go_to(&mut self, at: Micros) {
        self.end = at;
    }

    pub(super) fn newest_pts(&self) -> Micros {
        self.newest_pts
    }

    /// Decoding starts anew: nothing before the next key frame.
    pub(super) fn cut(&mut self) {
        self.need_key = true;
        self.last = None;
    }

    /// What to write for a frame; none for one that cannot be decoded.
    pub(super) fn sample<'a>(&mut self, frame: &'a Frame) -> Option<mp4::Sample<'a>> {
        if self.need_key && !frame.key {
            return None;
        }
        self.need_key = false;
        let mut dts = frame.dts;
        if let Some((before, written)) = self.last {
            let step = frame.dts - before;
            // Two frames at a time, or a picture that stands still, say nothing about the rate.
            if (MILLI..500 * MILLI).contains(&step) {
                // MSE drops everything up to the next key frame when a frame comes later than twice
                // the duration of the one before. Only presentation times are seen, so decode times
                // may lag behind the truth.
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
