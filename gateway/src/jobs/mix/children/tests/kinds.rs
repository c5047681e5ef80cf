//! All kinds of pictures: sizes, pixel formats, ranges and aspect ratios.

use super::clips::flv;
use super::*;

/// Decodes the first picture of a clip of `filters`.
async fn first(filters: &str, arguments: &str, max_size: (u32, u32)) -> Picture {
    let x264 = format!("-frames:v 2 -c:v libx264 -preset ultrafast -tune zerolatency -qp 4 {arguments}");
    let frames = flv(filters, &x264);
    decoded(&frames, max_size, 1).await.remove(0).picture
}

#[tokio::test]
async fn large_pictures_are_scaled_to_fit_and_small_ones_keep_their_size() {
    for (size, max_size, expected) in [
        ("320x180", BOX, (320, 180)),
        ("1280x720", BOX, (1280, 720)),
        ("1920x1080", BOX, (1280, 720)),
        ("1080x1920", BOX, (406, 720)),
        ("640x480", (320, 180), (240, 180)),
        ("2000x16", (100, 100), (100, 2)),
    ] {
        let picture = first(&format!("color=gray:s={size}"), "-pix_fmt yuv420p", max_size).await;
        assert_eq!((picture.width(), picture.height()), expected, "{size}");
        assert!(means(&picture).iter().all(|mean| mean.abs_diff(128) <= 5), "{:?}", means(&picture));
    }
}

#[tokio::test]
async fn odd_sizes_become_even() {
    let odd = "color=gray:s=320x180,format=yuv444p,scale=161:91";
    let picture = first(odd, "-pix_fmt yuv444p", BOX).await;
    assert_eq!((picture.width(), picture.height()), (162, 92));
}

#[tokio::test]
async fn pixels_become_square() {
    for (size, aspect, expected) in
        [("720x576", "16/15", (768, 576)), ("720x576", "64/45", (1024, 576)), ("640x480", "1/2", (320, 480))]
    {
        let picture = first(&format!("color=gray:s={size},setsar={aspect}"), "-pix_fmt yuv420p", BOX).await;
        assert_eq!((picture.width(), picture.height()), expected, "{size} {aspect}");
    }
}

#[tokio::test]
async fn any_format_and_range_becomes_the_same_gray() {
    for arguments in [
        "-pix_fmt yuv420p",
        "-pix_fmt yuv422p",
        "-pix_fmt yuv444p",
        "-pix_fmt yuv420p10le",
        "-pix_fmt yuv422p10le",
        "-pix_fmt yuv444p10le",
        "-pix_fmt yuvj420p",
        "-pix_fmt yuvj444p",
        "-vf scale=out_range=pc -color_range pc -pix_fmt yuv420p10le",
        "-pix_fmt gray",
    ] {
        let x264 = format!("-frames:v 3 -c:v libx264 -preset ultrafast -tune zerolatency -qp 4 {arguments}");
        let grays = "color=s=64x48,geq=lum=if(eq(N\\,0)\\,16\\,if(eq(N\\,1)\\,126\\,235)):cb=128:cr=128";
        let pictures = decoded(&flv(grays, &x264), BOX, 3).await;
        for (decoded, luma) in pictures.iter().zip([16, 126, 235]) {
            let [y, u, v] = means(&decoded.picture);
            assert!(y.abs_diff(luma) <= 2, "{arguments}: {y} for {luma}");
            assert!(u.abs_diff(128) <= 1 && v.abs_diff(128) <= 1, "{arguments}: {u} {v}");
        }
    }
}

#[tokio::test]
async fn a_change_of_the_size_inside_a_stream_keeps_the_size_of_the_pictures() {
    let clip = |size: &str| {
        let x264 = "-frames:v 5 -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p";
        flv(&format!("color=gray:s={size}:r=30"), x264)
    };
    let (small, large) = (clip("64x48"), clip("128x96"));
    // Parameter sets in the stream, as in WebRTC: the configuration of the decoder is the first one's.
    let avcc = media::codec::h264::Avcc::parse(&large[0].config.description).unwrap();
    let mut data = Vec::new();
    for nal in avcc.sps.iter().chain(&avcc.pps) {
        media::codec::nal::push_length_prefixed(&mut data, nal);
    }
    data.extend(&large[0].data);
    let mut changed = large.clone();
    changed[0].data = data.into();
    for frame in &mut changed {
        frame.pts += media::time::SECOND;
        frame.dts += media::time::SECOND;
    }
    let pictures = decoded(&[small, changed].concat(), BOX, 10).await;
    assert!(pictures.iter().all(|decoded| decoded.picture.width() == 64));
    assert!(means(&pictures[9].picture)[0].abs_diff(126) <= 3);
    // The next decoder has the new size.
    let pictures = decoded(&large, BOX, 5).await;
    assert_eq!(pictures[0].picture.width(), 128);
}
