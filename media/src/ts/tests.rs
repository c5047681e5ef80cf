//! Muxing and demuxing returns the same frames, in any chunks. Damage loses frames but never changes them.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::codec::samples::{H265_PPS, H265_SPS, H265_VPS};
use crate::codec::{aac, h264, h265, mp3, opus};
use crate::config::{Codec, Config, Track};
use crate::error::Error;
use crate::frame::Frame;
use crate::time::{Micros, from_ticks};

/// Parameter sets from x264: 320x240 and 640x480, High.
const SPS: [&[u8]; 2] = [
    &[
        0x67, 0x64, 0x00, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20,
        0xf1, 0x42, 0x99, 0x60,
    ],
    &[
        0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0, 0x3d, 0xa1, 0, 0, 3, 0, 1, 0, 0, 3, 0, 0x32, 0x0f,
        0x16, 0x2d, 0x96,
    ],
];
const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];

pub(crate) fn video_config(which: usize) -> Arc<Config> {
    Arc::new(h264::config_from_parameter_sets(&[SPS[which]], &[PPS]).expect("parameter sets"))
}

pub(crate) fn audio_config() -> Arc<Config> {
    Arc::new(aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).expect("44.1 kHz stereo"))
}

/// A video frame of `size` bytes at `ticks` of 90 kHz.
pub(crate) fn picture(config: &Arc<Config>, ticks: i64, ahead: i64, key: bool, size: usize) -> Frame {
    let mut data = (size as u32 + 2).to_be_bytes().to_vec();
    // The second byte says that the slice is the first of its picture.
    data.extend(if key { [0x65, 0x88] } else { [0x41, 0x9a] });
    // No byte is 0, so that the data contains no start code.
    data.extend((0..size).map(|i| (i % 251) as u8 + 1));
    let (dts, pts) = (from_ticks(ticks, 90_000), from_ticks(ticks + ahead, 90_000));
    Frame { number: 0, config: config.clone(), dts, pts, key, data: data.into() }
}

pub(crate) fn sound(config: &Arc<Config>, dts: Micros, size: usize) -> Frame {
    Frame { number: 0, config: config.clone(), dts, pts: dts, key: true, data: vec![0xff; size].into() }
}

fn mux(frames: &[Frame]) -> Vec<u8> {
    let (mut muxer, mut out) = (Muxer::new(), Vec::new());
    let config = |track| frames.iter().map(|f| &f.config).find(|c| c.track() == track);
    let tracks: Vec<_> = [config(Track::Video), config(Track::Audio)].into_iter().flatten().collect();
    muxer.start(&tracks, &mut out);
    frames.iter().for_each(|frame| muxer.frame(frame, &mut out).expect("supported"));
    muxer.flush(&mut out);
    out
}

fn demux(bytes: &[u8], chunk: usize) -> (Vec<Frame>, Vec<Error>) {
    let (mut demuxer, mut frames, mut errors) = (Demuxer::new(), Vec::new(), Vec::new());
    for chunk in bytes.chunks(chunk) {
        demuxer.push(Bytes::copy_from_slice(chunk));
    }
    demuxer.flush();
    while let Some(event) = demuxer.next() {
        match event {
            Ok(Event::Frame(frame)) => frames.push(frame),
            Ok(Event::Tracks { .. }) => {}
            Err(error) => errors.push(error),
        }
    }
    (frames, errors)
}

fn of(frames: &[Frame], track: Track) -> Vec<Frame> {
    frames.iter().filter(|f| f.track() == track).cloned().collect()
}

/// Asserts the same frames per track; audio that shares a PES packet may differ by the rounding of ticks.
fn assert_same(sent: &[Frame], got: &[Frame]) {
    assert_eq!(of(sent, Track::Video), of(got, Track::Video));
    let (sent, got) = (of(sent, Track::Audio), of(got, Track::Audio));
    assert_eq!(sent.len(), got.len());
    for (sent, got) in sent.iter().zip(&got) {
        assert_eq!((&sent.config, &sent.data), (&got.config, &got.data));
        assert!((sent.dts - got.dts).abs() <= 12, "{} became {}", sent.dts, got.dts);
    }
}

/// A little more than two seconds: video at 25 fps with B-frames and a key frame every second, and AAC.
fn stream(start: i64, sizes: &[usize], change: bool) -> Vec<Frame> {
    let (video, other, audio) = (video_config(0), video_config(1), audio_config());
    let mut frames = Vec::new();
    for (i, &size) in sizes.iter().enumerate() {
        let config = if change && i >= sizes.len() / 2 / 25 * 25 { &other } else { &video };
        let ticks = start + i as i64 * 3600;
        frames.push(picture(config, ticks, [7200, 10800, 3600, 0][i % 4], i % 25 == 0, size));
        for n in 0..2 {
            let at = from_ticks(start, 90_000) + from_ticks((i as i64 * 2 + n) * 1024, 44_100);
            frames.push(sound(&audio, at, size % 700 + 1));
        }
    }
    frames
}

