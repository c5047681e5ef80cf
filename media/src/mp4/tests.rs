use bytes::Bytes;

use super::*;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::codec::{aac, h264};

/// Returns the boxes of one level: type and content.
fn boxes(mut data: &[u8]) -> Vec<(String, &[u8])> {
    let mut out = Vec::new();
    while !data.is_empty() {
        let size = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        out.push((String::from_utf8_lossy(&data[4..8]).into_owned(), &data[8..size]));
        data = &data[size..];
    }
    out
}

fn find<'a>(data: &'a [u8], path: &str) -> &'a [u8] {
    path.split('/').fold(data, |data, kind| {
        boxes(data).into_iter().find(|(k, _)| k == kind).unwrap_or_else(|| panic!("no {kind}")).1
    })
}

fn h264_config() -> Config {
    h264::config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap()
}

#[test]
fn the_initialisation_segment_has_both_tracks_and_no_duration() {
    let (v, a) = (h264_config(), aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap());
    let init = init_segment(&[(1, &v), (2, &a)]).unwrap();
    assert_eq!(boxes(&init).iter().map(|(kind, _)| &kind[..]).collect::<Vec<_>>(), ["ftyp", "moov"]);
    let moov = find(&init, "moov");
    let kinds: Vec<_> = boxes(moov).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["mvhd", "trak", "trak", "mvex"]);
    assert_eq!(find(moov, "mvhd").len(), 100);
    assert_eq!(find(moov, "mvhd")[16..20], [0; 4]);
    assert_eq!(boxes(find(moov, "mvex")).len(), 2);
    let tkhd = find(moov, "trak/tkhd");
    assert_eq!((tkhd.len(), &tkhd[76..]), (84, &[5, 0, 0, 0, 2, 0xd0, 0, 0][..]));
    let avc1 = &find(moov, "trak/mdia/minf/stbl/stsd")[8..];
    assert_eq!(find(&boxes(avc1)[0].1[78..], "avcC"), &v.description[..]);
    assert_eq!(mime(&[&v, &a]), "video/mp4; codecs=\"avc1.64001f,mp4a.40.2\"");
    assert_eq!(mime(&[&a]), "audio/mp4; codecs=\"mp4a.40.2\"");
    assert!(init_segment(&[]).is_err());
}

#[test]
fn a_long_audio_description_has_its_size_in_the_descriptors() {
    let mut asc = vec![0x13, 0x10];
    asc.resize(200, 0);
    let config = aac::config_from_asc(asc.into()).unwrap();
    let init = init_segment(&[(1, &config)]).unwrap();
    let entry = &find(&init, "moov/trak/mdia/minf/stbl/stsd")[8..];
    let esds = &find(&boxes(entry)[0].1[28..], "esds")[4..];
    // ES descriptor, decoder configuration, decoder specific information.
    assert_eq!(esds[..5], [3, 0x80, 0x80, 0x81, (3 + 5 + 13 + 5 + 200 + 5 + 1) & 0x7f]);
    assert_eq!(esds[8..13], [4, 0x80, 0x80, 0x81, (13 + 5 + 200) & 0x7f]);
    assert_eq!(esds[26..33], [5, 0x80, 0x80, 0x81, 200 & 0x7f, 0x13, 0x10]);
}

#[test]
fn a_fragment_has_its_times_and_its_data_where_it_says() {
    let samples = [
        Sample { dts: 5_000_000_000, pts: 5_000_080_000, duration: 40_000, key: true, data: b"first" },
        Sample { dts: 5_000_040_000, pts: 5_000_000_000, duration: 40_000, key: false, data: b"second" },
    ];
    let mut out = b"before".to_vec();
    fragment(&mut out, 7, 3, &samples);
    let out = &out[6..];
    assert_eq!(out.len(), fragment_size(&samples));
    assert_eq!(find(out, "mdat"), b"firstsecond");
    assert_eq!(find(out, "moof/mfhd")[4..], [0, 0, 0, 7]);
    assert_eq!(find(out, "moof/traf/tfhd"), [0, 2, 0, 0, 0, 0, 0, 3]);
    assert_eq!(find(out, "moof/traf/tfdt")[4..], 5_000_000_000u64.to_be_bytes());
    let trun = find(out, "moof/traf/trun");
    let word = |at: usize| i32::from_be_bytes(trun[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4)), (0x0100_0f01, 2));
    assert_eq!(&out[word(8) as usize..][..5], b"first");
    assert_eq!((word(12), word(16), word(20), word(24)), (40_000, 5, FLAGS[0], 80_000));
    assert_eq!((word(28), word(32), word(36), word(40)), (40_000, 6, FLAGS[1], -40_000));
}

const FLAGS: [i32; 2] = [0x0200_0000, 0x0101_0000];
