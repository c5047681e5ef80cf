//! Clients that play.

use std::time::Duration;

use media::Track;
use media::time::{MILLI, Micros};

use super::media_kit::{PICTURE, SOUND};
use super::network::Weather;
use super::show::{GROUP, Got, Show, assert_in_step, assert_one_line, got, offsets, reported};
use super::world::now;

/// The past is laid on so much time.
const SQUASHED: Micros = 60 * MILLI;

#[tokio::test(start_paused = true)]
async fn a_late_viewer_sees_the_group_of_pictures_at_once_and_is_live_then() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(3500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    let joined = now();
    let live = show.pictures;
    show.with(&mut world, Duration::from_secs(5)).await;
    let video = got(&world, Track::Video);
    // All frames since the newest key frame, which was 1.5 s ago.
    let first = video[0];
    assert!(first.key && first.number == GROUP, "{first:?}");
    assert!(first.at - joined < Duration::from_millis(20));
    assert_eq!(video.len() as u32, show.pictures - GROUP);
    assert!(video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].time < pair[1].time));
    // 260 kB of cached frames, at 3 MB/s.
    let caught = video.iter().find(|frame| frame.number == live).unwrap();
    assert!(caught.at - joined < Duration::from_millis(120), "{:?}", caught.at - joined);
    // The cached frames are compressed into the moment before live, and live frames keep their times.
    let lead = offsets(&video, PICTURE);
    let (steady, past) = (lead[lead.len() - 1], (live - GROUP) as usize);
    assert!(lead[past..].iter().all(|offset| (offset - steady).abs() < MILLI), "{lead:?}");
    assert!(video[past].time - first.time <= SQUASHED + PICTURE, "{lead:?}");
    let audio = got(&world, Track::Audio);
    assert!(audio.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    let in_step = offsets(&audio, SOUND);
    assert!(in_step.iter().all(|offset| (offset - in_step[0]).abs() < MILLI), "{in_step:?}");
    assert!(audio[0].at - joined < Duration::from_millis(150));
    assert_in_step(&mut world, 4);
}

#[tokio::test(start_paused = true)]
async fn audio_and_video_have_one_cname_in_their_reports() {
    let mut show = Show::new();
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(5)).await;
    let (video, audio) = (world.client.video, world.client.audio);
    let mut api = world.client.rtc.direct_api();
    let names = [video, audio]
        .map(|mid| api.stream_rx_by_mid(mid, None).and_then(|stream| stream.cname().map(str::to_owned)));
    assert_eq!(names, [(); 2].map(|()| Some(super::super::cname::gateway_cname().to_owned())));
}

/// The number of runs with a rough network.
const ROUGH_SEEDS: u64 = 8;

#[tokio::test(start_paused = true)]
async fn a_viewer_over_a_rough_network_gets_all_frames_whole_and_in_step() {
    let (mut whole, mut lost, mut frames) = (0, 0, 0);
    for seed in 0..ROUGH_SEEDS {
        let mut show = Show::new();
        show.alone(Duration::from_millis(3500)).await;
        let mut world = show.viewer().await;
        world.peer.role.video.as_mut().unwrap().seq = 65_000.into();
        show.connect(&mut world).await;
        world.down.change(Weather::ROUGH, seed);
        world.up.change(Weather::ROUGH, seed + 100);
        show.with(&mut world, Duration::from_secs(20)).await;
        let video = got(&world, Track::Video);
        assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time), "seed {seed}: time goes back");
        let follows = |pair: &[Got]| pair[1].contiguous && pair[0].number + 1 == pair[1].number;
        let gaps = video.windows(2).filter(|pair| !pair[1].key && !follows(pair)).count();
        // The last frames are still on their way.
        let wanted = show.pictures - GROUP - 10;
        assert!(
            video[0].number == GROUP && video.len() as u32 * 10 >= wanted * 9,
            "seed {seed}: {}",
            video.len()
        );
        assert!(world.client.nacks > 100);
        lost += gaps;
        frames += video.len();
        if gaps == 0 && video.len() as u32 >= wanted && world.client.asked == 0 {
            whole += 1;
            assert_in_step(&mut world, 15);
        }
    }
    // If a packet is lost with all its resends, the viewer continues at a key frame.
    assert!(whole * 3 >= ROUGH_SEEDS, "only {whole} of {ROUGH_SEEDS} viewers got every picture");
    assert!(lost * 100 < frames, "{lost} gaps in {frames} pictures");
}

