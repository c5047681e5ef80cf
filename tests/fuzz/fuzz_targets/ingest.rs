//! The path of an RTMP publisher's messages to the viewers: a list of kind, timestamp, length, body. Nothing
//! panics or loops forever (libFuzzer's timeout), and every accepted frame can be muxed.
#![no_main]

use bytes::Bytes;
use fuzz::edges::rtmp::ingest::{Ingest, Input};
use fuzz::edges::rtmp::session::Event;
use libfuzzer_sys::fuzz_target;
use media::clock::StreamClock;
use media::flv::mux;
use media::hls::{Segmenter, SegmenterConfig};

fuzz_target!(|data: &[u8]| {
    let mut ingest = Ingest::default();
    let mut segmenter = Segmenter::new(SegmenterConfig::default());
    let (mut frames, mut bad) = (0, 0);
    let mut clock = StreamClock::new(1_000_000);
    let (mut now, mut newest) = (0, [-1; 2]);
    let mut rest = data;
    while let Some((&[kind, t0, t1, t2, t3, l0, l1], tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(tail.len());
        let (body, tail) = tail.split_at(length);
        rest = tail;
        let body = Bytes::copy_from_slice(body);
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]);
        let event = match kind % 3 {
            0 => Event::Audio(timestamp, body),
            1 => Event::Video(timestamp, body),
            _ => Event::Script(body),
        };
        bad += u64::from(ingest.read(event).is_err());
        if kind & 0x80 != 0 {
            ingest.flush();
        }
        while let Some(input) = ingest.next() {
            let Input::Frame(mut frame) = input else { continue };
            frames += 1;
            now += i64::from(kind) * 1_000;
            let jumped = clock.place(&mut frame, now);
            let newest = &mut newest[usize::from(frame.is_video())];
            assert!(frame.dts > *newest, "{} after {newest}", frame.dts);
            *newest = frame.dts;
            assert!(!frame.data.is_empty());
            assert!(!mux::frame_tag(&frame).is_empty());
            let _ = (mux::config_tag(&frame.config, frame.dts), frame.config.codec_string());
            let _ = media::mp4::init_segment(&[(1, &frame.config)]);
            let _ = segmenter.push(&frame, jumped);
        }
    }
    let _ = segmenter.finish();
    assert_eq!((ingest.frames(), ingest.bad()), (frames, bad));
});
