//! Replaces the audio of a stream by transcoded audio, and passes its video on.

use std::sync::Arc;
use std::time::Instant;

use media::Frame;

use super::counters::{Counters, Running, add};
use super::pipeline::Pipeline;
use super::want::{Plan, audio_plan};
use super::{AudioTarget, Codecs};
use crate::core::hub::FrameEntry;

/// Passes on video, and audio that the readers carry. Transcodes other audio.
#[derive(Debug)]
pub(super) struct Replace {
    carried: Codecs,
    pipeline: Pipeline,
    made: Vec<Frame>,
    /// Whether the next entry is marked as a discontinuity, because the entry that had the mark was not passed on.
    discontinuity: bool,
    counters: &'static Counters,
    _running: Running,
}

impl Replace {
    /// Creates it for readers that carry the codecs `carried`. `to` is one of them.
    pub(super) fn new(carried: Codecs, to: AudioTarget) -> Self {
        Self {
            carried,
            pipeline: Pipeline::new(to),
            made: Vec::new(),
            discontinuity: false,
            counters: Counters::of(to),
            _running: Running::new(to),
        }
    }

    /// Adds the next entry, and appends the entries that are complete to `out`: none or several, because
    /// packets of the two codecs have different lengths. `skipped`: entries before this one were missed.
    /// `late`: the machine is too slow, so audio is left out.
    pub(super) fn push(
        &mut self,
        entry: &Arc<FrameEntry>,
        skipped: bool,
        late: bool,
        out: &mut Vec<Arc<FrameEntry>>,
    ) {
        if entry.discontinuity || skipped {
            self.discontinuity = true;
            self.pipeline.reset();
        }
        let frame = &entry.frame;
        if frame.is_video() {
            out.push(with_mark(entry, std::mem::take(&mut self.discontinuity)));
            return;
        }
        match audio_plan(self.carried, frame.config.codec) {
            Plan::LeaveOut => {}
            Plan::Pass => {
                self.pipeline.reset();
                out.push(with_mark(entry, std::mem::take(&mut self.discontinuity)));
            }
            Plan::Transcode(_) if late => add(&self.counters.late, 1),
            Plan::Transcode(_) => {
                let start = Instant::now();
                self.pipeline.push(frame, &mut self.made);
                add(&self.counters.nanos, start.elapsed().as_nanos() as u64);
                for frame in self.made.drain(..) {
                    let discontinuity = std::mem::take(&mut self.discontinuity);
                    out.push(Arc::new(FrameEntry { frame, discontinuity, start: entry.start }));
                }
            }
        }
    }
}

/// Returns the entry, marked as a discontinuity if `discontinuity` is set.
pub(super) fn with_mark(entry: &Arc<FrameEntry>, discontinuity: bool) -> Arc<FrameEntry> {
    if discontinuity && !entry.discontinuity {
        return Arc::new(FrameEntry { frame: entry.frame.clone(), discontinuity, start: entry.start });
    }
    entry.clone()
}
