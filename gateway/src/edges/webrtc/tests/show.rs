//! A stream in the hub, and what a viewer receives of it.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use media::codec::h264;
use media::time::{MILLI, Micros, from_ticks, to_ticks};
use media::{Config, Track};
use str0m::media::{Direction, MediaData};
use str0m::rtp::rtcp::Rtcp;

use super::media_kit::{self, DROPPABLE, KEY, PICTURE, REFERENCE, SOUND};
use super::world::{World, now};
use crate::core::admission::{PlayGrant, PublishGrant};
use crate::core::close::CloseReason;
use crate::core::hub::{Clients, Hub, HubConfig, Publisher, StreamName};
use crate::derive::derived::{Derived, Holder};
use crate::derive::transcode::{Reencoders, Want};
use crate::edges::webrtc::packets::Packets;
use crate::edges::webrtc::play::ViewerRole;
use crate::edges::webrtc::rtc::{self, Packetizer, ViewerOptions};

const SIZE: usize = 6000;
/// Frames from one key frame to the next, usually.
pub(super) const GROUP: u32 = 50;

/// A stream in the hub.
pub(super) struct Show {
    pub(super) publisher: Publisher,
    video: Arc<Config>,
    audio: Arc<Config>,
    pub(super) clients: Clients,
    want: Want,
    _packets: Holder<Packets>,
    /// Number of published video frames and audio packets.
    pub(super) pictures: u32,
    pub(super) sounds: u32,
    pub(super) start: Instant,
    /// Whether it makes key frames only when asked.
    pub(super) on_request: bool,
    /// Frames from one key frame to the next.
    pub(super) group: u32,
    /// Whether every other frame is a B-frame.
    pub(super) between: bool,
    pub(super) keys: Vec<u32>,
}

impl Show {
    pub(super) fn new() -> Self {
        let hub = Hub::new(HubConfig::default());
        let publisher = hub
            .publish(&PublishGrant::for_job(&StreamName::parse("live/livestream").unwrap(), "test"))
            .unwrap();
        // The RTP timestamps of both tracks wrap around within 3 s.
        let key = Packets { want: Want::webrtc(&Reencoders::off()) };
        let packets = Derived::started_by(publisher.stream(), key.clone(), |stream, output| {
            key.start_at(stream, output, u32::MAX - 190_000)
        });
        Self {
            publisher,
            video: media_kit::video(),
            audio: media_kit::audio(),
            clients: Clients::new(),
            want: key.want,
            _packets: packets,
            pictures: 0,
            sounds: 0,
            start: now(),
            on_request: false,
            group: GROUP,
            between: false,
            keys: Vec::new(),
        }
    }

    /// The track whose frame is next, and its time.
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
                let regular = !self.on_request && number.is_multiple_of(self.group);
                let wanted = self.publisher.key_wanted() && self.on_request;
                let key = number == 0 || regular || wanted;
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

    /// Continues for this time without a viewer.
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

    pub(super) async fn viewer(&self) -> World<ViewerRole> {
        let grant = PlayGrant::for_job(self.publisher.stream().name(), "whep");
        let handle = self.clients.add(&grant, self.publisher.stream());
        World::new(Direction::RecvOnly, |certificate| {
            let rtc = rtc::viewer(certificate, ViewerOptions::default(), now());
            let stream = self.publisher.stream().clone();
            (rtc, ViewerRole::new(stream, handle, Packetizer::Shared, self.want.clone()))
        })
        .await
    }

    /// Continues for this time with a viewer.
    pub(super) async fn with(&mut self, world: &mut World<ViewerRole>, time: Duration) {
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

    /// Continues for this time with a viewer, or until the viewer ends.
    pub(super) async fn with_or(
        &mut self,
        world: &mut World<ViewerRole>,
        time: Duration,
        why: &mut Option<CloseReason>,
    ) {
        let end = now() + time;
        while why.is_none() {
            let (track, at) = self.next();
            *why = world.run_until(at.min(end)).await.err();
            if at >= end {
                break;
            }
            self.push(track);
        }
    }

    /// Continues until the viewer has connected.
    pub(super) async fn connect(&mut self, world: &mut World<ViewerRole>) {
        while world.client.connected.is_none() || !world.peer.liveness().is_reachable() {
            self.with(world, Duration::from_millis(10)).await;
        }
    }
}

/// A frame as the viewer has received it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Got {
    pub(super) number: u32,
    pub(super) key: bool,
    /// The time of its RTP timestamp.
    pub(super) time: Micros,
    pub(super) at: Instant,
    pub(super) contiguous: bool,
}

/// The frames of a track that the viewer has received. Panics if one is broken.
pub(super) fn got(world: &World<ViewerRole>, track: Track) -> Vec<Got> {
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

/// The difference between the RTP timestamp and the capture time of each frame.
pub(super) fn offsets(frames: &[Got], step: Micros) -> Vec<Micros> {
    frames.iter().map(|frame| frame.time - Micros::from(frame.number) * step).collect()
}

/// The wall-clock time of the stream's beginning, according to each sender report.
pub(super) fn reported(world: &mut World<ViewerRole>) -> Vec<(Track, Micros)> {
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

/// Checks that all reports agree about the beginning of the stream, at least `least` of each track.
pub(super) fn assert_in_step(world: &mut World<ViewerRole>, least: usize) {
    assert_one_line(&reported(world), least);
}

pub(super) fn assert_one_line(reported: &[(Track, Micros)], least: usize) {
    for track in [Track::Video, Track::Audio] {
        assert!(reported.iter().filter(|(of, _)| *of == track).count() >= least, "{reported:?}");
    }
    let first = reported[0].1;
    assert!(reported.iter().all(|(_, zero)| (zero - first).abs() < 5 * MILLI), "{reported:?}");
}
