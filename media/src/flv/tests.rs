use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::codec::{aac, h264};
use crate::config::Config;
use crate::frame::Frame;

fn h264_config() -> Arc<Config> {
    Arc::new(h264::config_from_parameter_sets(&[H264_SPS], &[H264_PPS]).unwrap())
}

fn aac_config() -> Arc<Config> {
    Arc::new(aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap())
}

fn video(config: &Arc<Config>, dts_ms: i64, composition_ms: i64, key: bool) -> Frame {
    let nal: &[u8] = if key { &[0x65, 0x88, 0x80, 1, 2, 3] } else { &[0x41, 0x9a, 0x24, 1] };
    let mut data = Vec::new();
    crate::codec::nal::push_length_prefixed(&mut data, nal);
    let (dts, pts) = (dts_ms * 1000, (dts_ms + composition_ms) * 1000);
    Frame { number: 0, config: config.clone(), dts, pts, key, data: data.into() }
}

fn audio(config: &Arc<Config>, dts_ms: i64) -> Frame {
    let (dts, data) = (dts_ms * 1000, Bytes::from_static(&[0x21, 0x10, 4]));
    Frame { number: 0, config: config.clone(), dts, pts: dts, key: true, data }
}

/// Muxes these frames, with each configuration before its first frame.
fn mux(frames: &[Frame]) -> Vec<u8> {
    let mut out = mux::header(true, true).to_vec();
    let mut written: [Option<Arc<Config>>; 2] = [None, None];
    for frame in frames {
        let slot = &mut written[usize::from(frame.is_video())];
        if slot.as_ref() != Some(&frame.config) {
            out.extend_from_slice(&mux::config_tag(&frame.config, frame.dts));
            *slot = Some(frame.config.clone());
        }
        out.extend_from_slice(&mux::frame_tag(frame));
    }
    out
}

/// Demuxes a stream that arrives in chunks of `size` bytes.
fn demux(stream: &[u8], size: usize) -> Vec<Frame> {
    let mut demuxer = Demuxer::new();
    let mut frames = Vec::new();
    for piece in stream.chunks(size) {
        demuxer.push(Bytes::copy_from_slice(piece));
        while let Some(event) = demuxer.next() {
            match event.unwrap() {
                Event::Frame(frame) => frames.push(frame),
                Event::Header { audio, video } => assert!(audio && video),
                Event::Script(_) => {}
            }
        }
    }
    frames
}

#[test]
fn frames_come_back_whatever_the_pieces() {
    let (v, a) = (h264_config(), aac_config());
    let frames = [
        video(&v, 0, 80, true),
        audio(&a, 10),
        video(&v, 40, -40, false),
        audio(&a, 33),
        video(&v, 0x7000_0000, 0, true),
        audio(&a, 0x7000_0010),
        audio(&a, 0xe000_0000),
        video(&v, 0xe000_0000, 0, true),
        video(&v, 0x1_0000_0010, 5, false),
    ];
    let stream = mux(&frames);
    for size in [1, 2, 13, 100, stream.len()] {
        assert_eq!(demux(&stream, size), frames, "pieces of {size}");
    }
}

#[test]
fn a_config_change_is_another_arc_and_a_repeated_header_is_not() {
    let v = h264_config();
    let mut sps = H264_SPS.to_vec();
    sps[3] = 0x28;
    let other = Arc::new(h264::config_from_parameter_sets(&[&sps], &[H264_PPS]).unwrap());
    let mut stream = mux(&[video(&v, 0, 0, true)]);
    stream.extend_from_slice(&mux::config_tag(&v, 0));
    stream.extend_from_slice(&mux(&[video(&v, 40, 0, true), video(&other, 80, 0, true)])[13..]);
    let frames = demux(&stream, 50);
    assert!(Arc::ptr_eq(&frames[0].config, &frames[1].config));
    assert_eq!(frames[2].config, other);
}

#[test]
fn an_unsupported_tag_is_reported_and_passed() {
    let (v, a) = (h264_config(), aac_config());
    let mut stream = mux(&[video(&v, 0, 0, true)]);
    stream.extend_from_slice(&[8, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xb2, 0, 0, 0, 0, 13]);
    stream.extend_from_slice(&mux(&[audio(&a, 5)])[13..]);
    let mut demuxer = Demuxer::new();
    demuxer.push(stream.into());
    let events: Vec<_> = std::iter::from_fn(|| demuxer.next()).collect();
    assert!(
        matches!(&events[2], Err(error) if error.kind == crate::ErrorKind::Unsupported(Some(crate::Track::Audio), "audio codec Speex"))
    );
    assert!(matches!(&events[3], Ok(Event::Frame(frame)) if frame.config == a));
}

