//! The `moov` box: the tracks, and the sample tables of an ordinary file.

use std::sync::Arc;

use bytes::Bytes;

use super::boxes::{children, find, u32_at, u64_at};
use super::entry;
use super::tables::{SampleInfo, Tables};
use crate::config::{Config, Track};
use crate::error::{Error, Result};
use crate::mp4::FORMAT;
use crate::time::{Micros, from_ticks};

/// Maximum number of tracks that are read; more are ignored.
const MAX_TRACKS: usize = 32;

/// The content of a `moov` box.
#[derive(Debug, Clone)]
pub struct Movie {
    /// The audio and video tracks.
    pub tracks: Vec<MovieTrack>,
    /// Whether fragments may follow (`mvex`).
    pub fragmented: bool,
    /// The duration of `mvhd` in microseconds; 0 in a fragmented file.
    pub duration: Micros,
}

/// A track.
#[derive(Debug, Clone)]
pub struct MovieTrack {
    /// The track id.
    pub id: u32,
    /// Audio or video.
    pub kind: Track,
    /// Ticks per second.
    pub timescale: u32,
    /// The configuration, or why it cannot be used.
    pub config: Result<Arc<Config>>,
    /// Time in microseconds that the edit list adds to the times of samples.
    pub shift: Micros,
    /// Size of the length prefixes of NAL units.
    pub(super) length_size: usize,
    /// Default duration, size and flags of samples in fragments (`trex`).
    pub(super) defaults: [u32; 3],
    pub(super) tables: Tables,
}

impl Movie {
    /// Reads the content of a `moov` box.
    ///
    /// # Errors
    /// A required box is missing, or a table is damaged or has more than [`super::MAX_SAMPLES`] entries. A codec that
    /// is not supported is an error of its track only.
    pub fn parse(moov: &Bytes) -> Result<Self> {
        let mvhd = find(moov, b"mvhd")?;
        let (timescale, duration) = scale_and_duration(mvhd)?;
        let mvex = find(moov, b"mvex").ok();
        let mut tracks = Vec::new();
        for (_, trak) in children(moov).filter(|(kind, _)| kind == b"trak").take(MAX_TRACKS) {
            tracks.extend(track(moov, trak, timescale, mvex)?);
        }
        if tracks.is_empty() {
            return Err(Error::invalid(FORMAT, 0, "movie without audio and video"));
        }
        Ok(Self { tracks, fragmented: mvex.is_some(), duration: from_ticks(duration, timescale) })
    }
}

impl MovieTrack {
    /// Iterates over the samples of the sample tables; a fragmented file has none here.
    pub fn samples(&self) -> impl Iterator<Item = SampleInfo> {
        let mut cursor = self.tables.cursor();
        std::iter::from_fn(move || cursor.next(&self.tables))
    }
}

/// Returns timescale and duration of `mvhd` or `mdhd`, which begin alike.
fn scale_and_duration(header: &[u8]) -> Result<(u32, i64)> {
    let (scale, duration) = match header.first() {
        Some(1) => (u32_at(header, 20)?, u64_at(header, 24)?),
        _ => (u32_at(header, 12)?, u32_at(header, 16)?.into()),
    };
    if scale == 0 {
        return Err(Error::invalid(FORMAT, 0, "timescale"));
    }
    // All ones mean that the duration is not known.
    Ok((scale, i64::try_from(duration).unwrap_or(0)))
}

/// Reads a `trak`; returns `None` for tracks that are neither audio nor video.
fn track(moov: &Bytes, trak: &[u8], movie_scale: u32, mvex: Option<&[u8]>) -> Result<Option<MovieTrack>> {
    let tkhd = find(trak, b"tkhd")?;
    let id = u32_at(tkhd, if tkhd.first() == Some(&1) { 20 } else { 12 })?;
    let mdia = find(trak, b"mdia")?;
    let kind = match find(mdia, b"hdlr")?.get(8..12) {
        Some(b"vide") => Track::Video,
        Some(b"soun") => Track::Audio,
        _ => return Ok(None),
    };
    let (timescale, _) = scale_and_duration(find(mdia, b"mdhd")?)?;
    let stbl = find(find(mdia, b"minf")?, b"stbl")?;
    let entry = entry::config(find(stbl, b"stsd")?, kind);
    let length_size = entry.as_ref().map_or(4, |&(_, size)| size);
    let config = entry.map(|(config, _)| Arc::new(config));
    let edits = find(trak, b"edts").and_then(|edts| find(edts, b"elst"));
    let shift = edits.map_or(Ok(0), |elst| shift(elst, movie_scale, timescale))?;
    let trex = children(mvex.unwrap_or_default())
        .find(|(kind, content)| kind == b"trex" && u32_at(content, 4) == Ok(id))
        .map_or(Ok([0; 3]), |(_, trex)| Ok([u32_at(trex, 12)?, u32_at(trex, 16)?, u32_at(trex, 20)?]))?;
    let tables = Tables::parse(moov, stbl)?;
    Ok(Some(MovieTrack { id, kind, timescale, config, shift, length_size, defaults: trex, tables }))
}

/// Returns the time that an edit list adds: empty edits delay the track, and the first other edit says which media
/// time is shown then. Further edits are ignored.
fn shift(elst: &[u8], movie_scale: u32, timescale: u32) -> Result<Micros> {
    let mut delay = 0i64;
    for index in 0..(u32_at(elst, 4)? as usize).min(16) {
        let (duration, media) = if elst.first() == Some(&1) {
            (u64_at(elst, 8 + 20 * index)?, u64_at(elst, 16 + 20 * index)?.cast_signed())
        } else {
            (u32_at(elst, 8 + 12 * index)?.into(), u32_at(elst, 12 + 12 * index)?.cast_signed().into())
        };
        if media >= 0 {
            return Ok(delay.saturating_sub(from_ticks(media, timescale)));
        }
        let duration = i64::try_from(duration).unwrap_or(i64::MAX);
        delay = delay.saturating_add(from_ticks(duration, movie_scale));
    }
    Ok(delay)
}
