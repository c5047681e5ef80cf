//! A client that plays.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use media::codec::h264;
use media::time::{MILLI, Micros, from_ticks, to_ticks};
use media::{Config, Track};
use str0m::media::{Direction, MediaData};
use str0m::rtp::rtcp::Rtcp;

use super::media_kit::{self, DROPPABLE, KEY, PICTURE, REFERENCE, SOUND};
use super::network::Weather;
use super::world::{World, now};
use crate::hub::{ClientInfo, ClientKind, Clients, Hub, HubConfig, Publisher, StreamName};
use crate::webrtc::packets::Packets;
use crate::webrtc::play::Play;
use crate::webrtc::rtc;

const SIZE: usize = 6000;
/// From one key frame to the next.
const GROUP: u32 = 50;
/// The past is laid on so much time.
const SQUASHED: Micros = 60 * MILLI;

/// A stream in the hub.
pub(super) struct Show {
    publisher: Publisher,
    video: Arc<Config>,
    audio: Arc<Config>,
    clients: Clients,
    _packets: Arc<Packets>,
    /// How many pictures and sounds there were.
    pictures: u32,
    sounds: u32,
    start: Instant,
    /// Whether it makes key frames when asked, and no others.
    on_request: bool,
    /// Whether every other picture is a B-frame.
    between: bool,
    keys: Vec<u32>,
}

impl Show {
    pub(super) fn new() -> Self {
        let hub = Hub::new(HubConfig::default());
        let publisher = hub.publish(&StreamName::parse("live/livestream").unwrap()).unwrap();
        // Both clocks wrap in the second second.
        let packets = publisher.stream().derive(|stream| Packets::new(stream, u32::MAX - 190_000));
        Self {
            publisher,
            video: media_kit::video(),
            audio: media_kit::audio(),
            clients: Clients::new(),
            _packets: packets,
            pictures: 0,
            sounds: 0,
            start: now(),
            on_request: false,
            between: false,
            keys: Vec::new(),
        }
    }

    /// What is due first, and when.
    pub(super) fn next(&self) -> (Track, Instant) {
        let due =
            |number: u32, step: Micros| self.start + Duration::from_micros(u64::from(number) * step as u64);
        let (video, audio) = (due(self.pictures, PICTURE), due(self.sounds, SOUND));
        if video <= audio { (Track::Video, video) } else { (Track::Audio, audio) }
    }

    pub(super) fn push(&mut self, track: Track) {
        let frame = match track {
            Track::Video => {
                let number = self.pictures;
                self.pictures += 1;
                let regular = !self.on_request && number.is_multiple_of(GROUP);
                let key = number == 0 || regular || self.publisher.key_wanted();
                let spare = self.between && !key && number.is_multiple_of(2);
                let header = if spare { DROPPABLE } else { REFERENCE };
                let (header, size) = if key { (KEY, SIZE * 4) } else { (header, SIZE) };
                self.keys.extend(key.then_some(number));
                let at = Micros::from(number) * PICTURE;
                let mut frame = media_kit::picture(&self.video, number, header, size, at);
                // A picture that others need is decoded before the one that is shown before it.
                frame.pts += if !self.between || spare { 0 } else { 2 * PICTURE };
                frame
            }
            Track::Audio => {
                self.sounds += 1;
                media_kit::sound(&self.audio, self.sounds - 1, Micros::from(self.sounds - 1) * SOUND)
            }
        };
        self.publisher.push(frame);
    }

    /// Goes on without a viewer.
    pub(super) async fn alone(&mut self, time: Duration) {
        let end = now() + time;
        loop {
            let (track, at) = self.next();
            if at >= end {
                break;
            }
            tokio::time::advance(at.saturating_duration_since(now())).await;
            self.push(track);
        }
        tokio::time::advance(end.saturating_duration_since(now())).await;
    }

    pub(super) async fn viewer(&self) -> World<Play> {
        let info = ClientInfo {
            protocol: "whep",
            kind: ClientKind::Play,
            peer: super::world::THERE,
            url: String::new(),
            agent: String::new(),
        };
        let handle = Arc::new(self.clients.add(info, self.publisher.stream()));
        World::new(Direction::RecvOnly, |certificate| {
            let rtc = rtc::viewer(certificate, true, false, now());
            (rtc, Play::new(self.publisher.stream().clone(), handle, false))
        })
        .await
    }

    /// Goes on, with a viewer.
    pub(super) async fn with(&mut self, world: &mut World<Play>, time: Duration) {
        let end = now() + time;
        loop {
            let (track, at) = self.next();
            if at >= end {
                break;
            }
            world.run_until(at).await.unwrap();
            self.push(track);
        }
        world.run_until(end).await.unwrap();
    }

    /// Until the viewer has connected.
    pub(super) async fn connect(&mut self, world: &mut World<Play>) {
        while world.client.connected.is_none() || !world.peer.is_there() {
            self.with(world, Duration::from_millis(10)).await;
        }
    }
}

/// A frame as the viewer got it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Got {
    pub(super) number: u32,
    key: bool,
    /// Its RTP time.
    time: Micros,
    at: Instant,
    contiguous: bool,
}

/// The viewer's frames of a track; panics where one is broken.
pub(super) fn got(world: &World<Play>, track: Track) -> Vec<Got> {
    let mid = if track == Track::Video { world.client.video } else { world.client.audio };
    let of = |(at, data): &(Instant, MediaData)| {
        let key = h264::annex_b(&data.data).any(|nal| nal.first() == Some(&KEY));
        let number = match track {
            Track::Video => {
                let size = if key { SIZE * 4 } else { SIZE };
                media_kit::picture_number(h264::annex_b(&data.data), size)
            }
            Track::Audio => media_kit::sound_number(&data.data),
        };
        let rate = if track == Track::Video { 90_000 } else { 48_000 };
        let time = from_ticks(data.time.numer() as i64, rate);
        Got { number: number.expect("a whole frame"), key, time, at: *at, contiguous: data.contiguous }
    };
    world.client.media.iter().filter(|(_, data)| data.mid == mid).map(of).collect()
}

