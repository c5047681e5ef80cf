//! Clients that publish.

use std::time::Duration;

use media::Track;
use media::time::{MILLI, Micros, SECOND};
use str0m::format::Codec;

use super::broadcast::Broadcast;
use super::network::Weather;

fn strictly_later(frames: &[(u32, Micros)]) -> bool {
    frames.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1)
}

#[tokio::test(start_paused = true)]
async fn all_that_is_sent_over_a_good_network_arrives_from_the_first_frame_on() {
    let mut broadcast = Broadcast::new().await;
    broadcast.run(Duration::from_secs(10)).await;
    broadcast.world.run(Duration::from_millis(100)).await.unwrap();
    broadcast.collect();
    let (video, audio) = (broadcast.numbers(Track::Video), broadcast.numbers(Track::Audio));
    assert_eq!(video.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..250).collect::<Vec<_>>());
    assert_eq!(audio.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    assert!(strictly_later(&video) && strictly_later(&audio));
    assert!(broadcast.apart(0).iter().all(|apart| apart.abs() < 5 * MILLI), "{:?}", broadcast.apart(0));
    assert_eq!(broadcast.world.client.key_asked.len(), 1, "to see whether it answers");
}

#[tokio::test(start_paused = true)]
async fn what_a_rough_network_loses_is_sent_again_and_nothing_broken_gets_through() {
    for seed in 0..3 {
        let mut broadcast = Broadcast::new().await;
        // With a slow encoder, arrival times do not show how the tracks belong together.
        broadcast.video.late = Duration::from_millis(120);
        broadcast.world.up.change(Weather::ROUGH, seed);
        broadcast.world.down.change(Weather::ROUGH, seed + 100);
        broadcast.run(Duration::from_secs(20)).await;
        let (video, audio) = (broadcast.numbers(Track::Video), broadcast.numbers(Track::Audio));
        assert!(strictly_later(&video) && strictly_later(&audio), "seed {seed}");
        broadcast.assert_decodes();
        // Packets before the first one that arrives cannot be requested, so the first frame may be lost, and a key
        // frame is requested. One more request tests whether the client answers, and the network duplicates some.
        assert!(broadcast.world.client.key_asked.len() <= 3, "{:?}", broadcast.world.client.key_asked);
        assert!(video[0].0 < 15 && video[0].1 < 2 * SECOND, "seed {seed}: {:?}", video[0]);
        let count = video.len() as u32;
        assert_eq!(video[video.len() - 1].0 - video[0].0 + 1, count, "seed {seed}: none is missing");
        // Audio is not resent: all packets arrive except those that the network has lost.
        let lost = broadcast.lost_sounds();
        let came: Vec<_> = audio.iter().map(|(number, _)| *number).collect();
        let missing = (3..audio[audio.len() - 1].0).filter(|number| !came.contains(number));
        assert_eq!(missing.filter(|number| !lost.contains(number)).count(), 0, "seed {seed}");
        // The sender reports decide, not the arrival times.
        let first = broadcast.apart(0)[0];
        assert!((60 * MILLI..160 * MILLI).contains(&first), "seed {seed}: {first}");
        let apart = broadcast.apart(6 * SECOND);
        assert!(apart.iter().all(|apart| apart.abs() < 10 * MILLI), "seed {seed}: {apart:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_key_frames_are_asked_for_and_the_picture_comes_back() {
    let mut broadcast = Broadcast::new().await;
    broadcast.run(Duration::from_secs(3)).await;
    for (seed, outage) in [300, 1200, 3000].into_iter().enumerate() {
        let before = broadcast.world.client.key_asked.len();
        broadcast.world.up.change(Weather::OUTAGE, seed as u64);
        broadcast.run(Duration::from_millis(outage)).await;
        broadcast.world.up.change(Weather::FINE, seed as u64);
        let back = broadcast.video.number;
        broadcast.run(Duration::from_secs(4)).await;
        let after = broadcast.numbers(Track::Video).into_iter().find(|(number, _)| *number >= back);
        let after = after.unwrap().0;
        broadcast.assert_decodes();
        assert!(after - back < 8, "{outage} ms: {back}, {after}");
        // Resends repair a short outage.
        assert_eq!(broadcast.world.client.key_asked.len() - before, usize::from(outage > 1000));
    }
    let asked = &broadcast.world.client.key_asked;
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(500)), "{asked:?}");
    let (video, audio) = (broadcast.numbers(Track::Video), broadcast.numbers(Track::Audio));
    assert!(strictly_later(&video) && strictly_later(&audio));
    assert!(broadcast.apart(0).iter().all(|apart| apart.abs() < 10 * MILLI));
}

#[tokio::test(start_paused = true)]
async fn key_frames_that_do_not_come_are_asked_for_again_but_not_all_the_time() {
    let mut broadcast = Broadcast::new().await;
    broadcast.run(Duration::from_secs(2)).await;
    broadcast.world.up.change(Weather::OUTAGE, 1);
    broadcast.run(Duration::from_secs(1)).await;
    broadcast.world.up.change(Weather::FINE, 1);
    broadcast.deaf = true;
    let before = broadcast.numbers(Track::Video).len();
    broadcast.run(Duration::from_secs(10)).await;
    assert_eq!(broadcast.numbers(Track::Video).len(), before);
    let asked = &broadcast.world.client.key_asked;
    assert!((15..=20).contains(&asked.len()), "{}", asked.len());
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(500)), "{asked:?}");
    assert!(broadcast.numbers(Track::Audio).len() > 590);
}

#[tokio::test(start_paused = true)]
async fn audio_with_redundancy_is_rarely_lost_alone() {
    let (mut alone, mut missed) = (0, 0);
    for seed in 0..4 {
        let mut broadcast = Broadcast::new().await;
        broadcast.redundant = Some(broadcast.audio.pt);
        broadcast.audio.pt = broadcast.world.client.redundant(Codec::Opus);
        broadcast.run(Duration::from_secs(3)).await;
        broadcast.world.up.change(Weather::ROUGH, seed);
        broadcast.run(Duration::from_secs(20)).await;
        let (audio, lost) = (broadcast.numbers(Track::Audio), broadcast.lost_sounds());
        assert!(strictly_later(&audio) && lost.len() > 30);
        let came: Vec<_> = audio.iter().map(|(number, _)| *number).collect();
        let last = came[came.len() - 1];
        let single = |number: &u32| !lost.contains(&(number + 1)) && !lost.contains(&(number - 1));
        let singles: Vec<_> =
            lost.iter().copied().filter(|number| *number < last && single(number)).collect();
        alone += singles.len();
        missed += singles.iter().filter(|number| !came.contains(number)).count();
    }
    // If packets are reordered, the redundancy may come too late.
    assert!(missed * 8 < alone, "{missed} of {alone} packets that were lost alone are missing");
}
