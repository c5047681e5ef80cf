//! Why a child process ended.

use std::fmt;
use std::io;

use crate::net::child::Process;

/// Why a child process ended, or could not be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// ffmpeg is not in PATH.
    NotFound,
    /// This ffmpeg has no decoder for the codec, or the codec is no video.
    CannotDecode(&'static str),
    /// This ffmpeg or this machine does not have the encoder.
    CannotEncode(&'static str),
    /// The video is larger than a decoder may take.
    TooLarge,
    /// ffmpeg could not be started.
    NotStarted(io::ErrorKind),
    /// ffmpeg neither read nor wrote.
    Hangs,
    /// The child has run for its longest time.
    Term,
    /// ffmpeg ended. The text is the end of its error output; it is limited and contains no control characters.
    Failed(String),
}

impl Reason {
    /// Returns whether another attempt would fail, too.
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::NotFound | Self::CannotDecode(_) | Self::CannotEncode(_) | Self::TooLarge)
    }

    pub(super) fn not_started(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            kind => Self::NotStarted(kind),
        }
    }

    /// Returns the reason why this process has ended. `hopeless` is the reason if ffmpeg lacks the codec. Cancel-safe.
    pub(super) async fn of(process: &mut Process, hopeless: &Self) -> Self {
        let (status, lines) = process.last_words().await;
        if lines.iter().any(|line| lacks_codec(line)) {
            return hopeless.clone();
        }
        let status = status.map_or_else(|| "it closed its output".to_owned(), |status| status.to_string());
        let last = lines.iter().rev().find(|line| !line.starts_with("Conversion failed"));
        Self::Failed(last.map_or(status.clone(), |line| format!("{status}: {line}")))
    }
}

/// Returns whether ffmpeg says in this line that it does not have the codec, or not the hardware for it.
fn lacks_codec(line: &str) -> bool {
    line.starts_with("Unknown encoder")
        || line.starts_with("Decoder (codec") && line.contains("not found")
        || line.contains("doesn't support hardware accelerated")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => write!(f, "ffmpeg is not in PATH"),
            Self::CannotDecode(codec) => write!(f, "ffmpeg cannot decode {codec}"),
            Self::CannotEncode(encoder) => write!(f, "ffmpeg cannot encode with {encoder}"),
            Self::TooLarge => write!(f, "the video is too large to be decoded"),
            Self::NotStarted(kind) => write!(f, "ffmpeg cannot be started: {kind}"),
            Self::Hangs => write!(f, "ffmpeg neither reads nor writes"),
            Self::Term => write!(f, "ffmpeg has run for its longest time"),
            Self::Failed(text) => write!(f, "ffmpeg ended: {text}"),
        }
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::child::{Limits, Progress};

    async fn reason(script: &str) -> Reason {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        let mut process = Process::start("sh", arguments, Limits::CODEC, Duration::from_secs(30)).unwrap();
        assert_eq!(process.progress(&mut bytes::BytesMut::new()).await, Progress::End);
        Reason::of(&mut process, &Reason::CannotDecode("av1")).await
    }

    #[tokio::test]
    async fn a_missing_codec_is_told_from_other_failures() {
        for line in [
            "Decoder (codec av1) not found for input stream #0:0",
            "Unknown encoder 'libx264'",
            "[av1 @ 0x5581] Your platform doesn't support hardware accelerated AV1 decoding.",
        ] {
            let found = reason(&format!("echo \"{line}\" >&2; echo Conversion failed! >&2; exit 1")).await;
            assert_eq!(found, Reason::CannotDecode("av1"), "{line}");
            assert!(found.is_hopeless());
            assert_eq!(found.to_string(), "ffmpeg cannot decode av1");
        }
        let found = reason("echo No space >&2; echo Conversion failed! >&2; exit 1").await;
        assert_eq!(found.to_string(), "ffmpeg ended: exit status: 1: No space");
        assert!(!found.is_hopeless());
    }

    #[test]
    fn a_missing_program_is_told_from_other_failures() {
        let found = Reason::not_started(&io::ErrorKind::NotFound.into());
        assert!(found.is_hopeless());
        assert_eq!(found.to_string(), "ffmpeg is not in PATH");
        assert!(!Reason::not_started(&io::ErrorKind::OutOfMemory.into()).is_hopeless());
    }
}
