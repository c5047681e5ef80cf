//! Makes the `moov` with sample tables for a file of fragments.

use bytes::Bytes;

use super::super::boxes::{close, open, open_full, u16, u32, whole, zeros};
use super::super::demux::{MAX_SAMPLES, Movie, SampleInfo, children, find, fragment, u32_at};
use crate::config::Track;
use crate::error::{Error, ErrorKind, Result};
use crate::mp4::FORMAT;
use crate::time::{Micros, from_ticks, to_ticks};

/// Ticks per second of `mvhd` and of edit lists.
const MOVIE_SCALE: u32 = crate::mp4::TIMESCALE;

/// A box with its header, copied from the `moov` without samples.
#[derive(Debug)]
struct Copied([u8; 4], Bytes);

/// A track, and the tables for its samples so far. A sample needs about 12 bytes.
#[derive(Debug)]
struct TrackTables {
    id: u32,
    kind: Track,
    timescale: u32,
    /// `tkhd` and `hdlr`, the boxes before `stbl` in `minf`, and `stsd`.
    tkhd: Bytes,
    hdlr: Copied,
    minf: Vec<Copied>,
    stsd: Copied,
    sizes: Vec<u32>,
    durations: Runs,
    compositions: Runs,
    keys: Vec<u32>,
    /// Offset and number of samples of each chunk.
    chunks: Vec<(u64, u32)>,
    /// The offset after the last sample.
    end_of_chunk: u64,
    /// Decode time of the first sample, and its composition offset.
    first: Option<(i64, i32)>,
    /// Decode time and duration of the last sample, whose duration is not in the table yet.
    last: (i64, u32),
}

/// Run-length rows of a count and a value.
#[derive(Debug, Default)]
struct Runs(Vec<(u32, u32)>);

impl Runs {
    fn push(&mut self, value: u32) {
        match self.0.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => self.0.push((1, value)),
        }
    }

    fn write(&self, out: &mut Vec<u8>, kind: &[u8; 4], version: u8) {
        let at = open_full(out, kind, version, 0);
        u32(out, self.0.len() as u32);
        for &(count, value) in &self.0 {
            u32(out, count);
            u32(out, value);
        }
        close(out, at);
    }
}

/// Collects the fragments of a file, and makes its `moov`.
#[derive(Debug)]
pub struct Finisher {
    movie: Movie,
    tracks: Vec<TrackTables>,
    /// End of the last fragment: of its video, if it has some.
    end: Micros,
}

impl Finisher {
    /// Creates a finisher for a file whose `moov` without samples has this content.
    ///
    /// # Errors
    /// The `moov` is damaged.
    pub fn new(moov: &Bytes) -> Result<Self> {
        let movie = Movie::parse(moov)?;
        let mut tracks = Vec::new();
        for (_, trak) in children(moov).filter(|(kind, _)| kind == b"trak") {
            let tkhd = find(trak, b"tkhd")?;
            let id = u32_at(tkhd, if tkhd.first() == Some(&1) { 20 } else { 12 })?;
            if tracks.iter().any(|track: &TrackTables| track.id == id) {
                return Err(Error::invalid(FORMAT, 0, "track id: two tracks have it"));
            }
            // Tracks that are neither audio nor video are left out.
            let Some(known) = movie.tracks.iter().find(|track| track.id == id) else { continue };
            let copied = |kind: &[u8; 4], content: &[u8]| Copied(*kind, moov.slice_ref(content));
            let mdia = find(trak, b"mdia")?;
            let minf = find(mdia, b"minf")?;
            let header = children(minf).filter(|(kind, _)| kind != b"stbl");
            tracks.push(TrackTables {
                id,
                kind: known.kind,
                timescale: known.timescale,
                tkhd: moov.slice_ref(tkhd),
                hdlr: copied(b"hdlr", find(mdia, b"hdlr")?),
                minf: header.map(|(kind, content)| copied(&kind, content)).collect(),
                stsd: copied(b"stsd", find(find(minf, b"stbl")?, b"stsd")?),
                sizes: Vec::new(),
                durations: Runs::default(),
                compositions: Runs::default(),
                keys: Vec::new(),
                chunks: Vec::new(),
                end_of_chunk: 0,
                first: None,
                last: (0, 0),
            });
        }
        Ok(Self { movie, tracks, end: 0 })
    }

