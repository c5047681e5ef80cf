//! Every protocol for publishing combined with every protocol for playing, with ffmpeg on both ends, frame by
//! frame.
//!
//! The players connect first and wait; then a clip of 8 s is published in real time. Every player must
//! receive every frame: the same bytes, in order, at the same distance in time, with audio and video in sync.

#[path = "matrix/rtc.rs"]
mod rtc;
#[path = "matrix/rtc_sync.rs"]
mod rtc_sync;
#[path = "matrix/sync.rs"]
mod sync;

use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use lianmai_tests::flv::{self, Tag};
use lianmai_tests::packets::{Packet, Packets, View, aligned};
use lianmai_tests::player::{FlvViewer, Player};
use lianmai_tests::publisher::{self, WsPublisher};
use lianmai_tests::{Clip, Gateway, Process, wait};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Rtmp,
    HttpPost,
    WsFlv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Out {
    Rtmp,
    HttpFlv,
    WsFlv,
    Hls,
}

/// The table: one test per line.
macro_rules! matrix {
    ($($name:ident: $publish:ident $clip:ident -> $($play:ident)+;)+) => {$(
        #[test]
        fn $name() {
            check(In::$publish, Clip::$clip, &[$(Out::$play),+]);
        }
    )+};
}

matrix! {
    rtmp_av:         Rtmp     Av        -> Rtmp HttpFlv WsFlv Hls;
    rtmp_bframes:    Rtmp     BFrames   -> Rtmp HttpFlv WsFlv Hls;
    rtmp_video_only: Rtmp     VideoOnly -> Rtmp HttpFlv WsFlv Hls;
    rtmp_audio_only: Rtmp     AudioOnly -> Rtmp HttpFlv WsFlv Hls;
    rtmp_mp3:        Rtmp     Mp3       -> Rtmp HttpFlv WsFlv;
    ws_av:           WsFlv    Av        -> Rtmp HttpFlv WsFlv Hls;
    ws_bframes:      WsFlv    BFrames   -> Rtmp HttpFlv WsFlv Hls;
    ws_video_only:   WsFlv    VideoOnly -> Rtmp HttpFlv WsFlv Hls;
    ws_audio_only:   WsFlv    AudioOnly -> Rtmp HttpFlv WsFlv Hls;
    // ffmpeg 5.1 reads H.265 in TS, but not in FLV or RTMP.
    ws_hevc:         WsFlv    Hevc      -> WsFlv Hls;
    post_av:         HttpPost Av        -> Rtmp HttpFlv WsFlv Hls;
    post_bframes:    HttpPost BFrames   -> Rtmp HttpFlv WsFlv Hls;
}

const LIMIT: Duration = Duration::from_secs(60);

enum Watching {
    Ffmpeg(Player, View),
    Ws(FlvViewer),
}

fn check(publish: In, clip: Clip, outs: &[Out]) {
    let gateway = Gateway::start(&[]);
    let file = clip.file();
    let mut watching = Vec::new();
    for out in outs.iter().filter(|out| **out != Out::Hls) {
        watching.push((*out, watch(&gateway, *out, clip)));
    }
    wait::until_true("the players to connect", LIMIT, || gateway.connections() >= watching.len());
    let _publisher = start(&gateway, publish, clip);
    if outs.contains(&Out::Hls) {
        // ffmpeg would give up on an empty playlist.
        wait::until_true("a first HLS segment", LIMIT, || {
            let playlist = gateway.get("/live/x.m3u8");
            playlist.status == 200 && playlist.text().contains("#EXTINF")
        });
        watching.push((Out::Hls, watch(&gateway, Out::Hls, clip)));
    }
    for (out, watching) in &mut watching {
        let what = format!("{publish:?} -> {out:?}, {clip:?}");
        let (sent, seen) = match watching {
            Watching::Ffmpeg(player, view) => {
                let sent = Packets::of_file(&file, *view);
                let seen = player.wait(LIMIT, |seen| complete(&sent, seen, *out));
                (sent, seen)
            }
            Watching::Ws(viewer) => {
                let sent = Packets::of_tags(&tags(clip).1);
                let seen = || Packets::of_tags(viewer.seen().iter().map(|seen| &seen.tag));
                wait::until_true(&what, LIMIT, || complete(&sent, &seen(), *out));
                let flags = u8::from(clip.has_video()) | u8::from(clip.has_audio()) << 2;
                assert_eq!(viewer.flags(), Some(flags), "{what}: the FLV header's flags");
                (sent, seen())
            }
        };
        compare(&what, *out, clip, &sent, &seen);
    }
}

fn watch(gateway: &Gateway, out: Out, clip: Clip) -> Watching {
    let url = match out {
        Out::Rtmp => gateway.rtmp_url("x"),
        Out::HttpFlv => gateway.http_url("x.flv"),
        Out::Hls => gateway.http_url("x.m3u8"),
        Out::WsFlv => return Watching::Ws(FlvViewer::ws(&gateway.ws_url("x.flv"))),
    };
    let view = match (out, clip) {
        (Out::Hls, Clip::Hevc) => View::H265Slices,
        (Out::Hls, _) => View::H264Slices,
        _ => View::Whole,
    };
    Watching::Ffmpeg(Player::start(&url, view), view)
}

