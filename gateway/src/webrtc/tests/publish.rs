//! A client that publishes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::h264;
use media::rtp::h264::packetize;
use media::time::{MILLI, Micros, SECOND, to_ticks};
use media::{Config, Track};
use str0m::format::Codec;
use str0m::media::{Direction, Pt};
use str0m::rtp::{RtpWrite, SeqNo};

use super::media_kit::{self, KEY, PICTURE, REFERENCE, SOUND};
use super::network::Weather;
use super::world::{World, now};
use crate::auth::Auth;
use crate::config::Config as Settings;
use crate::edge::Edge;
use crate::hub::{ClientInfo, ClientKind, Entry, Start, StreamName, Subscriber};
use crate::webrtc::publish::Publish;
use crate::webrtc::rtc;

const SIZE: usize = 6000;
/// The first sequence number: it wraps soon.
const FIRST: u16 = 65_400;

/// One track on its way out.
struct Line {
    pt: Pt,
    seq: SeqNo,
    /// RTP time at capture time 0.
    rtp: u32,
    number: u32,
    /// How much later than it is captured it goes out.
    late: Duration,
}

pub(super) struct Broadcast {
    pub(super) world: World<Publish>,
    edge: Edge,
    config: Arc<Config>,
    video: Line,
    audio: Line,
    start: Instant,
    /// How many requests for key frames were answered.
    answered: usize,
    /// Whether none is answered.
    deaf: bool,
    /// Whether each packet of sound has the one before in it; then what alone would be sent as.
    redundant: Option<Pt>,
    frames: Option<Subscriber>,
    got: Vec<Arc<Entry>>,
}

impl Broadcast {
    pub(super) async fn new() -> Self {
        let edge = Edge::new(Settings::default(), Auth::default());
        let info = ClientInfo {
            protocol: "whip",
            kind: ClientKind::Publish,
            peer: super::world::THERE,
            url: String::new(),
            agent: String::new(),
        };
        let name = StreamName::parse("live/livestream").unwrap();
        let of = edge.clone();
        let mut world = World::new(Direction::SendOnly, |certificate| {
            (rtc::publisher(certificate, now()), Publish::new(of, name, info, now()))
        })
        .await;
        world.connect().await;
        // Both wrap soon.
        let line = |pt| Line {
            pt,
            seq: u64::from(FIRST).into(),
            rtp: u32::MAX - 90_000,
            number: 0,
            late: Duration::ZERO,
        };
        let (video, audio) =
            (line(world.client.payload_type(Codec::H264)), line(world.client.payload_type(Codec::Opus)));
        let config = media_kit::video();
        let start = now();
        Self {
            world,
            edge,
            config,
            video,
            audio,
            start,
            answered: 0,
            deaf: false,
            redundant: None,
            frames: None,
            got: Vec::new(),
        }
    }

    /// Publishes for so long, a key frame where one is asked for, and collects what the hub gets.
    pub(super) async fn run(&mut self, time: Duration) {
        let end = now() + time;
        loop {
            let due = |line: &Line, step: Micros| {
                self.start + Duration::from_micros(line.number as u64 * step as u64) + line.late
            };
            let (video, audio) = (due(&self.video, PICTURE), due(&self.audio, SOUND));
            let next = video.min(audio);
            if next >= end {
                break;
            }
            self.world.run_until(next).await.unwrap();
            if video <= audio {
                self.send_picture()
            } else {
                self.send_sound()
            }
            self.collect();
        }
        self.world.run_until(end).await.unwrap();
        self.collect();
    }