    /// Adds the fragment whose `moof` has this content and begins at `offset` of the file. Returns its duration and
    /// whether decoding may start there, as [`super::Fragment`] has them, and the offset after its data.
    ///
    /// # Errors
    /// The fragment is damaged, or the file has too many samples; the fragment is not added.
    pub fn fragment(&mut self, moof: &[u8], offset: u64) -> Result<(Micros, bool, u64)> {
        let runs = fragment(moof, offset, &self.movie)?;
        let before = self.end;
        let mut independent = self.tracks.iter().all(|track| track.kind != Track::Video);
        let mut end_of_data = offset;
        let (mut video_end, mut audio_end) = (None, None);
        for run in &runs {
            let full = |track: &TrackTables| {
                track.id == run.track && track.sizes.len() + run.samples.len() > MAX_SAMPLES as usize
            };
            if self.tracks.iter().any(full) {
                return Err(Error::new(FORMAT, offset, ErrorKind::TooLarge("number of samples")));
            }
        }
        for run in runs {
            let Some(track) = self.tracks.iter_mut().find(|track| track.id == run.track) else { continue };
            let add = if run.time.is_some() { 0 } else { track.end() };
            if let (Track::Video, Some(first)) = (track.kind, run.samples.first()) {
                independent = first.key;
            }
            let (kind, empty) = (track.kind, run.samples.is_empty());
            for mut sample in run.samples {
                sample.dts = sample.dts.saturating_add(add);
                end_of_data = end_of_data.max(sample.offset.saturating_add(sample.size.into()));
                track.push(sample);
            }
            let end = track.micros(track.end());
            match kind {
                Track::Video if !empty => video_end = Some(end),
                Track::Audio if !empty => audio_end = Some(end),
                _ => {}
            }
        }
        self.end = before.max(video_end.or(audio_end).unwrap_or(before));
        Ok((self.end - before, independent, end_of_data))
    }

    /// Returns the duration of all fragments so far.
    pub const fn duration(&self) -> Micros {
        self.end
    }

    /// Returns the `moov` with the sample tables of all fragments. Tracks without samples are left out.
    pub fn moov(&self) -> Vec<u8> {
        let used = || self.tracks.iter().filter(|track| track.first.is_some());
        let starts = used().map(|track| track.start());
        let origin = starts.min().unwrap_or(0);
        let end = |track: &TrackTables| track.start() - origin + track.micros(track.length());
        let duration = used().map(end).max().unwrap_or(0).max(0);
        let mut out = Vec::new();
        let moov = open(&mut out, b"moov");
        let mvhd = open_full(&mut out, b"mvhd", 1, 0);
        zeros(&mut out, 16);
        u32(&mut out, MOVIE_SCALE);
        push_u64(&mut out, to_ticks(duration, MOVIE_SCALE));
        u32(&mut out, 0x1_0000);
        u16(&mut out, 0x100);
        zeros(&mut out, 10);
        super::super::init::MATRIX.iter().for_each(|&n| u32(&mut out, n));
        zeros(&mut out, 24);
        u32(&mut out, self.tracks.iter().map(|track| track.id).max().unwrap_or(0).saturating_add(1));
        close(&mut out, mvhd);
        used().for_each(|track| track.write(&mut out, origin));
        close(&mut out, moov);
        out
    }
}

fn push_u64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.max(0).to_be_bytes());
}

impl TrackTables {
    fn push(&mut self, sample: SampleInfo) {
        match self.first {
            None => self.first = Some((sample.dts, sample.composition)),
            // Durations are distances, so that a gap between fragments stays.
            Some(_) => {
                let (dts, _) = self.last;
                self.durations.push(u32::try_from((sample.dts - dts).max(0)).unwrap_or(u32::MAX));
            }
        }
        self.last = (sample.dts, sample.duration);
        self.sizes.push(sample.size);
        self.compositions.push(sample.composition.cast_unsigned());
        if sample.key {
            self.keys.push(self.sizes.len() as u32);
        }
        match self.chunks.last_mut() {
            Some((_, count)) if self.end_of_chunk == sample.offset => *count += 1,
            _ => self.chunks.push((sample.offset, 1)),
        }
        self.end_of_chunk = sample.offset.saturating_add(sample.size.into());
    }

    /// Returns the decode time after the last sample, in ticks.
    fn end(&self) -> i64 {
        self.last.0.saturating_add(self.last.1.into())
    }

    fn micros(&self, ticks: i64) -> Micros {
        from_ticks(ticks, self.timescale)
    }

