//! All codecs: the order and the times of the pictures.

use media::Codec;

use super::clips::{GRAYS, flv, ivf, luma, ts, with_odd_times};
use super::*;

const SMALL: &str = "color=s=64x48:r=30,";

fn source() -> String {
    format!("{SMALL}{GRAYS}")
}

/// Decodes frames of [`GRAYS`], in any order, and checks all pictures but the last `delay`.
async fn check(frames: Vec<Frame>, delay: usize) {
    let frames = with_odd_times(frames);
    let mut times: Vec<_> = frames.iter().map(|frame| frame.pts).collect();
    times.sort_unstable();
    let pictures = decoded(&frames, BOX, frames.len() - delay).await;
    for (number, decoded) in pictures.iter().enumerate() {
        assert_eq!(decoded.pts, times[number], "picture {number}");
        assert_eq!((decoded.picture.width(), decoded.picture.height()), (64, 48));
        let [y, u, v] = means(&decoded.picture);
        assert!(y.abs_diff(luma(number)) <= 3, "picture {number}: {y} for {}", luma(number));
        assert!(u.abs_diff(128) <= 2 && v.abs_diff(128) <= 2);
    }
}

const X264: &str = "-frames:v 40 -c:v libx264 -preset superfast -g 10 -pix_fmt yuv420p";

#[tokio::test]
async fn h264_baseline() {
    check(flv(&source(), &format!("{X264} -profile:v baseline -tune zerolatency")), 0).await;
}

#[tokio::test]
async fn h264_with_b_frames() {
    let frames = flv(&source(), &format!("{X264} -bf 3 -b_strategy 0"));
    assert!(frames.iter().any(|frame| frame.pts > frame.dts));
    check(frames, 4).await;
}

#[tokio::test]
async fn h265_with_b_frames() {
    let x265 = "-frames:v 40 -c:v libx265 -preset ultrafast -x265-params log-level=error:keyint=10:bframes=2";
    check(ts(&source(), x265), 4).await;
}

#[tokio::test]
async fn vp8_and_vp9() {
    let vpx = "-frames:v 40 -g 10 -deadline realtime -b:v 500k";
    check(ivf(Codec::Vp8, &source(), &format!("{vpx} -c:v libvpx")), 0).await;
    check(ivf(Codec::Vp9, &source(), &format!("{vpx} -c:v libvpx-vp9 -cpu-used 8")), 0).await;
}

#[tokio::test]
async fn av1() {
    let aom = "-frames:v 20 -g 10 -c:v libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0 -b:v 500k";
    check(ivf(Codec::Av1, &source(), aom), 0).await;
}

#[tokio::test]
async fn a_picture_comes_before_the_next_frame_is_pushed() {
    let frames = flv(&source(), &format!("{X264} -tune zerolatency -bf 0"));
    let mut decoder = Decoder::start(&settings(&frames, BOX)).unwrap();
    for frame in &frames {
        let (pictures, end) = decode(&mut decoder, std::slice::from_ref(frame), 1).await;
        assert_eq!((pictures[0].pts, end), (frame.pts, None));
    }
}

#[tokio::test]
async fn audio_and_too_large_video_are_refused() {
    let refused = |codec, width, height| {
        let format = media::Format::Video(media::Video { width, height });
        let config = media::Config { codec, format, description: Bytes::new() };
        Decoder::start(&DecoderSettings { config: config.into(), max_size: BOX }).unwrap_err()
    };
    assert_eq!(refused(Codec::Opus, 0, 0), Reason::CannotDecode("opus"));
    assert_eq!(refused(Codec::Vp8, 4098, 2304), Reason::TooLarge);
    assert_eq!(refused(Codec::Vp8, 2306, 4096), Reason::TooLarge);
}
