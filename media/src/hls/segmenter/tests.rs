use proptest::prelude::*;

use super::*;
use crate::time::from_ticks;
use crate::ts::tests::{audio_config, picture, sound, video_config};
use crate::ts::{Demuxer, Event};

/// Video at 25 fps with a key frame every `gop` frames, and AAC, starting at 1 s.
fn stream(frames: usize, gop: usize) -> Vec<Frame> {
    let (video, audio) = (video_config(0), audio_config());
    let mut out = Vec::new();
    let mut sounds = 0;
    for i in 0..frames {
        let ticks = 90_000 + i as i64 * 3600;
        while from_ticks(90_000 + sounds * 1024 * 90_000 / 44_100, 90_000) <= from_ticks(ticks, 90_000) {
            out.push(sound(&audio, SECOND + from_ticks(sounds * 1024, 44_100), 200));
            sounds += 1;
        }
        out.push(picture(&video, ticks, 7200, i % gop == 0, 300));
    }
    out
}

fn cut(frames: &[Frame], config: SegmenterConfig) -> Vec<Segment> {
    let mut segmenter = Segmenter::new(config);
    let mut out: Vec<_> = frames.iter().filter_map(|f| segmenter.push(f, false)).collect();
    out.extend(segmenter.finish());
    out
}

/// Reads a segment as a player that starts with it.
fn read(segment: &Segment) -> Vec<Frame> {
    let (mut demuxer, mut out) = (Demuxer::new(), Vec::new());
    demuxer.push(segment.data.clone());
    demuxer.flush();
    while let Some(event) = demuxer.next() {
        if let Event::Frame(frame) = event.expect("clean") {
            out.push(frame);
        }
    }
    out
}

fn pictures(frames: &[Frame]) -> Vec<&Frame> {
    frames.iter().filter(|f| f.is_video()).collect()
}

#[test]
fn cuts_at_the_first_key_frame_from_the_target_on() {
    let frames = stream(250, 25);
    let segments = cut(&frames, SegmenterConfig::default());
    let durations: Vec<_> = segments.iter().map(|s| s.duration).collect();
    assert_eq!(durations, [2 * SECOND; 5]);
    assert!(segments.iter().all(|s| !s.discontinuity));
    let read: Vec<_> = segments.iter().map(read).collect();
    for frames in &read {
        assert!(frames[0].is_video() && frames[0].key);
        assert!(frames.iter().any(|f| !f.is_video()));
    }
    let all = read.concat();
    assert_eq!(pictures(&all), pictures(&frames));
    assert_eq!(all.len(), frames.len());
}

#[test]
fn sound_alone_is_cut_by_time_from_its_first_frame_on() {
    let frames: Vec<_> = stream(300, 25).into_iter().filter(|f| !f.is_video()).collect();
    let segments = cut(&frames, SegmenterConfig::default());
    assert_eq!(segments.len(), 6);
    assert_eq!(segments.iter().map(|s| read(s).len()).sum::<usize>(), frames.len());
    assert!(segments[..5].iter().all(|s| (2 * SECOND..2_030_000).contains(&s.duration)));
}

#[test]
fn pictures_alone_start_with_their_first_key_frame() {
    let frames: Vec<_> = stream(200, 50).into_iter().filter(Frame::is_video).skip(20).collect();
    let segments = cut(&frames, SegmenterConfig::default());
    assert_eq!(segments[0].start, 3 * SECOND);
    assert_eq!(segments.iter().map(|s| read(s).len()).sum::<usize>(), 150);
}

#[test]
fn a_discontinuity_cuts_at_once_and_starts_with_a_key_frame() {
    let mut segmenter = Segmenter::new(SegmenterConfig::default());
    let frames = stream(75, 25);
    let mut segments = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        segments.extend(segmenter.push(frame, i == frames.len() / 2));
    }
    segments.extend(segmenter.finish());
    assert_eq!(segments.iter().map(|s| s.discontinuity).collect::<Vec<_>>(), [false, true]);
    assert!(segments[0].duration < 2 * SECOND);
    assert_eq!(segments[1].start, 3 * SECOND);
    assert!(read(&segments[1])[0].key);
}

#[test]
fn another_config_is_a_discontinuity() {
    let mut frames = stream(100, 25);
    let other = video_config(1);
    for frame in frames.iter_mut().filter(|f| f.is_video() && f.dts >= 4 * SECOND) {
        frame.config = other.clone();
    }
    let segments = cut(&frames, SegmenterConfig::default());
    let got: Vec<_> = segments.iter().map(|s| (s.duration / MILLI, s.discontinuity)).collect();
    assert_eq!(got, [(2000, false), (1000, false), (1000, true)]);
}

