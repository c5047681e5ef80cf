use super::*;

const HOUR: Micros = 3600 * SECOND;

#[test]
fn good_times_pass_as_they_are() {
    let placed = real_time(60, |t| Some(t + 7 * HOUR), |t| Some(t + 7 * HOUR));
    for track in [VIDEO, AUDIO] {
        assert!(placed.frames[track].iter().all(|frame| frame.1 == frame.0 - 7 * HOUR + SECOND));
    }
    assert_eq!(placed.jumps, [0, 0]);
}

#[test]
fn tracks_with_different_clocks_begin_together() {
    for base in [6 * SECOND, HOUR, 24 * 24 * HOUR, 49 * 24 * HOUR] {
        for (video, audio) in [(base, 0), (0, base), (base, -base)] {
            let placed = real_time(30, |t| Some(t + video), |t| Some(t + audio));
            placed.assert_rises();
            assert_eq!(placed.jumps, [0, 0], "{video} {audio}");
            for track in [VIDEO, AUDIO] {
                placed.assert_real_time(track, MILLI);
                assert!(placed.longest(track) <= 41 * MILLI);
            }
            let apart = placed.apart();
            assert!(apart.iter().all(|apart| apart.abs() < 50 * MILLI), "{video} {audio}: {apart:?}");
        }
    }
}

#[test]
fn tracks_of_one_clock_keep_their_distance() {
    for distance in [-4 * SECOND, -300 * MILLI, 700 * MILLI, 4 * SECOND] {
        let placed = real_time(20, |t| Some(t + HOUR), |t| Some(t + HOUR + distance));
        placed.assert_rises();
        // A track that starts before the stream has to catch up.
        let apart = &placed.apart()[if distance < -SECOND { 400 } else { 0 }..];
        assert!(apart.iter().all(|apart| (apart - distance).abs() < 2 * MILLI), "{distance}");
    }
}

#[test]
fn a_clock_that_steps_goes_on_in_real_time() {
    for by in [-HOUR, -10 * SECOND, -3 * SECOND, -500 * MILLI, -100 * MILLI, 3 * SECOND, 20 * SECOND, HOUR] {
        // Both tracks together, each before the other, and each alone.
        for (at_video, at_audio) in [(8, 8), (8, 9), (9, 8), (8, 99), (99, 8)] {
            let stepped =
                |at: Micros| move |t: Micros| Some(HOUR * 2 + t + if t >= at * SECOND { by } else { 0 });
            let placed = real_time(20, stepped(at_video), stepped(at_audio));
            let case = format!("{by} at {at_video} {at_audio}");
            placed.assert_rises();
            for track in [VIDEO, AUDIO] {
                assert!(
                    placed.longest(track) <= 700 * MILLI,
                    "{case}: a step of {} µs",
                    placed.longest(track)
                );
                placed.assert_real_time(track, 100 * MILLI);
            }
            let apart = placed.apart();
            let last = *apart.last().unwrap();
            assert!(last.abs() <= 101 * MILLI, "{case}: {last} µs apart");
            if at_video == at_audio {
                assert!(apart.iter().all(|apart| apart.abs() < 60 * MILLI), "{case}: {apart:?}");
            }
        }
    }
}

#[test]
fn a_single_wild_time_changes_nothing_after_it() {
    for wild in [0, HOUR, 5 * HOUR, HOUR + 9 * SECOND, HOUR + 7_500 * MILLI] {
        let video = move |t: Micros| Some(if t == 8 * SECOND { wild } else { t + HOUR });
        let placed = real_time(20, video, |t| Some(t + HOUR));
        placed.assert_rises();
        let wrong = placed.frames[VIDEO].iter().filter(|frame| frame.1 != frame.0 - HOUR + SECOND).count();
        assert!(wrong <= 2, "{wild}: {wrong} frames are moved");
        placed.assert_real_time(VIDEO, 0);
    }
}

#[test]
fn audio_whose_time_is_always_the_same_gets_times_and_leaves_video_alone() {
    for time in [0, 20 * SECOND, HOUR] {
        let placed = real_time(60, Some, |_| Some(time));
        placed.assert_rises();
        assert!(placed.frames[VIDEO].iter().all(|frame| frame.1 == frame.0 + SECOND));
        placed.assert_real_time(AUDIO, 100 * MILLI);
        assert!(placed.apart().iter().all(|apart| apart.abs() < 100 * MILLI), "{:?}", placed.apart());
    }
}

#[test]
fn audio_whose_time_is_always_the_same_stays_beside_the_video_when_frames_are_lost() {
    // One frame in ten is lost.
    let placed = real_time(60, Some, |t| (t / 23_219 % 10 != 0).then_some(0));
    placed.assert_rises();
    assert!(placed.apart().iter().all(|apart| apart.abs() < 2 * SECOND), "{:?}", placed.apart());
    assert!(placed.frames[VIDEO].iter().all(|frame| frame.1 == frame.0 + SECOND));
}

#[test]
fn audio_that_begins_late_is_where_it_is_heard() {
    // With the clock of the video, and with its own clock.
    for base in [0, -30 * SECOND] {
        let placed = real_time(60, Some, move |t| (t > 30 * SECOND).then_some(t + base));
        placed.assert_rises();
        assert!(placed.apart().iter().all(|apart| apart.abs() < 50 * MILLI));
    }
}

#[test]
fn video_whose_time_is_always_the_same_goes_on_with_real_time() {
    let placed = real_time(30, |_| Some(0), Some);
    placed.assert_rises();
    placed.assert_real_time(VIDEO, SECOND);
}

