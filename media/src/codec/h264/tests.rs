use super::*;
use crate::codec::samples::{H264_PPS, H264_SPS};

#[test]
fn sizes_are_cropped() {
    for (sps, width, height, profile) in [
        ("6764001facd9405005bb0110000003001000000303c0f1831960", 1280, 720, 100),
        ("6742c01eda0280bfe5c044000003000400000300f03c58ba80", 640, 360, 66),
        ("674d4028eca03c0113f2e0220000030002000003007 81e30632c", 1920, 1080, 77),
        ("67f4001f919b281b07bc5f80880000030008000003 01e078c18cb0", 854, 480, 244),
        // Interlaced: map units of two rows.
        ("674d4028f403c0227ef011000003000100000300321f162ea0", 1920, 1080, 77),
    ] {
        let parsed = Sps::parse(&crate::codec::samples::hex(sps)).unwrap();
        assert_eq!((parsed.width, parsed.height, parsed.profile), (width, height, profile), "{sps}");
    }
    assert!(Sps::parse(&H264_SPS[..7]).is_err());
}

#[test]
fn avcc_from_sets_and_back_and_with_short_lengths() {
    let config = config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap();
    assert_eq!(config.codec_string(), "avc1.64001f");
    let parsed = Avcc::parse(&config.description).unwrap();
    assert_eq!(parsed, Avcc { length_size: 4, sps: vec![H264_SPS], pps: vec![H264_PPS] });
    let mut short = config.description.to_vec();
    short[4] = 0xfd;
    assert_eq!(config_from_avcc(short.into()).unwrap(), config);
    assert!(config_from_avcc(Bytes::from_static(&[1, 100, 0, 31, 0xff, 0xe0, 0])).is_err());
}

#[test]
fn new_parameter_sets_in_band_make_a_new_config() {
    let config = config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap();
    let idr = [0x65, 0x88, 0x80, 0x40];
    let mut au = Vec::new();
    for nal in [H264_SPS, &[0x68, 0xee, 0x01, 0x02][..], &idr] {
        nal::push_length_prefixed(&mut au, nal);
    }
    let (new, rest) = take_parameter_sets(au.into(), Some(&config)).unwrap();
    let new = new.expect("the PPS differs");
    assert_eq!(Avcc::parse(&new.description).unwrap().pps, [&[0x68, 0xee, 0x01, 0x02]]);
    assert_eq!(length_prefixed(&rest).collect::<Vec<_>>(), [idr]);
    assert_eq!(entry_point(&rest), EntryPoint::Idr);
}

#[test]
fn entry_points() {
    let au = |nals: &[&[u8]]| {
        let mut out = Vec::new();
        nals.iter().for_each(|nal| nal::push_length_prefixed(&mut out, nal));
        entry_point(&out)
    };
    let (i_slice, p_slice): (&[u8], &[u8]) = (&[0x61, 0x88, 0x84], &[0x41, 0x9a, 0x24]);
    let recovery: &[u8] = &[0x06, 0x05, 0x01, 0xaa, 0x06, 0x01, 0xc4, 0x80];
    assert_eq!(au(&[&[9, 0xf0], i_slice]), EntryPoint::Recovery);
    assert_eq!(au(&[&[9, 0xf0], p_slice]), EntryPoint::None);
    assert_eq!(au(&[recovery, p_slice]), EntryPoint::Recovery);
    assert_eq!(au(&[&[9, 0xf0], &recovery[..5]]), EntryPoint::NoPicture);
}

/// An access unit of these NAL units with an IDR picture.
fn key_unit(sets: &[&[u8]]) -> Bytes {
    let mut out = Vec::new();
    for nal in sets.iter().chain([&&[0x65, 0x88, 0x80, 0x40][..]]) {
        nal::push_length_prefixed(&mut out, nal);
    }
    out.into()
}