    /// Returns the presentation time of the first sample.
    fn start(&self) -> Micros {
        self.first.map_or(0, |(dts, composition)| self.micros(dts.saturating_add(composition.into())))
    }

    /// Returns the duration of all samples, in ticks.
    fn length(&self) -> i64 {
        self.end().saturating_sub(self.first.map_or(0, |(dts, _)| dts))
    }

    /// Writes the `trak`. `origin` is the presentation time at which the file begins.
    fn write(&self, out: &mut Vec<u8>, origin: Micros) {
        let length = self.micros(self.length());
        let delay = (self.start() - origin).max(0);
        let trak = open(out, b"trak");
        self.write_tkhd(out, delay + length);
        let edts = open(out, b"edts");
        let elst = open_full(out, b"elst", 1, 0);
        u32(out, 1 + u32::from(delay > 0));
        // An empty edit delays the track; its media time is -1.
        let composition = self.first.map_or(0, |(_, composition)| composition.max(0));
        for (duration, media) in [(delay, -1), (length, i64::from(composition))] {
            if duration > 0 || media >= 0 {
                push_u64(out, to_ticks(duration, MOVIE_SCALE));
                out.extend_from_slice(&media.to_be_bytes());
                u32(out, 0x1_0000);
            }
        }
        close(out, elst);
        close(out, edts);
        let mdia = open(out, b"mdia");
        let mdhd = open_full(out, b"mdhd", 1, 0);
        zeros(out, 16);
        u32(out, self.timescale);
        push_u64(out, self.length());
        u32(out, 0x55c4_0000); // language: und
        close(out, mdhd);
        whole(out, &self.hdlr.0, &self.hdlr.1);
        let minf = open(out, b"minf");
        self.minf.iter().for_each(|Copied(kind, content)| whole(out, kind, content));
        let stbl = open(out, b"stbl");
        whole(out, &self.stsd.0, &self.stsd.1);
        self.write_tables(out);
        close(out, stbl);
        close(out, minf);
        close(out, mdia);
        close(out, trak);
    }

    /// Writes `tkhd` with a duration; the other fields are those of the fragmented file.
    fn write_tkhd(&self, out: &mut Vec<u8>, duration: Micros) {
        let old = if self.tkhd.first() == Some(&1) { 36 } else { 24 };
        let tkhd = open_full(out, b"tkhd", 1, 3);
        zeros(out, 16);
        u32(out, self.id);
        zeros(out, 4);
        push_u64(out, to_ticks(duration, MOVIE_SCALE));
        out.extend_from_slice(self.tkhd.get(old..).unwrap_or_default());
        close(out, tkhd);
    }

    fn write_tables(&self, out: &mut Vec<u8>) {
        let mut durations = Runs(self.durations.0.clone());
        durations.push(self.last.1);
        durations.write(out, b"stts", 0);
        if self.compositions.0.iter().any(|&(_, value)| value != 0) {
            let signed = self.compositions.0.iter().any(|&(_, value)| value > i32::MAX as u32);
            self.compositions.write(out, b"ctts", u8::from(signed));
        }
        if self.kind == Track::Video && self.keys.len() < self.sizes.len() {
            let stss = open_full(out, b"stss", 0, 0);
            u32(out, self.keys.len() as u32);
            self.keys.iter().for_each(|&key| u32(out, key));
            close(out, stss);
        }
        let stsc = open_full(out, b"stsc", 0, 0);
        let count_at = out.len();
        u32(out, 0);
        let (mut rows, mut before) = (0, 0);
        for (index, &(_, count)) in self.chunks.iter().enumerate() {
            if count != before {
                u32(out, index as u32 + 1);
                u32(out, count);
                u32(out, 1);
                (rows, before) = (rows + 1, count);
            }
        }
        out[count_at..count_at + 4].copy_from_slice(&u32::to_be_bytes(rows));
        close(out, stsc);
        let stsz = open_full(out, b"stsz", 0, 0);
        u32(out, 0);
        u32(out, self.sizes.len() as u32);
        self.sizes.iter().for_each(|&size| u32(out, size));
        close(out, stsz);
        let large = self.chunks.iter().any(|&(offset, _)| offset > u32::MAX.into());
        let chunks = open_full(out, if large { b"co64" } else { b"stco" }, 0, 0);
        u32(out, self.chunks.len() as u32);
        for &(offset, _) in &self.chunks {
            if large {
                out.extend_from_slice(&offset.to_be_bytes());
            } else {
                u32(out, offset as u32);
            }
        }
        close(out, chunks);
    }
}
