//! Children that are killed, stopped, or get hostile bytes.

use rustix::process::{Pid, Signal, kill_process};

use super::clips::flv;
use super::*;
use crate::jobs::mix::children::Supervised;

fn clip() -> Vec<Frame> {
    let x264 = "-frames:v 60 -c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p";
    flv("testsrc2=s=320x180:r=30", x264)
}

fn signal(id: Option<u32>, signal: Signal) {
    let pid = id.and_then(|id| Pid::from_raw(id.cast_signed())).expect("a running child");
    kill_process(pid, signal).unwrap();
}

/// Feeds a supervised decoder as the mix does, again from the first frame after a restart, until `count` pictures.
async fn pictures(decoder: &mut Supervised<Decoder>, frames: &[Frame], count: usize) -> (usize, bool) {
    let (mut rest, mut made, mut restarted) = (frames.iter().cycle(), 0, false);
    while made < count {
        while decoder.has_room() && decoder.child().is_some() {
            decoder.push(rest.next().unwrap());
        }
        match decoder.next().await {
            Output::Made(_) => made += 1,
            Output::Room => {}
            Output::Restarted => (rest, restarted) = (frames.iter().cycle(), true),
            Output::End(reason) => panic!("{reason}"),
        }
    }
    (made, restarted)
}

#[tokio::test]
async fn a_killed_decoder_ends_and_its_supervisor_has_another_within_a_second() {
    let frames = clip();
    let mut decoder = Decoder::start(&settings(&frames, BOX)).unwrap();
    decode(&mut decoder, &frames[..3], 3).await;
    signal(decoder.id(), Signal::KILL);
    let (_, end) = decode(&mut decoder, &frames[3..], 60).await;
    assert_eq!(end.unwrap().to_string(), "ffmpeg ended: signal: 9 (SIGKILL)");
    assert!(!decoder.has_room() && !decoder.push(&frames[0]));

    let mut decoder = Supervised::<Decoder>::new(settings(&frames, BOX));
    let run = async {
        pictures(&mut decoder, &frames, 3).await;
        signal(decoder.child().and_then(Decoder::id), Signal::KILL);
        let since = Instant::now();
        // The pictures that were in the pipe come first.
        while !matches!(decoder.next().await, Output::Restarted) {}
        let back = since.elapsed();
        assert!(!decoder.push(&frames[1]), "frames before a key frame are dropped");
        pictures(&mut decoder, &frames, 3).await;
        back
    };
    let back = timeout(LIMIT, run).await.unwrap();
    assert!(back < Duration::from_secs(1), "{back:?}");
}

#[tokio::test]
async fn a_killed_encoder_is_back_within_a_second_with_the_same_configuration() {
    let settings =
        EncoderSettings { encoder: EncoderName::default(), width: 64, height: 48, rate: 30, bits: 500_000 };
    let mut encoder = Supervised::<Encoder>::new(settings);
    let (mut time, mut configs) = (0, Vec::new());
    let mut killed = None;
    let run = async {
        loop {
            if encoder.has_room() {
                time += 33_333;
                encoder.push(gray(64, 48, 50), time, false);
            }
            match encoder.next().await {
                Output::Made(frame) => {
                    if configs.is_empty() {
                        signal(encoder.child().and_then(Encoder::id), Signal::KILL);
                        killed = Some(Instant::now());
                        configs.push(frame.config);
                    } else if frame.key && frame.pts > 33_333 {
                        configs.push(frame.config);
                        return;
                    }
                }
                Output::Room => {}
                Output::Restarted => assert!(killed.unwrap().elapsed() < Duration::from_secs(1)),
                Output::End(reason) => panic!("{reason}"),
            }
        }
    };
    timeout(LIMIT, run).await.unwrap();
    assert_eq!(configs[0], configs[1]);
}

#[tokio::test]
async fn a_stopped_decoder_takes_few_frames_and_never_blocks() {
    let frames = clip();
    let mut decoder = Decoder::start(&settings(&frames, BOX)).unwrap();
    decode(&mut decoder, &frames[..3], 3).await;
    signal(decoder.id(), Signal::STOP);
    let (mut taken, since) = (0, Instant::now());
    let run = async {
        loop {
            for frame in frames.iter().cycle().take(100) {
                taken += usize::from(decoder.push(frame));
            }
            if let Output::End(reason) = decoder.next().await {
                return reason;
            }
        }
    };
    // The child is considered to hang after a while.
    assert_eq!(timeout(LIMIT, run).await.unwrap(), Reason::Hangs);
    assert!(since.elapsed() < Duration::from_secs(8));
    let bytes = frames.iter().map(|frame| frame.data.len()).sum::<usize>() / frames.len() * taken;
    assert!(bytes < 300_000, "{taken} frames, {bytes} bytes");
}

#[tokio::test]
async fn hostile_bytes_in_a_stream_do_not_stop_the_decoder() {
    let mut frames = clip();
    let mut seed = 12345u32;
    for frame in &mut frames[10..30] {
        let mut data = frame.data.to_vec();
        for byte in &mut data {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if seed >> 28 == 0 {
                *byte = (seed >> 16) as u8;
            }
        }
        frame.data = data.into();
    }
    frames[35].data = Bytes::from_static(&[0xFF; 1000]);
    frames[36].data = Bytes::new();
    let last = frames[59].pts;
    let mut decoder = Decoder::start(&settings(&frames, BOX)).unwrap();
    let run = async {
        let mut rest = frames.iter();
        loop {
            while decoder.has_room()
                && let Some(frame) = rest.next()
            {
                decoder.push(frame);
            }
            match decoder.next().await {
                Output::Made(decoded) if decoded.pts == last => return,
                Output::End(reason) => panic!("{reason}"),
                _ => {}
            }
        }
    };
    timeout(LIMIT, run).await.expect("the last picture");
}

#[tokio::test]
async fn an_input_that_cannot_be_decoded_is_given_up_with_the_reason() {
    // The configuration and the frames are random bytes: ffmpeg makes no picture, and the caller does not wait for one.
    let config = media::Config {
        codec: media::Codec::Opus,
        format: media::Format::Audio(media::Audio { sample_rate: 48000, channels: 2 }),
        description: Bytes::new(),
    };
    let mut decoder = Supervised::<Decoder>::new(DecoderSettings { config: config.into(), max_size: BOX });
    let Output::End(reason) = decoder.next().await else { panic!("it does not end") };
    assert_eq!(reason.to_string(), "ffmpeg cannot decode opus");
}
