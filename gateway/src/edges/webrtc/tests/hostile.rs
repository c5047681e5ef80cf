//! Hostile peers.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use media::Track;

use super::broadcast::Broadcast;
use super::network::Weather;
use super::show::{Show, got};
use super::world::now;
use crate::core::close::CloseReason;

/// Invalid datagrams that look like STUN, DTLS, RTP or RTCP.
fn garbage(random: &mut StdRng, near: Option<&Vec<u8>>) -> Vec<u8> {
    let size = random.random_range(0..1500);
    let mut bytes: Vec<u8> = (0..size).map(|_| random.random()).collect();
    match random.random_range(0..7) {
        // STUN, DTLS, RTP and RTCP (RFC 7983).
        kind @ 0..=3 => {
            let head: &[u8] = match kind {
                0 => &[0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42],
                1 => &[22, 0xfe, 0xfd, 0, 1],
                2 => &[0x90, 0x60 | 1, 0, 1],
                _ => &[0x81, 200, 0, 6],
            };
            bytes.splice(..head.len().min(bytes.len()), head.iter().copied());
        }
        // A datagram that was sent before: repeated, or with a changed bit.
        4 => bytes = near.cloned().unwrap_or(bytes),
        5 => {
            bytes = near.cloned().unwrap_or(bytes);
            let at = random.random_range(0..bytes.len().max(1));
            bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << random.random_range(0..8));
        }
        // A datagram that was sent before, with another SSRC.
        6 => {
            bytes = near.cloned().unwrap_or(bytes);
            let ssrc: [u8; 4] = random.random();
            bytes.get_mut(8..12).into_iter().for_each(|place| place.copy_from_slice(&ssrc));
        }
        _ => {}
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn garbage_and_replays_change_nothing_for_a_publisher() {
    let mut broadcast = Broadcast::new().await;
    let mut random = StdRng::seed_from_u64(5);
    broadcast.world.up.keep = true;
    for _ in 0..100 {
        broadcast.run(Duration::from_millis(50)).await;
        for _ in 0..20 {
            let sent = &broadcast.world.up.kept;
            let near = sent.get(random.random_range(0..sent.len().max(1))).cloned();
            let bytes = garbage(&mut random, near.as_ref());
            broadcast.world.receive(now(), bytes).unwrap();
        }
    }
    broadcast.run(Duration::from_millis(100)).await;
    let (video, audio) = (broadcast.numbers(Track::Video), broadcast.numbers(Track::Audio));
    assert!(video.len() >= 126 && audio.len() >= 253, "{} {}", video.len(), audio.len());
    assert!(video.iter().zip(0..).all(|((number, _), at)| *number == at), "none twice, none missing");
    assert!(audio.iter().zip(0..).all(|((number, _), at)| *number == at));
}

#[tokio::test(start_paused = true)]
async fn garbage_and_replays_change_nothing_for_a_viewer() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(500)).await;
    let mut world = show.viewer().await;
    world.up.keep = true;
    show.connect(&mut world).await;
    let mut random = StdRng::seed_from_u64(6);
    for _ in 0..100 {
        show.with(&mut world, Duration::from_millis(50)).await;
        for _ in 0..20 {
            let near = world.up.kept.get(random.random_range(0..world.up.kept.len().max(1))).cloned();
            let bytes = garbage(&mut random, near.as_ref());
            world.receive(now(), bytes).unwrap();
        }
    }
    let video = got(&world, Track::Video);
    assert!(video.iter().zip(0..).all(|(frame, at)| frame.number == at) && video.len() >= 135);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_is_gone_is_given_up_and_holds_little_until_then() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(1)).await;
    world.up.change(Weather::OUTAGE, 1);
    let gone = now();
    let why = loop {
        let (track, at) = show.next();
        match world.run_until(at).await {
            Ok(()) => show.push(track),
            Err(why) => break why,
        }
        assert!(now() - gone < Duration::from_secs(60), "it is kept for ever");
    };
    assert_eq!(why, CloseReason::Idle);
    // Once the viewer is unreachable, nothing more is sent to it.
    let last = world.client.rtp.last().unwrap().0;
    assert!(last - gone < Duration::from_secs(20), "{:?}", last - gone);
}

#[tokio::test(start_paused = true)]
async fn an_operator_ends_a_viewer_and_a_publisher() {
    let mut show = Show::new();
    let mut world = show.viewer().await;
    world.connect().await;
    let end = |clients: &crate::core::hub::Clients| {
        let id = clients.list()[0].id;
        assert!(clients.close(id, CloseReason::Operator));
    };
    end(&show.clients);
    let mut why = None;
    show.with_or(&mut world, Duration::from_secs(1), &mut why).await;
    assert_eq!(why, Some(CloseReason::Operator));
    let mut broadcast = Broadcast::new().await;
    broadcast.run(Duration::from_secs(1)).await;
    end(&broadcast.context.clients);
    let ended = broadcast.world.run(Duration::from_secs(1)).await;
    assert_eq!(ended, Err(CloseReason::Operator));
}
