//! Short clips, created once from ffmpeg's own test sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::flv::{self, Tag};
use crate::gateway::cache_dir;

/// The content of a clip: 320x180 at 30 frames per second with a key frame every 30 frames, and a tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clip {
    /// H.264 without B-frames, and AAC.
    Av,
    /// H.264 with three B-frames in a row, and AAC: pts ≠ dts.
    BFrames,
    /// H.264 only.
    VideoOnly,
    /// AAC only.
    AudioOnly,
    /// H.264 and MP3.
    Mp3,
    /// H.265 and AAC, in MPEG-TS: Debian's ffmpeg 5.1 has no enhanced FLV.
    Hevc,
    /// H.264 and Opus, in MPEG-TS for the same reason. Each second begins with a white flash of 0.1 s on
    /// black, and a beep.
    Opus,
    /// H.264 640x360 with another tone than [`Clip::Av`]: the same codecs with another configuration.
    Other,
    /// H.264 with key frames every 4 s, and AAC, like many encoders.
    LongGop,
    /// H.264 in constrained baseline with low-latency settings, like a browser, and AAC.
    Baseline,
    /// The same with 15 frames a second at 150 kb/s, like the small video of a host in a room.
    Small,
    /// Opus only, in Ogg.
    Ogg,
}

/// Duration of each clip in seconds.
pub const SECONDS: u32 = 8;

impl Clip {
    fn name(self) -> &'static str {
        match self {
            Self::Av => "av.flv",
            Self::BFrames => "bframes.flv",
            Self::VideoOnly => "video.flv",
            Self::AudioOnly => "audio.flv",
            Self::Mp3 => "mp3.flv",
            Self::Hevc => "hevc.ts",
            Self::Opus => "opus.ts",
            Self::Other => "other.flv",
            Self::LongGop => "longgop.flv",
            Self::Baseline => "baseline.flv",
            Self::Small => "small.flv",
            Self::Ogg => "opus.ogg",
        }
    }

    fn size(self) -> &'static str {
        if self == Self::Other { "640x360" } else { "320x180" }
    }

    /// Returns the number of frames a second.
    pub fn rate(self) -> u32 {
        if self == Self::Small { 15 } else { 30 }
    }

    /// Returns whether it has video.
    pub fn has_video(self) -> bool {
        !matches!(self, Self::AudioOnly | Self::Ogg)
    }

    /// Returns whether it has audio.
    pub fn has_audio(self) -> bool {
        self != Self::VideoOnly
    }

    /// Returns the clip's file; creates it if it does not exist.
    #[track_caller]
    pub fn file(self) -> PathBuf {
        let file = cache_dir().join(self.name());
        if !file.exists() {
            make(&file, self.command());
        }
        file
    }

    /// Returns flags and tags of a clip that is FLV.
    #[track_caller]
    pub fn tags(self) -> (u8, Vec<Tag>) {
        flv::read(&fs::read(self.file()).expect("a readable clip"))
    }

    /// Returns the tags repeated for this many minutes.
    #[track_caller]
    pub fn minutes(self, minutes: u32) -> (u8, Vec<Tag>) {
        let (flags, tags) = self.tags();
        (flags, flv::repeat(&tags, minutes * 60 / SECONDS + 1, SECONDS * 1000))
    }

    fn command(self) -> Command {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y"]);
        let mut maps = vec![];
        if self.has_video() {
            let source = match self {
                Self::Opus => {
                    let flash = r"drawbox=color=white:t=fill:enable='lt(mod(t\,1)\,0.099)'";
                    format!("color=black:size={}:rate=30,{flash}", self.size())
                }
                _ => format!("testsrc2=size={}:rate={}", self.size(), self.rate()),
            };
            ffmpeg.args(["-f", "lavfi", "-i", &source]);
            maps.push("0:v");
        }
        if self.has_audio() {
            // A tone that rises all the time: no two audio frames are the same bytes.
            let hertz = if self == Self::Other { 900 } else { 300 };
            let tone = match self {
                Self::Opus => r"aevalsrc=0.5*sin(2*PI*1000*t)*lt(mod(t\,1)\,0.1):s=48000:c=stereo".to_owned(),
                _ => format!("aevalsrc=0.3*sin(2*PI*({hertz}+50*t)*t):s=44100"),
            };
            ffmpeg.args(["-f", "lavfi", "-i", &tone]);
            maps.push(if self.has_video() { "1:a" } else { "0:a" });
        }
        for map in maps {
            ffmpeg.args(["-map", map]);
        }
        let bframes = if self == Self::BFrames { "3" } else { "0" };
        match self {
            Self::Hevc => {
                let x265 = "log-level=error:keyint=30:min-keyint=30:scenecut=0:bframes=2";
                ffmpeg.args(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", x265]);
                ffmpeg.args(["-f", "mpegts"]);
            }
            Self::Ogg => {
                // Two channels, as in RTP's Opus.
                ffmpeg.args(["-ac", "2", "-c:a", "libopus", "-frame_duration", "20", "-b:a", "64k"]);
                ffmpeg.args(["-t", &SECONDS.to_string(), "-f", "ogg"]);
                return ffmpeg;
            }
            _ => {
                ffmpeg.args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
                if matches!(self, Self::Baseline | Self::Small) {
                    ffmpeg.args(["-profile:v", "baseline", "-tune", "zerolatency"]);
                }
                if self == Self::Small {
                    ffmpeg.args(["-b:v", "150k", "-maxrate", "150k", "-bufsize", "75k"]);
                }
                let gop = if self == Self::LongGop { "120" } else { "30" };
                ffmpeg.args(["-bf", bframes, "-g", gop, "-keyint_min", gop, "-sc_threshold", "0"]);
                let flv = ["-flvflags", "no_duration_filesize", "-f", "flv"];
                ffmpeg.args(if self == Self::Opus { &["-f", "mpegts"][..] } else { &flv });
            }
        }
        let audio = match self {
            Self::Mp3 => "libmp3lame",
            Self::Opus => "libopus",
            _ => "aac",
        };
        ffmpeg.args(["-c:a", audio, "-b:a", "64k", "-t", &SECONDS.to_string()]);
        ffmpeg
    }
}