#[test]
fn a_wrap_of_the_clock_goes_on() {
    let frames = stream((1 << 33) - 90_000, &[500; 60], false);
    let (got, errors) = demux(&mux(&frames), 4096);
    assert_eq!(errors, []);
    assert_same(&frames, &got);
}

#[test]
fn a_change_of_picture_size_is_another_config() {
    let frames = stream(90_000, &[300; 100], true);
    let (got, errors) = demux(&mux(&frames), 1000);
    assert_eq!(errors, []);
    assert_same(&frames, &got);
    let sizes: Vec<_> =
        of(&got, Track::Video).iter().filter_map(|f| f.config.video()).map(|v| v.width).collect();
    assert_eq!((sizes[0], sizes[99]), (320, 640));
    let shared = got
        .iter()
        .filter(|f| f.is_video())
        .map(|f| Arc::as_ptr(&f.config))
        .collect::<std::collections::HashSet<_>>();
    assert_eq!(shared.len(), 2, "one Arc per configuration");
}

#[test]
fn joins_in_mid_stream_at_any_byte() {
    let frames = stream(90_000, &[900; 60], false);
    let mut bytes = mux(&frames[..75]);
    let at = bytes.len() / 2 + 77;
    // The stream after the join starts with its own tables, as every segment does.
    bytes.extend(mux(&frames[75..]));
    let (got, _) = demux(&bytes[at..], 1500);
    let last = of(&frames[75..], Track::Video);
    let video = of(&got, Track::Video);
    assert!(last.ends_with(&video) && video.len() >= 30, "{} of {}", video.len(), last.len());
}

#[test]
fn one_lost_packet_costs_its_picture_and_what_refers_to_it() {
    let frames = stream(90_000, &[2000; 100], false);
    let bytes = mux(&frames);
    // A packet in the middle of the second group of pictures.
    let lost = bytes.len() / PACKET * 3 / 8;
    let damaged = [&bytes[..lost * PACKET], &bytes[(lost + 1) * PACKET..]].concat();
    let (got, errors) = demux(&damaged, 10_000);
    assert_eq!(errors.len(), 1);
    let (sent, video) = (of(&frames, Track::Video), of(&got, Track::Video));
    let resumed = video.iter().position(|f| f.dts >= sent[50].dts).expect("goes on");
    assert_eq!(video[resumed..], sent[50..]);
    assert!(sent.starts_with(&video[..resumed]) && resumed > 25);
}

#[test]
fn a_packet_sent_twice_counts_once() {
    let frames = stream(90_000, &[1000; 30], false);
    let bytes = mux(&frames);
    let twice: Vec<u8> = bytes.chunks(PACKET).flat_map(|p| [p, p].concat()).collect();
    let (got, errors) = demux(&twice, 5000);
    assert_eq!(errors, []);
    assert_same(&frames, &got);
}

#[test]
fn adts_frames_split_over_pes_packets_keep_their_times() {
    let (config, mut muxer, mut out) = (audio_config(), Muxer::new(), Vec::new());
    let frames: Vec<_> =
        (0..40).map(|i| sound(&config, 1_000_000 + from_ticks(i * 1024, 44_100), 333)).collect();
    let es: Vec<u8> = frames
        .iter()
        .flat_map(|f| {
            let mut unit = Vec::new();
            units::write(f, &mut unit).expect("AAC");
            unit
        })
        .collect();
    muxer.start(&[&config], &mut out);
    // PES packets of 500 bytes, each with the time of the first frame that begins in it.
    for (i, piece) in es.chunks(500).enumerate() {
        let first = (i * 500).div_ceil(340);
        let time = frames.get(first).map_or(0, |f| f.dts);
        muxer.raw_audio(time, piece, &mut out);
    }
    let (got, errors) = demux(&out, 188);
    assert_eq!(errors, []);
    assert_same(&frames, &got);
}

#[test]
fn the_other_codecs_come_back_too() {
    let hevc =
        Arc::new(h265::config_from_parameter_sets(&[H265_VPS], &[H265_SPS], &[H265_PPS]).expect("sets"));
    let opus = Arc::new(opus::config_of_channels(2));
    let mp3 = Arc::new(mp3::Header::parse(&[0xff, 0xfb, 0x90, 0x64]).expect("128 kbit/s").config());
    for audio in [opus, mp3] {
        let mut frames = Vec::new();
        for i in 0..60 {
            let mut frame = picture(&hevc, 90_000 + i * 3000, 3000, i % 30 == 0, 700);
            // IDR_W_RADL and TRAIL_R have two header bytes.
            frame.data = Bytes::from(
                [&[0, 0, 0, 10, if i % 30 == 0 { 0x26 } else { 2 }, 1, 0xaf], &[i as u8 + 1; 7][..]].concat(),
            );
            frames.push(frame);
            let (dts, data) = if audio.codec == Codec::Mp3 {
                let mut data = vec![0xff, 0xfb, 0x90, 0x64];
                data.resize(417, 7);
                (from_ticks(i * 1152, 44_100), data)
            } else {
                (i * 20_000, [&[0xfc], &[i as u8; 300][..i as usize * 5]].concat())
            };
            frames.push(Frame { data: data.into(), ..sound(&audio, 1_000_000 + dts, 0) });
        }
        let (got, errors) = demux(&mux(&frames), 333);
        assert_eq!(errors, []);
        assert_same(&frames, &got);
    }
}

