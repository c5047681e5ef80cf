//! One broadcast that is recorded.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use media::{Codec, Config, Track};

use super::catalog::{RecordState, RecordedFile};
use super::file::{BeginError, OpenFile};
use super::records::{Shared, StreamRecording};
use super::upload::place::Place;
use crate::core::hub::{Demand, FrameEntry, Start, Stream, Subscriber};

/// Time after which a recording begins without a track that the publisher promises.
const TRACK_WAIT: Duration = Duration::from_secs(2);
/// A file ends after this time or size, before the next key frame.
const MAX_DURATION: Duration = Duration::from_secs(6 * 3600);
const MAX_SIZE: u64 = 8 << 30;
/// Minimum duration of a file that ends because a codec changes: bounds the number of files. Until then, frames with
/// the new codec are lost.
const MIN_DURATION: Duration = Duration::from_secs(5);
/// Pauses before another file is begun after an error.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Maximum number of frames that are read at one time, so that the streams take turns.
const MAX_FRAMES: usize = 8192;

/// A broadcast, from its first frame to the end of its stream.
#[derive(Debug)]
pub(super) struct Recording {
    stream: Arc<Stream>,
    /// Whether the stream began while the recorder ran: it is recorded from its first frame.
    from_start: bool,
    since: Instant,
    cursor: Option<(Subscriber, Demand)>,
    skipped: u64,
    file: Option<OpenFile>,
    /// Whether the codecs have changed, so that the next key frame begins another file.
    rotate: bool,
    failure: Option<Failure>,
    /// Whether the log says that the stream has no track that MP4 carries.
    is_told: bool,
    lost: u64,
}

/// The last error, and the time until which nothing is tried.
#[derive(Debug)]
struct Failure {
    text: String,
    until: Instant,
    pause: Duration,
}

impl Recording {
    pub(super) fn new(stream: Arc<Stream>, from_start: bool) -> Self {
        Self {
            stream,
            from_start,
            since: Instant::now(),
            cursor: None,
            skipped: 0,
            file: None,
            rotate: false,
            failure: None,
            is_told: false,
            lost: 0,
        }
    }

    pub(super) const fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Returns the file that grows.
    pub(super) const fn file(&self) -> Option<&OpenFile> {
        self.file.as_ref()
    }

    /// Returns the state for the API.
    pub(super) fn status(&self) -> StreamRecording {
        StreamRecording {
            stream: self.stream.name().clone(),
            file: self.file.as_ref().map(|file| file.stem.clone()),
            failure: match &self.failure {
                _ if self.file.is_some() => None,
                Some(failure) => Some(failure.text.clone()),
                None => self.not_carried(),
            },
            lost_frames: self.lost,
        }
    }

    /// Writes what the stream has since the last call. Returns false when the stream has ended.
    pub(super) fn advance(&mut self, shared: &Shared) -> bool {
        let ended = self.stream.ended();
        if self.cursor.is_none() && (ended || self.tracks_are_known()) {
            let start = if self.from_start { Start::Oldest } else { Start::Key };
            self.cursor = Some((self.stream.subscribe(start), self.stream.demand_keys()));
        }
        let Some((mut cursor, demand)) = self.cursor.take() else { return !ended };
        let mut read = 0;
        while read < MAX_FRAMES
            && let Some(entry) = cursor.try_next()
        {
            read += 1;
            if cursor.take_skip() {
                let skipped = cursor.skipped() - std::mem::replace(&mut self.skipped, cursor.skipped());
                self.lose(skipped);
                if let Some(Err(error)) = self.file.as_mut().map(OpenFile::skip) {
                    self.fail(shared, &format!("cannot write: {error}"));
                }
            }
            self.frame(&entry, shared);
        }
        self.cursor = Some((cursor, demand));
        if self.file.is_none()
            && !self.is_told
            && let Some(reason) = self.not_carried()
        {
            tracing::warn!(stream = %self.stream.name(), reason, "stream not recorded");
            self.is_told = true;
        }
        if let Some(file) = &self.file {
            let (size, duration) = (file.size(), Duration::from_micros(file.duration.max(0) as u64));
            shared.catalog.change(self.stream.name(), &file.stem, |recorded| {
                (recorded.size, recorded.duration) = (size, duration);
            });
        }
        read == MAX_FRAMES || !ended
    }

    /// Returns why nothing is recorded, if MP4 carries none of the stream's tracks.
    fn not_carried(&self) -> Option<String> {
        let tracks = [Track::Video, Track::Audio].map(|track| self.stream.config(track));
        let tracks: Vec<_> = tracks.into_iter().flatten().collect();
        if self.cursor.is_none() || tracks.is_empty() || tracks.iter().any(|config| is_carried(config)) {
            return None;
        }
        let names: Vec<_> = tracks.iter().map(|config| config.codec.name()).collect();
        let names = names.join(" and ");
        Some(format!(
            "nothing is recorded: the stream has only {names}, which MP4 files do not carry; publish AAC or Opus"
        ))
    }

    fn tracks_are_known(&self) -> bool {
        let known = |track| self.stream.has(track) || !self.stream.promises(track);
        self.stream.newest().is_some()
            && (known(Track::Video) && known(Track::Audio) || self.since.elapsed() >= TRACK_WAIT)
    }

