//! Tests `media` against ffmpeg, without a server: FLV from ffmpeg passes through the demuxer and both
//! muxers, and ffmpeg must find the same packets in the results. Also tests RTP payloads in both directions.

#[path = "../media/src/rtp/h264/depacketize.rs"]
mod depacketize;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use lianmai_tests::Clip;
use lianmai_tests::gateway::cache_dir;
use lianmai_tests::packets::{Packets, View};
use media::codec::h264::{Order, Reorder, length_prefixed};
use media::{Codec, Config, Frame, Track, flv, mp4, rtp};

const CLIPS: [Clip; 6] = [Clip::Av, Clip::BFrames, Clip::VideoOnly, Clip::AudioOnly, Clip::Mp3, Clip::Other];

fn frames(clip: Clip) -> Vec<Frame> {
    let mut demuxer = flv::Demuxer::new();
    demuxer.push(fs::read(clip.file()).expect("a readable clip").into());
    let mut frames = Vec::new();
    while let Some(event) = demuxer.next() {
        if let flv::Event::Frame(frame) = event.expect("a good clip") {
            frames.push(frame);
        }
    }
    frames
}

fn config(frames: &[Frame], track: Track) -> Option<Arc<Config>> {
    frames.iter().find(|frame| frame.track() == track).map(|frame| frame.config.clone())
}

/// Writes a file of this clip in another format; returns ffmpeg's packets of the clip and of that file.
fn compare(clip: Clip, extension: &str, bytes: &[u8]) {
    let file: PathBuf = cache_dir().join(format!("formats-{}-{clip:?}.{extension}", std::process::id()));
    fs::write(&file, bytes).expect("the cache folder can be written");
    let (sent, seen) = (Packets::of_file(&clip.file(), View::Whole), Packets::of_file(&file, View::Whole));
    fs::remove_file(&file).expect("the file was written");
    assert!(sent.video.len() + sent.audio.len() > 100, "{clip:?}: hardly a packet in the clip");
    assert!(sent == seen, "{clip:?}: packets differ in {extension}");
}

#[test]
fn flv_comes_out_as_it_went_in() {
    for clip in CLIPS {
        let frames = frames(clip);
        let (video, audio) = (config(&frames, Track::Video), config(&frames, Track::Audio));
        let mut out = flv::mux::header(audio.is_some(), video.is_some()).to_vec();
        out.extend_from_slice(&flv::mux::metadata_tag(video.as_deref(), audio.as_deref(), 0));
        for config in [video, audio].iter().flatten() {
            out.extend_from_slice(&flv::mux::config_tag(config, 0));
        }
        for frame in &frames {
            out.extend_from_slice(&flv::mux::frame_tag(frame));
        }
        compare(clip, "flv", &out);
    }
}

#[test]
fn fragmented_mp4_has_the_same_packets() {
    for clip in CLIPS {
        let frames = frames(clip);
        let configs = [config(&frames, Track::Video), config(&frames, Track::Audio)];
        let configs: Vec<&Config> = configs.iter().flatten().map(|config| &**config).collect();
        let tracks: Vec<(u32, &Config)> = (1..).zip(configs).collect();
        let mut out = mp4::init_segment(&tracks).expect("codecs for MP4").to_vec();
        for (sequence, frame) in (1..).zip(&frames) {
            let &(id, _) =
                tracks.iter().find(|(_, config)| config.track() == frame.track()).expect("a track");
            let duration = if frame.is_video() { 33_333 } else { 23_220 };
            let Frame { dts, pts, key, ref data, .. } = *frame;
            mp4::fragment(&mut out, sequence, id, &[mp4::Sample { dts, pts, duration, key, data }]);
        }
        compare(clip, "mp4", &out);
    }
}

#[test]
fn h264_as_rtp_payloads_and_back_is_the_same() {
    // Other frames reference some of x264's B-frames, but all can be dropped.
    for (clip, order) in
        [(Clip::Av, Order::Shown), (Clip::BFrames, Order::Droppable), (Clip::Other, Order::Shown)]
    {
        let (mut back, mut found, mut pictures) =
            (rtp::VideoFramer::new(Codec::H264).expect("video"), Reorder::new(), 0);
        for frame in frames(clip).iter().filter(|frame| frame.is_video()) {
            found.push(frame);
            let payloads = rtp::h264::packetize(frame, 1200).expect("H.264");
            let unit: Vec<u8> = depacketize::depacketize(&payloads)
                .iter()
                .flat_map(|nal| [&[0, 0, 0, 1], &nal[..]].concat())
                .collect();
            let same = back.frame(unit.into(), frame.pts).expect("good sets").expect("a picture");
            assert_eq!((same.key, &same.config), (frame.key, &frame.config), "{clip:?}");
            // Everything except x264's information about itself.
            let sent = length_prefixed(&frame.data).filter(|nal| nal[0] & 0x1f != 6);
            assert!(sent.eq(length_prefixed(&same.data)), "{clip:?} at {}", frame.dts);
            pictures += 1;
        }
        assert_eq!((found.order(), pictures), (order, 240), "{clip:?}");
    }
}
