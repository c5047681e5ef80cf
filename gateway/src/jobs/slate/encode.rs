//! Encodes a slate in the codecs and the size of a publisher, once, by ffmpeg.

use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use media::time::{MILLI, Micros, SECOND};
use media::ts::{Demuxer, Event};
use media::{Codec, Config, Frame};
use tokio::time::timeout;

use crate::net::child::{Limits, Process, Progress};

/// Endings of files that are images.
const IMAGES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];
/// Duration in seconds of the loop that an image becomes.
const IMAGE_SECONDS: &str = "4";
/// Maximum duration in seconds of a clip.
const CLIP_SECONDS: &str = "60";
/// Frame rate.
const RATE: &str = "25";
/// Maximum size in bytes of an encoded slate.
const MAX_BYTES: usize = 64 << 20;
/// Timeout for encoding.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Timeout of a child with waiting input; this one has none.
const PATIENCE: Duration = Duration::from_secs(60);
/// Number of bytes that are read at once.
const READ: usize = 256 << 10;
/// Size of a picture whose publisher's size is not known.
const UNKNOWN_SIZE: (u32, u32) = (1280, 720);

/// A slate that can be played in a loop.
#[derive(Debug)]
pub(super) struct Slate {
    /// The frames in decode order, from time 0.
    pub(super) frames: Vec<Frame>,
    /// The duration of the loop.
    pub(super) length: Micros,
}

/// Encodes `path` for a publisher with these configurations.
///
/// # Errors
/// ffmpeg is missing or cannot read the file, or the result is too large; the text says so.
pub(super) async fn encode(
    path: &Path,
    video: Option<&Config>,
    audio: Option<&Config>,
) -> Result<Slate, String> {
    let args = arguments(path, video, audio);
    let process = Process::start("ffmpeg", args, Limits::CODEC, PATIENCE);
    let mut process = process.map_err(|error| format!("ffmpeg cannot be started: {error}"))?;
    let frames = timeout(TIMEOUT, read(&mut process)).await;
    let frames = frames.map_err(|_| format!("it was not encoded within {} s", TIMEOUT.as_secs()))??;
    if frames.is_empty() {
        return Err(format!("ffmpeg cannot read it: {}", process.last_words().await.1.join(" ")));
    }
    Ok(looped(frames, video.is_some()))
}

async fn read(process: &mut Process) -> Result<Vec<Frame>, String> {
    let (mut demuxer, mut frames, mut size) = (Demuxer::new(), Vec::new(), 0);
    let mut buffer = BytesMut::with_capacity(READ);
    loop {
        let more = process.progress(&mut buffer).await == Progress::Read;
        if more {
            size += buffer.len();
            if size > MAX_BYTES {
                return Err(format!(
                    "it is larger than {} MB when encoded: use a shorter clip",
                    MAX_BYTES >> 20
                ));
            }
            demuxer.push(buffer.split().freeze());
            buffer.reserve(READ);
        } else {
            demuxer.flush();
        }
        while let Some(event) = demuxer.next() {
            if let Ok(Event::Frame(frame)) = event {
                frames.push(frame);
            }
        }
        if !more {
            return Ok(frames);
        }
    }
}

/// Lets the frames begin at 0 and end where they begin again.
fn looped(mut frames: Vec<Frame>, has_video: bool) -> Slate {
    frames.sort_by_key(|frame| frame.dts);
    let paced = |frame: &&Frame| frame.is_video() == has_video;
    let first = frames.iter().find(paced).map_or(0, |frame| frame.dts);
    // Audio that the encoder puts before the first picture would repeat at each round.
    frames.retain(|frame| frame.dts >= first);
    for frame in &mut frames {
        frame.dts -= first;
        frame.pts -= first;
    }
    let times: Vec<Micros> = frames.iter().filter(paced).map(|frame| frame.dts).collect();
    let last = times.last().copied().unwrap_or(0);
    let step = if times.len() > 1 { last / (times.len() as i64 - 1) } else { SECOND };
    let length = last + step.max(MILLI);
    frames.retain(|frame| frame.dts < length);
    Slate { frames, length }
}

