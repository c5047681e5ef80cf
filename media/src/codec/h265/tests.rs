use super::*;
use crate::codec::samples::{H265_PPS, H265_SPS, H265_VPS, hex};

/// From x265 in FFmpeg's hvcC, 1920x1080.
const HVCC: &str = "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff0160000003009000000300\
    00030078959809210001002a420101016000000300900000030000030078a003c08010e596566924caf016808000000300800\
    0000f0422000100074401c172b46240";

#[test]
fn hvcc_of_ffmpeg_and_our_own_agree() {
    let theirs = config_from_hvcc(hex(HVCC).into()).unwrap();
    assert_eq!(theirs.video(), Some(Video { width: 1920, height: 1080 }));
    assert_eq!(theirs.codec_string(), "hvc1.1.6.L120.90");
    let ours = config_from_parameter_sets(&[H265_VPS], &[H265_SPS], &[H265_PPS]).unwrap();
    // The array headers differ in array_completeness, which `hvc1` requires.
    assert_eq!(ours.description.len(), theirs.description.len());
    assert_eq!(ours.description[..13], theirs.description[..13]);
    assert_eq!(Hvcc::parse(&ours.description), Hvcc::parse(&theirs.description));
    let mut short = hex(HVCC);
    short[21] &= 0xfd;
    assert_eq!(config_from_hvcc(short.into()).unwrap(), ours);
}

#[test]
fn ten_bits_and_cropping() {
    let sps = hex("42010102200000030090000003000003003fa005020169f4d96566924caf016808000003000800000300f040");
    let sps = Sps::parse(&sps).unwrap();
    assert_eq!((sps.width, sps.height, sps.bit_depth_luma), (640, 358, 10));
    let config = config_from_parameter_sets(
        &[],
        &[&hex("42010102200000030090000003000003003fa005020169f4d96566924caf016808000003000800000300f040")],
        &[],
    );
    assert_eq!(config.unwrap().codec_string(), "hvc1.2.4.L63.90");
}

#[test]
fn parameter_sets_in_band_and_entry_points() {
    let mut au = Vec::new();
    let cra = [0x2a, 0x01, 0xac];
    for nal in [H265_VPS, H265_SPS, H265_PPS, &cra[..]] {
        nal::push_length_prefixed(&mut au, nal);
    }
    let (config, rest) = take_parameter_sets(au.clone().into(), None).unwrap();
    assert_eq!(length_prefixed(&rest).collect::<Vec<_>>(), [cra]);
    assert_eq!(take_parameter_sets(au.into(), config.as_ref()).unwrap(), (None, rest.clone()));
    assert_eq!(entry_point(&rest), EntryPoint::Idr);
    assert_eq!(entry_point(&[0, 0, 0, 3, 0x02, 0x01, 0xd0]), EntryPoint::None);
}

#[test]
fn in_band_sets_correct_a_wrong_hvcc() {
    let right = config_from_parameter_sets(&[H265_VPS], &[H265_SPS], &[H265_PPS]).unwrap();
    // Repeats the two header bytes of the NAL unit.
    let [vps, sps, pps] = [H265_VPS, H265_SPS, H265_PPS].map(|nal| [&nal[..2], nal].concat());
    let mut unit = Vec::new();
    for nal in [H265_VPS, H265_SPS, H265_PPS, &[0x26, 0x01, 0xaf, 0x09][..]] {
        nal::push_length_prefixed(&mut unit, nal);
    }
    let unit = Bytes::from(unit);
    for broken in [[&vps[..], &sps, &pps], [&vps, H265_SPS, &pps], [H265_VPS, &sps, H265_PPS]] {
        let [vps, sps, pps] = broken;
        // An unreadable record is ignored.
        let wrong = config_from_parameter_sets(&[vps], &[sps], &[pps]).ok();
        let (new, _) = take_parameter_sets(unit.clone(), wrong.as_ref()).unwrap();
        assert_eq!(new.as_ref(), Some(&right), "{broken:02x?}");
        assert_eq!(take_parameter_sets(unit.clone(), new.as_ref()).unwrap().0, None);
    }
}

#[test]
fn neither_message_nor_record_has_more_parameter_sets_than_can_be_compared() {
    let is_refused =
        |result: Result<()>| matches!(result.unwrap_err().kind, crate::error::ErrorKind::TooLarge(_));
    let mut unit = Vec::new();
    (0..=nal::MAX_SETS).for_each(|_| nal::push_length_prefixed(&mut unit, H265_PPS));
    assert!(is_refused(take_parameter_sets(unit.into(), None).map(drop)));
    let record = |count: u16| {
        let head = [&[1][..], &[0; 20], &[0xff, 1, 34], &count.to_be_bytes()].concat();
        [head, [0, 1, 0x44].repeat(count.into())].concat()
    };
    let most = nal::MAX_SETS as u16;
    assert_eq!(Hvcc::parse(&record(most)).unwrap().pps.len(), nal::MAX_SETS);
    assert!(is_refused(Hvcc::parse(&record(most + 1)).map(drop)));
}