#[test]
fn a_stream_that_has_no_more_key_frames_is_bounded() {
    let config = SegmenterConfig { max_duration: 4 * SECOND, ..SegmenterConfig::default() };
    let mut frames = stream(250, 1000);
    frames.extend(stream(400, 25).into_iter().filter(|f| f.dts >= 11 * SECOND));
    let segments = cut(&frames, config);
    assert_eq!((segments[0].duration, segments[0].discontinuity), (4 * SECOND, false));
    assert_eq!((segments[1].start, segments[1].discontinuity), (11 * SECOND, true));
    let small = SegmenterConfig { max_bytes: 10_000, ..config };
    assert!(cut(&frames, small).iter().all(|s| s.data.len() < 13_000));
}

#[test]
fn sound_goes_on_alone_when_the_pictures_stop_and_they_may_come_back() {
    let mut frames = stream(500, 25);
    frames.retain(|f| !f.is_video() || !(5 * SECOND..15 * SECOND).contains(&f.dts));
    let segments = cut(&frames, SegmenterConfig::default());
    let changes: Vec<_> = segments.iter().filter(|s| s.discontinuity).collect();
    assert_eq!(changes.len(), 2);
    assert!(read(changes[0]).iter().all(|f| !f.is_video()));
    assert!(read(changes[1])[0].is_video() && changes[1].start == 15 * SECOND);
}

#[test]
fn slow_pictures_do_not_interrupt_the_sound() {
    let mut frames = stream(1500, 150);
    frames.retain(|f| !f.is_video() || f.key);
    let segments = cut(&frames, SegmenterConfig::default());
    // Two frames are needed to detect the low frame rate.
    let known: Vec<_> = segments.iter().filter(|s| s.start > 7 * SECOND).collect();
    let said: Vec<_> = known.iter().map(|s| (s.start, s.duration, s.discontinuity)).collect();
    assert!(said.len() > 6 && said.iter().all(|s| !s.2 && s.1 == 6 * SECOND), "{said:?}");
    for segment in known {
        let frames = read(segment);
        assert!(frames[0].is_video() && frames.iter().any(|f| !f.is_video()));
    }
}

/// A segment's start in ms, discontinuity, video frames, and the audio frames of each rate.
type Shown = (Micros, bool, usize, Vec<(u32, usize)>);

fn shown(segments: &[Segment]) -> Vec<Shown> {
    let one = |segment: &Segment| {
        let frames = read(segment);
        let mut rates: Vec<(u32, usize)> = Vec::new();
        for audio in frames.iter().filter_map(|f| f.config.audio()) {
            match rates.last_mut() {
                Some(last) if last.0 == audio.sample_rate => last.1 += 1,
                _ => rates.push((audio.sample_rate, 1)),
            }
        }
        (segment.start / MILLI, segment.discontinuity, frames.iter().filter(|f| f.is_video()).count(), rates)
    };
    segments.iter().map(one).collect()
}

/// 10 s at 25 fps, with 48 kHz audio from `at` on.
fn other_rate(gop: usize, at: Micros) -> Vec<Frame> {
    let other = std::sync::Arc::new(
        crate::codec::aac::config_from_asc(vec![0x11, 0x90].into()).expect("48 kHz stereo"),
    );
    let mut frames = stream(250, gop);
    frames.iter_mut().filter(|f| !f.is_video() && f.dts >= at).for_each(|f| f.config = other.clone());
    frames
}

#[test]
fn audio_in_another_rate_begins_a_segment_and_nothing_is_lost_where_a_key_frame_is_near() {
    for (gop, at) in [(25, 4_700), (25, 4_001), (10, 5_500), (50, 7_000)] {
        let frames = other_rate(gop, at * MILLI);
        let got = shown(&cut(&frames, SegmenterConfig::default()));
        assert!(got.iter().all(|(_, _, _, rates)| rates.len() == 1), "{gop} {at}: {got:?}");
        assert_eq!(got.iter().filter(|(_, cut, ..)| *cut).count(), 1, "{gop} {at}: {got:?}");
        let first = got.iter().find(|(.., rates)| rates[0].0 == 48_000).expect("the new rate");
        assert!(first.1 && (first.0 - at).abs() <= gop as i64 * 40, "{gop} {at}: {got:?}");
        assert_eq!(got.iter().map(|(_, _, video, _)| video).sum::<usize>(), 250);
        let sound: usize = got.iter().flat_map(|(.., rates)| rates).map(|(_, count)| count).sum();
        assert_eq!(sound, frames.len() - 250, "{gop} {at}: {got:?}");
    }
}

