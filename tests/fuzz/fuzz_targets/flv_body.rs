//! FLV tag bodies, as in RTMP messages: a list of kind, timestamp, length, body.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::flv::{BodyDemuxer, mux};

fuzz_target!(|data: &[u8]| {
    let mut demuxer =
        if data.len().is_multiple_of(2) { BodyDemuxer::new() } else { BodyDemuxer::for_publisher() };
    let mut rest = data;
    while let Some((&[kind, t0, t1, t2, t3, l0, l1], tail)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([l0, l1])).min(tail.len());
        let (body, tail) = tail.split_at(length);
        rest = tail;
        let body = Bytes::copy_from_slice(body);
        let timestamp = u32::from_be_bytes([t0, t1, t2, t3]);
        let _ = match kind % 3 {
            0 => demuxer.audio(timestamp, body),
            1 => demuxer.video(timestamp, body),
            _ => demuxer.script(body).map(|_| ()),
        };
        while let Some(frame) = demuxer.next() {
            assert!(!frame.data.is_empty());
            // Every frame can be muxed again.
            let _ = (mux::config_tag(&frame.config, frame.dts), mux::frame_tag(&frame));
            let _ = media::mp4::init_segment(&[(1, &frame.config)]);
            let _ = frame.config.codec_string();
        }
    }
});
