//! Feeds the video of an input to its decoder.

use std::collections::VecDeque;
use std::sync::Arc;

use media::time::Micros;
use media::{Config, Frame};
use tokio::time::{Duration, Instant};

use super::children::{DecodedPicture, Decoder, DecoderSettings, Output, Reason, Supervised};
use crate::net::child::Restarts;

/// Maximum number of frames that wait for the decoder: those of a group of pictures, when the input begins.
const MAX_BACKLOG: usize = 600;
/// Maximum number of bytes of these frames.
const MAX_BACKLOG_BYTES: usize = 16 << 20;
/// Maximum number of frames in the decoder whose pictures are followed.
const MAX_FOLLOWED: usize = 64;
/// Time after which a decoder that was given up is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(60);
/// Number of frames in a decoder that keeps up, with B-frames.
const STEADY: usize = 5;

/// An event of the decoder of an input.
#[derive(Debug)]
pub(super) enum Decoded {
    /// A picture. `steady`: it was decoded without a backlog, so its delay is typical of the input.
    Picture { pts: Micros, picture: super::Picture, steady: bool },
    /// A new decoder needs a key frame and the frames after it.
    NeedsKey,
    /// The video cannot be decoded.
    Failed(Reason),
}

/// The decoder of an input, and the frames that wait for it. Pushing a frame never waits.
#[derive(Debug)]
pub(super) struct Video {
    max_size: (u32, u32),
    decoder: Option<Supervised<Decoder>>,
    config: Option<Arc<Config>>,
    began: Instant,
    /// When the next decoder may start, after a change of the configuration.
    not_before: Option<Instant>,
    changes: Restarts,
    backlog: VecDeque<(Frame, bool)>,
    bytes: usize,
    /// Whether frames are left out up to the next key frame.
    skipping: bool,
    /// Presentation times of the frames in the decoder, and whether they were pushed without a backlog.
    inside: VecDeque<(Micros, bool)>,
    /// Whether this decoder has made a picture.
    works: bool,
    /// Whether the failure of the decoder was told.
    failed: bool,
    /// Number of frames left out.
    pub(super) drops: u64,
}

impl Video {
    /// Creates the decoder of an input whose pictures fit into `max_size`. It starts with the first key frame.
    pub(super) fn new(max_size: (u32, u32)) -> Self {
        Self {
            max_size,
            decoder: None,
            config: None,
            began: Instant::now(),
            not_before: None,
            changes: Restarts::default(),
            backlog: VecDeque::new(),
            bytes: 0,
            skipping: true,
            inside: VecDeque::new(),
            works: false,
            failed: false,
            drops: 0,
        }
    }

    /// Returns the process id of the decoder.
    pub(super) fn id(&self) -> Option<u32> {
        self.decoder.as_ref()?.child()?.id()
    }

    /// Adds the next frame, in decode order. `live`: it is the newest frame of the stream. Returns whether the input
    /// needs a key frame.
    pub(super) fn push(&mut self, frame: &Frame, live: bool) -> bool {
        if self.config.as_ref().is_none_or(|config| !Arc::ptr_eq(config, &frame.config)) {
            self.change(&frame.config);
        }
        if self.skipping {
            let ready = self.not_before.is_none_or(|at| Instant::now() >= at);
            if !frame.key || !ready {
                self.drops += 1;
                return ready && live;
            }
            self.skipping = false;
            self.start(&frame.config);
        }
        self.backlog.push_back((frame.clone(), live));
        self.bytes += frame.data.len();
        if self.backlog.len() > MAX_BACKLOG || self.bytes > MAX_BACKLOG_BYTES {
            self.skip();
            return true;
        }
        self.feed();
        false
    }