#[tokio::test(start_paused = true)]
async fn a_lost_picture_comes_again_from_the_cache_and_times_go_on() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(3500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_millis(1200)).await;
    let before = got(&world, Track::Video).len();
    // The viewer requests a key frame five times in a moment.
    for _ in 0..5 {
        world.client.ask_key();
        show.with(&mut world, Duration::from_millis(50)).await;
    }
    show.with(&mut world, Duration::from_millis(800)).await;
    let video = got(&world, Track::Video);
    let again = video[before..].iter().position(|frame| frame.key).unwrap() + before;
    let key = show.keys.iter().rev().find(|key| **key < video[again - 1].number).unwrap();
    assert_eq!(video[again].number, *key);
    assert_eq!(video.iter().filter(|frame| frame.number == *key).count(), 2, "once more, not five times");
    assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time), "{video:?}");
    assert!(video[again..].windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    let lead = offsets(&video, PICTURE);
    let end = video.len() - 5;
    assert!((lead[end] - lead[before - 1]).abs() < MILLI, "live is where it was");
    world.client.ask_key();
    show.with(&mut world, Duration::from_millis(100)).await;
    assert!(got(&world, Track::Video).len() > video.len() + 10, "a second later it may ask again");
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_makes_key_frames_is_asked_for_one() {
    let mut show = Show::new();
    show.publisher.promise_keys();
    show.on_request = true;
    show.alone(Duration::from_secs(5)).await;
    assert_eq!(show.keys.len(), 2, "it was asked once, to see whether it answers");
    // The key frame is old: a new one is better than 3 s of the past.
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(1)).await;
    let video = got(&world, Track::Video);
    assert_eq!(video[0].number, show.keys[2]);
    assert!(video[0].key && show.keys.len() == 3);
    world.client.ask_key();
    show.with(&mut world, Duration::from_secs(1)).await;
    assert_eq!(show.keys.len(), 4);
    let video = got(&world, Track::Video);
    assert!(video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].time < pair[1].time));
    assert!(video.iter().any(|frame| frame.key && frame.number == show.keys[3]));
}

#[tokio::test(start_paused = true)]
async fn b_frames_that_nothing_needs_are_left_out() {
    let mut show = Show::new();
    show.between = true;
    show.alone(Duration::from_millis(3500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(5)).await;
    let video = got(&world, Track::Video);
    assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time), "{video:?}");
    let wanted: Vec<_> = (GROUP..show.pictures).filter(|n| n % 2 == 1 || n.is_multiple_of(GROUP)).collect();
    assert_eq!(video.iter().map(|frame| frame.number).collect::<Vec<_>>(), wanted);
    // The other frames are shown two frames later than they are numbered.
    let mut reported = reported(&mut world);
    reported
        .iter_mut()
        .filter(|(track, _)| *track == Track::Video)
        .for_each(|(_, zero)| *zero -= 2 * PICTURE);
    assert_one_line(&reported, 4);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_runs_ahead_or_stands_still_is_reported_on_one_line() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(3)).await;
    // The stream runs ahead: two seconds of media in no time.
    for _ in 0..150 {
        let (track, _) = show.next();
        show.push(track);
    }
    show.start -= Duration::from_secs(2);
    world.client.rtcp.clear();
    show.with(&mut world, Duration::from_secs(5)).await;
    assert_in_step(&mut world, 4);
    // The stream stands still for three seconds.
    show.start += Duration::from_secs(3);
    world.run(Duration::from_secs(3)).await.unwrap();
    show.with(&mut world, Duration::from_secs(5)).await;
    assert_in_step(&mut world, 8);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_a_viewer_has_its_picture_back() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(3500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(1)).await;
    for (seed, outage) in [300, 1500, 4000].into_iter().enumerate() {
        world.down.change(Weather::OUTAGE, seed as u64);
        show.with(&mut world, Duration::from_millis(outage)).await;
        world.down.change(Weather::FINE, seed as u64);
        let back = (show.pictures, now());
        show.with(&mut world, Duration::from_secs(3)).await;
        let video = got(&world, Track::Video);
        assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time), "{outage} ms");
        let last = video.last().unwrap();
        assert!(last.number >= show.pictures - 2, "{outage} ms: {last:?}, {}", show.pictures);
        let live = video.iter().find(|frame| frame.number >= back.0 && frame.contiguous).unwrap();
        assert!(live.at - back.1 < Duration::from_millis(200), "{outage} ms: {:?}", live.at - back.1);
        // Resends repair a short outage.
        assert_eq!(world.client.asked, seed);
    }
}

