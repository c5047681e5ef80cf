//! The initialisation segment.

use bytes::Bytes;

use super::boxes::{close, open, open_full, u16, u32, whole, zeros};
use super::entry::sample_entry;
use super::{FORMAT, TIMESCALE};
use crate::config::{Config, Track};
use crate::error::{Error, Result};

pub(super) const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Returns `ftyp` and `moov` for these tracks. The numbers are track ids and must not be 0.
///
/// Fails for codecs that MP4 does not support (G.711) and for malformed descriptions.
pub fn init_segment(tracks: &[(u32, &Config)]) -> Result<Bytes> {
    if tracks.is_empty() || tracks.iter().any(|&(id, _)| id == 0) {
        return Err(Error::invalid(FORMAT, 0, "track list"));
    }
    let mut out = Vec::with_capacity(1024);
    whole(&mut out, b"ftyp", b"iso6\x00\x00\x02\x00iso6iso5mp41");
    let moov = open(&mut out, b"moov");
    let mvhd = open_full(&mut out, b"mvhd", 0, 0);
    zeros(&mut out, 8);
    u32(&mut out, 1_000);
    u32(&mut out, 0); // duration: must stay 0 (see the module)
    u32(&mut out, 0x1_0000);
    u16(&mut out, 0x100);
    zeros(&mut out, 10);
    MATRIX.iter().for_each(|&n| u32(&mut out, n));
    zeros(&mut out, 24);
    u32(&mut out, tracks.iter().map(|&(id, _)| id).max().unwrap_or(0).saturating_add(1));
    close(&mut out, mvhd);
    for &(id, config) in tracks {
        track(&mut out, id, config)?;
    }
    let mvex = open(&mut out, b"mvex");
    for &(id, _) in tracks {
        let trex = open_full(&mut out, b"trex", 0, 0);
        u32(&mut out, id);
        u32(&mut out, 1);
        zeros(&mut out, 12);
        close(&mut out, trex);
    }
    close(&mut out, mvex);
    close(&mut out, moov);
    Ok(out.into())
}

fn track(out: &mut Vec<u8>, id: u32, config: &Config) -> Result<()> {
    let video = config.video();
    let trak = open(out, b"trak");
    let tkhd = open_full(out, b"tkhd", 0, 3);
    zeros(out, 8);
    u32(out, id);
    zeros(out, 4 + 4 + 8 + 4);
    u16(out, if video.is_some() { 0 } else { 0x100 });
    zeros(out, 2);
    MATRIX.iter().for_each(|&n| u32(out, n));
    u32(out, video.map_or(0, |v| v.width << 16));
    u32(out, video.map_or(0, |v| v.height << 16));
    close(out, tkhd);

    let mdia = open(out, b"mdia");
    let mdhd = open_full(out, b"mdhd", 0, 0);
    zeros(out, 8);
    u32(out, TIMESCALE);
    u32(out, 0);
    u32(out, 0x55c4_0000); // language: und
    close(out, mdhd);
    let hdlr = open_full(out, b"hdlr", 0, 0);
    zeros(out, 4);
    out.extend_from_slice(if config.track() == Track::Video { b"vide" } else { b"soun" });
    zeros(out, 12 + 1);
    close(out, hdlr);

    let minf = open(out, b"minf");
    match config.track() {
        Track::Video => {
            let vmhd = open_full(out, b"vmhd", 0, 1);
            zeros(out, 8);
            close(out, vmhd);
        }
        Track::Audio => {
            let smhd = open_full(out, b"smhd", 0, 0);
            zeros(out, 4);
            close(out, smhd);
        }
    }
    let dinf = open(out, b"dinf");
    let dref = open_full(out, b"dref", 0, 0);
    u32(out, 1);
    let url = open_full(out, b"url ", 0, 1);
    close(out, url);
    close(out, dref);
    close(out, dinf);

    let stbl = open(out, b"stbl");
    let stsd = open_full(out, b"stsd", 0, 0);
    u32(out, 1);
    sample_entry(out, config)?;
    close(out, stsd);
    for (kind, size) in [(b"stts", 8), (b"stsc", 8), (b"stsz", 12), (b"stco", 8)] {
        whole(out, kind, &[0; 12][..size]);
    }
    close(out, stbl);
    close(out, minf);
    close(out, mdia);
    close(out, trak);
    Ok(())
}
