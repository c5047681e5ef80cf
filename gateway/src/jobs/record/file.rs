//! The file of a recording while it grows, and its playlist.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use media::mp4::recording::{EventList, Fragment, Fragmenter, Layout};
use media::{Config, Frame, Track};

use super::names::{self, LIST};
use crate::core::hub::StreamName;

/// Track ids.
const VIDEO: u32 = 1;
const AUDIO: u32 = 2;
/// Maximum number of recordings of one stream that begin in the same second.
const MAX_IN_SECOND: u32 = 99;

/// Why a file cannot be begun.
#[derive(Debug)]
pub(super) enum BeginError {
    /// MP4 cannot carry the codecs.
    Codec(media::Error),
    /// The file cannot be made.
    File(io::Error),
}

impl std::fmt::Display for BeginError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Codec(error) => error.fmt(f),
            Self::File(error) => write!(f, "cannot make a file: {error}"),
        }
    }
}

/// A file and the number of bytes in it.
#[derive(Debug)]
struct Appended {
    file: Arc<File>,
    size: u64,
}

impl Appended {
    /// Appends all bytes, or none.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all_at(bytes, self.size) {
            // What was written of it is removed, so that the file ends with whole fragments.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += bytes.len() as u64;
        Ok(())
    }
}

/// A file that grows.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// The name without ending.
    pub(super) stem: String,
    /// When it began.
    pub(super) begin: SystemTime,
    /// The same on a clock that does not jump.
    pub(super) since: Instant,
    /// The configurations of its tracks.
    pub(super) configs: Vec<Arc<Config>>,
    /// Duration in microseconds of the fragments so far.
    pub(super) duration: i64,
    fragmenter: Fragmenter,
    events: EventList,
    media: Appended,
    list: Appended,
}

impl OpenFile {
    /// Begins a file with these tracks.
    pub(super) fn begin(
        root: &Path,
        stream: &StreamName,
        configs: Vec<Arc<Config>>,
        now: SystemTime,
    ) -> Result<Self, BeginError> {
        let tracks: Vec<(u32, &Config)> = configs.iter().map(|config| (id(config), &**config)).collect();
        let (head, layout) = Layout::start(&tracks).map_err(BeginError::Codec)?;
        let kinds: Vec<(u32, Track)> = tracks.iter().map(|(id, config)| (*id, config.track())).collect();
        let folder = names::folder(root, stream);
        fs::create_dir_all(&folder).map_err(BeginError::File)?;
        let (stem, file) = create(&folder, now).map_err(BeginError::File)?;
        let mut media = Appended { file: Arc::new(file), size: 0 };
        let list = create_new(&folder.join(format!("{stem}.{LIST}")));
        let list = list.and_then(|list| media.append(&head).map(|()| list)).map_err(|error| {
            let _ = fs::remove_file(folder.join(format!("{stem}.mp4")));
            let _ = fs::remove_file(folder.join(format!("{stem}.{LIST}")));
            BeginError::File(error)
        })?;
        // The name has whole seconds, and identifies the recording.
        let now = names::begin(&stem).unwrap_or(now);
        let date = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
        Ok(Self {
            events: EventList::new(format!("{stem}.mp4"), &layout, Some(date)),
            fragmenter: Fragmenter::new(&kinds),
            list: Appended { file: Arc::new(list), size: 0 },
            stem,
            begin: now,
            since: Instant::now(),
            configs,
            duration: 0,
            media,
        })
    }

    /// Returns the number of bytes of the MP4 file.
    pub(super) const fn size(&self) -> u64 {
        self.media.size
    }

    /// Returns the configuration of a track.
    pub(super) fn config(&self, track: Track) -> Option<&Arc<Config>> {
        self.configs.iter().find(|config| config.track() == track)
    }

    /// Adds a frame of one of the tracks.
    ///
    /// # Errors
    /// The disk does not take the fragment before the frame. The file ends with the fragments so far.
    pub(super) fn push(&mut self, frame: &Frame) -> io::Result<()> {
        match self.fragmenter.push(frame) {
            Some(fragment) => self.write(&fragment),
            None => Ok(()),
        }
    }

    /// Frames are missing before the next one.
    ///
    /// # Errors
    /// The same as [`OpenFile::push`].
    pub(super) fn skip(&mut self) -> io::Result<()> {
        match self.fragmenter.skip() {
            Some(fragment) => self.write(&fragment),
            None => Ok(()),
        }
    }

    fn write(&mut self, fragment: &Fragment) -> io::Result<()> {
        let offset = self.media.size;
        self.media.append(&fragment.bytes)?;
        self.duration += fragment.duration;
        metrics::counter!("lianmai_record_bytes_total").increment(fragment.bytes.len() as u64);
        let text = self.events.push(offset, fragment);
        self.list.append(text.as_bytes())
    }

    /// Ends the file and its playlist. The file can be made an ordinary MP4 then.
    ///
    /// # Errors
    /// The disk does not take the end. The file ends with the fragments so far.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if let Some(fragment) = self.fragmenter.finish() {
            self.write(&fragment)?;
        }
        let text = self.events.finish();
        self.list.append(text.as_bytes())
    }

    /// Returns the files, which must be synchronised to the disk from time to time.
    pub(super) fn files(&self) -> [Arc<File>; 2] {
        [self.media.file.clone(), self.list.file.clone()]
    }
}

/// Returns the track id of a configuration.
fn id(config: &Config) -> u32 {
    if config.track() == Track::Video { VIDEO } else { AUDIO }
}

/// Creates the MP4 file; returns its name without ending.
fn create(folder: &Path, now: SystemTime) -> io::Result<(String, File)> {
    for number in 0..MAX_IN_SECOND {
        let stem = names::stem(now, number);
        match create_new(&folder.join(format!("{stem}.mp4"))) {
            Ok(file) => return Ok((stem, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
