//! The stream formats behind one interface.

#[cfg(feature = "flv")]
mod flv;
#[cfg(feature = "ts")]
mod ts;

use bytes::Bytes;
use media::time::Micros;
use media::{Error, ErrorKind, Frame, Track};

/// What a stream says.
#[derive(Debug)]
pub enum Event {
    /// Which tracks to wait for, as far as the container says.
    Promise {
        /// There will be video.
        video: bool,
        /// There will be audio.
        audio: bool,
    },
    /// One frame.
    Frame(Frame),
    /// How long the stream is, as a file's head says: in µs, more than 0.
    Duration(Micros),
    /// A track is there in a codec that we do not read.
    Unsupported(Track),
    /// Something could not be read.
    Bad,
}

/// A demuxer of one of the formats.
pub trait Source {
    /// Hands in bytes as they came.
    fn push(&mut self, bytes: Bytes);

    /// The bytes so far are a whole (an HLS segment).
    fn flush(&mut self) {}

    /// Whether nothing more can be read, whatever comes.
    fn failed(&self) -> bool {
        false
    }

    /// The next event, if the bytes so far make one.
    fn next(&mut self) -> Option<Event>;
}

/// A demuxer at the start of a stream: of MPEG-TS, or of FLV.
///
/// Each of the two wasm modules that pages load has only one of them.
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
