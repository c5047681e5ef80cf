//! Demuxes a file in memory.

use std::collections::VecDeque;

use bytes::Bytes;

use super::boxes::box_head;
use super::fragment::fragment;
use super::movie::{Movie, MovieTrack};
use super::tables::{Cursor, SampleInfo};
use crate::codec::nal::normalise;
use crate::config::Track;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::mp4::FORMAT;
use crate::time::from_ticks;

/// Maximum number of samples of a track that wait for the next sample of another track.
const MAX_QUEUED: usize = 1 << 16;

/// Demuxes an MP4 file that is in memory, ordinary or fragmented. It reads the first audio and the first video track
/// whose codecs are supported, and returns their frames in the order of decode times.
#[derive(Debug)]
pub struct Demuxer {
    data: Bytes,
    movie: Movie,
    tracks: Vec<TrackReader>,
    /// Offset of the next box to search for fragments.
    at: usize,
}

/// The position in one track.
#[derive(Debug)]
struct TrackReader {
    /// The index of the track in the movie.
    index: usize,
    cursor: Cursor,
    queue: VecDeque<SampleInfo>,
    /// Decode time after the last sample so far.
    end: i64,
}

impl Demuxer {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// There is no `moov`, it is damaged, or no track has a codec that is supported.
    pub fn new(data: Bytes) -> Result<Self> {
        let mut at = 0;
        let moov = loop {
            let (kind, content, end) =
                next_box(&data, at).ok_or_else(|| Error::invalid(FORMAT, at as u64, "file: no moov box"))?;
            if &kind == b"moov" {
                break data.slice(content..end);
            }
            at = end;
        };
        let movie = Movie::parse(&moov)?;
        let mut tracks: Vec<TrackReader> = Vec::new();
        for kind in [Track::Video, Track::Audio] {
            let usable = |track: &MovieTrack| track.kind == kind && track.config.is_ok();
            tracks.extend(movie.tracks.iter().position(usable).map(|index| TrackReader {
                index,
                cursor: Cursor::default(),
                queue: VecDeque::new(),
                end: 0,
            }));
        }
        if tracks.is_empty() {
            let error = movie.tracks.iter().find_map(|track| track.config.clone().err());
            return Err(error.unwrap_or_else(|| Error::unsupported(FORMAT, 0, "movie")));
        }
        Ok(Self { data, movie, tracks, at: 0 })
    }

    /// Returns what the header says.
    pub const fn movie(&self) -> &Movie {
        &self.movie
    }

    /// Returns the next frame; `None` at the end. After an error about one frame, the following frames can still be
    /// read.
    #[allow(clippy::should_implement_trait, reason = "as the other demuxers")]
    pub fn next(&mut self) -> Option<Result<Frame>> {
        for at in 0..self.tracks.len() {
            self.fill(at);
        }
        let movie = &self.movie;
        let time = |reader: &TrackReader| {
            let track = &movie.tracks[reader.index];
            reader.queue.front().map(|sample| from_ticks(sample.dts, track.timescale) + track.shift)
        };
        let first =
            self.tracks.iter_mut().filter(|reader| !reader.queue.is_empty()).min_by_key(|r| time(r))?;
        let sample = first.queue.pop_front()?;
        Some(frame(&self.data, &movie.tracks[first.index], sample))
    }

    /// Makes sure that the next sample of this track is known, if there is one.
    fn fill(&mut self, at: usize) {
        let reader = &mut self.tracks[at];
        if reader.queue.is_empty() {
            reader.queue.extend(reader.cursor.next(&self.movie.tracks[reader.index].tables));
        }
        let full = |reader: &TrackReader| reader.queue.len() >= MAX_QUEUED;
        while self.movie.fragmented && self.tracks[at].queue.is_empty() && !self.tracks.iter().any(full) {
            let Some((kind, content, end)) = next_box(&self.data, self.at) else { return };
            let moof_at = std::mem::replace(&mut self.at, end);
            if &kind != b"moof" {
                continue;
            }
            // A damaged fragment is skipped.
            let runs = fragment(&self.data[content..end], moof_at as u64, &self.movie).unwrap_or_default();
            for run in runs {
                let id = |reader: &TrackReader| self.movie.tracks[reader.index].id;
                let Some(reader) = self.tracks.iter_mut().find(|reader| id(reader) == run.track) else {
                    continue;
                };
                let add = if run.time.is_some() { 0 } else { reader.end };
                for mut sample in run.samples {
                    sample.dts = sample.dts.saturating_add(add);
                    reader.end = sample.dts.saturating_add(sample.duration.into());
                    reader.queue.push_back(sample);
                }
            }
        }
    }
}

/// Returns type, start of the content and end of the box at `at`. The last box may be cut off.
fn next_box(data: &[u8], at: usize) -> Option<([u8; 4], usize, usize)> {
    let head = box_head(data.get(at..)?).ok()??;
    let end = head.size.map_or(Some(data.len()), |size| at.checked_add(usize::try_from(size).ok()?))?;
    Some((head.kind, at + usize::from(head.head), end.min(data.len())))
}

fn frame(data: &Bytes, track: &MovieTrack, sample: SampleInfo) -> Result<Frame> {
    let start = usize::try_from(sample.offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(sample.size as usize);
    if end > data.len() {
        return Err(Error::truncated(FORMAT, sample.offset));
    }
    let config = track.config.clone()?;
    let mut bytes = data.slice(start..end);
    if track.length_size != 4 {
        bytes = normalise(FORMAT, bytes, track.length_size)?;
    }
    let time = |ticks: i64| from_ticks(ticks, track.timescale).saturating_add(track.shift);
    let pts = time(sample.dts.saturating_add(sample.composition.into()));
    let key = sample.key || track.kind == Track::Audio;
    Ok(Frame { number: 0, config, dts: time(sample.dts), pts, key, data: bytes })
}
