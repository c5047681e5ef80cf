//! The stream formats behind one face.

use bytes::Bytes;
use media::time::{Micros, SECOND};
use media::{Error, ErrorKind, Frame, Track, flv, ts};

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
pub enum Source {
    /// HTTP-FLV, WebSocket-FLV.
    Flv(Box<flv::Demuxer>),
    /// MPEG-TS: HLS segments, or one endless response.
    Ts(Box<ts::Demuxer>),
}

impl Source {
    /// An FLV demuxer at the start of a stream.
    pub fn flv() -> Self {
        Self::Flv(Box::default())
    }

    /// An MPEG-TS demuxer.
    pub fn ts() -> Self {
        Self::Ts(Box::default())
    }

    /// A fresh demuxer of the same format.
    pub fn fresh(&self) -> Self {
        match self {
            Self::Flv(_) => Self::flv(),
            Self::Ts(_) => Self::ts(),
        }
    }

    /// Hands in bytes as they came.
    pub fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Flv(flv) => flv.push(bytes),
            Self::Ts(ts) => ts.push(bytes),
        }
    }

    /// The bytes so far are a whole (an HLS segment).
    pub fn flush(&mut self) {
        if let Self::Ts(ts) = self {
            ts.flush();
        }
    }

    /// Whether nothing more can be read, whatever comes.
    pub fn failed(&self) -> bool {
        matches!(self, Self::Flv(flv) if flv.failed())
    }

    /// The next event, if the bytes so far make one.
    #[allow(clippy::should_implement_trait, reason = "none is not the end")]
    pub fn next(&mut self) -> Option<Event> {
        loop {
            let event = match self {
                Self::Flv(flv) => flv.next()?.map(|event| match event {
                    flv::Event::Header { audio, video } => Some(Event::Promise { video, audio }),
                    flv::Event::Frame(frame) => Some(Event::Frame(frame)),
                    flv::Event::Script(body) => duration(&body).map(Event::Duration),
                }),
                Self::Ts(ts) => ts.next()?.map(|event| match event {
                    ts::Event::Tracks { video, audio } => {
                        Some(Event::Promise { video: video.is_some(), audio: audio.is_some() })
                    }
                    ts::Event::Frame(frame) => Some(Event::Frame(frame)),
                }),
            };
            match event {
                Ok(Some(event)) => return Some(event),
                Ok(None) => {}
                Err(error) => return Some(of_error(&error)),
            }
        }
    }
}

/// The number `duration` of `onMetaData`, looked for by its bytes: reading all of AMF is not worth its size.
fn duration(script: &[u8]) -> Option<Micros> {
    const KEY: &[u8] = b"\0\x08duration\0";
    let at = script.windows(KEY.len()).position(|part| part == KEY)? + KEY.len();
    let seconds = f64::from_be_bytes(script.get(at..at + 8)?.try_into().ok()?);
    // A year.
    (seconds > 0.0 && seconds < 3.2e7).then_some((seconds * SECOND as f64) as Micros)
}

fn of_error(error: &Error) -> Event {
    match error.kind {
        ErrorKind::Unsupported(what) if what.starts_with("audio") => Event::Unsupported(Track::Audio),
        ErrorKind::Unsupported(what) if what.starts_with("video") => Event::Unsupported(Track::Video),
        _ => Event::Bad,
    }
}