#[test]
fn without_a_key_frame_near_the_shorter_part_of_the_audio_is_left_out() {
    // A key frame every 2 s: the last one at 5 s. The change comes soon after it, or long after.
    for (at, from, lost) in [(5_200, 5_000, 200), (6_500, 7_000, 500)] {
        let frames = other_rate(50, at * MILLI);
        let got = shown(&cut(&frames, SegmenterConfig::default()));
        assert!(got.iter().all(|(_, _, video, rates)| rates.len() == 1 && *video == 50), "{at}: {got:?}");
        let changes: Vec<_> = got.iter().filter(|(_, cut, ..)| *cut).map(|(start, ..)| *start).collect();
        assert_eq!(changes, [from], "{at}: {got:?}");
        let sound: usize = got.iter().flat_map(|(.., rates)| rates).map(|(_, count)| count).sum();
        let missing = (frames.len() - 250 - sound) as i64 * 1024 * 1000 / 44_100;
        assert!((missing - lost).abs() < 30, "{at}: {missing} ms are missing");
    }
}

#[test]
fn audio_that_comes_late_is_a_discontinuity_and_heard_at_once() {
    let mut frames = stream(200, 25);
    frames.retain(|f| f.is_video() || f.dts >= 5_400 * MILLI);
    let got = shown(&cut(&frames, SegmenterConfig::default()));
    let marks: Vec<_> =
        got.iter().map(|(start, cut, video, rates)| (*start, *cut, *video, rates.is_empty())).collect();
    assert_eq!(
        marks,
        [(1000, false, 50, true), (3000, false, 50, true), (5000, true, 50, false), (7000, false, 50, false)]
    );
    // The tables at its start list both tracks: some players read only these.
    let segments = cut(&frames, SegmenterConfig::default());
    let mut demuxer = Demuxer::new();
    demuxer.push(segments[2].data.clone());
    let tracks = demuxer.next().expect("tables").expect("tables");
    assert!(matches!(tracks, Event::Tracks { video: Some(_), audio: Some(_) }), "{tracks:?}");
}

#[test]
fn only_what_begins_with_an_idr_picture_is_independent() {
    let mut frames = stream(150, 50);
    assert!(cut(&frames, SegmenterConfig::default()).iter().all(|s| s.independent));
    for frame in frames.iter_mut().filter(|f| f.key && f.is_video() && f.dts > 2 * SECOND) {
        // An I picture that is not an IDR picture.
        let mut data = frame.data.to_vec();
        data[4] = 0x61;
        frame.data = data.into();
    }
    let got: Vec<_> = cut(&frames, SegmenterConfig::default()).iter().map(|s| s.independent).collect();
    assert_eq!(got, [true, false, false]);
    let audio: Vec<_> = frames.into_iter().filter(|f| !f.is_video()).collect();
    assert!(cut(&audio, SegmenterConfig::default()).iter().all(|s| s.independent));
}

#[test]
fn what_cannot_be_muxed_is_told() {
    let mut frames = stream(50, 25);
    // An AAC type that ADTS does not support: ER AAC LD.
    let strange = std::sync::Arc::new(Config {
        description: vec![0xb9, 0x90, 0x20].into(),
        ..Config::clone(&audio_config())
    });
    frames.iter_mut().filter(|f| !f.is_video()).for_each(|f| f.config = strange.clone());
    let mut segmenter = Segmenter::new(SegmenterConfig::default());
    frames.iter().for_each(|f| drop(segmenter.push(f, false)));
    assert!(segmenter.finish().is_some());
    let (count, error) = segmenter.take_refused();
    assert!(count > 40 && error.is_some());
    assert_eq!(segmenter.take_refused(), (0, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_comes_segments_stand_alone_and_are_bounded(
        steps in prop::collection::vec((0u8..10, 0i64..400, 1usize..3000), 1..300),
        target in 1i64..5,
    ) {
        let (video, audio) = ([video_config(0), video_config(1)], audio_config());
        let mut segmenter = Segmenter::new(SegmenterConfig {
            target: target * SECOND, max_duration: 10 * SECOND, max_bytes: 50_000,
        });
        let mut ticks = 90_000;
        let mut segments = Vec::new();
        for (kind, step, size) in steps {
            ticks += step * 90;
            let frame = match kind {
                0..=3 => sound(&audio, from_ticks(ticks, 90_000), size.min(700)),
                4 => picture(&video[1], ticks, 0, true, size),
                5 | 6 => picture(&video[0], ticks, 0, true, size),
                _ => picture(&video[0], ticks, 3600, false, size),
            };
            segments.extend(segmenter.push(&frame, kind == 9 && size % 50 == 0));
        }
        segments.extend(segmenter.finish());
        for pair in segments.windows(2) {
            // Even if two cuts fall on the same time, no segment has zero length.
            prop_assert!(pair[0].start + pair[0].duration <= pair[1].start + MILLI);
        }
        for segment in &segments {
            let frames = read(segment);
            prop_assert!(segment.data.len() < 60_000);
            prop_assert!(frames[0].dts - segment.start <= 12);
            let first = frames.iter().find(|f| f.is_video());
            prop_assert!(first.is_none_or(|f| f.key));
        }
    }
}
