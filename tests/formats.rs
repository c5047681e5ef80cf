//! Tests `media` against ffmpeg, without a server: FLV from ffmpeg passes through the demuxer and both
//! muxers, and ffmpeg must find the same packets in the results. Also tests RTP payloads in both directions.

#[path = "../media/src/rtp/h264/depacketize.rs"]
mod depacketize;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use lianmai_tests::Clip;
use lianmai_tests::gateway::cache_dir;
use lianmai_tests::packets::{Packet, Packets, View};
use media::codec::h264::{Order, Reorder, length_prefixed};
use media::mp4::demux::box_head;
use media::mp4::recording::{Finisher, Fragmenter, Layout};
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

/// Returns the bytes of a recording of these frames: while it grows, and afterwards.
fn recording(frames: &[Frame]) -> [Vec<u8>; 2] {
    let configs = [config(frames, Track::Video), config(frames, Track::Audio)];
    let configs: Vec<&Config> = configs.iter().flatten().map(|config| &**config).collect();
    let tracks: Vec<(u32, &Config)> = (1..).zip(configs).collect();
    let (mut file, layout) = Layout::start(&tracks).expect("codecs for MP4");
    let (moov, kinds) =
        (mp4::init_segment(&tracks).expect("codecs"), tracks.iter().map(|(id, c)| (*id, c.track())));
    let ftyp = box_head(&moov).expect("a box").and_then(|head| head.size).expect("a size") as usize;
    let mut finisher = Finisher::new(&moov.slice(ftyp + 8..)).expect("a moov");
    let mut fragmenter = Fragmenter::new(&kinds.collect::<Vec<_>>());
    let mut fragments: Vec<_> = frames.iter().filter_map(|frame| fragmenter.push(frame)).collect();
    fragments.extend(fragmenter.finish());
    for fragment in fragments {
        let moof =
            box_head(&fragment.bytes).expect("a box").and_then(|head| head.size).expect("a size") as usize;
        let added = finisher.fragment(&fragment.bytes[8..moof], file.len() as u64).expect("a fragment");
        assert_eq!((added.0, added.1), (fragment.duration, fragment.independent));
        file.extend_from_slice(&fragment.bytes);
    }
    let mut finished = file.clone();
    finished.extend_from_slice(&finisher.moov());
    let head = layout.head as usize;
    finished[head..head + 16].copy_from_slice(&layout.seal(file.len() as u64));
    [file, finished]
}

#[test]
fn a_recording_has_the_same_packets_while_it_grows_and_afterwards() {
    for clip in CLIPS {
        let frames = frames(clip);
        let first = frames.iter().find(|frame| frame.is_video()).map_or(i64::MIN, |frame| frame.dts);
        let from_start: Vec<Frame> = frames.iter().filter(|frame| frame.dts >= first).cloned().collect();
        let sent = Packets::of_file(&clip.file(), View::Whole);
        // Times are compared from the first packet on: an ordinary MP4 begins at 0.
        let rows = |packets: &[Packet], skip: usize| {
            let base = packets.get(skip).map_or(0, |packet| packet.pts);
            packets[skip..].iter().map(|p| (p.pts - base, p.bytes.clone())).collect::<Vec<_>>()
        };
        for (bytes, what) in recording(&from_start).iter().zip(["growing", "finished"]) {
            let name = format!("formats-{}-{clip:?}-{what}.mp4", std::process::id());
            let file: PathBuf = cache_dir().join(name);
            fs::write(&file, bytes).expect("the cache folder can be written");
            let seen = Packets::of_file(&file, View::Whole);
            fs::remove_file(&file).expect("the file was written");
            assert!(rows(&sent.video, 0) == rows(&seen.video, 0), "{clip:?}, {what}: video differs");
            // Audio before the first video frame is left out.
            let skip = sent.audio.len() - seen.audio.len();
            assert!(
                skip < 4 && rows(&sent.audio, skip) == rows(&seen.audio, 0),
                "{clip:?}, {what}: audio differs"
            );
            if !seen.video.is_empty() && !seen.audio.is_empty() {
                let apart = |packets: &Packets, skip: usize| packets.audio[skip].pts - packets.video[0].pts;
                let moved = apart(&sent, skip) - apart(&seen, 0);
                assert!(moved.abs() <= 1_000, "{clip:?}, {what}: audio moved by {moved} µs");
            }
        }
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
