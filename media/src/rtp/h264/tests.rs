use bytes::Bytes;
use proptest::prelude::*;

use super::depacketize::depacketize;
use super::*;
use crate::codec::h264::config_from_parameter_sets;
use crate::codec::nal::push_length_prefixed;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::config::Config;

const PPS_1: &[u8] = &[0x68, 0x5b, 0xe3, 0xcb];

fn config() -> Arc<Config> {
    Arc::new(config_from_parameter_sets(&[H264_SPS], &[H264_PPS, PPS_1]).unwrap())
}

fn frame(key: bool, nals: &[&[u8]]) -> Frame {
    let mut data = Vec::new();
    nals.iter().for_each(|nal| push_length_prefixed(&mut data, nal));
    Frame { number: 0, config: config(), dts: 0, pts: 0, key, data: data.into() }
}

/// A NAL unit of `size` bytes.
fn nal(header: u8, size: usize) -> Vec<u8> {
    let mut nal = vec![header];
    nal.extend((1..size).map(|at| at as u8));
    nal
}

#[test]
fn a_key_frame_begins_with_all_its_parameter_sets() {
    let idr = nal(0x65, 3000);
    let payloads = packetize(&frame(true, &[&idr]), 1200).unwrap();
    assert_eq!(depacketize(&payloads), [H264_SPS, H264_PPS, PPS_1, &idr]);
    assert_eq!(payloads[0][0], 0x78, "one STAP-A of the highest importance");
    let sizes: Vec<_> = payloads.iter().map(|payload| payload.len()).collect();
    assert_eq!(sizes, [1 + 3 * 2 + H264_SPS.len() + 4 + 4, 1002, 1002, 1001]);
    // Parameter sets that the access unit repeats are sent once; new ones are sent too.
    let again = frame(true, &[&[9, 0xf0], H264_SPS, H264_PPS, &[0x68, 0x33, 1], &idr[..50]]);
    let sent = depacketize(&packetize(&again, 1200).unwrap());
    assert_eq!(sent, [H264_SPS, H264_PPS, PPS_1, &[0x68, 0x33, 1], &idr[..50]]);
}

#[test]
fn small_units_share_a_payload_and_big_ones_are_cut() {
    let (a, b, c) = (nal(0x41, 500), nal(0x21, 600), nal(0x41, 400));
    let payloads = packetize(&frame(false, &[&a, &b, &c]), 1200).unwrap();
    assert_eq!(payloads.iter().map(|p| p.len()).collect::<Vec<_>>(), [1 + 2 + 500 + 2 + 600, 400]);
    assert_eq!(depacketize(&payloads), [&a[..], &b, &c]);
    for (size, expected) in [(1200, &[1200][..]), (1201, &[602, 602]), (2397, &[1200, 1200])] {
        let payloads = packetize(&frame(false, &[&nal(0x01, size)]), 1200).unwrap();
        assert_eq!(payloads.iter().map(|p| p.len()).collect::<Vec<_>>(), expected, "{size}");
    }
}

#[test]
fn only_what_a_decoder_needs_is_sent() {
    let slice = nal(0x41, 20);
    // Recovery point; picture timing and then a recovery point; picture timing; x264's settings.
    let recovery: &[u8] = &[0x06, 0x06, 0x01, 0xc4, 0x80];
    let both: &[u8] = &[0x06, 0x01, 0x01, 0x32, 0x06, 0x01, 0xc4, 0x80];
    let timing: &[u8] = &[0x06, 0x01, 0x01, 0x32, 0x80];
    let x264 = b"\x06\x05\x12\xdc\x45\xe9\xbd\xe6\xd9\x48\xb7\x96\x2c\xd8\x20\xd9\x23\xee\xef78\x80";
    let filler = nal(0x0c, 900);
    let foreign = nal(0x78, 30);
    let nals = [recovery, both, timing, x264, &foreign, &slice, &filler, &[0x0a], &[0x0b]];
    let sent = depacketize(&packetize(&frame(false, &nals), 1200).unwrap());
    assert_eq!(sent, [recovery, both, &slice]);
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    let good = frame(true, &[&nal(0x65, 20)]);
    assert!(packetize(&good, MIN_MTU - 1).is_err());
    assert!(packetize(&frame(false, &[&[9, 0xf0]]), 1200).is_err());
    let description = Bytes::from_static(&[1, 2, 3]);
    let torn = Frame { config: Arc::new(Config { description, ..(*config()).clone() }), ..good.clone() };
    assert!(packetize(&torn, 1200).is_err());
    let opus = Frame { config: Arc::new(crate::codec::opus::config_of_channels(2)), ..good };
    assert!(packetize(&opus, 1200).is_err());
}

proptest! {
    /// The NAL units come back, no payload is too long, and a unit's fragments are of one size.
    #[test]
    fn payloads_are_the_access_unit(
        mtu in MIN_MTU..2000,
        key: bool,
        nals in prop::collection::vec((0..4u8, 1..=5u8, prop_oneof![1..100usize, 1..9000usize]), 1..12),
    ) {
        let nals: Vec<_> = nals.iter().map(|&(nri, kind, size)| nal(nri << 5 | kind, size)).collect();
        let frame = frame(key, &nals.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let payloads = packetize(&frame, mtu).unwrap();
        prop_assert!(payloads.iter().all(|payload| payload.len() <= mtu));
        let sets = [H264_SPS, H264_PPS, PPS_1];
        let expected = sets.iter().take(if key { 3 } else { 0 }).copied();
        let expected: Vec<_> = expected.chain(nals.iter().map(Vec::as_slice)).collect();
        prop_assert_eq!(depacketize(&payloads), expected);
        for pair in payloads.windows(2).filter(|pair| pair.iter().all(|payload| payload[0] & 0x1f == 28)) {
            let (first, second) = (pair[0].len(), pair[1].len());
            // The fragments of a new unit have another size.
            prop_assert!(pair[1][1] & 0x80 != 0 || second == first || second < first && pair[1][1] & 0x40 != 0);
        }
    }

    /// No access unit causes a panic or a payload that is too long.
    #[test]
    fn any_bytes_do(data in prop::collection::vec(any::<u8>(), 0..300), mtu in 0..200usize, key: bool) {
        let whole = Frame { number: 0, data: data.into(), ..frame(key, &[]) };
        if let Ok(payloads) = packetize(&whole, mtu) {
            prop_assert!(payloads.iter().all(|payload| (1..=mtu).contains(&payload.len())));
        }
    }
}
