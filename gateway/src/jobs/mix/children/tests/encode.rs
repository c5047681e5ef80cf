//! Encoders: times, key frames, size, rate and configuration.

use media::codec::h264;
use media::time::{MILLI, Micros, SECOND};
use media::{Codec, Config};

use super::*;

const SMALL: (u32, u32) = (64, 48);

fn settings((width, height): (u32, u32), encoder: EncoderName) -> EncoderSettings {
    EncoderSettings { encoder, width, height, rate: 30, bits: 1_000_000 }
}

/// Encodes pictures at these times, with these requests of key frames.
async fn encode(encoder: &mut Encoder, pictures: &[(Micros, Bytes, bool)]) -> Vec<Frame> {
    let (mut made, mut rest) = (Vec::new(), pictures.iter());
    let run = async {
        while made.len() < pictures.len() {
            while encoder.has_room()
                && let Some((time, picture, key)) = rest.next()
            {
                assert!(encoder.push(picture.clone(), *time, *key));
            }
            match encoder.next().await {
                Output::Made(frame) => made.push(frame),
                Output::Room => {}
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(LIMIT, run).await.expect("frames in time");
    made
}

fn small(times: impl IntoIterator<Item = (Micros, bool)>) -> Vec<(Micros, Bytes, bool)> {
    let gray = |number: usize| gray(SMALL.0, SMALL.1, (number % 200 + 20) as u8);
    times.into_iter().enumerate().map(|(number, (time, key))| (time, gray(number), key)).collect()
}

/// Returns whether the access unit has an IDR picture.
fn has_idr(frame: &Frame) -> bool {
    h264::is_key(&frame.data)
}

#[tokio::test]
async fn frames_have_the_times_of_their_pictures_and_key_frames_are_where_they_were_asked_for() {
    // Odd microseconds, and pictures left out. Keys: two in a row, and others far less than 2 s apart.
    let asked = [7, 8, 31, 50, 100];
    let times = (0..130i64).filter(|number| number % 9 != 4 || *number < 20);
    let begin = 98_765_432_109_876;
    let pictures =
        small(times.enumerate().map(|(index, number)| {
            (begin + number * SECOND / 30 + number * 13 % 400, asked.contains(&index))
        }));
    for encoder in [EncoderName::Superfast, EncoderName::Veryfast] {
        let mut encoder = Encoder::start(&settings(SMALL, encoder)).unwrap();
        let frames = encode(&mut encoder, &pictures).await;
        let keys: Vec<_> = (0..frames.len()).filter(|&index| frames[index].key).collect();
        assert_eq!(keys, [0, 7, 8, 31, 50, 100]);
        for (frame, (time, ..)) in frames.iter().zip(&pictures) {
            assert_eq!((frame.pts, frame.dts), (*time, *time));
            assert_eq!(frame.key, has_idr(frame));
        }
    }
}

#[tokio::test]
async fn a_key_frame_comes_every_two_seconds_without_a_request_even_at_a_cut() {
    let mut encoder = Encoder::start(&settings(SMALL, EncoderName::Superfast)).unwrap();
    // Black and white in turn.
    let pictures: Vec<_> = (0..130i64)
        .map(|number| {
            (number * SECOND / 25, gray(SMALL.0, SMALL.1, if number % 2 == 0 { 16 } else { 235 }), false)
        })
        .collect();
    let frames = encode(&mut encoder, &pictures).await;
    let keys: Vec<_> = frames.iter().filter(|frame| frame.key).map(|frame| frame.pts / SECOND).collect();
    assert_eq!(keys, [0, 2, 4]);
}

#[tokio::test]
async fn a_frame_comes_before_the_next_picture_is_pushed() {
    let mut encoder = Encoder::start(&settings(SMALL, EncoderName::Superfast)).unwrap();
    for picture in small((0..40).map(|number| (number * 33_333, false))) {
        encode(&mut encoder, &[picture]).await;
    }
}

#[tokio::test]
async fn two_encoders_with_equal_settings_have_equal_configurations() {
    for size in [SMALL, (1280, 720)] {
        let mut configs = Vec::new();
        for (begin, luma) in [(0, 20), (5_000_000_123, 200)] {
            let mut encoder = Encoder::start(&settings(size, EncoderName::Superfast)).unwrap();
            let frames = encode(&mut encoder, &[(begin, gray(size.0, size.1, luma), false)]).await;
            configs.push(Config::clone(&frames[0].config));
        }
        assert_eq!(configs[0], configs[1]);
        let video = configs[0].video().unwrap();
        assert_eq!((configs[0].codec, video.width, video.height), (Codec::H264, size.0, size.1));
    }
}

#[tokio::test]
async fn the_bit_rate_is_about_as_asked() {
    let (width, height) = (320, 180);
    let noise = |number: usize| {
        let mut seed = number as u32 + 1;
        let mut data = gray(width, height, 128).to_vec();
        for byte in &mut data {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            *byte = 100 + (seed % 50) as u8;
        }
        Bytes::from(data)
    };
    for bits in [500_000, 2_000_000] {
        let settings = EncoderSettings { bits, ..settings((width, height), EncoderName::Superfast) };
        let mut encoder = Encoder::start(&settings).unwrap();
        let pictures: Vec<_> =
            (0..90).map(|number| (number as Micros * SECOND / 30, noise(number), false)).collect();
        let frames = encode(&mut encoder, &pictures).await;
        let got = frames.iter().map(|frame| frame.data.len() as u64 * 8).sum::<u64>() / 3;
        assert!((bits * 6 / 10..bits * 15 / 10).contains(&got), "{got} for {bits}");
    }
}

#[tokio::test]
async fn pictures_that_are_not_right_are_refused_and_the_queue_is_bounded() {
    let mut encoder = Encoder::start(&settings(SMALL, EncoderName::Superfast)).unwrap();
    let picture = gray(SMALL.0, SMALL.1, 50);
    assert!(!encoder.push(picture.slice(1..), 0, false), "another size");
    assert!(encoder.push(picture.clone(), 5 * MILLI + 1, false));
    assert!(!encoder.push(picture.clone(), 5 * MILLI + 999, false), "the same millisecond");
    let more = (0..20).filter(|number| encoder.push(picture.clone(), (6 + number) * MILLI, false)).count();
    assert!(more <= 2 && !encoder.has_room(), "{more} more pictures wait");
}

#[tokio::test]
async fn an_encoder_ends_before_its_times_overflow() {
    let mut encoder = Encoder::start(&settings(SMALL, EncoderName::Superfast)).unwrap();
    let day = 24 * 3600 * SECOND;
    let frames = encode(&mut encoder, &small([(day, false), (21 * day, false)])).await;
    assert_eq!(frames[1].pts, 21 * day);
    assert!(!encoder.push(gray(SMALL.0, SMALL.1, 50), 21 * day + MILLI, false));
    assert_eq!(encoder.next().await, Output::End(Reason::Term));
}

#[tokio::test]
async fn an_encoder_that_this_machine_lacks_ends_with_a_reason() {
    // No test machine has a card of each kind, and without one ffmpeg ends at once.
    let mut ended = 0;
    for name in [EncoderName::Nvenc, EncoderName::V4l2] {
        let mut encoder = Encoder::start(&settings(SMALL, name)).unwrap();
        encoder.push(gray(SMALL.0, SMALL.1, 50), 0, false);
        let run = async {
            loop {
                match encoder.next().await {
                    Output::End(reason) => return Some(reason.to_string()),
                    Output::Made(_) => return None,
                    _ => {}
                }
            }
        };
        if let Some(reason) = timeout(LIMIT, run).await.expect("an end") {
            assert!(reason.starts_with("ffmpeg"), "{reason}");
            ended += 1;
        }
    }
    assert!(ended > 0);
}
