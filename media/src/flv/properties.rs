//! Property tests: the demuxer reads everything the muxer writes, and no input causes a panic.

use std::sync::Arc;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::codec::nal::push_length_prefixed;
use crate::codec::samples::{H264_PPS, H264_SPS};
use crate::codec::{aac, h264, opus};
use crate::config::{Codec, Config};
use crate::error::Result;
use crate::frame::Frame;

/// Two H.264 configurations that differ in level, AAC, and Opus.
fn configs() -> [Arc<Config>; 4] {
    let mut sps = H264_SPS.to_vec();
    let first = h264::config_from_parameter_sets(&[&sps], &[H264_PPS]).unwrap();
    sps[3] = 0x28;
    let second = h264::config_from_parameter_sets(&[&sps], &[H264_PPS]).unwrap();
    let aac = aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap();
    [first, second, aac, opus::config_of_channels(2)].map(Arc::new)
}

/// Generates frames of the tracks in `tracks` (bit 0 video, bit 1 audio). Their times continue from `start`
/// ms, mostly in small steps, rarely in large ones, and may go back.
fn frames() -> impl Strategy<Value = Vec<Frame>> {
    // The sum of all steps stays below half of the timestamp range: at most this far may a track be from its
    // last frame.
    let step = prop_oneof![9 => -50i64..200, 1 => -0x400_0000i64..0x400_0000];
    let one = (0..4usize, step, -0x80_0000i64..0x7f_ffff, any::<bool>(), vec(any::<u8>(), 1..300));
    let start = prop_oneof![Just(0i64), 0..0x1_0000_0000i64, Just(0xffff_ff00)];
    (1..4usize, start, vec(one, 1..30)).prop_map(|(tracks, start, list)| {
        let configs = configs();
        let mut time = start;
        let make = |(config, step, composition, key, payload): (usize, i64, i64, bool, Vec<u8>)| {
            let config = configs[config].clone();
            let video = config.video().is_some();
            if tracks & if video { 1 } else { 2 } == 0 {
                return None;
            }
            time += step;
            let mut data = payload;
            if video {
                let mut nal: Vec<u8> = if key { vec![0x65, 0x88] } else { vec![0x41, 0x9a] };
                nal.extend_from_slice(&data);
                data.clear();
                push_length_prefixed(&mut data, &nal);
            }
            if config.codec == Codec::Aac {
                // Stereo AAC begins with a channel pair element (id 1). Random bytes may look like ADTS or LATM.
                data[0] = 0x20 | data[0] & 0x1f;
            }
            let pts = if video { time + composition } else { time };
            let key = key || !video;
            Some(Frame { number: 0, config, dts: time * 1000, pts: pts * 1000, key, data: data.into() })
        };
        list.into_iter().filter_map(make).collect()
    })
}

fn mux(frames: &[Frame]) -> Vec<u8> {
    let mut out = mux::header(true, true).to_vec();
    let mut written: [Option<Arc<Config>>; 2] = [None, None];
    for frame in frames {
        let slot = &mut written[usize::from(frame.is_video())];
        if slot.as_ref().is_none_or(|config| !Arc::ptr_eq(config, &frame.config)) {
            out.extend_from_slice(&mux::config_tag(&frame.config, frame.dts));
            *slot = Some(frame.config.clone());
        }
        out.extend_from_slice(&mux::frame_tag(frame));
    }
    out
}

/// Returns all events of a stream that arrives in chunks of these sizes, repeated.
fn events(stream: &[u8], sizes: &[usize]) -> Vec<Result<Event>> {
    let mut demuxer = Demuxer::new();
    let (mut rest, mut events) = (stream, Vec::new());
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        demuxer.push(Bytes::copy_from_slice(piece));
        events.extend(std::iter::from_fn(|| demuxer.next()));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn frames_come_back_whatever_the_pieces(frames in frames(), sizes in vec(1usize..400, 1..8)) {
        let events = events(&mux(&frames), &sizes);
        let read: Vec<Frame> = events
            .into_iter()
            .filter_map(|event| match event.expect("a good stream") {
                Event::Frame(frame) => Some(frame),
                _ => None,
            })
            .collect();
        // FLV has 32-bit timestamps: a stream that starts before 0 is shifted by whole wraps.
        let turns = read.first().map_or(0, |first| first.dts - frames[0].dts);
        prop_assert_eq!(turns % (1000 << 32), 0);
        let shifted = |frame: &Frame| Frame { dts: frame.dts + turns, pts: frame.pts + turns, ..frame.clone() };
        prop_assert_eq!(read, frames.iter().map(shifted).collect::<Vec<_>>());
    }

    #[test]
    fn damage_is_harmless_and_the_pieces_make_no_difference(
        frames in frames(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut in any::<prop::sample::Index>(),
        sizes in vec(1usize..400, 1..8),
    ) {
        let mut stream = mux(&frames);
        for (at, byte) in damage {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        stream.truncate(cut.index(stream.len()) + 1);
        let whole = events(&stream, &[stream.len()]);
        let pieces = events(&stream, &sizes);
        prop_assert_eq!(&whole, &pieces);
        for event in whole {
            if let Ok(Event::Frame(frame)) = event {
                // Every frame can be muxed again, whatever the input.
                prop_assert!(!frame.data.is_empty());
                let _ = (mux::config_tag(&frame.config, frame.dts), mux::frame_tag(&frame));
            }
        }
    }

    #[test]
    fn any_body_is_harmless(bodies in vec((0..3u8, vec(any::<u8>(), 0..60)), 1..20)) {
        let mut demuxer = BodyDemuxer::new();
        for (kind, body) in bodies {
            let body = Bytes::from(body);
            let _ = match kind {
                0 => demuxer.audio(0, body),
                1 => demuxer.video(0, body),
                _ => demuxer.script(body).map(|_| ()),
            };
            while demuxer.next().is_some() {}
        }
    }
}
