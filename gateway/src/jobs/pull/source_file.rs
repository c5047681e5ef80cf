//! Plays files in a loop, as a live stream. FLV and MPEG-TS are read here; ffmpeg reads everything else.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use media::Frame;
use media::time::{MILLI, Micros};
use media::{flv, ts};

use super::feed::{Feed, SourceError};
use super::pace::Pace;
use crate::net::child::{Limits, Process, Progress};
use crate::remote::RemoteError;

/// Number of bytes that are read at once.
const READ: usize = 256 << 10;
/// Duration of the last frame of a file whose frames do not tell it.
const FRAME: Micros = 40 * MILLI;
/// A child process with waiting input is given up after this time; this one has no input.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays `files` one after the other, again and again.
///
/// # Errors
/// A file cannot be read, or none has a frame; or the feed cannot take the frames.
pub(super) async fn receive(files: &[PathBuf], feed: &mut Feed<'_>) -> Result<(), SourceError> {
    let mut player =
        Player { pace: Pace::default(), next: 0, shift: None, newest: 0, step: FRAME, video: None };
    loop {
        let begin = player.next;
        for file in files {
            player.play(file, feed).await?;
        }
        if player.next == begin {
            return Err(RemoteError::new("there is no audio or video in the files").into());
        }
    }
}

/// Reads one of the formats.
enum Reader {
    Flv(Box<flv::Demuxer>),
    Ts(Box<ts::Demuxer>),
}

impl Reader {
    /// Returns the reader for a file that begins with these bytes; `None` for other formats.
    fn of(begin: &[u8]) -> Option<Self> {
        match begin {
            [b'F', b'L', b'V', ..] => Some(Self::Flv(Box::new(flv::Demuxer::new()))),
            [0x47, ..] => Some(Self::Ts(Box::new(ts::Demuxer::new()))),
            _ => None,
        }
    }

    fn push(&mut self, bytes: Bytes) {
        match self {
            Self::Flv(demuxer) => demuxer.push(bytes),
            Self::Ts(demuxer) => demuxer.push(bytes),
        }
    }

    fn flush(&mut self) {
        match self {
            Self::Flv(demuxer) => demuxer.flush(),
            Self::Ts(demuxer) => demuxer.flush(),
        }
    }

    /// Returns the next frame, and the errors before it.
    fn next(&mut self, feed: &mut Feed<'_>) -> Option<Frame> {
        loop {
            let event = match self {
                Self::Flv(demuxer) => demuxer.next()?.map(|event| match event {
                    flv::Event::Frame(frame) => Some(frame),
                    _ => None,
                }),
                Self::Ts(demuxer) => demuxer.next()?.map(|event| match event {
                    ts::Event::Frame(frame) => Some(frame),
                    ts::Event::Tracks { .. } => None,
                }),
            };
            match event {
                Ok(Some(frame)) => return Some(frame),
                Ok(None) => {}
                Err(why) => feed.bad_frame(&why),
            }
        }
    }
}

/// Lays the files behind each other on one clock.
struct Player {
    pace: Pace,
    /// The time at which the next file begins.
    next: Micros,
    /// The difference between the stream's time and that of the current file, once its first frame is known.
    shift: Option<Micros>,
    /// The end of the current file so far.
    newest: Micros,
    /// The duration of the last frame.
    step: Micros,
    /// The last frame of video.
    video: Option<Micros>,
}

impl Player {
    async fn play(&mut self, path: &Path, feed: &mut Feed<'_>) -> Result<(), SourceError> {
        let failed =
            |error: std::io::Error| RemoteError::new(&format!("cannot read {}: {error}", path.display()));
        let mut file = Some(File::open(path).map_err(failed)?);
        (self.shift, self.video, self.step) = (None, None, FRAME);
        let mut reader = None;
        loop {
            let Some(mut open) = file.take() else { break };
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = vec![0; READ];
                let count = open.read(&mut bytes)?;
                bytes.truncate(count);
                Ok((open, Bytes::from(bytes)))
            });
            let (open, bytes) = read.await.unwrap_or_else(|error| Err(error.into())).map_err(failed)?;
            if bytes.is_empty() {
                break;
            }
            let reader = match &mut reader {
                Some(reader) => reader,
                None => match Reader::of(&bytes) {
                    Some(new) => reader.insert(new),
                    None => return self.play_by_ffmpeg(path, feed).await,
                },
            };
            reader.push(bytes);
            self.pass(reader, feed).await?;
            file = Some(open);
        }
        if let Some(reader) = &mut reader {
            reader.flush();
            self.pass(reader, feed).await?;
        }
        self.end();
        Ok(())
    }

    /// Lets ffmpeg read the file: first with the codecs that it has, and encoded again if MPEG-TS cannot carry them.
    async fn play_by_ffmpeg(&mut self, path: &Path, feed: &mut Feed<'_>) -> Result<(), SourceError> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut words = Vec::new();
        for codecs in ["-c copy", "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -c:a aac"] {
            let mut args: Vec<String> =
                ["-v", "warning", "-nostdin", "-protocol_whitelist", "file", "-i"].map(str::to_owned).into();
            args.push(path.to_string_lossy().into_owned());
            args.extend(["-map", "0:v:0?", "-map", "0:a:0?"].map(str::to_owned));
            args.extend(codecs.split(' ').map(str::to_owned));
            args.extend(["-f", "mpegts", "pipe:1"].map(str::to_owned));
            let started = Process::start("ffmpeg", args, Limits::CODEC, PATIENCE);
            let mut process = started.map_err(|error| {
                RemoteError::new(&format!(
                    "the file is neither FLV nor MPEG-TS, and ffmpeg cannot be started: {error}"
                ))
            })?;
            let mut reader = Reader::Ts(Box::new(ts::Demuxer::new()));
            let mut buffer = BytesMut::with_capacity(READ);
            while process.progress(&mut buffer).await == Progress::Read {
                reader.push(buffer.split().freeze());
                buffer.reserve(READ);
                // While this waits, ffmpeg waits for room in its pipe.
                self.pass(&mut reader, feed).await?;
            }
            reader.flush();
            self.pass(&mut reader, feed).await?;
            if self.shift.is_some() {
                self.end();
                return Ok(());
            }
            words = process.last_words().await.1;
        }
        Err(RemoteError::new(&format!("ffmpeg cannot read {}: {}", path.display(), words.join(" "))).into())
    }

    async fn pass(&mut self, reader: &mut Reader, feed: &mut Feed<'_>) -> Result<(), SourceError> {
        while let Some(mut frame) = reader.next(feed) {
            let shift = *self.shift.get_or_insert(self.next - frame.dts);
            frame.dts += shift;
            frame.pts += shift;
            if frame.is_video() {
                if let Some(last) = self.video.replace(frame.dts).filter(|last| *last < frame.dts) {
                    self.step = frame.dts - last;
                }
                self.newest = self.newest.max(frame.dts);
            } else if self.video.is_none() {
                self.newest = self.newest.max(frame.dts);
            }
            self.pace.wait(&frame).await;
            feed.frame(frame)?;
        }
        Ok(())
    }

    fn end(&mut self) {
        if self.shift.is_some() {
            self.next = self.newest + self.step;
        }
    }
}
