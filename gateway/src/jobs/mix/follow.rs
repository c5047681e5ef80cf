//! Reads an input's stream from the hub.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use media::Track;
use media::time::Micros;
use tokio::time::timeout;

use super::audio::{AudioMixer, InputId};
use super::input::InputState;
use super::mix_clock::MixClock;
use super::video::{Decoded, Video};
use crate::core::hub::{FrameEntry, Hub, Start, Stream, StreamName};

/// Interval at which the hub is asked for the stream, besides its events.
const LOOK: Duration = Duration::from_secs(1);

/// Follows one input while it belongs to the mix: waits for its stream, reads it, and waits for it again.
pub(super) struct Follower {
    pub(super) name: StreamName,
    pub(super) id: InputId,
    pub(super) hub: Hub,
    pub(super) clock: MixClock,
    pub(super) state: Rc<RefCell<InputState>>,
    pub(super) audio: Rc<RefCell<AudioMixer>>,
    /// The size that pictures fit into.
    pub(super) max_size: (u32, u32),
    /// Half the time between two pictures of the mix: pictures are shown this much early or late.
    pub(super) half_period: Micros,
}

impl Follower {
    /// Runs until it is dropped, or the gateway stops.
    pub(super) async fn run(self) {
        let mut changed = self.hub.changed();
        loop {
            changed.borrow_and_update();
            if let Some(stream) = self.hub.stream(&self.name).filter(|stream| !stream.ended()) {
                self.read(&stream).await;
                self.state.borrow_mut().end();
            }
            if matches!(timeout(LOOK, changed.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// Reads the stream until it ends.
    async fn read(&self, stream: &Arc<Stream>) {
        {
            let mut state = self.state.borrow_mut();
            state.clock.reset();
            state.stream = Some(stream.clone());
        }
        let _hold = stream.hold();
        let mut cursor = stream.subscribe(Start::Key);
        let mut video = Video::new(self.max_size);
        let mut heard = Micros::MIN;
        let mut waits_for_key = false;
        // Whether the cursor was at the end once: from then on, frames have just arrived.
        let mut live = false;
        loop {
            // All inputs and the ticks share one thread: an input with many frames must not hold the others up.
            tokio::task::coop::consume_budget().await;
            tokio::select! {
                entry = cursor.next() => {
                    let Some(entry) = entry else { return };
                    let frame = &entry.frame;
                    if entry.discontinuity {
                        // Another publisher, or another clock: its delay is unknown.
                        self.state.borrow_mut().clock.reset();
                    }
                    live |= cursor.lag() == 0;
                    if frame.track() == Track::Video {
                        waits_for_key &= !frame.key;
                        let needs_key = video.push(frame, live);
                        if needs_key && !waits_for_key {
                            stream.ask_key();
                            waits_for_key = true;
                        }
                        self.state.borrow_mut().decoder = video.id();
                    } else if frame.dts > heard {
                        heard = frame.dts;
                        self.hear(&entry, live);
                    }
                }
                decoded = video.next() => match decoded {
                    Decoded::Picture { pts, picture, steady } => {
                        let mut state = self.state.borrow_mut();
                        if steady {
                            state.clock.record(pts, self.clock.now() + self.half_period);
                        }
                        state.failure = None;
                        state.add(pts, picture);
                    }
                    Decoded::NeedsKey => {
                        self.state.borrow_mut().restarts += 1;
                        // The newest key frame and the frames after it are read again; audio is not. If that key frame
                        // is too old, the publisher is asked for another, and audio goes on.
                        if stream.start(Start::Key) == Start::Key {
                            cursor = stream.subscribe(Start::Key);
                            live = false;
                        }
                    }
                    Decoded::Failed(reason) => {
                        tracing::warn!(input = %self.name, %reason, "input of a mix cannot be decoded");
                        self.state.borrow_mut().failure = Some(reason.to_string());
                    }
                }
            }
            self.state.borrow_mut().decoder_drops = video.drops + cursor.skipped();
        }
    }

    fn hear(&self, entry: &FrameEntry, live: bool) {
        let (frame, now) = (&entry.frame, self.clock.now());
        let mut state = self.state.borrow_mut();
        if live {
            state.clock.record(frame.pts, now);
        }
        if let Some(offset) = state.clock.offset(now) {
            self.audio.borrow_mut().push(self.id, frame, frame.pts + offset);
        }
    }
}
