//! Publishing and playing over WebRTC, combined with each other and with all other protocols.
//!
//! Audio is transcoded in most of these combinations, and a viewer over UDP starts with whatever is there. So
//! the test checks that a player gets published video frames, in the published order, and audio at the
//! original volume.

use std::fs;
use std::process::Command;

use lianmai_tests::flv::{self, AUDIO, Tag, VIDEO};
use lianmai_tests::gateway::temp_dir;
use lianmai_tests::player::FlvViewer;
use lianmai_tests::rtc::{Api, Call, Media, Peer, slices};
use lianmai_tests::{Clip, Gateway, ogg, wait};

use super::LIMIT;

/// A protocol variant for publishing or playing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProtocolVariant {
    /// WHIP or WHEP with SRS's addresses.
    Rtc,
    /// WHIP or WHEP below the stream's name.
    Path,
    /// SRS's JSON calls.
    Srs,
    /// WHIP or WHEP with media over TCP.
    Tcp,
    Rtmp,
    HttpPost,
    HttpFlv,
    WsFlv,
    Hls,
}

/// Number of video frames and audio packets that are sufficient.
const ENOUGH: usize = 60;
/// A sine of 0.3 has -13.5 dB, and silence less than -80 dB. If the machine is too busy to transcode in time,
/// a part of the audio is missing.
const LOUD: std::ops::Range<f64> = -30.0..-10.0;

/// The table: one test per line.
macro_rules! matrix {
    ($($name:ident: $publish:ident $clip:ident -> $($play:ident)+;)+) => {$(
        #[test]
        fn $name() {
            check(ProtocolVariant::$publish, Clip::$clip, &[$(ProtocolVariant::$play),+]);
        }
    )+};
}

matrix! {
    whip_av:          Rtc      Baseline  -> Rtmp HttpFlv WsFlv Hls Rtc Path Srs Tcp;
    whip_high:        Path     Av        -> HttpFlv Rtc;
    whip_tcp:         Tcp      Baseline  -> HttpFlv Rtc Tcp;
    whip_video_only:  Rtc      VideoOnly -> Rtmp HttpFlv Hls Rtc;
    whip_audio_only:  Rtc      AudioOnly -> Rtmp HttpFlv Hls Rtc;
    srs_av:           Srs      Baseline  -> Rtmp HttpFlv WsFlv Hls Rtc Srs;
    rtmp_av_rtc:      Rtmp     Av        -> Rtc Path Srs Tcp;
    rtmp_video_rtc:   Rtmp     VideoOnly -> Rtc Srs;
    rtmp_audio_rtc:   Rtmp     AudioOnly -> Rtc Srs;
    rtmp_gop_rtc:     Rtmp     LongGop   -> Rtc;
    rtmp_bframes_rtc: Rtmp     BFrames   -> Rtc;
    post_av_rtc:      HttpPost Av        -> Rtc;
    ws_av_rtc:        WsFlv    Av        -> Rtc Srs;
    ws_opus_rtc:      WsFlv    Opus      -> Rtc;
}

#[expect(dead_code, reason = "most are only held")]
enum Publishing {
    Peer(Box<Peer>),
    Other(super::Publishing),
}

impl Publishing {
    fn start(gateway: &Gateway, variant: ProtocolVariant, clip: Clip) -> Self {
        let other = |publish| Self::Other(super::start(gateway, publish, clip));
        match variant {
            ProtocolVariant::Rtmp => other(super::In::Rtmp),
            ProtocolVariant::HttpPost => other(super::In::HttpPost),
            ProtocolVariant::WsFlv => other(super::In::WsFlv),
            variant => {
                let media = match clip {
                    Clip::AudioOnly => Media::usual().blind(),
                    Clip::VideoOnly => Media::of(clip).mute(),
                    clip => Media::of(clip),
                };
                Self::Peer(Box::new(Peer::publish(&call(gateway, variant), media)))
            }
        }
    }

