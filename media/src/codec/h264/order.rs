//! Decode order and display order, for players (WebRTC) that cannot reorder frames.

use std::sync::Arc;

use super::{Avcc, Sps, length_prefixed, nal_type, nal_type_of, slice_type};
use crate::config::{Codec, Config};
use crate::frame::Frame;
use crate::time::{Micros, SECOND};

/// Returns whether other pictures may reference this access unit (4-byte lengths): the `nal_ref_idc` of its
/// slices.
pub fn is_reference(au: &[u8]) -> bool {
    length_prefixed(au).any(|nal| is_slice(nal) && nal[0] & 0x60 != 0)
}

/// Returns whether this access unit (4-byte lengths) is a B picture: all its slices are B slices.
pub fn is_b(au: &[u8]) -> bool {
    let mut slices = length_prefixed(au).filter(|nal| is_slice(nal)).peekable();
    slices.peek().is_some() && slices.all(|nal| matches!(slice_type(nal), Ok(1 | 6)))
}

fn is_slice(nal: &[u8]) -> bool {
    matches!(nal_type_of(nal), nal_type::SLICE..=nal_type::IDR)
}

/// Returns how many frames may be decoded before a frame that is shown earlier, from the parameter sets of an
/// `avcC`: 0 for a stream without B-frames. `None` if they do not say, which allows any number.
pub fn reorder_depth(avcc: &[u8]) -> Option<u8> {
    let avcc = Avcc::parse(avcc).ok()?;
    avcc.sps.iter().try_fold(None, |most, sps| Some(most.max(Some(Sps::reorder(sps)?))))?
}

/// Returns the three bytes of SDP's `profile-level-id` (RFC 6184 8.1): profile, constraint flags, level.
pub fn profile_level_id(avcc: &[u8]) -> Option<[u8; 3]> {
    let avcc = Avcc::parse(avcc).ok()?;
    avcc.sps.first()?.get(1..4)?.try_into().ok()
}

/// Relation between decode order and display order in a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Every frame so far arrived in display order.
    #[default]
    Shown,
    /// Frames arrive out of order, but those that arrive late can be dropped, which leaves the others in
    /// order.
    Droppable,
    /// Frames arrive out of order, and some of the late ones cannot be dropped.
    Mixed,
}

/// The role of one frame for a player that cannot reorder frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameRole {
    /// Shown after all earlier frames.
    Next,
    /// Shown before an earlier frame, and can be dropped: no other picture references it, or it is a B
    /// picture that only other B pictures reference.
    ///
    /// The second condition is a habit of encoders, not a rule of the format: P pictures may reference
    /// earlier B pictures. x264 does not do that with one reference picture (presets up to veryfast). With
    /// more reference pictures it does, and dropping the B pictures causes smearing until the next key frame.
    Droppable,
    /// Shown before an earlier frame, but other pictures reference it.
    Needed,
}

/// Detects the frame order of a stream from its frames. The parameter sets ([`reorder_depth`]) allow more
/// than most encoders use.
#[derive(Debug, Clone)]
pub struct Reorder {
    config: Option<Arc<Config>>,
    newest: Option<Micros>,
    order: Order,
}

impl Default for Reorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Reorder {
    /// A larger step back is a new start, not a B-frame: 16 pictures at 4 per second.
    const MAX_STEP: Micros = 4 * SECOND;

    /// Creates a detector without any knowledge of the stream.
    pub const fn new() -> Self {
        Self { config: None, newest: None, order: Order::Shown }
    }

    /// Adds the next video frame in decode order, and returns its role.
    pub fn push(&mut self, frame: &Frame) -> FrameRole {
        let known = |config: &Arc<Config>| Arc::ptr_eq(config, &frame.config) || *config == frame.config;
        if !self.config.as_ref().is_some_and(known) {
            *self = Self { config: Some(frame.config.clone()), ..Self::new() };
        }
        let late = self.newest.map_or(0, |newest| newest.saturating_sub(frame.pts));
        if late <= 0 || late > Self::MAX_STEP {
            self.newest = Some(frame.pts);
            return FrameRole::Next;
        }
        let h264 = frame.config.codec == Codec::H264;
        let spare = h264 && (!is_reference(&frame.data) || is_b(&frame.data));
        let (role, order) =
            if spare { (FrameRole::Droppable, Order::Droppable) } else { (FrameRole::Needed, Order::Mixed) };
        self.order = self.order.max(order);
        role
    }

