use super::*;

fn list(sequence: u64, count: u64, tail: &str) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
    for n in sequence..sequence + count {
        text += &format!("#EXTINF:2.0,\ns{n}.ts\n");
    }
    text + tail
}

fn take(follower: &mut Follower) -> Vec<(String, bool)> {
    std::iter::from_fn(|| follower.next()).map(|s| (s.uri, s.discontinuity)).collect()
}

#[test]
fn a_live_playlist_is_joined_near_its_end_and_followed() {
    let mut follower = Follower::new();
    assert_eq!(follower.playlist(&list(10, 6, ""), Latency::Realtime), Step::Segments);
    assert_eq!(take(&mut follower), [("s15.ts".into(), false)]);
    follower.playlist(&list(10, 6, ""), Latency::Realtime);
    assert_eq!(take(&mut follower), []);
    assert_eq!(follower.reload(), 500 * MILLI);
    follower.playlist(&list(11, 6, ""), Latency::Realtime);
    assert_eq!(take(&mut follower), [("s16.ts".into(), false)]);
    let mut slower = Follower::new();
    slower.playlist(&list(10, 6, ""), Latency::Normal);
    assert_eq!(take(&mut slower).len(), 3);
}

#[test]
fn falling_behind_and_a_restarted_server_are_joined_as_discontinuities() {
    let mut follower = Follower::new();
    follower.playlist(&list(10, 2, ""), Latency::Realtime);
    take(&mut follower);
    follower.playlist(&list(20, 2, ""), Latency::Realtime);
    assert_eq!(take(&mut follower), [("s20.ts".into(), true), ("s21.ts".into(), false)]);
    follower.playlist(&list(0, 3, ""), Latency::Realtime);
    assert_eq!(take(&mut follower), [("s2.ts".into(), true)]);
}

#[test]
fn a_finished_playlist_starts_at_its_begin() {
    let mut follower = Follower::new();
    follower.playlist(&list(0, 3, "#EXT-X-ENDLIST\n"), Latency::Realtime);
    assert_eq!(take(&mut follower).len(), 3);
    assert!(follower.ended());
}

#[test]
fn what_cannot_be_played_is_said() {
    let mut follower = Follower::new();
    assert_eq!(follower.playlist("<html>", Latency::Low), Step::Invalid);
    let encrypted =
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:2,\na.ts\n";
    assert_eq!(follower.playlist(encrypted, Latency::Low), Step::Segments);
    assert_eq!(follower.foreign(), Foreign::KEY);
}

/// Segments of 2 s each: the first of a recording begins at 0, and each at the sum of the durations
/// before it.
#[test]
fn a_seek_in_a_recording_takes_the_segment_that_has_the_time() {
    for (time, uri, start) in [
        (0, "s0.ts", 0),
        (1_999, "s0.ts", 0),
        (2_000, "s1.ts", 2_000),
        (13_500, "s6.ts", 12_000),
        (900_000, "s9.ts", 18_000),
        (-5, "s0.ts", 0),
    ] {
        let mut follower = Follower::new();
        follower.playlist(&list(0, 10, "#EXT-X-ENDLIST\n"), Latency::Low);
        assert_eq!(follower.window(), (0, 20 * SECOND));
        assert!(follower.next().unwrap().placed);
        follower.seek(time * MILLI);
        let segment = follower.next().unwrap();
        assert_eq!((segment.uri.as_str(), segment.start), (uri, start * MILLI));
        assert!(segment.placed);
        if uri != "s9.ts" {
            assert!(!follower.next().unwrap().placed);
        }
    }
}

#[test]
fn times_follow_the_media_and_not_the_rounded_durations() {
    let mut follower = Follower::new();
    follower.playlist(&list(0, 10, "#EXT-X-ENDLIST\n"), Latency::Low);
    follower.next();
    follower.finished(2_040 * MILLI);
    assert_eq!(follower.next().unwrap().start, 2_040 * MILLI);
    assert_eq!(follower.window(), (40 * MILLI, 20_040 * MILLI));
    // A segment with absurd times is placed by the playlist.
    follower.finished(900 * SECOND);
    assert_eq!(follower.next().unwrap().start, 4_040 * MILLI);
}

#[test]
fn a_live_window_moves_on_and_its_past_can_be_had() {
    let mut follower = Follower::new();
    follower.playlist(&list(10, 30, ""), Latency::Realtime);
    assert_eq!(follower.window(), (SECOND, 61 * SECOND));
    let segment = follower.next().unwrap();
    assert_eq!((segment.uri.as_str(), segment.start, segment.placed), ("s39.ts", 59 * SECOND, true));
    follower.finished(61 * SECOND);
    follower.playlist(&list(15, 30, ""), Latency::Realtime);
    assert_eq!(follower.window(), (11 * SECOND, 71 * SECOND));
    follower.seek(30 * SECOND);
    let segment = follower.next().unwrap();
    assert_eq!((segment.uri.as_str(), segment.start), ("s24.ts", 29 * SECOND));
    // The anchor moves on when it leaves the list.
    follower.finished(31 * SECOND);
    follower.playlist(&list(20, 30, ""), Latency::Realtime);
    follower.go_live(Latency::Realtime);
    let segment = follower.next().unwrap();
    assert_eq!((segment.uri.as_str(), segment.start, segment.placed), ("s49.ts", 79 * SECOND, true));
}

#[test]
fn gaps_and_lost_segments_leave_their_time_free() {
    let mut follower = Follower::new();
    let text =
        list(0, 6, "#EXT-X-ENDLIST\n").replace("#EXTINF:2.0,\ns2.ts", "#EXT-X-GAP\n#EXTINF:2.0,\ns2.ts");
    follower.playlist(&text, Latency::Low);
    let segments = |follower: &mut Follower| {
        let segment = follower.next().unwrap();
        (segment.uri, segment.start / SECOND, segment.placed)
    };
    assert_eq!(segments(&mut follower), ("s0.ts".into(), 0, true));
    assert_eq!(segments(&mut follower), ("s1.ts".into(), 2, false));
    assert_eq!(segments(&mut follower), ("s3.ts".into(), 6, true));
    follower.again();
    assert_eq!(segments(&mut follower), ("s3.ts".into(), 6, true));
    follower.skip();
    assert_eq!(segments(&mut follower), ("s4.ts".into(), 8, true));
    assert_eq!(segments(&mut follower), ("s5.ts".into(), 10, false));
    assert_eq!(follower.next(), None);
}

#[test]
fn nothing_panics_on_numbers_at_the_end_of_all_numbers() {
    let mut follower = Follower::new();
    let text = list(0, 2, "").replace("SEQUENCE:0", "SEQUENCE:18446744073709551615");
    follower.playlist(&text, Latency::Low);
    while follower.next().is_some() {}
    follower.seek(Micros::MAX / 2);
    follower.go_live(Latency::Normal);
    let _ = follower.window();
}
