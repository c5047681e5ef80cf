//! The error type of this crate: the format, the byte offset, and the fault.
//!
//! Without the feature `texts` the error texts are left out, because in WebAssembly they cost kilobytes and
//! nobody reads them. An error then only holds its kind, and for unsupported input the track.

use std::fmt;
use std::ops::Deref;

use crate::config::Track;

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Malformed, truncated or unsupported input.
///
/// The error is a single pointer, which makes returning a `Result` cheap. Larger errors made the WebAssembly
/// player 10 % bigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Inner);

#[cfg(feature = "texts")]
type Inner = Box<Details>;
#[cfg(not(feature = "texts"))]
type Inner = &'static Details;

/// The content of an [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// The format being read, as FFmpeg spells it: `flv`, `mpegts`, `mp4`, `hls`, `h264`, `aac` …
    pub format: &'static str,
    /// Byte offset, from the start of the input handed to the function or, for an incremental
    /// demuxer, from the first byte of the stream.
    pub offset: u64,
    /// The kind of fault.
    pub kind: ErrorKind,
}

/// The kind of fault in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input ends before the structure does.
    Truncated,
    /// A value that the specification does not allow; the text names it.
    Invalid(&'static str),
    /// A valid value that this crate does not support; with the track that cannot be read because of it.
    Unsupported(Option<Track>, &'static str),
    /// A length over the caller's limit; the text names it.
    TooLarge(&'static str),
}

// Errors are built in one place instead of hundreds: this saves kilobytes of WebAssembly.
impl Error {
    /// Creates an error of `kind` in `format` at byte `offset`.
    pub fn new(format: &'static str, offset: u64, kind: ErrorKind) -> Self {
        #[cfg(feature = "texts")]
        let details = Box::new(Details { format, offset, kind });
        #[cfg(not(feature = "texts"))]
        let details = kind.without_texts(format, offset);
        Self(details)
    }
    /// Creates an [`ErrorKind::Truncated`] at `offset`.
    #[cold]
    #[inline(never)]
    pub fn truncated(format: &'static str, offset: u64) -> Self {
        Self::new(format, offset, ErrorKind::Truncated)
    }
    /// Creates an [`ErrorKind::Invalid`] at `offset`.
    #[cold]
    #[inline(never)]
    pub fn invalid(format: &'static str, offset: u64, what: &'static str) -> Self {
        Self::new(format, offset, ErrorKind::Invalid(what))
    }
    /// Creates an [`ErrorKind::Unsupported`] at `offset`.
    #[cold]
    #[inline(never)]
    pub fn unsupported(format: &'static str, offset: u64, what: &'static str) -> Self {
        Self::new(format, offset, ErrorKind::Unsupported(None, what))
    }
    /// [`ErrorKind::Unsupported`] at `offset`, in a codec or packaging that a whole track has.
    #[cold]
    #[inline(never)]
    pub fn unsupported_track(format: &'static str, offset: u64, track: Track, what: &'static str) -> Self {
        Self::new(format, offset, ErrorKind::Unsupported(Some(track), what))
    }
}

impl Error {
    /// Replaces the byte offset, for callers that know the position in the whole input.
    #[cfg_attr(not(feature = "texts"), expect(unused_mut, unused_variables, reason = "there is no place"))]
    pub fn at(mut self, offset: u64) -> Self {
        #[cfg(feature = "texts")]
        {
            self.0.offset = offset;
        }
        self
    }
}

#[cfg(not(feature = "texts"))]
impl ErrorKind {
    /// Returns the shared error of this kind.
    fn without_texts(self, _format: &'static str, _offset: u64) -> &'static Details {
        const fn of(kind: ErrorKind) -> Details {
            Details { format: "", offset: 0, kind }
        }
        static TRUNCATED: Details = of(ErrorKind::Truncated);
        static INVALID: Details = of(ErrorKind::Invalid(""));
        static TOO_LARGE: Details = of(ErrorKind::TooLarge(""));
        static AUDIO: Details = of(ErrorKind::Unsupported(Some(Track::Audio), ""));
        static VIDEO: Details = of(ErrorKind::Unsupported(Some(Track::Video), ""));
        static OTHER: Details = of(ErrorKind::Unsupported(None, ""));
        match self {
            Self::Truncated => &TRUNCATED,
            Self::Invalid(_) => &INVALID,
            Self::TooLarge(_) => &TOO_LARGE,
            Self::Unsupported(Some(Track::Audio), _) => &AUDIO,
            Self::Unsupported(Some(Track::Video), _) => &VIDEO,
            Self::Unsupported(None, _) => &OTHER,
        }
    }
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: ", self.format, self.offset)?;
        match self.kind {
            ErrorKind::Truncated => f.write_str("ends too early"),
            ErrorKind::Invalid(what) => write!(f, "invalid {what}"),
            ErrorKind::Unsupported(_, what) => write!(f, "unsupported {what}"),
            ErrorKind::TooLarge(what) => write!(f, "{what} is too large"),
        }
    }
}

impl std::error::Error for Error {}
