//! Tests of viewers on networks that lose and reorder packets.

use std::time::Duration;

use media::Track;
use str0m::format::Codec;
use str0m::rtp::Ssrc;

use super::network::Weather;
use super::show::{GROUP, Show, got};

/// The result of 20 s.
#[derive(Debug)]
struct Outcome {
    /// Parts of all pictures and of all audio packets that are missing.
    pictures: f64,
    audio: f64,
    /// The part of the audio packets that the network lost.
    lost: f64,
    /// Resent packets for each video packet.
    again: f64,
    /// Number of the client's requests for a key frame.
    asked: usize,
}

async fn outcome(weather: Weather, seed: u64) -> Outcome {
    let mut show = Show::new();
    show.alone(Duration::from_millis(500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    world.down.change(weather, seed);
    world.up.change(weather, seed + 100);
    // The first reports must have come.
    show.with(&mut world, Duration::from_secs(4)).await;
    world.client.rtp.clear();
    world.down.dropped.clear();
    let (first_picture, first_sound) = (show.pictures, show.sounds);
    show.with(&mut world, Duration::from_secs(20)).await;
    let (last_picture, last_sound) = (show.pictures, show.sounds);
    world.down.weather.loss = 0.0;
    show.with(&mut world, Duration::from_secs(2)).await;
    let missing = |track, range: std::ops::Range<u32>| {
        let came: Vec<_> = got(&world, track).iter().map(|frame| frame.number).collect();
        let count = range.clone().filter(|number| !came.contains(number)).count();
        count as f64 / range.len() as f64
    };
    let (pictures, audio) =
        (missing(Track::Video, first_picture..last_picture), missing(Track::Audio, first_sound..last_sound));
    let mut api = world.client.rtc.direct_api();
    let mut ssrc = |mid| api.stream_rx_by_mid(mid, None).unwrap().ssrc();
    let (video, audio_ssrc) = (ssrc(world.client.video), ssrc(world.client.audio));
    let count = |wanted: &dyn Fn(Ssrc) -> bool| {
        world.client.rtp.iter().filter(|(_, head)| wanted(head.ssrc)).count() as f64
    };
    let again = count(&|ssrc| ssrc != video && ssrc != audio_ssrc) / count(&|ssrc| ssrc == video);
    let plain = *world.client.payload_type(Codec::Opus);
    let red = *world.client.redundant(Codec::Opus);
    let lost = world.down.dropped.iter().filter(|head| [plain, red].contains(&(head[1] & 0x7f))).count();
    Outcome {
        pictures,
        audio,
        lost: lost as f64 / f64::from(last_sound - first_sound),
        again,
        asked: world.client.asked,
    }
}

const fn weather(loss: f64, delay: u64, jitter: u64) -> Weather {
    let (delay, jitter) = (Duration::from_millis(delay), Duration::from_millis(jitter));
    Weather { loss, twice: 0.0, delay, jitter }
}

#[tokio::test(start_paused = true)]
async fn pictures_are_whole_however_packets_are_lost_and_overtake_each_other() {
    let mut bad = Vec::new();
    for (weather, missing, again) in [
        // Much is reordered and nothing lost: resends are of little use, so there are few.
        (weather(0.0, 10, 60), 0.0, 0.18),
        (weather(0.0, 20, 15), 0.0, 0.18),
        (weather(0.05, 20, 0), 0.0, 0.15),
        (weather(0.05, 10, 60), 0.01, 0.35),
        (weather(0.05, 20, 30), 0.01, 0.35),
        (weather(0.1, 30, 20), 0.02, 0.5),
    ] {
        for seed in 0..3 {
            let outcome = outcome(weather, seed).await;
            println!("{weather:?} {seed}: {outcome:?}");
            if outcome.pictures > missing || outcome.again > again || outcome.asked > 6 {
                bad.push((weather, seed, outcome));
            }
        }
    }
    assert!(bad.is_empty(), "{bad:?}");
}

#[tokio::test(start_paused = true)]
async fn audio_is_redundant_where_packets_are_lost() {
    for (weather, part) in
        [(weather(0.05, 20, 0), 0.25), (weather(0.05, 20, 15), 0.3), (weather(0.1, 20, 10), 0.35)]
    {
        for seed in 0..3 {
            let outcome = outcome(weather, seed).await;
            println!("{weather:?} {seed}: {outcome:?}");
            assert!(outcome.lost > 0.03 && outcome.audio <= part * outcome.lost, "{weather:?}: {outcome:?}");
        }
    }
    // On a good network it is sent without.
    let mut show = Show::new();
    show.alone(Duration::from_millis(500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(5)).await;
    let red = world.client.redundant(Codec::Opus);
    assert!(world.client.rtp.iter().all(|(_, head)| head.payload_type != red));
    assert!(got(&world, Track::Audio).len() as u32 > GROUP);
}