/// A publisher that runs until it is dropped.
#[expect(dead_code, reason = "only held")]
enum Publishing {
    Ffmpeg(Process),
    Ws(WsPublisher),
}

fn start(gateway: &Gateway, publish: In, clip: Clip) -> Publishing {
    match publish {
        In::Rtmp => Publishing::Ffmpeg(publisher::ffmpeg(&clip.file(), &gateway.rtmp_url("x"))),
        In::HttpPost => Publishing::Ffmpeg(publisher::ffmpeg(&clip.file(), &gateway.http_url("x.flv"))),
        In::WsFlv => {
            let (flags, tags) = tags(clip);
            Publishing::Ws(WsPublisher::start(&gateway.ws_publish_url("x"), flags, tags, 1.0))
        }
    }
}

/// Returns the clip as FLV.
fn tags(clip: Clip) -> (u8, Vec<Tag>) {
    if matches!(clip, Clip::Hevc | Clip::Opus) { enhanced(&clip.file()) } else { clip.tags() }
}

/// Converts MPEG-TS to enhanced FLV, which Debian's ffmpeg cannot write.
fn enhanced(file: &Path) -> (u8, Vec<Tag>) {
    use media::flv::mux;
    let frames = frames(file);
    let mut bytes = mux::header(true, true).to_vec();
    for video in [true, false] {
        let first = frames.iter().find(|frame| frame.is_video() == video).expect("both tracks");
        bytes.extend_from_slice(&mux::config_tag(&first.config, frames[0].dts));
    }
    for frame in &frames {
        bytes.extend_from_slice(&mux::frame_tag(frame));
    }
    flv::read(&bytes)
}

/// Returns the frames of an MPEG-TS in decode order.
fn frames(file: &Path) -> Vec<media::Frame> {
    use media::ts::{Demuxer, Event};
    let mut demuxer = Demuxer::new();
    demuxer.push(Bytes::from(fs::read(file).expect("a readable clip")));
    let mut frames = Vec::new();
    let mut flushed = false;
    loop {
        match demuxer.next() {
            Some(Ok(Event::Frame(frame))) => frames.push(frame),
            Some(Ok(_)) => {}
            Some(Err(error)) => panic!("{}: {error}", file.display()),
            None if flushed => break,
            None => {
                demuxer.flush();
                flushed = true;
            }
        }
    }
    frames.sort_by_key(|frame| frame.dts);
    frames
}

/// Returns whether both tracks are complete; for HLS, as far as they are in complete segments.
fn complete(sent: &Packets, seen: &Packets, out: Out) -> bool {
    let track = |sent: &[Packet], seen: &[Packet]| match (sent.last(), seen.last()) {
        (None, _) => true,
        (Some(_), None) => false,
        // The last segment ends with the stream, long after the test: three segments of 2 s are sufficient.
        (Some(_), Some(_)) if out == Out::Hls => seen.len() * 8 >= sent.len() * 5,
        (Some(sent), Some(seen)) => seen.bytes == sent.bytes,
    };
    track(&sent.video, &seen.video) && track(&sent.audio, &seen.audio)
}

fn compare(what: &str, out: Out, clip: Clip, sent: &Packets, seen: &Packets) {
    let align = |name: &str, sent: &[Packet], seen: &[Packet]| {
        // FLV has times in ms, which rounds those of the H.265 clip, made as TS. TS has times in 1/90 ms, but
        // ffmpeg calculates all but the first time of several audio frames in one packet.
        let tolerance = match (clip, out) {
            (Clip::Hevc, _) => 1_000,
            // If there is only audio, ffmpeg calculates them from the packet before, one frame late.
            (Clip::AudioOnly, Out::Hls) => 24_000,
            (_, Out::Hls) if name == "audio" => 1_000,
            (_, Out::Hls) => 30,
            _ => 0,
        };
        let aligned = aligned(sent, seen, tolerance).unwrap_or_else(|why| panic!("{what}: {name}: {why}"));
        assert!(aligned.missing == 0 || out == Out::Hls, "{what}: {name}: {} missing", aligned.missing);
        aligned
    };
    assert_eq!(seen.video.is_empty(), !clip.has_video(), "{what}: video");
    assert_eq!(seen.audio.is_empty(), !clip.has_audio(), "{what}: audio");
    let video = clip.has_video().then(|| align("video", &sent.video, &seen.video));
    let audio = clip.has_audio().then(|| align("audio", &sent.audio, &seen.audio));
    if let Some(video) = video {
        assert_eq!(video.skipped, 0, "{what}: video frames lost before the first");
    }
    if let Some(audio) = audio {
        // Audio before the first video frame may be missing. Streams of audio only are not cached, so a
        // player that was still connecting when the publisher started begins slightly later.
        let from = sent.video.first().map_or(1_000_000, |first| first.dts);
        let lost = sent.audio[..audio.skipped].iter().filter(|packet| packet.dts > from).count();
        assert_eq!(lost, 0, "{what}: audio frames lost before the first");
    }
    if let (Some(video), Some(audio)) = (video, audio) {
        let apart = (video.offset - audio.offset).abs();
        assert!(apart <= 1_000, "{what}: sound moved by {apart} µs against the picture");
    }
}