#[test]
fn slow_frames_are_believed() {
    for distance in [1_500 * MILLI, 6 * SECOND, 60 * SECOND] {
        let mut feed = Feed::new();
        for n in 0..20 {
            // Network arrival times are not a clock.
            feed.send(VIDEO, n * distance, 0, n * distance + n * 7_919 % 200 * MILLI);
        }
        assert_eq!(feed.placed.jumps, [0, 0], "{distance}");
        assert!(feed.placed.frames[VIDEO].iter().all(|frame| frame.1 == frame.0 + SECOND), "{distance}");
    }
    // Slow video beside audio.
    let placed = real_time(60, |t| (t % (6 * SECOND) == 0).then_some(t), Some);
    assert_eq!(placed.jumps, [0, 0]);
    assert!(placed.frames[VIDEO].iter().all(|frame| frame.1 == frame.0 + SECOND));
}

#[test]
fn a_file_that_is_sent_at_once_keeps_its_times() {
    let mut feed = Feed::new();
    for n in 0..3000 {
        feed.send(VIDEO, n * 40_000, 80_000, n * 500);
        feed.send(AUDIO, n * 40_000, 0, n * 500);
    }
    assert_eq!(feed.placed.jumps, [0, 0]);
    for track in [VIDEO, AUDIO] {
        assert!(feed.placed.frames[track].iter().all(|frame| frame.1 == frame.0 + SECOND));
    }
}

#[test]
fn what_was_held_up_comes_in_a_burst_with_its_times() {
    // Nothing arrives for 8 s, then all of it, except 3 s that the publisher dropped.
    let mut feed = Feed::new();
    for n in 0..1500 {
        let t = n * 40_000;
        let now = if (20 * SECOND..28 * SECOND).contains(&t) { 28 * SECOND } else { t };
        if !(23 * SECOND..26 * SECOND).contains(&t) {
            feed.send(VIDEO, t, 0, now);
            feed.send(AUDIO, t, 0, now);
        }
    }
    assert_eq!(feed.placed.jumps, [0, 0]);
    assert!(feed.placed.frames[VIDEO].iter().all(|frame| frame.1 == frame.0 + SECOND));
}

#[test]
fn b_frames_keep_their_composition_through_a_step_back() {
    let mut feed = Feed::new();
    for n in 0..500 {
        let t = n * 40_000;
        let composition = [80, 160, 0, 40][n as usize % 4] * MILLI;
        let source = HOUR + t - if n >= 250 { 2 * SECOND } else { 0 };
        feed.send(VIDEO, source, composition, t);
    }
    feed.placed.assert_rises();
    feed.placed.assert_real_time(VIDEO, 50 * MILLI);
    for (n, frame) in feed.placed.frames[VIDEO].iter().enumerate() {
        assert_eq!(frame.2 - frame.1, [80, 160, 0, 40][n % 4] * MILLI, "frame {n}");
    }
}

#[test]
fn presentation_times_as_timestamps_are_shown_in_their_order() {
    // I P B B P B B …, each with its presentation time as timestamp.
    let order = |n: Micros| match n % 3 {
        _ if n == 0 => 0,
        1 => n + 2,
        _ => n - 1,
    };
    let mut feed = Feed::new();
    for n in 0..600 {
        feed.send(VIDEO, order(n) * 40_000, 0, n * 40_000);
    }
    feed.placed.assert_rises();
    feed.placed.assert_real_time(VIDEO, 150 * MILLI);
    // After the order is detected.
    for frame in &feed.placed.frames[VIDEO][12..] {
        assert!((frame.2 - frame.0 - SECOND).abs() <= MILLI, "{frame:?}");
    }
}

#[test]
fn audio_times_that_waver_or_come_in_pairs_do_not_add_up() {
    let mut feed = Feed::new();
    for n in 0..2000 {
        let t = n * 1_024_000_000 / 44_100;
        let waver = [0, 30, -30, 5][n as usize % 4] * MILLI;
        feed.send(AUDIO, HOUR + t + waver, 0, t);
    }
    feed.placed.assert_rises();
    feed.placed.assert_real_time(AUDIO, 100 * MILLI);
    let mut feed = Feed::new();
    for n in 0..2000 {
        let t = n / 2 * 2 * 1_024_000_000 / 44_100;
        feed.send(AUDIO, t, 0, t);
    }
    feed.placed.assert_rises();
    feed.placed.assert_real_time(AUDIO, 100 * MILLI);
    assert!(feed.placed.times(AUDIO).windows(2).all(|pair| (20_000..27_000).contains(&(pair[1] - pair[0]))));
}

#[test]
fn another_publisher_follows_the_newest_frame() {
    let mut feed = Feed::new();
    for n in 0..100 {
        feed.send(VIDEO, HOUR + n * 40_000, 0, n * 40_000);
    }
    feed.clock.restart();
    for n in 0..100 {
        feed.send(VIDEO, n * 40_000, 0, (200 + n) * 40_000);
        feed.send(AUDIO, n * 40_000 - 20_000, 0, (200 + n) * 40_000);
    }
    feed.placed.assert_rises();
    assert_eq!(feed.placed.times(VIDEO)[100], SECOND + 100 * 40_000);
    assert!(feed.placed.apart().iter().all(|apart| (apart + 20 * MILLI).abs() <= MILLI));
    let mut after = StreamClock::after(5 * SECOND);
    let mut frame = Frame {
        number: 0,
        config: feed.configs[VIDEO].clone(),
        dts: 0,
        pts: 0,
        key: true,
        data: Bytes::from_static(&[0]),
    };
    assert!(!after.place(&mut frame, 0));
    assert_eq!(frame.dts, 5 * SECOND + DEFAULT_GAP);
}
