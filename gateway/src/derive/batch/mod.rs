//! The bytes that a protocol writes, made once per stream and shared by all its viewers.
//!
//! A [`Wire`] turns frames into [`Batch`]es; a socket writes one batch at a time. A video frame is sent at
//! once, together with the audio before it. Audio waits for the next video frame, but no longer than one
//! frame interval. A viewer is a [`BatchReader`], a cursor into the ring of batches. The reader sends the sequence
//! headers first when the viewer starts, and again after it skipped batches.

mod reader;
mod writer;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::flv::amf0::Value;
use media::time::Micros;
use media::{Config, Frame, Track};

pub use self::reader::BatchReader;
use self::writer::BatchWriter;
use super::derived::{Derivation, Derived, Holder, Output, Started};
use super::transcode::{Frames, Want};
use crate::core::hub::ring::Item;
use crate::core::hub::{Demand, Fields, Start, Stream};

/// Writes frames in the format of one protocol. One muxer serves all viewers of a stream, in stream order.
pub trait WireMuxer: Send {
    /// Writes the prelude, which a viewer needs before its first batch: metadata and the sequence headers of
    /// `tracks`.
    ///
    /// A viewer that skipped batches gets the prelude again. So the prelude contains no bytes that depend on
    /// the viewer, and none that are sent only once (FLV's file header).
    fn prelude(&mut self, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// Writes the configuration of a track that is new or has changed.
    fn config(&mut self, config: &Config, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// Writes metadata that the publisher has changed.
    fn metadata(&mut self, _tracks: &Tracks, _out: &mut Vec<u8>) {}
    /// Writes an application's message, which is encoded as AMF0.
    fn message(&mut self, _message: &[u8], _dts: Micros, _out: &mut Vec<u8>) {}
    /// Writes a frame. Its configuration has been written before.
    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>);
}

/// A wire format. Formats with equal names are equal, so their viewers share the bytes.
#[derive(Clone, Copy)]
pub struct WireFormat {
    /// The format's name.
    pub name: &'static str,
    /// Creates the muxer for a stream.
    pub muxer: fn() -> Box<dyn WireMuxer>,
}

impl fmt::Debug for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for WireFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for WireFormat {}

/// The configurations and metadata that are valid at one position of a stream.
#[derive(Debug, Clone, Default)]
pub struct Tracks {
    /// The configuration of the video.
    pub video: Option<Arc<Config>>,
    /// The configuration of the audio.
    pub audio: Option<Arc<Config>>,
    /// The publisher's own metadata.
    pub fields: Option<Fields>,
}

impl Tracks {
    fn of(frames: &Frames, stream: &Stream) -> Self {
        let (video, audio) = (frames.config(Track::Video), frames.config(Track::Audio));
        Self { video, audio, fields: stream.fields() }
    }

    /// Returns the publisher's own metadata.
    pub fn own_fields(&self) -> &[(String, Value)] {
        self.fields.as_deref().map(Vec::as_slice).unwrap_or_default()
    }

    fn slot(&mut self, track: Track) -> &mut Option<Arc<Config>> {
        match track {
            Track::Video => &mut self.video,
            Track::Audio => &mut self.audio,
        }
    }
}

/// Bytes for one write.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The frames.
    pub bytes: Bytes,
    /// Headers for viewers who start at this batch. Empty if no viewer may start here.
    pub prelude: Bytes,
    key: bool,
    time: Micros,
}

impl Item for Batch {
    fn key(&self) -> bool {
        self.key
    }
    fn size(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }
    fn time(&self) -> Micros {
        self.time
    }
}

/// A stream as the batches of one format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    format: WireFormat,
    want: Want,
}

impl Derivation for Batches {
    type Item = Batch;
    /// Viewers start at key frames, so these are requested while somebody watches.
    type Shared = Demand;

    fn start(&self, stream: &Arc<Stream>, output: Output<Batch>) -> Started<Demand> {
        let mut writer = BatchWriter::new(stream, &self.want, (self.format.muxer)(), output);
        // Written before the first viewer's cursor exists: `Start::Key` then finds the cached frames, and
        // `Start::Live` comes after them.
        writer.write_cached();
        Started { task: tokio::spawn(writer.run()).abort_handle(), shared: stream.demand_keys() }
    }
}

/// A stream in one wire format. Its task runs while someone holds it.
#[derive(Debug, Clone)]
pub struct Wire {
    stream: Arc<Stream>,
    batches: Holder<Batches>,
}

impl Wire {
    /// Returns the wire of `stream` in this format, shared by all viewers with an equal `want`. Must be
    /// called inside a tokio runtime.
    pub fn of(stream: &Arc<Stream>, format: WireFormat, want: Want) -> Self {
        Self { stream: stream.clone(), batches: Derived::of(stream, Batches { format, want }) }
    }

    /// Creates a reader for one more viewer.
    pub fn reader(&self, start: Start) -> BatchReader {
        // Transcoded audio of cached frames may still be written after this call, and is not live. So a live reader
        // also skips batches up to the newest frame's time.
        let past = if start == Start::Live { self.stream.newest() } else { None };
        BatchReader::new(self.batches.clone(), start, past)
    }
}

#[cfg(test)]
mod tests;
