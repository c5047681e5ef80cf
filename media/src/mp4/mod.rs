//! MP4 (ISO/IEC 14496-12).
//!
//! [`init_segment`] and [`fragment`] write fragmented MP4 for Media Source Extensions: one initialisation segment, then
//! fragments of one `moof` and one `mdat`. [`recording`] writes files, and [`demux`] reads files of both kinds.
//!
//! Every track's timescale is 1,000,000, so a [`crate::time::Micros`] is written without rounding. No
//! duration and no `mehd` is written: they would make Chromium leave its low-delay mode.

mod boxes;
pub mod demux;
mod entry;
mod fragment;
mod init;
pub mod recording;

pub use fragment::{Sample, fragment, fragment_size};
pub use init::init_segment;

use crate::codec::rfc6381;
use crate::config::{Codec, Config, Track};

const FORMAT: &str = "mp4";
/// Ticks per second of every track.
pub const TIMESCALE: u32 = 1_000_000;

/// Returns the MIME type of an initialisation segment with these tracks, for `MediaSource.isTypeSupported`:
/// `video/mp4; codecs="avc1.64001f,mp4a.40.2"`.
pub fn mime(configs: &[&Config]) -> String {
    let video = configs.iter().any(|config| config.track() == Track::Video);
    let mut out = String::from(if video { "video/mp4; codecs=\"" } else { "audio/mp4; codecs=\"" });
    for (index, config) in configs.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        match config.codec {
            // MP4 uses other names than RFC 6381 for these two codecs.
            Codec::Mp3 => out.push_str("mp4a.6B"),
            Codec::Vp8 => out.push_str("vp08.00.10.08"),
            _ => out.push_str(&rfc6381(config)),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
