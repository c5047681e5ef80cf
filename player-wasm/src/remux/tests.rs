use std::sync::Arc;

use media::codec::aac;
use media::{Config, Format, Video};

use super::*;

const ALL: &[Codec] =
    &[Codec::H264, Codec::H265, Codec::Av1, Codec::Vp8, Codec::Vp9, Codec::Aac, Codec::Opus, Codec::Mp3];
const FRAME: Micros = 40 * MILLI;

fn video(width: u32) -> Arc<Config> {
    let description = Bytes::from_static(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68]);
    Arc::new(Config { codec: Codec::H264, format: Format::Video(Video { width, height: 360 }), description })
}

fn audio() -> Arc<Config> {
    Arc::new(aac::config_from_asc(Bytes::from_static(&[0x12, 0x10])).unwrap())
}

fn no_audio(codec: Option<Codec>) -> Option<Notice> {
    Some(Notice { track: Track::Audio, codec })
}

fn frame(config: &Arc<Config>, dts: Micros, key: bool) -> Frame {
    Frame { number: 0, config: config.clone(), dts, pts: dts, key, data: Bytes::from_static(b"data") }
}

/// A parsed chunk: `init` with a MIME type, or `media` with decode time in µs and track of each fragment.
#[derive(Debug, PartialEq)]
enum Piece {
    Init { audio: bool, rebuild: bool },
    Fragment { track: u32, dts: u64, samples: u32 },
}

fn pieces(remuxer: &mut Remuxer) -> Vec<Piece> {
    let mut out = Vec::new();
    while let Some(chunk) = remuxer.take() {
        match chunk {
            Chunk::Init(init) => {
                out.push(Piece::Init { audio: init.mime.contains("mp4a"), rebuild: init.rebuild });
            }
            Chunk::Media(mut data) => {
                while !data.is_empty() {
                    let word = |at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
                    let moof = word(0) as usize;
                    let dts = u64::from(word(60)) << 32 | u64::from(word(64));
                    out.push(Piece::Fragment { track: word(44), dts, samples: word(80) });
                    let rest = data.split_off(moof + word(moof) as usize);
                    data = rest;
                }
            }
        }
    }
    out
}

/// Returns the times of a track's fragments relative to the first one.
fn times(pieces: &[Piece], of: u32) -> Vec<u64> {
    let times: Vec<u64> = pieces
        .iter()
        .filter_map(|piece| match *piece {
            Piece::Fragment { track, dts, .. } if track == of => Some(dts),
            _ => None,
        })
        .collect();
    times.iter().map(|time| time - times[0]).collect()
}

#[test]
fn every_picture_is_a_fragment_at_once_and_sound_goes_by_three() {
    let mut remuxer = Remuxer::new(ALL, false);
    remuxer.promise(true, true);
    let (v, a) = (video(640), audio());
    remuxer.push(0, frame(&v, 7 * SECOND, true));
    assert_eq!(pieces(&mut remuxer), []);
    for n in 0..6 {
        remuxer.push(0, frame(&a, 7 * SECOND + n * 23 * MILLI, true));
    }
    remuxer.push(0, frame(&v, 7 * SECOND + FRAME, false));
    let got = pieces(&mut remuxer);
    assert_eq!(got[0], Piece::Init { audio: true, rebuild: true });
    assert_eq!(times(&got, VIDEO_ID), [0, FRAME as u64]);
    // Counted in samples, not in milliseconds.
    assert_eq!(times(&got, AUDIO_ID), [0, 69_660]);
}

#[test]
fn a_broken_promise_is_not_waited_for() {
    let mut remuxer = Remuxer::new(ALL, false);
    remuxer.promise(true, true);
    let v = video(640);
    remuxer.push(0, frame(&v, 0, true));
    remuxer.poll(200 * MILLI);
    assert_eq!(pieces(&mut remuxer), []);
    remuxer.poll(400 * MILLI);
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: false, rebuild: true });
    // Audio that arrives later joins at the next key frame.
    remuxer.push(0, frame(&audio(), FRAME, true));
    remuxer.push(0, frame(&v, FRAME, false));
    assert_eq!(pieces(&mut remuxer).len(), 1);
    remuxer.push(0, frame(&v, 2 * FRAME, true));
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: true, rebuild: true });
}

#[test]
fn sound_that_cannot_be_played_is_told_and_left_out() {
    let mut remuxer = Remuxer::new(&[Codec::H264], false);
    remuxer.promise(true, true);
    remuxer.push(0, frame(&audio(), 0, true));
    remuxer.push(0, frame(&video(640), 0, true));
    assert_eq!(remuxer.notice(), no_audio(Some(Codec::Aac)));
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: false, rebuild: true });
}

