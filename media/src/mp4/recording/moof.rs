//! Writes a fragment with several tracks: one `moof`, and one `mdat`.

use super::super::Sample;
use super::super::boxes::{close, open, open_full, u32};

/// `sample_depends_on` is 2, or 1 with `sample_is_non_sync_sample` (14496-12 8.8.3.1).
const FLAGS_KEY: u32 = 0x0200_0000;
const FLAGS_DELTA: u32 = 0x0101_0000;

/// Appends fragment number `sequence` with these samples: track ids, and samples that are not empty. The data of one
/// fragment must stay below 4 GiB.
pub(super) fn write(out: &mut Vec<u8>, sequence: u32, tracks: &[(u32, Vec<Sample<'_>>)]) {
    let start = out.len();
    let samples = || tracks.iter().flat_map(|(_, samples)| samples);
    out.reserve(samples().map(|sample| sample.data.len() + 16).sum::<usize>() + 256);
    let moof = open(out, b"moof");
    let mfhd = open_full(out, b"mfhd", 0, 0);
    u32(out, sequence);
    close(out, mfhd);
    // Places of the data offsets, and the bytes of the tracks before.
    let mut offsets = Vec::with_capacity(tracks.len());
    let mut before = 0;
    for (id, samples) in tracks {
        let traf = open(out, b"traf");
        // Data offsets count from the moof's first byte (default-base-is-moof).
        let tfhd = open_full(out, b"tfhd", 0, 0x2_0000);
        u32(out, *id);
        close(out, tfhd);
        let tfdt = open_full(out, b"tfdt", 1, 0);
        out.extend_from_slice(&samples.first().map_or(0, |first| first.dts.max(0)).to_be_bytes());
        close(out, tfdt);
        // Version 1: signed composition offsets. Data offset, duration, size, flags, composition offset.
        let trun = open_full(out, b"trun", 1, 0xf01);
        u32(out, samples.len() as u32);
        offsets.push((out.len(), before));
        u32(out, 0);
        for sample in samples {
            let offset = sample.pts.saturating_sub(sample.dts).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
            u32(out, sample.duration);
            u32(out, sample.data.len() as u32);
            u32(out, if sample.key { FLAGS_KEY } else { FLAGS_DELTA });
            u32(out, offset.cast_unsigned());
            before += sample.data.len();
        }
        close(out, trun);
        close(out, traf);
    }
    close(out, moof);
    let data = out.len() - start + 8;
    for (at, before) in offsets {
        out[at..at + 4].copy_from_slice(&((data + before) as u32).to_be_bytes());
    }
    let mdat = open(out, b"mdat");
    samples().for_each(|sample| out.extend_from_slice(sample.data));
    close(out, mdat);
}
