//! RTP: an H.264 access unit is restored from its payloads, none of which is too long; and frames from any
//! access units of a publisher can be sent on. The first byte selects the codec, the second the payload size,
//! the third whether it is a key frame.
#![no_main]

#[path = "../../../media/src/rtp/h264/depacketize.rs"]
mod depacketize;

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::codec::{h264, nal};
use media::rtp::VideoFramer;
use media::rtp::h264::{MIN_MTU, packetize};
use media::{Codec, Frame};

const SPS: &[u8] = b"\x67\x64\x00\x1e\xac\xda\x02\x80\xbf\xe5\x40";
const PPS: &[u8] = b"\x68\xef\x8f\xcb";

/// Sends the frame and compares the received one.
fn there_and_back(frame: &Frame, mtu: usize) {
    let Ok(payloads) = packetize(frame, mtu) else { return };
    assert!(payloads.iter().all(|payload| (1..=mtu).contains(&payload.len())));
    let sets = frame.key.then(|| h264::Avcc::parse(&frame.config.description).expect("was sent"));
    let (mut first, mut arrived) = (Vec::new(), depacketize::depacketize(&payloads));
    sets.into_iter().for_each(|sets| first.extend(sets.sps.into_iter().chain(sets.pps)));
    first.retain(|set| matches!(set[0] & 0x1f, 7 | 8));
    let after = arrived.split_off(first.len());
    assert_eq!(arrived, first);
    // A dropped NAL unit is neither a slice nor a new parameter set.
    let mut rest = after.iter();
    let mut expected = rest.next();
    for unit in nal::length_prefixed(&frame.data) {
        if expected.is_some_and(|nal| nal == unit) {
            expected = rest.next();
        } else {
            assert!(matches!(unit[0] & 0x1f, 0 | 6 | 9..=12 | 24..) || first.contains(&unit));
        }
    }
    assert_eq!(expected, None);
}

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, size, key], data)) = data.split_first_chunk() else { return };
    let mtu = MIN_MTU + usize::from(size) * 6;

    let config = Arc::new(h264::config_from_parameter_sets(&[SPS], &[PPS]).expect("two good sets"));
    let frame = |data| Frame { number: 0, config: config.clone(), dts: 0, pts: 0, key: key & 1 != 0, data };
    there_and_back(&frame(Bytes::copy_from_slice(data)), mtu);
    there_and_back(&frame(nal::annex_b_to_length_prefixed(data)), mtu);

    let codec = [Codec::H264, Codec::H265, Codec::Av1, Codec::Vp8, Codec::Vp9][usize::from(kind) % 5];
    let mut video = VideoFramer::new(codec).expect("a video codec");
    let mut order = h264::Reorder::new();
    // Two access units of half the bytes each, so that a second one follows the first.
    for (at, unit) in data.chunks(data.len() / 2 + 1).enumerate() {
        let Ok(Some(frame)) = video.frame(Bytes::copy_from_slice(unit), at as i64 * 1000) else { continue };
        assert!(!video.needs_key() && !frame.data.is_empty());
        order.push(&frame);
        assert_eq!(order.order(), h264::Order::Shown);
        let _ = (frame.config.codec_string(), media::mp4::init_segment(&[(1, &frame.config)]));
        if codec == Codec::H264 {
            there_and_back(&frame, mtu);
            let _ = h264::reorder_depth(&frame.config.description);
        }
    }
});