/// Repeats the header byte of the NAL unit, as Firefox does in `avcC`.
fn doubled(nal: &[u8]) -> Vec<u8> {
    [&nal[..1], nal].concat()
}

#[test]
fn in_band_sets_correct_a_wrong_avcc() {
    let right = config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap();
    let (sps, pps) = (doubled(H264_SPS), doubled(H264_PPS));
    // 640x360, seq_parameter_set_id 1.
    let other_sps = crate::codec::samples::hex("6742c01e5680a02ff970110000030001000003003c0f162ea0");
    for (sets, pps) in [
        (vec![&sps[..]], vec![&pps[..]]),
        // The right sets together with the wrong ones.
        (vec![&sps[..], H264_SPS], vec![&pps[..], H264_PPS]),
        (vec![&sps[..]], vec![H264_PPS]),
        (vec![H264_SPS], vec![&pps[..]]),
    ] {
        let wrong = config_from_parameter_sets(&sets, &pps).unwrap();
        let (new, _) = take_parameter_sets(key_unit(&[H264_SPS, H264_PPS]), Some(&wrong)).unwrap();
        assert_eq!(new.as_ref(), Some(&right), "{sets:02x?} {pps:02x?}");
        let (again, _) = take_parameter_sets(key_unit(&[H264_SPS, H264_PPS]), new.as_ref()).unwrap();
        assert_eq!(again, None);
    }
    // A stream may have several sets: all are kept, and the set in use gives the size.
    assert_eq!(Sps::parse(&other_sps).map(|sps| (sps.id, sps.width)), Ok((1, 640)));
    let both = config_from_parameter_sets(&[&other_sps, H264_SPS], &[H264_PPS]).unwrap();
    assert_eq!(both.video().map(|video| video.width), Some(640));
    let (new, _) = take_parameter_sets(key_unit(&[H264_SPS, H264_PPS]), Some(&both)).unwrap();
    let new = new.expect("the other SPS is in use");
    assert_eq!(Avcc::parse(&new.description).unwrap().sps, [H264_SPS, &other_sps]);
    assert_eq!(new.video().map(|video| video.width), Some(1280));
    // Without an in-band SPS nothing contradicts the record.
    let wrong = config_from_parameter_sets(&[&sps], &[&pps]).unwrap();
    assert_eq!(take_parameter_sets(key_unit(&[]), Some(&wrong)).unwrap().0, None);
}

#[test]
fn an_sps_alone_in_band_is_followed_too() {
    let config = config_from_parameter_sets(&[H264_SPS], &[]).unwrap();
    let other = [&H264_SPS[..3], &[0x20], &H264_SPS[4..]].concat();
    let (new, _) = take_parameter_sets(key_unit(&[&other]), Some(&config)).unwrap();
    assert_eq!(Avcc::parse(&new.expect("the SPS differs").description).unwrap().sps, [other]);
}

#[test]
fn no_message_has_more_parameter_sets_than_can_be_compared() {
    let mut au = Vec::new();
    for id in 0..nal::MAX_SETS as u32 {
        let mut writer = crate::bits::BitWriter::new();
        writer.bits(0x68, 8);
        [id % 200, 0].iter().for_each(|&value| writer.ue(value));
        writer.bits(1, 1);
        nal::push_length_prefixed(&mut au, &writer.into_bytes());
    }
    nal::push_length_prefixed(&mut au, &[0x65, 0x88, 0x80, 0x40]);
    let config = config_from_parameter_sets(&[H264_SPS], &[]).unwrap();
    let (new, _) = take_parameter_sets(au.clone().into(), Some(&config)).unwrap();
    assert_eq!(Avcc::parse(&new.unwrap().description).unwrap().pps.len(), 200);
    nal::push_length_prefixed(&mut au, H264_PPS);
    let refused = take_parameter_sets(au.into(), Some(&config)).unwrap_err();
    assert!(matches!(refused.kind, crate::error::ErrorKind::TooLarge(_)), "{refused}");
}