#[test]
fn each_track_unwraps_its_own_timestamps() {
    let (h264, aac) = (h264_config(), aac_config());
    let mut body = BodyDemuxer::new();
    let (picture, sound) = (video(&h264, 0, 0, true), audio(&aac, 0));
    body.video(0, mux::config_body(&h264)).unwrap();
    body.audio(0, mux::config_body(&aac)).unwrap();
    // Video is 25 days ahead, which is half a wrap, and audio wraps in between.
    let mut times = Vec::new();
    for n in 0..200u32 {
        let (v, a) = (0x7fff_ff00u32.wrapping_add(n * 40), 0xffff_ff80u32.wrapping_add(n * 40));
        body.video(v, mux::frame_body(&picture)).unwrap();
        let v = body.next().expect("a picture");
        body.audio(a, mux::frame_body(&sound)).unwrap();
        times.push([v.dts, body.next().expect("a sound").dts]);
    }
    for pair in times.windows(2) {
        assert_eq!([pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]], [40_000; 2]);
    }
}

#[test]
fn lost_framing_ends_with_one_error() {
    let mut stream = mux(&[video(&h264_config(), 0, 0, true)]);
    stream.extend_from_slice(&[0xff; 64]);
    let mut demuxer = Demuxer::new();
    demuxer.push(stream.into());
    let events: Vec<_> = std::iter::from_fn(|| demuxer.next()).collect();
    assert_eq!(events.iter().filter(|event| event.is_err()).count(), 1);
    assert!(demuxer.failed());
    demuxer.push(mux::header(true, true));
    assert!(demuxer.next().is_none());
}

fn other_codecs() -> Vec<Frame> {
    use crate::codec::samples::{H265_PPS, H265_SPS, H265_VPS, hex};
    use crate::codec::{config_of, h265, mp3, opus};
    use crate::config::{Audio, Codec, Format};
    let g711 = |codec| Config {
        codec,
        format: Format::Audio(Audio { sample_rate: 8000, channels: 1 }),
        description: Bytes::new(),
    };
    let mut vp9 = config_of(Codec::Vp9, hex("0015820202020000").into()).unwrap();
    vp9.format = Format::Video(crate::Video { width: 640, height: 360 });
    let all = [
        (h265::config_from_parameter_sets(&[H265_VPS], &[H265_SPS], &[H265_PPS]).unwrap(), "000000032601af"),
        (config_of(Codec::Av1, hex("81010c000a0b0000000cc4ff6700be0010").into()).unwrap(), "3203aabbcc"),
        (vp9, "824983420027f01670"),
        (opus::config_of_channels(2), "fcff"),
        (mp3::Header::parse(&[0xff, 0xfb, 0x90, 0x64]).unwrap().config(), "fffb906400"),
        (g711(Codec::PcmAlaw), "d5d5"),
        (g711(Codec::PcmMulaw), "ffff"),
    ];
    let frame = |(config, data): (Config, &str)| {
        let data = hex(data).into();
        Frame { number: 0, config: Arc::new(config), dts: 7000, pts: 7000, key: true, data }
    };
    all.map(frame).into()
}

#[test]
fn every_codec_comes_back() {
    for frame in other_codecs() {
        let alone = std::slice::from_ref(&frame);
        assert_eq!(demux(&mux(alone), 10), alone);
        let (mut body, video) = (BodyDemuxer::new(), frame.is_video());
        for bytes in [mux::config_body(&frame.config), mux::frame_body(&frame)] {
            assert_eq!(body.next(), None);
            if video { body.video(7, bytes) } else { body.audio(7, bytes) }.unwrap();
        }
        assert_eq!((body.next(), body.next()), (Some(frame), None));
    }
}