#[test]
fn after_sound_that_cannot_be_played_another_codec_is_tried() {
    let mut remuxer = Remuxer::new(ALL, false);
    let (v, aac) = (video(640), audio());
    let alaw = Arc::new(Config { codec: Codec::PcmAlaw, ..(*aac).clone() });
    remuxer.promise(true, true);
    remuxer.push(0, frame(&alaw, 0, true));
    remuxer.push(0, frame(&v, 0, true));
    remuxer.push(0, frame(&alaw, FRAME, true));
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: false, rebuild: true });
    assert_eq!((remuxer.notice(), remuxer.notice()), (no_audio(Some(Codec::PcmAlaw)), None));
    // The publisher returns with AAC.
    remuxer.restart();
    remuxer.promise(true, true);
    remuxer.push(0, frame(&v, 0, true));
    assert_eq!(pieces(&mut remuxer), []);
    remuxer.push(0, frame(&aac, 0, true));
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: true, rebuild: true });
    // The same after an unsupported codec.
    remuxer.unsupported(Track::Audio);
    remuxer.unsupported(Track::Audio);
    assert_eq!((remuxer.notice(), remuxer.notice()), (no_audio(None), None));
    remuxer.restart();
    remuxer.push(0, frame(&aac, 0, true));
    remuxer.push(0, frame(&v, 0, true));
    assert!(pieces(&mut remuxer).contains(&Piece::Init { audio: true, rebuild: false }));
}

#[test]
fn what_the_browser_refused_stays_refused_through_a_rebuild() {
    let mut remuxer = Remuxer::new(ALL, false);
    let (v, aac) = (video(640), audio());
    remuxer.promise(true, true);
    remuxer.push(0, frame(&aac, 0, true));
    remuxer.push(0, frame(&v, 0, true));
    assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: true, rebuild: true });
    remuxer.refuse(Track::Audio);
    assert_eq!(remuxer.notice(), no_audio(Some(Codec::Aac)));
    for _ in 0..2 {
        remuxer.rebuild();
        remuxer.promise(true, true);
        remuxer.push(0, frame(&aac, 0, true));
        remuxer.push(0, frame(&v, 0, true));
        assert_eq!(pieces(&mut remuxer)[0], Piece::Init { audio: false, rebuild: true });
        assert_eq!(remuxer.notice(), None);
    }
}

#[test]
fn another_picture_size_begins_with_its_key_frame_in_the_same_source() {
    let mut remuxer = Remuxer::new(ALL, false);
    let (large, small) = (video(1920), video(1280));
    remuxer.push(0, frame(&large, 0, true));
    pieces(&mut remuxer);
    remuxer.push(0, frame(&small, FRAME, false));
    assert_eq!(pieces(&mut remuxer), []);
    remuxer.push(0, frame(&small, 2 * FRAME, true));
    let got = pieces(&mut remuxer);
    assert_eq!(got[0], Piece::Init { audio: false, rebuild: false });
    assert_eq!(got.len(), 2);
}

#[test]
fn times_that_jump_go_on_without_a_hole() {
    for jump in [-3_600 * SECOND, 90_000 * SECOND] {
        let mut remuxer = Remuxer::new(ALL, false);
        let v = video(640);
        for n in 0..4 {
            remuxer.push(0, frame(&v, 5_000 * SECOND + n * FRAME, n == 0));
        }
        for n in 0..4 {
            remuxer.push(0, frame(&v, 5_000 * SECOND + jump + n * FRAME, n == 0));
        }
        let all: Vec<u64> = (0..8).map(|n| n * FRAME as u64).collect();
        assert_eq!(times(&pieces(&mut remuxer), VIDEO_ID), all);
    }
}

#[test]
fn decode_times_never_step_further_than_mse_allows() {
    let mut remuxer = Remuxer::new(ALL, false);
    let v = video(640);
    for time in [0, FRAME, 2 * FRAME, 20 * FRAME, 21 * FRAME, 50 * FRAME] {
        remuxer.push(0, frame(&v, time, time == 0));
    }
    let times = times(&pieces(&mut remuxer), VIDEO_ID);
    assert!(
        times.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= 2 * FRAME as u64),
        "{times:?}"
    );
}

#[test]
fn missing_sound_is_filled_with_silence() {
    let mut remuxer = Remuxer::new(ALL, false);
    remuxer.promise(true, true);
    let (v, a) = (video(640), audio());
    for n in 0..100 {
        remuxer.push(0, frame(&v, n * FRAME, n == 0));
        if n < 20 {
            remuxer.push(0, frame(&a, n * FRAME, true));
        }
    }
    // Two seconds after the last audio, the video still has audio beside it.
    assert!(remuxer.end() > EPOCH + 99 * FRAME - 400 * MILLI, "{}", remuxer.end());
}

