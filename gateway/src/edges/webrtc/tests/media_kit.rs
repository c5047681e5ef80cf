//! Video frames and audio packets that contain their number, so that broken ones are noticed.

use std::sync::Arc;

use bytes::Bytes;
use media::codec::{h264, nal, opus};
use media::time::{MILLI, Micros};
use media::{Config, Frame};

const SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60,
];
const PPS: &[u8] = &[0x68, 0xef, 0x8f, 0xcb];

/// NAL unit headers: of key frames, of reference frames, and of frames that no other frame needs.
pub(super) const KEY: u8 = 0x65;
pub(super) const REFERENCE: u8 = 0x41;
pub(super) const DROPPABLE: u8 = 0x01;

/// The time between two video frames: 25 per second.
pub(super) const PICTURE: Micros = 40 * MILLI;
/// Duration of an audio packet.
pub(super) const SOUND: Micros = 20 * MILLI;

pub(super) fn video() -> Arc<Config> {
    Arc::new(h264::config_from_parameter_sets(&[SPS], &[PPS]).unwrap())
}

pub(super) fn audio() -> Arc<Config> {
    Arc::new(opus::config_of_channels(2))
}

/// Returns bytes that are never 0, so that they contain no start code.
fn body(number: u32, size: usize) -> Vec<u8> {
    let head = (0..5).map(|at| 0x80 | (number >> (7 * at)) as u8);
    let tail = (0..size).map(|at| 0x80 | (number as usize * 31 + at * 7) as u8);
    head.chain(tail).collect()
}

fn number(body: &[u8]) -> Option<u32> {
    let (head, tail) = body.split_at_checked(5)?;
    let number = head.iter().rev().fold(0u64, |n, byte| n << 7 | u64::from(byte & 0x7f)) as u32;
    (self::body(number, tail.len()) == body).then_some(number)
}

/// A video frame of one NAL unit with this header.
pub(super) fn picture(config: &Arc<Config>, number: u32, header: u8, size: usize, at: Micros) -> Frame {
    let slice = if header == KEY { 0x88 } else { 0x9a };
    let nal = [&[header, slice], &body(number, size)[..]].concat();
    let mut data = Vec::new();
    nal::push_length_prefixed(&mut data, &nal);
    Frame { number: 0, config: config.clone(), dts: at, pts: at, key: header == KEY, data: data.into() }
}

pub(super) fn sound(config: &Arc<Config>, number: u32, at: Micros) -> Frame {
    Frame { number: 0, config: config.clone(), dts: at, pts: at, key: true, data: sound_packet(number) }
}

/// One Opus frame of 20 ms in stereo.
pub(super) fn sound_packet(number: u32) -> Bytes {
    [&[0xfc], &body(number, 100)[..]].concat().into()
}

/// The number in a whole audio packet; none if it is broken.
pub(super) fn sound_number(packet: &[u8]) -> Option<u32> {
    number(packet.strip_prefix(&[0xfc])?)
}

/// The number in a whole video frame with this many bytes, from its NAL units; none if it is broken.
pub(super) fn picture_number<'a>(nals: impl Iterator<Item = &'a [u8]>, size: usize) -> Option<u32> {
    let mut slices = nals.filter(|nal| matches!(nal.first(), Some(&(KEY | REFERENCE | DROPPABLE))));
    let (slice, more) = (slices.next()?, slices.next());
    (more.is_none() && slice.len() == size + 7).then(|| number(&slice[2..])).flatten()
}