#[test]
fn what_encoders_vary_is_read_alike() {
    let frame = &other_codecs()[0];
    let hvcc = &frame.config.description[..];
    let read = |header: &[u8], picture: &[u8]| {
        let mut body = BodyDemuxer::new();
        let header = Bytes::from([header, hvcc].concat());
        body.video(0, header).unwrap();
        assert_eq!(body.next(), None);
        body.video(7, Bytes::from([picture, &frame.data[..]].concat())).unwrap();
        body.next().unwrap()
    };
    // The codec id 12, which is not in the specification.
    assert_eq!(read(&[0x1c, 0, 0, 0, 0], &[0x1c, 1, 0, 0, 0]), *frame);
    // CodedFramesX: no composition time.
    assert_eq!(read(b"\x90hvc1", b"\x93hvc1"), *frame);
    // Track 0 of several.
    assert_eq!(read(b"\x90hvc1", b"\x96\x03hvc1\0"), *frame);
    assert_eq!(read(b"\x96\x00hvc1\0", b"\x96\x01hvc1\0\0\0\0"), *frame);
    // A preceding nanosecond offset (ModEx).
    assert_eq!(read(b"\x90hvc1", b"\x97\x02\0\0\x01\x03hvc1"), *frame);
    let mut body = BodyDemuxer::new();
    assert_eq!(body.video(0, Bytes::from_static(b"\x94hvc1\x02\0\x09colorInfo")), Ok(()));
    let error = body.video(0, Bytes::from_static(b"\x96\x00hvc1")).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Truncated);
    assert!(!body.has_other_tracks());
    assert_eq!(body.video(0, Bytes::from_static(b"\x96\x00hvc1\x01abc")), Ok(()));
    assert!(body.has_other_tracks());
    assert_eq!(body.video(0, Bytes::from_static(b"\x57\x00")), Ok(()));
    assert_eq!(body.audio(0, Bytes::new()), Ok(()));
    assert_eq!(body.next(), None);
}

#[test]
fn key_flags_are_corrected() {
    let mut body = BodyDemuxer::new();
    body.video(0, mux::config_body(&h264_config())).unwrap();
    let mut key = |flags: u8, nal: &[u8]| {
        let mut bytes = vec![flags, 1, 0, 0, 0];
        crate::codec::nal::push_length_prefixed(&mut bytes, nal);
        body.video(0, bytes.into()).unwrap();
        body.next().unwrap().key
    };
    let (idr, i, p) = ([0x65, 0x88, 0x84], [0x61, 0x88, 0x84], [0x41, 0x9a, 0x24]);
    // Gradual refresh without recovery points: only the flag marks the key frame.
    assert!(key(0x17, &p) && !key(0x27, &p));
    // An open GOP.
    assert!(key(0x17, &i) && !key(0x27, &i));
    // After a real key frame, the flag on a P picture is ignored.
    assert!(key(0x27, &idr) && !key(0x17, &p));
}

#[test]
fn metadata_says_which_tracks() {
    let body = mux::metadata_body(Some(&h264_config()), None);
    let metadata = BodyDemuxer::new().script(body).unwrap().unwrap();
    assert_eq!((metadata.width, metadata.height), (Some(1280), Some(720)));
    assert_eq!((metadata.has_video, metadata.has_audio), (Some(true), None));
}

/// A publisher's video tag of one NAL unit.
fn unit(key: bool, nal: &[u8]) -> Bytes {
    let mut body = vec![if key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    crate::codec::nal::push_length_prefixed(&mut body, nal);
    body.into()
}

#[test]
fn a_picture_in_several_tags_is_one_frame_and_audio_does_not_overtake_it() {
    let (idr, rest, p): (&[u8], &[u8], &[u8]) =
        (&[0x65, 0x88, 0x80, 8], &[0x65, 0x08, 0x88, 8], &[0x41, 0x9a, 0x24]);
    let mut body = BodyDemuxer::for_publisher();
    let mut out: Vec<(bool, i64, usize)> = Vec::new();
    let mut tag = |body: &mut BodyDemuxer, ms, bytes: Bytes, video: bool| {
        if video { body.video(ms, bytes) } else { body.audio(ms, bytes) }.unwrap();
        out.extend(
            std::iter::from_fn(|| body.next()).map(|f| (f.is_video() && f.key, f.dts / 1000, f.data.len())),
        );
        out.len()
    };
    assert_eq!(tag(&mut body, 0, mux::config_body(&aac_config()), false), 0);
    let sound = Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 4]);
    // Parameter sets in separate tags, instead of a sequence header.
    for nal in [H264_SPS, H264_PPS, idr] {
        assert_eq!(tag(&mut body, 0, unit(true, nal), true), 0);
    }
    assert_eq!(tag(&mut body, 20, sound.clone(), false), 0);
    assert_eq!(tag(&mut body, 0, unit(true, rest), true), 0);
    assert_eq!(tag(&mut body, 40, unit(false, p), true), 2);
    assert!(body.holds());
    // The next key frame's parameter sets end the picture before it.
    assert_eq!(tag(&mut body, 80, unit(true, H264_SPS), true), 3);
    assert_eq!(tag(&mut body, 85, sound, false), 4);
    assert_eq!(out, [(true, 0, 16), (false, 20, 3), (false, 40, 7), (false, 85, 3)]);
}