#[test]
fn a_new_connection_follows_the_old_one() {
    let mut remuxer = Remuxer::new(ALL, false);
    let v = video(640);
    remuxer.push(0, frame(&v, 0, true));
    remuxer.push(0, frame(&v, FRAME, false));
    remuxer.restart();
    remuxer.push(0, frame(&v, 1_000 * SECOND, true));
    let got = pieces(&mut remuxer);
    assert_eq!(times(&got, VIDEO_ID), [0, FRAME as u64, 2 * FRAME as u64]);
    assert!(got.contains(&Piece::Init { audio: false, rebuild: false }));
}

/// A discontinuity to other audio, which MPEG-TS delivers a second late.
#[test]
fn other_sound_after_a_discontinuity_needs_no_new_media_source() {
    let mut remuxer = Remuxer::new(ALL, true);
    remuxer.promise(true, true);
    let (video, audio, other) =
        (video(640), audio(), Arc::new(aac::config_from_asc(vec![0x13, 0x88].into()).unwrap()));
    let mut rebuilds = Vec::new();
    for (round, sound) in [&audio, &other, &audio].into_iter().enumerate() {
        // The video of a second, then its audio.
        for second in 0..3 {
            for n in 0..25 {
                remuxer.push(0, frame(&video, second * SECOND + n * FRAME, n == 0));
            }
            // The first audio is from before the first video frame.
            for n in 0..20 {
                remuxer.push(0, frame(sound, second * SECOND + n * 50 * MILLI - 46 * MILLI, true));
            }
        }
        let pieces = pieces(&mut remuxer);
        rebuilds.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Init { audio, rebuild } => Some((*audio, *rebuild)),
            Piece::Fragment { .. } => None,
        }));
        assert_eq!(times(&pieces, VIDEO_ID).len(), 75, "round {round}: no picture is lost");
        remuxer.restart();
    }
    assert_eq!(rebuilds, [(true, true), (true, false), (true, false)]);
}

#[test]
fn a_part_without_sound_is_filled_with_silence() {
    let mut remuxer = Remuxer::new(ALL, true);
    let (video, audio) = (video(640), audio());
    remuxer.promise(true, true);
    for n in 0..50 {
        remuxer.push(0, frame(&video, n * FRAME, n == 0));
        remuxer.push(0, frame(&audio, n * FRAME, true));
    }
    pieces(&mut remuxer);
    remuxer.restart();
    for n in 0..100 {
        remuxer.push(0, frame(&video, n * FRAME, n % 25 == 0));
    }
    remuxer.flush();
    let pieces = pieces(&mut remuxer);
    assert!(pieces.contains(&Piece::Init { audio: true, rebuild: false }), "{pieces:?}");
    assert!(times(&pieces, AUDIO_ID).len() > 20);
}

#[test]
fn what_is_placed_lies_where_it_was_told_to_and_a_seek_forgets_what_waited() {
    let mut remuxer = Remuxer::new(ALL, true);
    let config = video(640);
    remuxer.place(0);
    remuxer.push(0, frame(&config, 77 * SECOND, true));
    remuxer.flush();
    assert_eq!(times(&pieces(&mut remuxer), VIDEO_ID), [0]);
    remuxer.push(0, frame(&config, 77 * SECOND + FRAME, false));
    remuxer.seek(60 * SECOND);
    remuxer.push(0, frame(&config, 5 * SECOND, true));
    remuxer.push(0, frame(&config, 5 * SECOND + FRAME, false));
    remuxer.flush();
    assert_eq!(remuxer.reached(), 60 * SECOND + 2 * FRAME);
    let pieces = pieces(&mut remuxer);
    assert_eq!(pieces.iter().filter(|piece| matches!(piece, Piece::Fragment { .. })).count(), 2);
    // There are no times before 0.
    remuxer.place(0);
    remuxer.push(0, frame(&config, SECOND, true));
    remuxer.push(0, frame(&audio(), SECOND - 20 * MILLI, true));
    remuxer.flush();
}

#[test]
fn audio_whose_clock_stands_still_goes_with_the_video() {
    let mut remuxer = Remuxer::new(ALL, false);
    let (v, aac) = (video(640), audio());
    remuxer.promise(true, true);
    let (mut sounds, mut out) = (0, Vec::new());
    for n in 0..750 {
        // 1024 samples at 44.1 kHz.
        while sounds * 23_220 <= n * FRAME {
            remuxer.push(n * FRAME, frame(&aac, 0, true));
            sounds += 1;
        }
        remuxer.push(n * FRAME, frame(&v, n * FRAME, n % 50 == 0));
        out.extend(pieces(&mut remuxer));
    }
    let end = 30 * SECOND as u64;
    for track in [1, 2] {
        let last = *times(&out, track).last().unwrap();
        assert!(last > end - 500_000 && last < end + 200_000, "track {track} ends at {last} µs");
    }
    assert_eq!(out.iter().filter(|piece| matches!(piece, Piece::Init { .. })).count(), 1);
}