    /// Returns the slices of the video frames sent so far, or of all.
    fn pictures(&self, clip: Clip) -> Vec<Vec<u8>> {
        match self {
            Self::Peer(peer) => {
                peer.sent().iter().filter(|frame| frame.video).map(|frame| slices(&frame.data)).collect()
            }
            Self::Other(_) => pictures(&super::tags(clip).1),
        }
    }
}

fn call(gateway: &Gateway, variant: ProtocolVariant) -> Call {
    let call = Call::new(gateway, "x");
    match variant {
        ProtocolVariant::Path => call.by(Api::Path),
        ProtocolVariant::Srs => call.by(Api::Srs),
        ProtocolVariant::Tcp => call.over_tcp(),
        _ => call,
    }
}

fn pictures(tags: &[Tag]) -> Vec<Vec<u8>> {
    let frames = tags.iter().filter(|tag| tag.kind == VIDEO && tag.is_frame());
    frames.map(|tag| slices(tag.frame().1)).collect()
}

/// The result of a player: the slices of its video frames, the amount of audio, and a file that ffmpeg can
/// play.
struct Seen {
    pictures: Vec<Vec<u8>>,
    sounds: usize,
    file: (&'static str, Vec<u8>),
}

enum Watching {
    Peer(Box<Peer>),
    Flv(FlvViewer),
    /// An address that ffmpeg reads and copies.
    Url(String),
}

impl Watching {
    fn start(gateway: &Gateway, variant: ProtocolVariant) -> Self {
        match variant {
            ProtocolVariant::HttpFlv => Self::Flv(FlvViewer::http(gateway.http(), "/live/x.flv")),
            ProtocolVariant::WsFlv => Self::Flv(FlvViewer::ws(&gateway.ws_url("x.flv"))),
            ProtocolVariant::Rtmp => Self::Url(gateway.rtmp_url("x")),
            ProtocolVariant::Hls => {
                wait::until_true("two HLS segments", LIMIT, || {
                    let playlist = gateway.get("/live/x.m3u8");
                    playlist.status == 200 && playlist.text().matches("#EXTINF").count() >= 2
                });
                Self::Url(gateway.http_url("x.m3u8"))
            }
            variant => Self::Peer(Box::new(Peer::play(&call(gateway, variant)))),
        }
    }

    #[track_caller]
    fn seen(&self, clip: Clip) -> Seen {
        let kinds = [(true, clip.has_video()), (false, clip.has_audio())];
        let wanted = || kinds.iter().filter(|(_, has)| *has).map(|(video, _)| *video);
        match self {
            Self::Peer(peer) => {
                wanted().for_each(|video| drop(peer.wait_frames(video, ENOUGH, LIMIT)));
                let [video, audio] = [true, false].map(|video| peer.frames(video));
                assert!(video.first().is_none_or(|frame| frame.key), "it begins in the middle");
                for frames in [&video, &audio] {
                    let ordered = frames.windows(2).all(|pair| pair[0].time < pair[1].time);
                    assert!(ordered, "time goes back");
                    assert!(frames.iter().all(|frame| frame.contiguous), "packets are missing");
                }
                let file = ogg::file(audio.iter().map(|frame| &frame.data[..]));
                Seen {
                    pictures: video.iter().map(|frame| slices(&frame.data)).collect(),
                    sounds: audio.len(),
                    file: ("seen.ogg", file),
                }
            }
            Self::Flv(viewer) => {
                for video in wanted() {
                    viewer.wait_frames(if video { VIDEO } else { AUDIO }, ENOUGH, LIMIT);
                }
                let flags = u8::from(clip.has_video()) | u8::from(clip.has_audio()) << 2;
                assert_eq!(viewer.flags(), Some(flags), "the FLV header's flags");
                Seen::of(flags, viewer.seen().into_iter().map(|seen| seen.tag).collect())
            }
            Self::Url(url) => {
                let dir = temp_dir("matrix");
                let file = dir.join("seen.flv");
                let mut ffmpeg = Command::new("ffmpeg");
                ffmpeg
                    .args(["-v", "error", "-y", "-i", url, "-c", "copy", "-t", "3", "-f", "flv"])
                    .arg(&file);
                let output = ffmpeg.output().expect("ffmpeg starts");
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                let (flags, tags) = flv::read(&fs::read(&file).expect("ffmpeg wrote a file"));
                let _ = fs::remove_dir_all(dir);
                Seen::of(flags, tags)
            }
        }
    }
}

impl Seen {
    fn of(flags: u8, tags: Vec<Tag>) -> Self {
        let first = tags.iter().find(|tag| tag.kind == VIDEO && tag.is_frame());
        assert!(first.is_none_or(Tag::is_key), "it begins in the middle");
        let bytes = tags.iter().fold(flv::header(flags).to_vec(), |mut out, tag| {
            out.extend(tag.bytes());
            out
        });
        Self {
            pictures: pictures(&tags),
            sounds: tags.iter().filter(|tag| tag.kind == AUDIO && tag.is_frame()).count(),
            file: ("seen.flv", bytes),
        }
    }

