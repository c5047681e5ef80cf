//! The media that a peer publishes: video and audio encoded by ffmpeg.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::clip::{Clip, Plain};
use crate::flv::{self, Tag};
use crate::ogg;

/// Video and audio, sent in a loop.
#[derive(Debug, Clone)]
pub struct Media {
    /// H.264 as Annex B; true for a key frame, which includes its parameter sets.
    pub pictures: Vec<(bool, Arc<[u8]>)>,
    /// Video frames per second.
    pub rate: u32,
    /// Opus packets of 20 ms.
    pub sounds: Vec<Arc<[u8]>>,
    /// Whether to keep video and audio in sync: no video frames are skipped for a requested key frame.
    pub whole: bool,
    /// The audio level to announce (RFC 6464), in dBov.
    pub level: Option<i8>,
}

impl Default for Media {
    /// No video and no audio.
    fn default() -> Self {
        Self { pictures: Vec::new(), rate: 30, sounds: Vec::new(), whole: false, level: None }
    }
}

impl Media {
    /// Returns the video of an H.264 clip, and Opus.
    #[track_caller]
    pub fn of(clip: Clip) -> Self {
        Self { rate: clip.rate(), ..Self::of_tags(&clip.tags().1) }
    }

    /// Returns the H.264 video of FLV tags, and Opus.
    #[track_caller]
    pub fn of_tags(tags: &[Tag]) -> Self {
        Self { pictures: pictures(tags), sounds: sounds(&Clip::Ogg.file()), ..Self::default() }
    }

    /// Returns video of one colour, and one tone.
    #[track_caller]
    pub fn plain(clip: &Plain) -> Self {
        let (video, audio) = clip.files();
        let (_, tags) = flv::read(&fs::read(video).expect("a readable clip"));
        Self { pictures: pictures(&tags), rate: clip.rate, sounds: sounds(&audio), ..Self::default() }
    }

    /// Returns media like a browser's: constrained baseline and Opus.
    #[track_caller]
    pub fn usual() -> Self {
        Self::of(Clip::Baseline)
    }

    /// The same with this audio level, in dBov.
    #[must_use]
    pub fn loud(self, level: i8) -> Self {
        Self { level: Some(level), ..self }
    }

    /// The same without audio.
    #[must_use]
    pub fn mute(self) -> Self {
        Self { sounds: Vec::new(), ..self }
    }

    /// The same without video.
    #[must_use]
    pub fn blind(self) -> Self {
        Self { pictures: Vec::new(), ..self }
    }
}

/// Returns the packets of an Ogg file.
#[track_caller]
fn sounds(file: &Path) -> Vec<Arc<[u8]>> {
    ogg::packets(&fs::read(file).expect("a readable clip")).into_iter().map(Arc::from).collect()
}

fn pictures(tags: &[Tag]) -> Vec<(bool, Arc<[u8]>)> {
    let video = || tags.iter().filter(|tag| tag.kind == flv::VIDEO);
    let config = video().find(|tag| !tag.is_frame()).expect("a sequence header");
    let sets = annex_b(parameter_sets(&config.body[5..]));
    let frames = video().filter(|tag| tag.is_frame());
    let frames = frames.map(|tag| {
        let picture = annex_b(length_prefixed(tag.frame().1));
        let key = tag.is_key();
        (key, if key { [sets.clone(), picture].concat().into() } else { picture.into() })
    });
    frames.collect()
}

/// Returns the parameter sets of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1).
fn parameter_sets(record: &[u8]) -> Vec<&[u8]> {
    let (mut at, mut sets) = (5, Vec::new());
    for mask in [0x1f, 0xff] {
        let count = record[at] & mask;
        at += 1;
        for _ in 0..count {
            let size = usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
            sets.push(&record[at + 2..at + 2 + size]);
            at += 2 + size;
        }
    }
    sets
}

fn length_prefixed(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<4>() {
        let (unit, rest) = rest.split_at(u32::from_be_bytes(*size) as usize);
        units.push(unit);
        bytes = rest;
    }
    units
}

fn annex_b(units: Vec<&[u8]>) -> Vec<u8> {
    units.into_iter().flat_map(|unit| [&[0, 0, 0, 1], unit].concat()).collect()
}

/// Returns the slices of a video frame, which no container and no transport changes.
///
/// `picture` is Annex B, or has 4-byte lengths as in FLV.
pub fn slices(picture: &[u8]) -> Vec<u8> {
    let units = match picture {
        // No slice has only one byte.
        [0, 0, 0, 1, ..] => split(picture),
        _ => length_prefixed(picture),
    };
    units.into_iter().filter(|unit| matches!(unit[0] & 0x1f, 1 | 5)).collect::<Vec<_>>().concat()
}

/// Splits Annex B into NAL units.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        (0..bytes.len().saturating_sub(3)).filter(|&at| bytes[at..at + 3] == [0, 0, 1]).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
    let units = starts.iter().zip(ends).map(|(start, end)| {
        let last = end == bytes.len();
        // A start code may be preceded by a third zero.
        let end = if !last && bytes[end - 1] == 0 { end - 1 } else { end };
        &bytes[start + 3..end]
    });
    units.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_the_same_in_both_forms() {
        let units: Vec<&[u8]> = vec![&[0x67, 1], &[0x68, 2], &[0x65, 3, 0, 7], &[0x41, 4]];
        let lengths: Vec<u8> =
            units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes()[..], unit].concat()).collect();
        assert_eq!(slices(&annex_b(units)), [0x65, 3, 0, 7, 0x41, 4]);
        assert_eq!(slices(&lengths), [0x65, 3, 0, 7, 0x41, 4]);
    }
}