/// A WebRTC publisher that ignores requests and makes a key frame every ten seconds, as OBS does.
pub(super) async fn deaf(joined: Duration) -> Show {
    let mut show = Show::new();
    show.publisher.promise_keys();
    show.group = 250;
    show.alone(joined).await;
    show
}

#[tokio::test(start_paused = true)]
async fn a_viewer_of_a_publisher_that_ignores_requests_begins_with_the_cached_pictures_at_once() {
    for seconds in [4, 6, 9, 13] {
        let mut show = deaf(Duration::from_secs(seconds)).await;
        let mut world = show.viewer().await;
        show.connect(&mut world).await;
        let since = now();
        show.with(&mut world, Duration::from_secs(1)).await;
        let video = got(&world, Track::Video);
        assert!(video[0].key && show.keys.contains(&video[0].number), "{seconds} s: {:?}", video[0]);
        assert!(video[0].at - since < Duration::from_millis(200), "{seconds} s: {:?}", video[0].at - since);
        assert!(
            video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].time < pair[1].time)
        );
        // A viewer that lost its video has it again as soon.
        world.client.ask_key();
        let before = video.len();
        show.with(&mut world, Duration::from_millis(800)).await;
        let video = got(&world, Track::Video);
        let again = video[before..].iter().find(|frame| frame.key).unwrap();
        assert!(again.at - since < Duration::from_millis(1600), "{seconds} s: {:?}", again.at - since);
        assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time));
    }
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_waits_for_a_key_frame_gets_the_cached_one_when_none_comes() {
    // One viewer joins, and another loses the picture, while the first request to the publisher is pending.
    let mut show = deaf(Duration::from_millis(1700)).await;
    let (mut first, mut second) = (show.viewer().await, show.viewer().await);
    show.connect(&mut first).await;
    show.with(&mut first, Duration::from_millis(250)).await;
    let before = got(&first, Track::Video).len();
    first.client.ask_key();
    show.with(&mut first, Duration::from_millis(100)).await;
    assert!(show.publisher.stream().makes_keys() && show.publisher.key_wanted(), "it is being asked");
    while second.client.connected.is_none() || !second.peer.liveness().is_reachable() {
        let time = Duration::from_millis(10);
        tokio::join!(show.with(&mut first, time), async { second.run(Duration::ZERO).await.unwrap() });
    }
    assert!(show.publisher.stream().makes_keys(), "it is being asked");
    for _ in 0..100 {
        show.with(&mut first, Duration::from_millis(10)).await;
        second.run(Duration::ZERO).await.unwrap();
    }
    assert!(!show.publisher.stream().makes_keys());
    let (lost, late) = (got(&first, Track::Video), got(&second, Track::Video));
    assert!(lost[before..].iter().any(|frame| frame.key), "it has the key frame again");
    assert!(late[0].key && late[0].number == 0 && late.last().unwrap().number + 3 > show.pictures);
    for video in [lost, late] {
        assert!(video.windows(2).all(|pair| pair[0].time < pair[1].time));
    }
}
