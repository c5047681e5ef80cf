//! Signs of life: some clients send no ICE checks once they are connected.

use std::time::Duration;

use media::Track;

use super::broadcast::Broadcast;
use super::network::Weather;
use super::play::deaf;
use super::show::{GROUP, Show, got};
use crate::core::close::CloseReason;

#[tokio::test(start_paused = true)]
async fn a_publisher_that_sends_media_and_no_checks_stays() {
    let mut broadcast = Broadcast::new().await;
    broadcast.world.up.unchecked = true;
    broadcast.run(Duration::from_secs(70)).await;
    let video = broadcast.numbers(Track::Video);
    assert!(video.len() > 1740 && video.last().unwrap().0 > 1740, "{}", video.len());
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_sends_reports_and_no_checks_is_sent_to() {
    let mut show = Show::new();
    show.alone(Duration::from_secs(1)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    world.up.unchecked = true;
    show.with(&mut world, Duration::from_secs(70)).await;
    let video = got(&world, Track::Video);
    assert!(video.last().unwrap().number + 3 > show.pictures && video.len() as u32 + GROUP > show.pictures);
    assert!(video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number), "none is missing");
    // When the reports stop too, the viewer is unreachable after 15 s and ended after 30 s.
    world.up.weather = Weather::OUTAGE;
    show.with(&mut world, Duration::from_secs(13)).await;
    assert!(world.peer.liveness().is_reachable());
    show.with(&mut world, Duration::from_secs(4)).await;
    assert!(!world.peer.liveness().is_reachable());
    show.with(&mut world, Duration::from_secs(11)).await;
    let why = world.run(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!(why, CloseReason::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_viewer_that_sends_checks_and_no_reports_is_sent_to() {
    let mut show = Show::new();
    show.alone(Duration::from_secs(1)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    world.up.unreported = true;
    show.with(&mut world, Duration::from_secs(70)).await;
    assert!(got(&world, Track::Video).last().unwrap().number + 3 > show.pictures);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_authenticated_is_no_sign_of_life() {
    let mut show = deaf(Duration::from_secs(1)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(2)).await;
    world.up.weather = Weather::OUTAGE;
    let mut why = None;
    for _ in 0..40 {
        show.with_or(&mut world, Duration::from_secs(1), &mut why).await;
        // A receiver report by a sender without the key.
        let mut forged = vec![0x81, 201, 0, 7];
        forged.resize(60, 7);
        if why.is_some() || world.receive(super::world::now(), forged).is_err() {
            break;
        }
    }
    assert_eq!(why, Some(CloseReason::Idle));
}