#[test]
fn a_picture_that_waits_holds_back_a_bounded_number_of_frames() {
    let (video, audio) = (video_config(0), audio_config());
    // The first video frame waits for the proof that it is whole, which a second frame would be.
    let mut sent = vec![picture(&video, 0, 0, true, 300)];
    sent.extend((0..300).map(|n| sound(&audio, from_ticks(n * 1024, 44_100), 600)));
    let (mut muxer, mut bytes) = (Muxer::new(), Vec::new());
    muxer.start(&[&video, &audio], &mut bytes);
    sent.iter().for_each(|frame| muxer.frame(frame, &mut bytes).expect("supported"));
    let mut demuxer = Demuxer::new();
    let (mut got, mut most) = (Vec::new(), 0);
    for packet in bytes.chunks(188) {
        demuxer.push(Bytes::copy_from_slice(packet));
        let before = got.len();
        while let Some(event) = demuxer.next() {
            if let Event::Frame(frame) = event.expect("a good stream") {
                got.push(frame);
            }
        }
        most = most.max(got.len() - before);
    }
    assert!(got.len() > 200, "{} frames came out", got.len());
    assert_eq!(got[0], sent[0], "nothing overtakes the picture");
    assert!((60..80).contains(&most), "{most} frames at once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_frames_in_any_chunks(
        sizes in prop::collection::vec(1usize..6000, 1..60),
        start in 0i64..1 << 33,
        chunk in 1usize..4000,
    ) {
        let frames = stream(start, &sizes, sizes.len() > 50);
        let (got, errors) = demux(&mux(&frames), chunk);
        prop_assert_eq!(errors, vec![]);
        let shift = got[0].dts - frames[0].dts;
        prop_assert_eq!(shift, 0);
        assert_same(&frames, &got);
    }

    #[test]
    fn lost_packets_never_make_a_wrong_picture_or_config(
        lost in prop::collection::vec(0usize..900, 0..20),
        seed in 1usize..3000,
    ) {
        let frames = stream(90_000, &(0..75).map(|i| 1 + i * seed % 4000).collect::<Vec<_>>(), true);
        let bytes = mux(&frames);
        let kept: Vec<u8> = bytes.chunks(PACKET).enumerate()
            .filter(|(i, _)| !lost.contains(i)).flat_map(|(_, p)| p).copied().collect();
        let (got, _) = demux(&kept, 3000);
        for frame in of(&got, Track::Video) {
            prop_assert!(frames.contains(&frame));
        }
        for frame in of(&got, Track::Audio) {
            prop_assert!(frames.iter().any(|f| f.data == frame.data && (f.dts - frame.dts).abs() <= 12));
        }
    }

    #[test]
    fn damaged_bytes_never_panic_and_the_stream_goes_on(
        damage in prop::collection::vec((0usize..150_000, any::<u8>()), 1..200),
        cut in prop::collection::vec(0usize..150_000, 0..10),
    ) {
        let frames = stream(90_000, &[1500; 75], false);
        let mut bytes = mux(&frames);
        for (at, value) in damage {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        for at in cut {
            if at < bytes.len() {
                bytes.remove(at);
            }
        }
        let whole = stream(9_000_000, &[1500; 30], false);
        bytes.extend(mux(&whole));
        let (got, _) = demux(&bytes, 7000);
        let (sent, video) = (of(&whole, Track::Video), of(&got, Track::Video));
        prop_assert!(video.len() >= 5);
        let (last, sent) = (&video[video.len() - 5..], &sent[25..]);
        // A damaged timestamp may have moved the clock by whole wraps, which are not a whole number of µs.
        let shift = last[0].dts - sent[0].dts;
        for (got, sent) in last.iter().zip(sent) {
            let times = (got.dts - sent.dts - shift, got.pts - sent.pts - shift);
            prop_assert!(times.0.abs() <= 1 && times.1.abs() <= 1);
            prop_assert_eq!((&got.data, got.key, &got.config), (&sent.data, sent.key, &sent.config));
        }
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(prop_oneof![Just(0x47u8), Just(0), Just(0xff), any::<u8>()], 0..3000)) {
        demux(&bytes, 500);
        // With valid packets and tables around it, the noise reaches the deeper layers.
        for pid in [0u16, 0x1000, 0x100, 0x101] {
            let mut framed = mux(&stream(90_000, &[100; 2], false));
            for (i, piece) in bytes.chunks(184).enumerate() {
                let mut packet = vec![0x47, 0x40 | (pid >> 8) as u8, pid as u8, 0x10 | (i & 15) as u8];
                packet.extend_from_slice(piece);
                packet.resize(PACKET, 0xff);
                packet[3] |= if i % 3 == 0 { 0x20 } else { 0 };
                framed.extend(packet);
            }
            demux(&framed, 999);
        }
    }
}
