//! A view whose sound is replaced and whose pictures are the stream's own.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use media::Frame;

use super::counters::{Counters, Running, add};
use super::pipeline::Pipeline;
use super::view::Maker;
use super::{Sound, Way};
use crate::core::hub::Entry;

/// Which sound.
pub(super) trait To: Send + 'static {
    const SOUND: Sound;
}

/// [`Sound::Aac`].
#[derive(Debug)]
pub(super) enum ToAac {}

/// [`Sound::Opus`].
#[derive(Debug)]
pub(super) enum ToOpus {}

impl To for ToAac {
    const SOUND: Sound = Sound::Aac;
}

impl To for ToOpus {
    const SOUND: Sound = Sound::Opus;
}

/// Passes pictures, and sound that is `T` already; transcodes the rest.
#[derive(Debug)]
pub(super) struct Replace<T> {
    pipeline: Pipeline,
    made: Vec<Frame>,
    /// An entry that began something new has not gone out itself: the next one that does says so.
    discontinuity: bool,
    counters: &'static Counters,
    _running: Running,
    to: PhantomData<fn() -> T>,
}

impl<T: To> Maker for Replace<T> {
    fn new() -> Self {
        Self {
            pipeline: Pipeline::new(T::SOUND),
            made: Vec::new(),
            discontinuity: false,
            counters: Counters::of(T::SOUND),
            _running: Running::new(T::SOUND),
            to: PhantomData,
        }
    }

    fn take(&mut self, entry: &Arc<Entry>, skipped: bool, late: bool, out: &mut Vec<Arc<Entry>>) {
        if entry.discontinuity || skipped {
            self.discontinuity = true;
            self.pipeline.reset();
        }
        let frame = &entry.frame;
        match T::SOUND.way(frame.config.codec) {
            Way::Nothing => {}
            Way::Direct => {
                if !frame.is_video() {
                    self.pipeline.reset();
                }
                out.push(mark(entry, std::mem::take(&mut self.discontinuity)));
            }
            Way::Transcoded if late => add(&self.counters.late, 1),
            Way::Transcoded => {
                let start = Instant::now();
                self.pipeline.push(frame, &mut self.made);
                add(&self.counters.nanos, start.elapsed().as_nanos() as u64);
                for frame in self.made.drain(..) {
                    let discontinuity = std::mem::take(&mut self.discontinuity);
                    out.push(Arc::new(Entry { frame, discontinuity, start: entry.start }));
                }
            }
        }
    }
}

/// The entry itself, or one that differs from it in that.
pub(super) fn mark(entry: &Arc<Entry>, discontinuity: bool) -> Arc<Entry> {
    if discontinuity && !entry.discontinuity {
        return Arc::new(Entry { frame: entry.frame.clone(), discontinuity, start: entry.start });
    }
    entry.clone()
}