    /// Prepares for another configuration. Another decoder follows, but not too often: a publisher that changes the
    /// configuration all the time must not start a process each time.
    fn change(&mut self, config: &Arc<Config>) {
        let same = self.config.as_ref().is_some_and(|old| **old == **config);
        self.config = Some(config.clone());
        if same {
            return;
        }
        if self.decoder.take().is_some() {
            self.not_before = Some(Instant::now() + self.changes.changed(self.began.elapsed()));
        }
        self.failed = false;
        self.skip();
    }

    fn start(&mut self, config: &Arc<Config>) {
        if self.decoder.is_some() {
            return;
        }
        self.began = Instant::now();
        self.not_before = None;
        self.works = false;
        self.inside.clear();
        let settings = DecoderSettings { config: config.clone(), max_size: self.max_size };
        self.decoder = Some(Supervised::new(settings));
    }

    /// Leaves out all frames up to the next key frame.
    fn skip(&mut self) {
        self.drops += self.backlog.len() as u64;
        self.backlog.clear();
        self.bytes = 0;
        self.skipping = true;
    }

    /// Passes frames to the decoder while it has room.
    fn feed(&mut self) {
        let Some(decoder) = &mut self.decoder else { return };
        while decoder.has_room() {
            let Some((frame, live)) = self.backlog.pop_front() else { return };
            self.bytes -= frame.data.len();
            if decoder.push(&frame) {
                let steady = live && self.works && self.inside.len() <= STEADY;
                self.inside.push_back((frame.pts, steady));
                if self.inside.len() > MAX_FOLLOWED {
                    self.inside.pop_front();
                }
            } else {
                self.drops += 1;
            }
        }
    }

    /// Waits for the next picture. Cancel-safe.
    pub(super) async fn next(&mut self) -> Decoded {
        loop {
            let Some(decoder) = self.decoder.as_mut().filter(|_| !self.failed) else {
                return std::future::pending().await;
            };
            match decoder.next().await {
                Output::Made(DecodedPicture { pts, picture }) => {
                    self.works = true;
                    let steady = self.inside.iter().any(|(time, steady)| *time == pts && *steady);
                    // Pictures come in the order of presentation: frames before this one gave no picture.
                    self.inside.retain(|(time, _)| *time > pts);
                    self.feed();
                    return Decoded::Picture { pts, picture, steady };
                }
                Output::Room => self.feed(),
                Output::Restarted => {
                    self.works = false;
                    self.inside.clear();
                    self.skip();
                    return Decoded::NeedsKey;
                }
                Output::End(reason) => {
                    if reason.is_hopeless() {
                        self.failed = true;
                    } else {
                        self.decoder = None;
                        self.not_before = Some(Instant::now() + TRY_AGAIN);
                    }
                    self.skip();
                    return Decoded::Failed(reason);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::{Codec, Format, Video as Size};

    use super::*;

    fn frame(config: &Arc<Config>, n: Micros, size: usize) -> Frame {
        let time = n * 33_000;
        let data = Bytes::from(vec![0; size]);
        Frame { number: 0, config: config.clone(), dts: time, pts: time, key: n == 0, data }
    }

    #[tokio::test]
    async fn the_frames_that_wait_for_a_decoder_are_bounded_in_number_and_in_bytes() {
        let format = Format::Video(Size { width: 320, height: 180 });
        let config = Arc::new(Config { codec: Codec::Vp8, format, description: Bytes::new() });
        // The decoder is never asked for pictures, so it takes a few frames only.
        for (size, most) in [(10, MAX_BACKLOG), (1 << 20, MAX_BACKLOG_BYTES >> 20)] {
            let mut video = Video::new((320, 180));
            let mut longest = 0;
            let full = (0..).find(|n| {
                let needs_key = video.push(&frame(&config, *n, size), true);
                longest = longest.max(video.backlog.len());
                needs_key
            });
            assert!(full.is_some_and(|n| n > most as Micros) && longest == most, "{full:?} {longest} {most}");
            assert!(video.backlog.is_empty() && video.bytes == 0 && video.drops >= most as u64);
            assert!(video.inside.len() <= MAX_FOLLOWED);
        }
    }
}
