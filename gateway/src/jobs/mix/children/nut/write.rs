//! Writes NUT: the headers once, then a header before each frame's bytes.

use bytes::{BufMut as _, Bytes};

use super::{FILE_ID, INFO, MAIN, STREAM, SYNCPOINT, checksum, flags};

/// Length of a packet from which its header has its own checksum.
const LONG: usize = 4096;
/// Frame codes of key frames and of other frames, in the table that the main header describes.
const KEY_CODE: u8 = 0;
const OTHER_CODE: u8 = 128;

/// Describes the stream.
#[derive(Debug)]
pub(in crate::jobs::mix::children) struct Header<'a> {
    /// The codec: a FourCC as in AVI.
    pub(in crate::jobs::mix::children) fourcc: [u8; 4],
    /// The decoder configuration.
    pub(in crate::jobs::mix::children) description: &'a [u8],
    /// Width and height in pixels; 0 if not known.
    pub(in crate::jobs::mix::children) size: (u32, u32),
    /// Number of time units in a second.
    pub(in crate::jobs::mix::children) time_base: u32,
    /// Frames in a second, if it is known.
    pub(in crate::jobs::mix::children) rate: Option<u32>,
}

/// Returns everything before the first frame.
pub(in crate::jobs::mix::children) fn header(header: &Header<'_>) -> Bytes {
    let mut out = FILE_ID.to_vec();
    packet(&mut out, MAIN, &main(header.time_base));
    packet(&mut out, STREAM, &stream(header));
    if let Some(rate) = header.rate {
        packet(&mut out, INFO, &info(rate));
    }
    // The time of this syncpoint is 0. No other follows, because ffmpeg would remember each of them. The frames need
    // none: all have absolute times and a checksum, and the pipe loses nothing.
    packet(&mut out, SYNCPOINT, &[0, 0]);
    out.into()
}

/// Returns the header of a frame of `length` bytes with the presentation time `pts`, which is not negative.
pub(in crate::jobs::mix::children) fn frame_header(pts: u64, key: bool, length: usize) -> Bytes {
    let mut out = vec![if key { KEY_CODE } else { OTHER_CODE }];
    // Values from 2^msb_pts_shift on, which is 1, are absolute.
    put_v(&mut out, pts + 1);
    put_v(&mut out, length as u64);
    let checksum = checksum(&out);
    out.put_u32(checksum);
    out.into()
}

fn main(time_base: u32) -> Vec<u8> {
    let mut out = Vec::new();
    // version, minor_version, stream_count, max_distance, time_base_count, and the time base.
    for value in [4, 1, 1, 65536, 1, 1, u64::from(time_base)] {
        put_v(&mut out, value);
    }
    // The table of 255 frame codes; 'N' is not counted. The first half is for key frames.
    for (flag, count) in [(flags::KEY, 127), (0, 128)] {
        let flag = flag | flags::CODED_PTS | flags::SIZE_MSB | flags::CHECKSUM;
        // The flags, six fields: pts_delta, data_size_mul, stream_id, data_size_lsb, reserved_count, count.
        for value in [flag, 6, 0, 1, 0, 0, 0, count] {
            put_v(&mut out, value);
        }
    }
    // header_count_minus1, and main_flags: PIPE_MODE, without which ffmpeg expects syncpoints.
    out.extend([0, 2]);
    out
}

fn stream(header: &Header<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    // stream_id, stream_class: video
    out.extend([0, 0]);
    put_bytes(&mut out, &header.fourcc);
    // time_base_id, msb_pts_shift, max_pts_distance, decode_delay, stream_flags
    out.extend([0, 0, 0, 0, 0]);
    put_bytes(&mut out, header.description);
    let (width, height) = header.size;
    // The sample aspect ratio 0:0 means unknown. The last value is the colour space.
    for value in [width, height, 0, 0, 0] {
        put_v(&mut out, u64::from(value));
    }
    out
}

fn info(rate: u32) -> Vec<u8> {
    // stream_id_plus1, chapter_id, chapter_start, chapter_len, count
    let mut out = vec![1, 0, 0, 0, 1];
    put_bytes(&mut out, b"r_frame_rate");
    // The type UTF-8, which is -1 in the coding of signed numbers.
    out.push(2);
    put_bytes(&mut out, format!("{rate}/1").as_bytes());
    out
}

fn packet(out: &mut Vec<u8>, startcode: u64, content: &[u8]) {
    let begin = out.len();
    out.put_u64(startcode);
    // The content and its checksum.
    let forward = content.len() + 4;
    put_v(out, forward as u64);
    if forward > LONG {
        let checksum = checksum(&out[begin..]);
        out.put_u32(checksum);
    }
    out.extend(content);
    out.put_u32(checksum(content));
}

fn put_v(out: &mut Vec<u8>, value: u64) {
    let digits = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for digit in (0..digits).rev() {
        let more = if digit > 0 { 0x80 } else { 0 };
        out.push((value >> (7 * digit)) as u8 & 0x7F | more);
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_v(out, bytes.len() as u64);
    out.extend(bytes);
}
