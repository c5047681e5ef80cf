//! Reads a stream in the form that a reader supports.

use std::sync::Arc;

use media::{Config, TrackId};

use super::Want;
use super::in_order::InOrder;
use super::source::Source;
use crate::core::hub::{FrameEntry, Start, Stream};

/// Reads a stream's entries in the form that a [`Want`] describes; replaces [`Stream::subscribe`].
#[derive(Debug)]
pub struct Frames(Chain);

/// The steps between the stream and the reader.
#[derive(Debug)]
enum Chain {
    /// Audio is transcoded where it has to be.
    Audio(Source),
    /// The same, with video in presentation order.
    InOrder(Box<InOrder>),
}

impl Frames {
    /// Reads `stream` from `start` on. Must be called inside a tokio runtime.
    pub fn new(stream: &Arc<Stream>, want: &Want, start: Start) -> Self {
        let source = Source::new(stream, want, start);
        Self(match &want.presentation_order {
            None => Chain::Audio(source),
            Some(reencoders) => Chain::InOrder(Box::new(InOrder::new(stream, source, start, reencoders))),
        })
    }

    /// Waits for the next entry. Returns [`None`] when the stream has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<FrameEntry>> {
        match &mut self.0 {
            Chain::Audio(source) => source.next().await,
            Chain::InOrder(in_order) => in_order.next().await,
        }
    }

    /// Returns the next entry if it is available.
    pub fn try_next(&mut self) -> Option<Arc<FrameEntry>> {
        match &mut self.0 {
            Chain::Audio(source) => source.try_next(),
            Chain::InOrder(in_order) => in_order.try_next(),
        }
    }

    /// Returns the number of entries missed so far because the reader was too slow.
    pub fn skipped(&self) -> u64 {
        self.source().skipped()
    }

    /// Returns whether entries were missed since the last call.
    pub fn take_skip(&mut self) -> bool {
        match &mut self.0 {
            Chain::Audio(source) => source.take_skip(),
            Chain::InOrder(in_order) => in_order.source.take_skip(),
        }
    }

    /// Returns the newest configuration of a track, as the reader receives it.
    pub fn config(&self, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        self.source().config(track)
    }

    /// Returns whether the audio is transcoded, and therefore a little later than the stream's own.
    pub fn transcodes(&self) -> bool {
        self.source().transcodes()
    }

    fn source(&self) -> &Source {
        match &self.0 {
            Chain::Audio(source) => source,
            Chain::InOrder(in_order) => &in_order.source,
        }
    }
}