    fn lose(&mut self, frames: u64) {
        self.lost += frames;
        metrics::counter!("lianmai_record_lost_frames_total").increment(frames);
    }

    fn frame(&mut self, entry: &FrameEntry, shared: &Shared) {
        let frame = &entry.frame;
        // Further tracks, and codecs that MP4 does not carry, are left out.
        if frame.number != 0 || !is_carried(&frame.config) {
            return;
        }
        if let Some(file) = &self.file {
            let same = file.config(frame.track()).is_some_and(|old| same_config(old, &frame.config));
            self.rotate |= !same;
            let old = file.since.elapsed() >= MAX_DURATION || file.size() >= MAX_SIZE;
            let may_rotate = self.rotate && file.since.elapsed() >= MIN_DURATION;
            if entry.start && (old || may_rotate) {
                self.end_file(shared);
            } else if !same {
                self.lose(1);
                return;
            }
        }
        if self.file.is_none() && !self.begin_file(entry, shared) {
            return;
        }
        if let Some(Err(error)) = self.file.as_mut().map(|file| file.push(frame)) {
            self.fail(shared, &format!("cannot write: {error}"));
        }
    }

    /// Begins a file at this frame. Returns false if that is not possible.
    fn begin_file(&mut self, entry: &FrameEntry, shared: &Shared) -> bool {
        let frame = &entry.frame;
        let waits = self.failure.as_ref().is_some_and(|failure| Instant::now() < failure.until);
        // Audio that came before the first video frame would begin a file without video.
        let starts = entry.start && (frame.is_video() || !self.stream.has(Track::Video));
        if waits || !starts {
            // What comes before the first key frame is not lost.
            self.lose(u64::from(self.failure.is_some()));
            return false;
        }
        let other = if frame.is_video() { Track::Audio } else { Track::Video };
        // Audio only begins a file while there is no video.
        let other = self.stream.config(other).filter(|config| is_carried(config) && frame.is_video());
        let configs = [frame.config.clone()].into_iter().chain(other).collect();
        let name = self.stream.name();
        match OpenFile::begin(shared.catalog.root(), name, configs, SystemTime::now()) {
            Ok(file) => {
                tracing::info!(stream = %name, file = file.stem, "recording started");
                let listed = shared.catalog.add(RecordedFile {
                    stream: name.clone(),
                    stem: file.stem.clone(),
                    begin: file.begin,
                    state: RecordState::Recording,
                    size: file.size(),
                    duration: Duration::ZERO,
                    keep: false,
                    place: Place::default(),
                });
                if !listed {
                    tracing::warn!(stream = %name, file = file.stem, "too many recordings: not listed");
                }
                self.rotate = false;
                if let Some(failure) = &mut self.failure {
                    failure.until = Instant::now();
                }
                self.file = Some(file);
                true
            }
            Err(error) => {
                self.lose(1);
                self.fail(shared, &error.to_string());
                if let (BeginError::Codec(_), Some(failure)) = (&error, &mut self.failure) {
                    failure.until = Instant::now() + LONGEST_PAUSE;
                }
                false
            }
        }
    }

    /// Ends the current file after an error. Another one is begun after a pause.
    fn fail(&mut self, shared: &Shared, text: &str) {
        metrics::counter!("lianmai_record_errors_total").increment(1);
        let name = self.stream.name();
        let last = self.failure.take();
        if last.as_ref().is_none_or(|last| last.text != text) {
            tracing::warn!(stream = %name, error = text, "recording failed; it is tried again");
        }
        // A file that was written for a while was healthy.
        let healthy = self.file.as_ref().is_some_and(|file| file.since.elapsed() >= LONGEST_PAUSE);
        let pause = match last {
            Some(last) if !healthy => (last.pause * 2).min(LONGEST_PAUSE),
            _ => FIRST_PAUSE,
        };
        self.failure = Some(Failure { text: text.to_owned(), until: Instant::now() + pause, pause });
        self.end_file(shared);
    }

    /// Ends the current file.
    pub(super) fn end_file(&mut self, shared: &Shared) {
        let Some(mut file) = self.file.take() else { return };
        let name = self.stream.name();
        if let Err(error) = file.end() {
            // The finisher writes the end later.
            tracing::warn!(stream = %name, file = file.stem, %error, "recording not ended");
        }
        let (size, duration) = (file.size(), Duration::from_micros(file.duration.max(0) as u64));
        tracing::info!(stream = %name, file = file.stem, size, seconds = duration.as_secs(), "recording ended");
        shared.catalog.change(name, &file.stem, |recorded| {
            (recorded.state, recorded.size, recorded.duration) = (RecordState::Finishing, size, duration);
        });
        shared.finish.add(name.clone(), file.stem.clone());
    }
}

/// Returns whether MP4 carries this codec.
fn is_carried(config: &Config) -> bool {
    !matches!(config.codec, Codec::PcmAlaw | Codec::PcmMulaw)
}

fn same_config(one: &Arc<Config>, other: &Arc<Config>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}