    /// Returns the order detected with the current configuration.
    pub const fn order(&self) -> Order {
        self.order
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::config_from_parameter_sets;
    use super::*;
    use crate::codec::samples::{H264_PPS, H264_SPS, hex};

    fn avcc(sps: &str) -> Bytes {
        config_from_parameter_sets(&[&hex(sps)], &[H264_PPS]).unwrap().description
    }

    #[test]
    fn what_the_parameter_sets_say() {
        let baseline = "6742c01ed900a02ff970110000030001000003003c0f162e48";
        for (sps, depth) in [
            // From x264: default settings, without B-frames, with one B-frame, and with HRD parameters for
            // CBR.
            ("6764001eacd940a02ff970110000030001000003003c0f162d96", Some(2)),
            ("6764001eacb201405ff2e022000003000200000300781e2c5c90", Some(0)),
            ("6764001eace40280bfe5c044000003000400000300f03c58b448", Some(1)),
            ("6764001eacd940a02ff970110000030001000003003c604000f424001e84e4c30078b16cb0", Some(2)),
            (baseline, Some(0)),
            // Without a VUI: known by the order type, by an intra profile, and not known.
            ("674d001eda0280bfe540", Some(0)),
            ("6764101eacda0280bfe540", Some(0)),
            ("6764001eacda0280bfe540", None),
        ] {
            assert_eq!(reorder_depth(&avcc(sps)), depth, "{sps}");
        }
        assert_eq!(reorder_depth(&[1, 2, 3]), None);
        assert_eq!(profile_level_id(&avcc(baseline)), Some([0x42, 0xc0, 0x1e]));
    }

    const REF: u8 = 0x41;
    const B: u8 = 0x01;
    /// A B picture that others reference; the highest bit, which is 0 in a stream, distinguishes it from
    /// `REF`.
    const B_REF: u8 = 0xc1;

    fn order_of(pictures: &[(Micros, u8)]) -> (Order, Vec<Micros>) {
        let config = Arc::new(config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap());
        let mut reorder = Reorder::new();
        let mut shown = Vec::new();
        for (at, &(pts, header)) in pictures.iter().enumerate() {
            // `first_mb_in_slice` 0, and then `slice_type` 7, 1 or 5: I, B or P.
            let kind = [0x88, 0xa0, 0x98][match header {
                0x65 => 0,
                B | B_REF => 1,
                _ => 2,
            }];
            let data = Bytes::copy_from_slice(&[0, 0, 0, 2, header & 0x7f, kind]);
            let (pts, dts, key) = (pts * 40_000, at as Micros * 40_000, header == 0x65);
            let frame = Frame { number: 0, config: config.clone(), dts, pts, key, data };
            if reorder.push(&frame) == FrameRole::Next {
                shown.push(pts / 40_000);
            }
        }
        (reorder.order(), shown)
    }

    #[test]
    fn b_frames_can_be_left_out_unless_others_need_them() {
        let plain = [(2, 0x65), (3, REF), (4, REF), (5, B)];
        assert_eq!(order_of(&plain), (Order::Shown, vec![2, 3, 4, 5]));
        let flat = [(2, 0x65), (6, REF), (3, B), (4, B), (5, B), (10, 0x65), (7, B), (8, B)];
        assert_eq!(order_of(&flat), (Order::Droppable, vec![2, 6, 10]));
        let pyramid = [(2, 0x65), (6, REF), (4, B_REF), (3, B), (5, B), (10, REF)];
        assert_eq!(order_of(&pyramid), (Order::Droppable, vec![2, 6, 10]));
        let strange = [(2, 0x65), (6, REF), (4, REF), (3, B), (5, B), (10, REF)];
        assert_eq!(order_of(&strange), (Order::Mixed, vec![2, 6, 10]));
        // A stream that starts again is not out of order.
        assert_eq!(order_of(&[(900, 0x65), (901, REF), (2, 0x65), (3, REF)]).0, Order::Shown);
    }
}