    /// Returns the volume in dB, by ffmpeg's decoder; `None` without audio.
    #[track_caller]
    fn loudness(&self) -> Option<f64> {
        let dir = temp_dir("matrix");
        let file = dir.join(self.file.0);
        fs::write(&file, &self.file.1).expect("it can be written");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-hide_banner", "-nostats", "-i"]).arg(&file);
        let output = ffmpeg.args(["-vn", "-af", "volumedetect", "-f", "null", "-"]).output();
        let said = String::from_utf8_lossy(&output.expect("ffmpeg starts").stderr).into_owned();
        let _ = fs::remove_dir_all(dir);
        let value = said.split("mean_volume: ").nth(1)?.split(' ').next()?;
        Some(value.parse().unwrap_or_else(|error| panic!("{error}: {said}")))
    }
}

fn check(publish: ProtocolVariant, clip: Clip, outs: &[ProtocolVariant]) {
    // Re-encoded video differs; `rtc.rs` has a test for it.
    let gateway = Gateway::start(if clip == Clip::BFrames { &["--transcode", "off"] } else { &[] });
    let publishing = Publishing::start(&gateway, publish, clip);
    gateway.wait_published("x");
    // HLS takes longest; all others play meanwhile.
    let watching: Vec<_> = outs.iter().map(|out| (*out, Watching::start(&gateway, *out))).collect();
    // The Opus clip has other audio: one beep per second.
    let loud = if clip == Clip::Opus { -45.0..-15.0 } else { LOUD };
    for (out, watching) in watching {
        println!("{publish:?} -> {out:?}, {clip:?}");
        let seen = watching.seen(clip);
        assert_eq!(seen.pictures.is_empty(), !clip.has_video(), "{out:?}: pictures");
        assert_eq!(seen.sounds == 0, !clip.has_audio(), "{out:?}: sound");
        if clip.has_video() {
            assert!(seen.pictures.len() >= ENOUGH, "{out:?}: {} pictures", seen.pictures.len());
            let sent = publishing.pictures(clip);
            let first = sent.iter().position(|picture| *picture == seen.pictures[0]);
            let first = first.unwrap_or_else(|| panic!("{out:?}: the first picture was never sent"));
            let mut rest = sent[first..].iter();
            let other = seen.pictures.iter().position(|picture| match clip {
                // B-frames are dropped.
                Clip::BFrames => rest.all(|sent| sent != picture),
                _ => rest.next() != Some(picture),
            });
            assert_eq!(other, None, "{out:?}: of {} pictures this is another", seen.pictures.len());
        }
        if clip.has_audio() {
            assert!(seen.sounds >= ENOUGH, "{out:?}: {} packets of sound", seen.sounds);
            let loudness = seen.loudness().unwrap_or_else(|| panic!("{out:?}: ffmpeg hears nothing"));
            assert!(loud.contains(&loudness), "{out:?}: its sound has {loudness} dB");
        }
    }
    let stream = gateway.stream("x").expect("the stream is there");
    if clip.has_video() {
        assert_eq!((&stream["video"]["width"], &stream["video"]["height"]), (&320.into(), &180.into()));
    }
}