    fn send_picture(&mut self) {
        let line = &mut self.video;
        let asked = self.world.client.key_asked.len();
        let key = line.number == 0 || asked > self.answered && !self.deaf;
        self.answered = if self.deaf { self.answered } else { asked };
        let captured = Micros::from(line.number) * PICTURE;
        let (header, size) = if key { (KEY, SIZE * 4) } else { (REFERENCE, SIZE) };
        let frame = media_kit::picture(&self.config, line.number, header, size, captured);
        line.number += 1;
        let payloads = packetize(&frame, 1100).unwrap();
        let moment = self.start + Duration::from_micros(captured as u64);
        let rtp = line.rtp.wrapping_add(to_ticks(captured, 90_000) as u32);
        let mut api = self.world.client.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.world.client.video, None).unwrap();
        let last = payloads.len() - 1;
        for (at, payload) in payloads.into_iter().enumerate() {
            let packet = RtpWrite::new(line.pt, line.seq.inc(), rtp, moment, payload);
            stream.write_rtp(packet.marker(at == last).nackable(true));
        }
    }

    fn send_sound(&mut self) {
        let line = &mut self.audio;
        let captured = Micros::from(line.number) * SOUND;
        let moment = self.start + Duration::from_micros(captured as u64);
        let rtp = line.rtp.wrapping_add(to_ticks(captured, 48_000) as u32);
        let mut packet = media_kit::sound_packet(line.number).to_vec();
        if let Some(plain) = self.redundant {
            packet = red(plain, &packet, line.number.checked_sub(1).map(media_kit::sound_packet));
        }
        line.number += 1;
        let mut api = self.world.client.rtc.direct_api();
        let stream = api.stream_tx_by_mid(self.world.client.audio, None).unwrap();
        stream.write_rtp(RtpWrite::new(line.pt, line.seq.inc(), rtp, moment, packet));
    }

    fn collect(&mut self) {
        if self.frames.is_none() {
            let clients = self.edge.clients.list();
            self.frames = clients.first().map(|client| client.stream.subscribe(Start::Oldest));
        }
        let Some(frames) = &mut self.frames else { return };
        self.got.extend(std::iter::from_fn(|| frames.try_next()));
    }

    /// A track's whole frames with their numbers; panics where one is broken.
    pub(super) fn numbers(&self, track: Track) -> Vec<(u32, Micros)> {
        let frames = self.got.iter().map(|entry| &entry.frame).filter(|frame| frame.track() == track);
        frames
            .map(|frame| {
                let number = match track {
                    Track::Video => {
                        let size = if frame.key { SIZE * 4 } else { SIZE };
                        media_kit::picture_number(h264::length_prefixed(&frame.data), size)
                    }
                    Track::Audio => media_kit::sound_number(&frame.data),
                };
                (number.expect("a whole frame"), frame.pts)
            })
            .collect()
    }

    /// The numbers of the sounds that the network lost.
    fn lost_sounds(&self) -> Vec<u32> {
        let sounds = self.world.up.dropped.iter().filter(|head| head[1] & 0x7f == *self.audio.pt);
        sounds.map(|head| u16::from_be_bytes([head[2], head[3]]).wrapping_sub(FIRST).into()).collect()
    }

    /// How much later than the sound the pictures are, against the truth, for those from `since` on.
    fn apart(&self, since: Micros) -> Vec<Micros> {
        let sound = self.numbers(Track::Audio);
        let truth = |number: u32, step| Micros::from(number) * step;
        self.numbers(Track::Video)
            .into_iter()
            .filter(|(number, _)| truth(*number, PICTURE) >= since)
            .filter_map(|(number, pts)| {
                let at = truth(number, PICTURE);
                let near = sound.iter().min_by_key(|(n, _)| (truth(*n, SOUND) - at).abs())?;
                Some((pts - at) - (near.1 - truth(near.0, SOUND)))
            })
            .collect()
    }

    /// A picture after one that is missing is a key frame.
    fn assert_decodes(&self) {
        let mut before = None;
        let pictures = self.got.iter().map(|entry| &entry.frame).filter(|frame| frame.is_video());
        for ((number, _), frame) in self.numbers(Track::Video).into_iter().zip(pictures) {
            assert!(before.map_or(number, |before| before + 1) == number || frame.key, "picture {number}");
            before = Some(number);
        }
    }
}

/// A packet of sound with the one before (RFC 2198).
fn red(pt: Pt, packet: &[u8], before: Option<Bytes>) -> Vec<u8> {
    let before = before.unwrap_or_default();
    let head = (1 << 31) | u32::from(*pt) << 24 | 960 << 10 | before.len() as u32;
    let head = if before.is_empty() { Vec::new() } else { head.to_be_bytes().to_vec() };
    [&head[..], &[*pt], &before, packet].concat()
}

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
    assert!(broadcast.world.client.key_asked.is_empty(), "{:?}", broadcast.world.client.key_asked);
}

#[tokio::test(start_paused = true)]
async fn what_a_rough_network_loses_is_sent_again_and_nothing_broken_gets_through() {
    for seed in 0..3 {
        let mut broadcast = Broadcast::new().await;
        // An encoder that takes its time: arrival says little of how the tracks belong together.
        broadcast.video.late = Duration::from_millis(120);
        broadcast.world.up.change(Weather::ROUGH, seed);
        broadcast.world.down.change(Weather::ROUGH, seed + 100);
        broadcast.run(Duration::from_secs(20)).await;
        let (video, audio) = (broadcast.numbers(Track::Video), broadcast.numbers(Track::Audio));
        assert!(strictly_later(&video) && strictly_later(&audio), "seed {seed}");
        broadcast.assert_decodes();
        // Nothing that came before the very first packet to arrive can be asked for again: the first
        // picture may be lost, and then another key frame is.
        assert!(broadcast.world.client.key_asked.len() <= 1, "{:?}", broadcast.world.client.key_asked);
        assert!(video[0].0 < 15 && video[0].1 < 2 * SECOND, "seed {seed}: {:?}", video[0]);
        let count = video.len() as u32;
        assert_eq!(video[video.len() - 1].0 - video[0].0 + 1, count, "seed {seed}: none is missing");
        // Sound is not sent again: there is as much as the network let through.
        let lost = broadcast.lost_sounds();
        let came: Vec<_> = audio.iter().map(|(number, _)| *number).collect();
        let missing = (3..audio[audio.len() - 1].0).filter(|number| !came.contains(number));
        assert_eq!(missing.filter(|number| !lost.contains(number)).count(), 0, "seed {seed}");
        // By the reports, not by the arrival.
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
        // A short one is made good by sending again.
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
async fn sound_that_is_sent_twice_is_lost_only_with_two_packets_in_a_row() {
    let mut broadcast = Broadcast::new().await;
    broadcast.redundant = Some(broadcast.audio.pt);
    broadcast.audio.pt = broadcast.world.client.redundant(Codec::Opus);
    broadcast.run(Duration::from_millis(200)).await;
    broadcast.world.up.change(Weather::ROUGH, 9);
    broadcast.run(Duration::from_secs(20)).await;
    let (audio, lost) = (broadcast.numbers(Track::Audio), broadcast.lost_sounds());
    assert!(strictly_later(&audio) && lost.len() > 30);
    let came: Vec<_> = audio.iter().map(|(number, _)| *number).collect();
    let missing: Vec<_> = (0..came[came.len() - 1]).filter(|number| !came.contains(number)).collect();
    let row = |number: &u32| {
        lost.contains(number) && (lost.contains(&(number + 1)) || lost.contains(&(number - 1)))
    };
    assert!(missing.iter().all(row), "{missing:?} of {lost:?}");
}
