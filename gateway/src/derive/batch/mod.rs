//! The bytes that a protocol writes, made once per stream and shared by all its viewers.
//!
//! A [`Wire`] turns frames into [`Batch`]es; one batch is worth one write to a socket. A video frame goes out at once,
//! together with the audio that came before it; audio alone waits for video at most one frame's time. A viewer is a
//! [`Reader`]: a cursor into the ring of batches, which puts the sequence headers first where the viewer starts and
//! wherever it had to skip.

mod pump;
mod reader;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use media::flv::amf0::Value;
use media::time::Micros;
use media::{Config, Frame, Track};

use self::pump::Pump;
pub use self::reader::Reader;
use super::derived::{Derivation, Derived, Holder, Output, Started};
use super::transcode::{Frames, Want};
use crate::core::hub::ring::Item;
use crate::core::hub::{Demand, Fields, Start, Stream};

/// How a protocol writes. One encoder serves all viewers of a stream, in stream order.
pub trait Encoder: Send {
    /// Writes what a viewer needs before a batch that it starts at: metadata and the sequence headers of `tracks`.
    ///
    /// Bytes that depend on the viewer, or stand only at the very beginning (FLV's file header), are not part of it:
    /// a viewer that skipped gets the prelude again.
    fn prelude(&mut self, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// Writes a track's first configuration, or another one, in mid-stream.
    fn config(&mut self, config: &Config, tracks: &Tracks, dts: Micros, out: &mut Vec<u8>);
    /// Writes new metadata of the publisher, in mid-stream.
    fn metadata(&mut self, _tracks: &Tracks, _out: &mut Vec<u8>) {}
    /// Writes a message of an application, which is AMF0.
    fn message(&mut self, _message: &[u8], _dts: Micros, _out: &mut Vec<u8>) {}
    /// Writes a frame, whose configuration was written before.
    fn frame(&mut self, frame: &Frame, out: &mut Vec<u8>);
}

/// A wire format. Its name tells it from others, so that viewers of one format share their bytes.
#[derive(Clone, Copy)]
pub struct WireFormat {
    /// The format's name.
    pub name: &'static str,
    /// Makes the encoder of a stream.
    pub encoder: fn() -> Box<dyn Encoder>,
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

/// The tracks of a stream at some place in it.
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

    /// The publisher's own metadata.
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
    /// Headers that a viewer needs who starts at this batch. Empty if no viewer may start here.
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
    /// Viewers begin at key frames, so there have to be some.
    type Shared = Demand;

    fn start(&self, stream: &Arc<Stream>, output: Output<Batch>) -> Started<Demand> {
        let mut pump = Pump::new(stream, &self.want, (self.format.encoder)(), output);
        // The first viewer finds what the stream has cached, and one who wants only what is live does not get it.
        pump.write_cached();
        Started { task: tokio::spawn(pump.run()).abort_handle(), shared: stream.demand_keys() }
    }
}

/// A stream in one wire format. Its task runs while someone holds it.
#[derive(Debug, Clone)]
pub struct Wire {
    stream: Arc<Stream>,
    batches: Holder<Batches>,
}

impl Wire {
    /// The wire of `stream` in this format, shared with whoever plays it already and wants the same. Inside a tokio
    /// runtime.
    pub fn of(stream: &Arc<Stream>, format: WireFormat, want: Want) -> Self {
        Self { stream: stream.clone(), batches: Derived::of(stream, Batches { format, want }) }
    }

    /// Another viewer.
    pub fn reader(&self, start: Start) -> Reader {
        // Transcoded audio of the past comes later than the stream's newest frame, and is not live either.
        let past = if start == Start::Live { self.stream.newest() } else { None };
        Reader::new(self.batches.clone(), start, past)
    }
}

#[cfg(test)]
mod tests;
