//! One interface for the demuxers of all stream formats.

#[cfg(feature = "flv")]
mod flv;
#[cfg(feature = "ts")]
mod ts;

use bytes::Bytes;
use media::time::Micros;
use media::{Error, ErrorKind, Frame, Track};

/// An event of a stream.
#[derive(Debug)]
pub enum Event {
    /// The tracks that the container announces.
    Promise {
        /// Video is announced.
        video: bool,
        /// Audio is announced.
        audio: bool,
    },
    /// One frame.
    Frame(Frame),
    /// The stream's duration in µs from a file's header; more than 0.
    Duration(Micros),
    /// A track has an unsupported codec.
    Unsupported(Track),
    /// A part of the stream is unreadable.
    Bad,
}

/// A demuxer for one format.
pub trait Source {
    /// Adds bytes in the order of arrival.
    fn push(&mut self, bytes: Bytes);

    /// Marks the bytes so far as complete (an HLS segment).
    fn flush(&mut self) {}

    /// Returns whether the stream is unreadable for good.
    fn failed(&self) -> bool {
        false
    }

    /// Returns the next event, if there is one.
    fn next(&mut self) -> Option<Event>;
}

/// Creates a demuxer for a new stream: of MPEG-TS if `ts`, otherwise of FLV.
///
/// Pages load one of two wasm modules, and each contains only one demuxer.
pub fn new(ts: bool) -> Box<dyn Source> {
    match ts {
        #[cfg(feature = "ts")]
        true => Box::<media::ts::Demuxer>::default(),
        #[cfg(feature = "flv")]
        false => Box::<media::flv::Demuxer>::default(),
        #[cfg(not(all(feature = "flv", feature = "ts")))]
        _ => unreachable!("the page loads the module of its format"),
    }
}

fn of_error(error: &Error) -> Event {
    match error.kind {
        ErrorKind::Unsupported(Some(track), _) => Event::Unsupported(track),
        _ => Event::Bad,
    }
}