fn arguments(path: &Path, video: Option<&Config>, audio: Option<&Config>) -> Vec<String> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let is_image = IMAGES.iter().any(|image| ending.eq_ignore_ascii_case(image));
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let sound = audio.and_then(Config::audio);
    let (rate, channels) = sound.map_or((48_000, 2), |sound| (sound.sample_rate, sound.channels.clamp(1, 2)));
    let layout = if channels == 1 { "mono" } else { "stereo" };
    let (width, height) =
        video.and_then(Config::video).map_or(UNKNOWN_SIZE, |size| (size.width, size.height));
    // Encoders want even numbers.
    let (width, height) = if width == 0 { UNKNOWN_SIZE } else { (width & !1, height & !1) };
    let mut args = Args::default();
    args.add("-v warning -nostdin -protocol_whitelist file");
    args.add(if is_image { "-loop 1 -framerate 25 -i" } else { "-i" });
    args.0.push(path.to_string_lossy().into_owned());
    args.add("-f lavfi -i");
    args.0.push(format!("anullsrc=r={rate}:cl={layout}"));
    args.add(&format!("-t {}", if is_image { IMAGE_SECONDS } else { CLIP_SECONDS }));
    match video {
        Some(config) => {
            args.add("-map 0:v:0 -vf");
            args.0.push(format!(
                "scale={width}:{height}:force_original_aspect_ratio=decrease,\
                 pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,fps={RATE},format=yuv420p"
            ));
            args.add(&video_codec(config));
        }
        None => args.add("-vn"),
    }
    match audio {
        // The silence is for clips without audio: the first audio track is read.
        Some(config) => {
            args.add(if is_image { "-map 1:a:0" } else { "-map 0:a:0? -map 1:a:0 -shortest" });
            args.add(&format!("-ac {channels} -ar {rate} -b:a 96k -c:a"));
            args.add(match config.codec {
                Codec::Opus => "libopus",
                Codec::Mp3 => "libmp3lame",
                _ => "aac",
            });
        }
        None => args.add("-an"),
    }
    args.add("-threads 2 -muxdelay 0 -muxpreload 0 -f mpegts pipe:1");
    args.0
}

/// Returns the encoder with the publisher's codec and, for H.264, its profile. Codecs that MPEG-TS does not carry are
/// replaced by H.264, which all viewers support.
fn video_codec(config: &Config) -> String {
    let common = "-preset veryfast -bf 0 -g 25";
    if config.codec == Codec::H265 {
        return format!("-c:v libx265 {common} -x265-params log-level=error");
    }
    // The profile is the second byte of the decoder configuration record.
    let profile = match config.description.get(1) {
        Some(66) => "baseline",
        Some(77) => "main",
        _ => "high",
    };
    format!("-c:v libx264 {common} -sc_threshold 0 -profile:v {profile}")
}

/// The words of a command line.
#[derive(Default)]
struct Args(Vec<String>);

impl Args {
    fn add(&mut self, words: &str) {
        self.0.extend(words.split_whitespace().map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use bytes::Bytes;
    use media::{Audio, Format, Video};

    use super::*;

    #[tokio::test]
    async fn an_image_becomes_a_loop_in_the_codecs_of_the_publisher() {
        let path = std::env::temp_dir().join(format!("lianmai-slate-{}.png", std::process::id()));
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", "color=red:size=64x48", "-frames:v", "1"])
            .arg(&path)
            .status();
        assert!(made.unwrap().success());
        let video = |codec, profile: u8| Config {
            codec,
            format: Format::Video(Video { width: 320, height: 180 }),
            description: Bytes::copy_from_slice(&[1, profile]),
        };
        let audio = |codec, sample_rate, channels| Config {
            codec,
            format: Format::Audio(Audio { sample_rate, channels }),
            description: Bytes::new(),
        };
        for (video, audio) in [
            (Some(video(Codec::H264, 66)), Some(audio(Codec::Aac, 44_100, 2))),
            (Some(video(Codec::H264, 100)), None),
            (Some(video(Codec::H265, 1)), Some(audio(Codec::Opus, 48_000, 1))),
            (None, Some(audio(Codec::Aac, 48_000, 2))),
        ] {
            let slate = encode(&path, video.as_ref(), audio.as_ref()).await.unwrap();
            let of = |track: bool| slate.frames.iter().filter(move |frame| frame.is_video() == track);
            assert!(slate.frames.windows(2).all(|pair| pair[0].dts <= pair[1].dts));
            assert!(slate.length >= 3 * SECOND && slate.frames.iter().all(|frame| frame.dts < slate.length));
            match &video {
                Some(video) => {
                    let first = of(true).next().unwrap();
                    assert!(first.key && first.dts == 0 && first.pts == 0);
                    assert_eq!((first.config.codec, first.config.format), (video.codec, video.format));
                    if video.codec == Codec::H264 {
                        assert_eq!(first.config.description.get(1), video.description.get(1), "the profile");
                    }
                    assert_eq!(of(true).count(), 100);
                }
                None => assert_eq!(of(true).count(), 0),
            }
            match &audio {
                Some(audio) => {
                    let first = of(false).next().unwrap();
                    assert_eq!((first.config.codec, first.config.format), (audio.codec, audio.format));
                }
                None => assert_eq!(of(false).count(), 0),
            }
        }
        std::fs::remove_file(&path).unwrap();
        let error = encode(&path, Some(&video(Codec::H264, 66)), None).await.unwrap_err();
        assert!(error.contains("ffmpeg cannot read it"), "{error}");
    }
}