/// RTP time less the truth, once in step.
fn offsets(frames: &[Got], step: Micros) -> Vec<Micros> {
    frames.iter().map(|frame| frame.time - Micros::from(frame.number) * step).collect()
}

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
    // All since the newest key frame, which was 1.5 s ago.
    let first = video[0];
    assert!(first.key && first.number == GROUP, "{first:?}");
    assert!(first.at - joined < Duration::from_millis(20));
    assert_eq!(video.len() as u32, show.pictures - GROUP);
    assert!(video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].time < pair[1].time));
    // 260 kB of the past, at 3 MB/s.
    let caught = video.iter().find(|frame| frame.number == live).unwrap();
    assert!(caught.at - joined < Duration::from_millis(120), "{:?}", caught.at - joined);
    // The past is laid on the moment before, and live is live.
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

/// Where each sender report lays the beginning of the stream on the wall clock.
fn reported(world: &mut World<Play>) -> Vec<(Track, Micros)> {
    let mut found = Vec::new();
    for (track, mid, rate, step) in [
        (Track::Video, world.client.video, 90_000, PICTURE),
        (Track::Audio, world.client.audio, 48_000, SOUND),
    ] {
        let ssrc = world.client.rtc.direct_api().stream_rx_by_mid(mid, None).unwrap().ssrc();
        let newest = *got(world, track).last().unwrap();
        let zero = to_ticks(newest.time - Micros::from(newest.number) * step, rate) as u32;
        for (_, rtcp) in &world.client.rtcp {
            let Rtcp::SenderReport(report) = rtcp else { continue };
            let info = report.sender_info;
            if info.ssrc == ssrc {
                let ticks = (info.rtp_time.numer() as u32).wrapping_sub(zero) as i32;
                let wall = info.ntp_time.duration_since(UNIX_EPOCH).unwrap().as_micros() as Micros;
                found.push((track, wall - from_ticks(ticks.into(), rate)));
            }
        }
    }
    found
}

/// Reports of both tracks, so many at least, lay the stream at one and the same time.
fn assert_in_step(world: &mut World<Play>, least: usize) {
    assert_one_line(&reported(world), least);
}

fn assert_one_line(reported: &[(Track, Micros)], least: usize) {
    for track in [Track::Video, Track::Audio] {
        assert!(reported.iter().filter(|(of, _)| *of == track).count() >= least, "{reported:?}");
    }
    let first = reported[0].1;
    assert!(reported.iter().all(|(_, zero)| (zero - first).abs() < 5 * MILLI), "{reported:?}");
}

#[tokio::test(start_paused = true)]
async fn a_viewer_over_a_rough_network_gets_all_frames_whole_and_in_step() {
    for seed in 0..3 {
        let mut show = Show::new();
        show.alone(Duration::from_millis(3500)).await;
        let mut world = show.viewer().await;
        world.peer.side.video.as_mut().unwrap().seq = 65_000.into();
        show.connect(&mut world).await;
        world.down.change(Weather::ROUGH, seed);
        world.up.change(Weather::ROUGH, seed + 100);
        show.with(&mut world, Duration::from_secs(20)).await;
        let video = got(&world, Track::Video);
        assert!(video.windows(2).all(|pair| pair[0].number < pair[1].number && pair[0].time < pair[1].time));
        let mut before = None;
        for frame in &video {
            assert!(
                frame.key || frame.contiguous && before == Some(frame.number - 1),
                "seed {seed}: {frame:?}"
            );
            before = Some(frame.number);
        }
        // Those of the last moments are on their way.
        let count = video.len() as u32;
        assert!(video[0].number == GROUP && count >= show.pictures - GROUP - 5, "seed {seed}: {count}");
        assert_eq!((world.client.asked, world.client.nacks > 100), (0, true));
        assert_in_step(&mut world, 15);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_picture_comes_again_from_the_cache_and_times_go_on() {
    let mut show = Show::new();
    show.alone(Duration::from_millis(3500)).await;
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_millis(1200)).await;
    let before = got(&world, Track::Video).len();
    // (It asks five times in a moment.)
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
    // The key frame is old: a new one is better than 5 s of the past.
    let mut world = show.viewer().await;
    show.connect(&mut world).await;
    show.with(&mut world, Duration::from_secs(1)).await;
    let video = got(&world, Track::Video);
    assert_eq!(video[0].number, show.keys[1]);
    assert!(video[0].key && show.keys.len() == 2);
    world.client.ask_key();
    show.with(&mut world, Duration::from_secs(1)).await;
    assert_eq!(show.keys.len(), 3);
    let video = got(&world, Track::Video);
    assert!(video.windows(2).all(|pair| pair[0].number + 1 == pair[1].number && pair[0].time < pair[1].time));
    assert!(video.iter().any(|frame| frame.key && frame.number == show.keys[2]));
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
    // Those that are left are shown two pictures later than they are numbered.
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
    // It catches up on something: two seconds in none.
    for _ in 0..150 {
        let (track, _) = show.next();
        show.push(track);
    }
    show.start -= Duration::from_secs(2);
    world.client.rtcp.clear();
    show.with(&mut world, Duration::from_secs(5)).await;
    assert_in_step(&mut world, 4);
    // It hangs for three.
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
        // A short one is made good by sending again.
        assert_eq!(world.client.asked, seed);
    }
}
