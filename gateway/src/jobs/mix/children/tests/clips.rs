//! Short clips, made with ffmpeg for each test.

use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use media::codec::{av1, vpx};
use media::time::{Micros, SECOND};
use media::{Codec, Config, Frame, flv, ts};

/// Filters that make picture N a gray of [`luma`] N.
pub(super) const GRAYS: &str = "geq=lum=mod(N*8\\,208)+24:cb=128:cr=128";

/// Returns the luma of picture `number` of [`GRAYS`].
pub(super) fn luma(number: usize) -> u8 {
    (number * 8 % 208 + 24) as u8
}

/// Runs ffmpeg with a source of lavfi.
pub(super) fn ffmpeg(source: &str, arguments: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", source])
        .args(arguments.split(' '))
        .arg("pipe:1")
        .stdin(Stdio::null())
        .output()
        .expect("ffmpeg starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the video frames of a clip in FLV.
pub(super) fn flv(source: &str, arguments: &str) -> Vec<Frame> {
    let mut demuxer = flv::Demuxer::new();
    demuxer.push(ffmpeg(source, &format!("{arguments} -f flv")).into());
    std::iter::from_fn(|| demuxer.next())
        .filter_map(|event| match event.unwrap() {
            flv::Event::Frame(frame) => Some(frame),
            _ => None,
        })
        .collect()
}

/// Returns the video frames of a clip in MPEG-TS.
pub(super) fn ts(source: &str, arguments: &str) -> Vec<Frame> {
    let mut demuxer = ts::Demuxer::new();
    demuxer.push(ffmpeg(source, &format!("{arguments} -f mpegts")).into());
    demuxer.flush();
    std::iter::from_fn(|| demuxer.next())
        .filter_map(|event| match event.unwrap() {
            ts::Event::Frame(frame) => Some(frame),
            _ => None,
        })
        .collect()
}

/// Returns the video frames of a clip in IVF, which has 32 bytes and then each frame after 12 bytes.
pub(super) fn ivf(codec: Codec, source: &str, arguments: &str) -> Vec<Frame> {
    let file = Bytes::from(ffmpeg(source, &format!("{arguments} -f ivf")));
    let mut rest = file.slice(32..);
    let (mut frames, mut config) = (Vec::new(), None::<Arc<Config>>);
    while rest.len() > 12 {
        let length = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
        let data = rest.slice(12..12 + length);
        rest = rest.slice(12 + length..);
        let (found, data) = match codec {
            Codec::Av1 => {
                let data = av1::without_delimiter(data);
                (av1::config_in_band(&data, config.as_deref()).unwrap(), data)
            }
            _ => (vpx::config_of_key_frame(codec, &data), data),
        };
        let key = found.is_some() || codec == Codec::Av1 && av1::is_key(&data);
        if config.is_none() {
            config = found.map(Arc::new);
        }
        let time = frames.len() as Micros * SECOND / 30;
        let config = config.clone().expect("the first frame is a key frame");
        frames.push(Frame { number: 0, config, dts: time, pts: time, key, data });
    }
    frames
}

/// Moves the times to odd microseconds; the order stays.
pub(super) fn with_odd_times(mut frames: Vec<Frame>) -> Vec<Frame> {
    for frame in &mut frames {
        for time in [&mut frame.dts, &mut frame.pts] {
            *time += 1_234_567_890_123 + *time % 997;
        }
    }
    frames
}
