//! Fragments: one `moof` and one `mdat` for several samples of one track.

use crate::time::Micros;

/// One sample of a fragment: times in microseconds on the track's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Decode time, not below 0. Only that of the first sample is written, as the fragment's time; the others
    /// follow from the durations.
    pub dts: Micros,
    /// Presentation time, which may lie before `dts`.
    pub pts: Micros,
    /// Time until the next sample is decoded.
    pub duration: u32,
    /// Whether decoding may start here.
    pub key: bool,
    /// The frame's bytes.
    pub data: &'a [u8],
}

/// Size in bytes of a `moof` without samples; each sample adds 16.
const MOOF: usize = 8 + 16 + 8 + 16 + 20 + 20;
/// `sample_depends_on` is 2: the sample depends on no other. The opposite flag is
/// `sample_is_non_sync_sample`.
const FLAGS_KEY: u32 = 0x0200_0000;
const FLAGS_DELTA: u32 = 0x0101_0000;

/// Returns the number of bytes that [`fragment`] appends.
pub fn fragment_size(samples: &[Sample<'_>]) -> usize {
    MOOF + 16 * samples.len() + 8 + samples.iter().map(|sample| sample.data.len()).sum::<usize>()
}

/// Appends a fragment: `moof` number `sequence` (counted from 1 over all tracks) and `mdat`, with samples of
/// track `track_id`. The data of one fragment must stay below 4 GiB.
pub fn fragment(out: &mut Vec<u8>, sequence: u32, track_id: u32, samples: &[Sample<'_>]) {
    let total = fragment_size(samples);
    let moof = MOOF + 16 * samples.len();
    out.reserve(total);
    let mut head = [0; MOOF];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        head[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    let size = |bytes: usize| (bytes as u32).to_be_bytes();
    put(&size(moof));
    put(b"moof\x00\x00\x00\x10mfhd\x00\x00\x00\x00");
    put(&sequence.to_be_bytes());
    put(&size(moof - 24));
    // Data offsets count from the moof's first byte (default-base-is-moof).
    put(b"traf\x00\x00\x00\x10tfhd\x00\x02\x00\x00");
    put(&track_id.to_be_bytes());
    put(b"\x00\x00\x00\x14tfdt\x01\x00\x00\x00");
    put(&samples.first().map_or(0, |first| first.dts.max(0)).to_be_bytes());
    put(&size(moof - 24 - 8 - 16 - 20));
    // Version 1: signed composition offsets. Data offset, duration, size, flags, composition offset.
    put(b"trun\x01\x00\x0f\x01");
    put(&size(samples.len()));
    put(&size(moof + 8));
    out.extend_from_slice(&head);
    for sample in samples {
        let offset = sample.pts.saturating_sub(sample.dts).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let mut row = [0; 16];
        row[..4].copy_from_slice(&sample.duration.to_be_bytes());
        row[4..8].copy_from_slice(&size(sample.data.len()));
        row[8..12].copy_from_slice(&(if sample.key { FLAGS_KEY } else { FLAGS_DELTA }).to_be_bytes());
        row[12..].copy_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&row);
    }
    out.extend_from_slice(&size(total - moof));
    out.extend_from_slice(b"mdat");
    for sample in samples {
        out.extend_from_slice(sample.data);
    }
}