/// Has ffmpeg write a file.
#[track_caller]
fn make(file: &Path, mut ffmpeg: Command) {
    // Several tests may create it at the same time: each writes its own file, the last one stays.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let own = format!("{}-{:?}-{name}", std::process::id(), std::thread::current().id());
    let own = cache_dir().join(own);
    let output = ffmpeg.arg(&own).stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot start ffmpeg: {error}"));
    assert!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&own, file).expect("the clip can be renamed");
}

/// A clip of 2 s that is seen and heard to be a certain one: H.264 in constrained baseline, and Opus.
#[derive(Debug, Clone)]
pub struct Plain {
    /// The colour, as ffmpeg names it.
    pub colour: String,
    /// Frequency of the tone, in Hz. It is interrupted twice a second, like speech.
    pub hertz: u32,
    /// Width and height: `320x180`.
    pub size: &'static str,
    /// Frames per second.
    pub rate: u32,
    /// The bit rate of a moving picture with much detail, as ffmpeg names it; `None`: a plain field, which
    /// needs hardly any.
    pub detail: Option<&'static str>,
}

impl Plain {
    /// Returns the files of the video (FLV) and the audio (Ogg); creates them if they do not exist.
    #[track_caller]
    pub fn files(&self) -> (PathBuf, PathBuf) {
        let Self { colour, hertz, size, rate, detail } = self;
        let video =
            cache_dir().join(format!("plain-{colour}-{size}-{rate}-{}.flv", detail.unwrap_or_default()));
        if !video.exists() {
            let mut ffmpeg = Command::new("ffmpeg");
            let moving = format!(
                "testsrc2=size={size}:rate={rate},noise=alls=12:allf=t,colorize=hue={}:saturation=0.4",
                hertz % 360
            );
            let plain = format!("color={colour}:size={size}:rate={rate}");
            ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", detail.map_or(&plain, |_| &moving)]);
            ffmpeg.args(["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]);
            ffmpeg.args(["-profile:v", "baseline", "-tune", "zerolatency"]);
            if let Some(bits) = detail {
                ffmpeg.args(["-b:v", bits, "-maxrate", bits, "-bufsize", bits]);
            }
            let gop = (rate * 2).to_string();
            ffmpeg.args(["-g", &gop, "-keyint_min", &gop, "-sc_threshold", "0", "-t", "2"]);
            ffmpeg.args(["-flvflags", "no_duration_filesize", "-f", "flv"]);
            make(&video, ffmpeg);
        }
        let audio = cache_dir().join(format!("tone-{hertz}.ogg"));
        if !audio.exists() {
            let tone = format!(r"aevalsrc=0.08*sin(2*PI*{hertz}*t)*lt(mod(t\,0.5)\,0.4):s=48000:c=stereo");
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i", &tone, "-c:a", "libopus"]);
            ffmpeg.args(["-frame_duration", "20", "-b:a", "48k", "-t", "2", "-f", "ogg"]);
            make(&audio, ffmpeg);
        }
        (video, audio)
    }
}
