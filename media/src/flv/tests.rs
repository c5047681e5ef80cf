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
    Frame { config: config.clone(), dts, pts, key, data: data.into() }
}

fn audio(config: &Arc<Config>, dts_ms: i64) -> Frame {
    let (dts, data) = (dts_ms * 1000, Bytes::from_static(&[0x21, 0x10, 4]));
    Frame { config: config.clone(), dts, pts: dts, key: true, data }
}

/// A stream of these frames, with each configuration before its first frame.
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

/// The frames of a stream that is handed in in pieces of `size` bytes.
fn demux(stream: &[u8], size: usize) -> Vec<Frame> {
    let mut demuxer = Demuxer::new();
    let mut frames = Vec::new();
    for piece in stream.chunks(size) {
        demuxer.push(Bytes::copy_from_slice(piece));
        while let Some(event) = demuxer.next() {
            match event.unwrap() {
                Event::Frame(frame) => frames.push(frame),
                Event::Header { audio, video } => assert!(audio && video),
                Event::Metadata(_) => {}
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
        audio(&a, 0xe000_0000),
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
        matches!(&events[2], Err(error) if error.kind == crate::ErrorKind::Unsupported("audio codec Speex"))
    );
    assert!(matches!(&events[3], Ok(Event::Frame(frame)) if frame.config == a));
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

#[test]
fn metadata_says_which_tracks() {
    let body = mux::metadata_body(Some(&h264_config()), None);
    let metadata = BodyDemuxer::new().script(body).unwrap().unwrap();
    assert_eq!((metadata.width, metadata.height), (Some(1280), Some(720)));
    assert_eq!((metadata.has_video, metadata.has_audio), (Some(true), None));
}
