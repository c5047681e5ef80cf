//! Decodes a piece of a stream with ffmpeg, and looks at its pictures and its audio.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::Command;

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::ogg;
use lianmai_tests::rtc::Received;

/// Sample rate of the analysed audio in hertz.
pub(crate) const RATE: u32 = 48_000;

/// A piece of a stream, decoded.
#[derive(Debug)]
pub(crate) struct Piece {
    width: usize,
    height: usize,
    /// Pictures in RGB.
    pub(crate) pictures: Vec<Vec<u8>>,
    /// Mono samples.
    pub(crate) samples: Vec<f32>,
}

impl Piece {
    /// Plays `url` for some seconds, after some others that are left out. Pictures have the size `size`.
    #[track_caller]
    pub(crate) fn record(url: &str, skip: f64, seconds: f64, (width, height): (usize, usize)) -> Self {
        let folder = temp_dir("piece");
        let (video, audio) = (folder.join("video.rgb"), folder.join("audio.f32"));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-analyzeduration", "1000000"]);
        if url.contains(".m3u8") {
            ffmpeg.args(["-live_start_index", "-1"]);
        }
        let (from, to) = (skip.to_string(), seconds.to_string());
        let scale = format!("scale={width}:{height}");
        ffmpeg.args(["-i", url, "-ss", &from, "-t", &to, "-map", "0:v", "-vf", &scale, "-pix_fmt", "rgb24"]);
        ffmpeg.args(["-fps_mode", "passthrough", "-f", "rawvideo"]).arg(&video);
        ffmpeg.args(["-ss", &from, "-t", &to, "-map", "0:a", "-ac", "1", "-ar", &RATE.to_string()]);
        ffmpeg.args(["-f", "f32le"]).arg(&audio);
        Self::of(ffmpeg, url, &folder, (width, height))
    }

    /// Decodes what a WebRTC viewer has received: its video, which begins with a key frame, and its newest audio.
    #[track_caller]
    pub(crate) fn of_frames(video: &[Received], audio: &[Received], (width, height): (usize, usize)) -> Self {
        let folder = temp_dir("piece");
        let (h264, opus) = (folder.join("in.h264"), folder.join("in.ogg"));
        let video: Vec<u8> = video.iter().flat_map(|frame| frame.data.iter().copied()).collect();
        fs::write(&h264, video).expect("the video is written");
        fs::write(&opus, ogg::file(audio.iter().map(|packet| &packet.data[..])))
            .expect("the audio is written");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "h264", "-i"]).arg(&h264).arg("-i").arg(&opus);
        ffmpeg.args(["-map", "0:v", "-vf", &format!("scale={width}:{height}"), "-pix_fmt", "rgb24"]);
        ffmpeg.args(["-fps_mode", "passthrough", "-f", "rawvideo"]).arg(folder.join("video.rgb"));
        ffmpeg.args(["-map", "1:a", "-ac", "1", "-ar", &RATE.to_string(), "-f", "f32le"]);
        ffmpeg.arg(folder.join("audio.f32"));
        Self::of(ffmpeg, "the received frames", &folder, (width, height))
    }

    /// Runs ffmpeg, which writes `video.rgb` and `audio.f32` into the folder, and reads them.
    #[track_caller]
    fn of(mut ffmpeg: Command, what: &str, folder: &Path, (width, height): (usize, usize)) -> Self {
        let (video, audio) = (folder.join("video.rgb"), folder.join("audio.f32"));
        let output = ffmpeg.output().expect("ffmpeg");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
        let bytes = fs::read(&video).expect("video");
        let pictures: Vec<Vec<u8>> = bytes.chunks_exact(width * height * 3).map(<[u8]>::to_vec).collect();
        let bytes = fs::read(&audio).expect("audio");
        let sample = |four: &[u8]| f32::from_le_bytes(four.try_into().expect("four bytes"));
        let samples = bytes.chunks_exact(4).map(sample).collect();
        let _ = fs::remove_dir_all(folder);
        assert!(!pictures.is_empty(), "no picture of {what}");
        Self { width, height, pictures, samples }
    }

    /// Returns the colour at a place of a picture, in parts of its width and height.
    pub(crate) fn colour(&self, picture: usize, x: f64, y: f64) -> [u8; 3] {
        let at = |part: f64, whole: usize| ((part * whole as f64) as usize).min(whole - 1);
        let index = (at(y, self.height) * self.width + at(x, self.width)) * 3;
        self.pictures[picture][index..index + 3].try_into().expect("three bytes")
    }

    /// Returns the colour at a place of the last picture.
    pub(crate) fn last_colour(&self, x: f64, y: f64) -> [u8; 3] {
        self.colour(self.pictures.len() - 1, x, y)
    }

    /// Returns the power of a tone in the audio: 1 for a sine of full scale.
    pub(crate) fn tone(&self, frequency: u32) -> f64 {
        tone(&self.samples, frequency)
    }
}

/// Returns the power of a tone: 1 for a sine of full scale.
pub(crate) fn tone(samples: &[f32], frequency: u32) -> f64 {
    let step = TAU * f64::from(frequency) / f64::from(RATE);
    let (mut re, mut im) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let (sin, cos) = (step * n as f64).sin_cos();
        re += f64::from(*sample) * cos;
        im += f64::from(*sample) * sin;
    }
    let half = samples.len().max(1) as f64 / 2.0;
    (re / half).hypot(im / half)
}

/// Returns whether two colours are the same, apart from what encoders change.
pub(crate) fn is_near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 24)
}