#[test]
fn audio_behind_a_picture_that_waits_is_bounded() {
    let mut body = BodyDemuxer::for_publisher();
    body.video(0, mux::config_body(&h264_config())).unwrap();
    body.audio(0, mux::config_body(&aac_config())).unwrap();
    body.video(0, unit(true, &[0x65, 0x88, 0x80])).unwrap();
    for n in 0..63 {
        body.audio(n, Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 4])).unwrap();
        assert_eq!(body.next(), None);
    }
    body.audio(64, Bytes::from_static(&[0xaf, 1, 0x21, 0x10, 4])).unwrap();
    assert!(body.next().unwrap().is_video());
    assert_eq!(std::iter::from_fn(|| body.next()).count(), 64);
    // Large ones: fewer are needed to reach the limit.
    body.video(100, unit(false, &[0x41, 0x9a, 0x80])).unwrap();
    body.video(100, unit(false, &[0x41, 0x4d, 0x80])).unwrap();
    assert!(body.holds());
    let large = Bytes::from([&[0xaf, 1][..], &[0x21; 400 << 10]].concat());
    let held = (0..10).take_while(|n| body.audio(100 + n, large.clone()).is_ok() && body.holds()).count();
    assert_eq!(held, 2);
}

#[test]
fn adts_in_aac_tags_is_read_with_and_without_a_sequence_header() {
    let header = aac::Adts::of(&aac_config()).unwrap();
    let frames = [&header.write(3)[..], &[0x21, 0x10, 4], &header.write(2), &[0x21, 7]].concat();
    for sequence in [true, false] {
        let mut body = BodyDemuxer::for_publisher();
        if sequence {
            body.audio(0, mux::config_body(&aac_config())).unwrap();
        }
        body.audio(1000, Bytes::from([&[0xaf, 1], &frames[..]].concat())).unwrap();
        let got: Vec<_> = std::iter::from_fn(|| body.next()).collect();
        assert_eq!(
            got.iter().map(|f| (f.dts, f.data.len())).collect::<Vec<_>>(),
            [(1_000_000, 3), (1_023_220, 2)]
        );
        assert!(got.iter().all(|f| f.config == aac_config()));
    }
    let latm = Bytes::from_static(&[0xaf, 1, 0x56, 0xe0, 2, 1, 2]);
    assert!(BodyDemuxer::new().audio(0, latm).is_err());
}

fn amf(values: &[amf0::Value]) -> Bytes {
    let mut out = Vec::new();
    values.iter().for_each(|value| amf0::write(&mut out, value));
    out.into()
}

#[test]
fn messages_of_applications_are_told_from_metadata() {
    let text = amf(&["onTextData".into(), amf0::Value::Object(vec![("text".to_owned(), "hi".into())])]);
    assert_eq!(message(&text), Some(text.clone()));
    assert_eq!(
        message(&Bytes::from([&amf(&["@setDataFrame".into()])[..], &text].concat())),
        Some(text.clone())
    );
    for other in ["onMetaData", "@clearDataFrame", "|RtmpSampleAccess", ""] {
        assert_eq!(message(&amf(&[other.into(), 1.0.into()])), None, "{other}");
    }
    assert_eq!(message(&amf(&[1.0.into()])), None);
    assert_eq!(message(&text.slice(..text.len() - 5)), None);
    assert_eq!(message(&Bytes::new()), None);
    let long = "x".repeat(MAX_MESSAGE);
    assert_eq!(
        message(&amf(&["onTextData".into(), long[..MAX_MESSAGE - 20].into()])).map(|body| body.len()),
        Some(MAX_MESSAGE - 4)
    );
    assert_eq!(message(&amf(&["onTextData".into(), (&*long).into()])), None);
}

#[test]
fn a_publishers_own_metadata_are_kept_within_bounds_and_never_against_what_is_known() {
    let mut fields: Vec<(String, amf0::Value)> = vec![
        ("title".to_owned(), "Mass".into()),
        ("width".to_owned(), 1.0.into()),
        ("duration".to_owned(), 77.0.into()),
        ("long".to_owned(), (&*"x".repeat(MAX_FIELD_BYTES)).into()),
    ];
    fields.extend((0..200).map(|n| (format!("f{n}"), f64::from(n).into())));
    let body = amf(&["@setDataFrame".into(), "onMetaData".into(), amf0::Value::EcmaArray(fields)]);
    let metadata = BodyDemuxer::new().script(body).unwrap().unwrap();
    assert_eq!(metadata.fields.len(), MAX_FIELDS);
    let described = mux::described_body(Some(&h264_config()), None, &metadata.fields);
    let values = amf0::read_all(&described).unwrap();
    let get = |name: &str| values[1].get(name).cloned();
    assert_eq!((get("title"), get("width")), (Some("Mass".into()), Some(1280.0.into())));
    assert_eq!((get("duration"), get("long")), (Some(0.0.into()), None));
    assert!(described.len() < MAX_FIELD_BYTES + 1024);
}
