//! The `moof` box: the samples of a fragment.

use super::boxes::{children, find, u32_at, u64_at};
use super::movie::{Movie, MovieTrack};
use super::tables::SampleInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::mp4::FORMAT;

/// Maximum number of samples in one fragment.
pub const MAX_FRAGMENT_SAMPLES: usize = 1 << 16;
/// `sample_is_non_sync_sample` (14496-12 8.8.3.1).
const NON_SYNC: u32 = 0x1_0000;

/// The samples of one track in a fragment (`traf`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackRun {
    /// The track id.
    pub track: u32,
    /// Decode time of the first sample (`tfdt`) in the track's timescale; `None` if the fragment continues the one
    /// before.
    pub time: Option<i64>,
    /// The samples. Their decode times count from `time`, or from 0 without it.
    pub samples: Vec<SampleInfo>,
}

/// Reads the content of a `moof` box. `offset` is the position of the box in the file. Tracks that are not in `movie`
/// are left out.
///
/// # Errors
/// Damaged or missing boxes, or more than [`MAX_FRAGMENT_SAMPLES`] samples.
pub fn fragment(moof: &[u8], offset: u64, movie: &Movie) -> Result<Vec<TrackRun>> {
    let mut runs = Vec::new();
    let mut left = MAX_FRAGMENT_SAMPLES;
    // Where the data of a track begin that does not say so: after those of the track before.
    let mut next = offset;
    for (_, traf) in children(moof).filter(|(kind, _)| kind == b"traf") {
        let tfhd = Header::parse(find(traf, b"tfhd")?)?;
        let Some(track) = movie.tracks.iter().find(|track| track.id == tfhd.track) else { continue };
        let base = tfhd.base.unwrap_or(if tfhd.base_is_moof { offset } else { next });
        let time = match find(traf, b"tfdt") {
            Ok(tfdt) if tfdt.first() == Some(&1) => Some(i64::try_from(u64_at(tfdt, 4)?).unwrap_or(i64::MAX)),
            Ok(tfdt) => Some(u32_at(tfdt, 4)?.into()),
            Err(_) => None,
        };
        let mut run = Run { at: base, dts: time.unwrap_or(0), samples: Vec::new() };
        for (_, trun) in children(traf).filter(|(kind, _)| kind == b"trun") {
            run.read(trun, base, &tfhd, track, &mut left)?;
        }
        next = run.at;
        runs.push(TrackRun { track: tfhd.track, time, samples: run.samples });
    }
    Ok(runs)
}

/// The content of `tfhd`.
struct Header {
    track: u32,
    base: Option<u64>,
    base_is_moof: bool,
    duration: Option<u32>,
    size: Option<u32>,
    flags: Option<u32>,
}

impl Header {
    fn parse(tfhd: &[u8]) -> Result<Self> {
        let bits = u32_at(tfhd, 0)?;
        let base = if bits & 1 != 0 { Some(u64_at(tfhd, 8)?) } else { None };
        let mut at = if base.is_some() { 16 } else { 8 };
        let mut field = |bit: u32| -> Result<Option<u32>> {
            if bits & bit == 0 {
                return Ok(None);
            }
            at += 4;
            u32_at(tfhd, at - 4).map(Some)
        };
        field(0x2)?;
        Ok(Self {
            track: u32_at(tfhd, 4)?,
            base,
            base_is_moof: bits & 0x2_0000 != 0,
            duration: field(0x8)?,
            size: field(0x10)?,
            flags: field(0x20)?,
        })
    }
}

/// The samples so far, and the place and time of the next one.
struct Run {
    at: u64,
    dts: i64,
    samples: Vec<SampleInfo>,
}

impl Run {
    fn read(
        &mut self,
        trun: &[u8],
        base: u64,
        tfhd: &Header,
        track: &MovieTrack,
        left: &mut usize,
    ) -> Result<()> {
        let (bits, count) = (u32_at(trun, 0)?, u32_at(trun, 4)? as usize);
        *left =
            left.checked_sub(count).ok_or_else(|| Error::new(FORMAT, 0, ErrorKind::TooLarge("fragment")))?;
        let mut at = 8;
        let mut field = |present: bool| -> Result<Option<u32>> {
            if !present {
                return Ok(None);
            }
            at += 4;
            u32_at(trun, at - 4).map(Some)
        };
        if let Some(offset) = field(bits & 1 != 0)? {
            let offset = i64::from(offset.cast_signed());
            self.at =
                base.checked_add_signed(offset).ok_or_else(|| Error::invalid(FORMAT, 0, "data offset"))?;
        }
        let first_flags = field(bits & 0x4 != 0)?;
        let [duration, size, flags] = track.defaults;
        for index in 0..count {
            let duration = field(bits & 0x100 != 0)?.or(tfhd.duration).unwrap_or(duration);
            let size = field(bits & 0x200 != 0)?.or(tfhd.size).unwrap_or(size);
            let own = field(bits & 0x400 != 0)?;
            let flags = own.or(first_flags.filter(|_| index == 0)).or(tfhd.flags).unwrap_or(flags);
            let composition = field(bits & 0x800 != 0)?.unwrap_or(0).cast_signed();
            let key = flags & NON_SYNC == 0;
            self.samples.push(SampleInfo {
                offset: self.at,
                size,
                dts: self.dts,
                composition,
                duration,
                key,
            });
            self.at =
                self.at.checked_add(size.into()).ok_or_else(|| Error::invalid(FORMAT, 0, "sample size"))?;
            self.dts = self.dts.saturating_add(duration.into());
        }
        Ok(())
    }
}
