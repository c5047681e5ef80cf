//! Reads a stream in the form that a reader supports.

use std::sync::Arc;

use media::{Config, TrackId};

use super::Want;
use super::audio_switch::AudioSwitch;
use super::in_order::InOrder;
use crate::core::hub::{FrameEntry, Start, Stream};

/// Reads a stream's entries in the form that a [`Want`] describes; replaces [`Stream::subscribe`].
#[derive(Debug)]
pub struct Frames(Steps);

/// The steps between the stream and the reader.
#[derive(Debug)]
enum Steps {
    /// Audio is transcoded where it has to be.
    Audio(AudioSwitch),
    /// The same, with video in presentation order.
    InOrder(Box<InOrder>),
}

impl Frames {
    /// Reads `stream` from `start` on. Must be called inside a tokio runtime.
    pub fn new(stream: &Arc<Stream>, want: &Want, start: Start) -> Self {
        let switch = AudioSwitch::new(stream, want, start);
        Self(match &want.presentation_order {
            None => Steps::Audio(switch),
            Some(reencoders) => Steps::InOrder(Box::new(InOrder::new(stream, switch, start, reencoders))),
        })
    }

    /// Waits for the next entry. Returns [`None`] when the stream has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<FrameEntry>> {
        match &mut self.0 {
            Steps::Audio(switch) => switch.next().await,
            Steps::InOrder(in_order) => in_order.next().await,
        }
    }

    /// Returns the next entry if it is available.
    pub fn try_next(&mut self) -> Option<Arc<FrameEntry>> {
        match &mut self.0 {
            Steps::Audio(switch) => switch.try_next(),
            Steps::InOrder(in_order) => in_order.try_next(),
        }
    }

    /// Returns the number of entries missed so far because the reader was too slow.
    pub fn skipped(&self) -> u64 {
        self.audio_switch().skipped()
    }

    /// Returns whether entries were missed since the last call.
    pub fn take_skip(&mut self) -> bool {
        match &mut self.0 {
            Steps::Audio(switch) => switch.take_skip(),
            Steps::InOrder(in_order) => in_order.input.take_skip(),
        }
    }

    /// Returns the newest configuration of a track, as the reader receives it.
    pub fn config(&self, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        self.audio_switch().config(track)
    }

    /// Returns whether the audio is transcoded, and therefore a little later than the stream's own.
    pub fn transcodes(&self) -> bool {
        self.audio_switch().transcodes()
    }

    fn audio_switch(&self) -> &AudioSwitch {
        match &self.0 {
            Steps::Audio(switch) => switch,
            Steps::InOrder(in_order) => &in_order.input,
        }
    }
}
