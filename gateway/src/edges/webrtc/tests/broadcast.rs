//! A client that publishes, and the frames that the hub gets from it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::codec::h264;
use media::rtp::h264::packetize;
use media::time::{Micros, to_ticks};
use media::{Config, Track};
use str0m::format::Codec;
use str0m::media::{Direction, Pt};
use str0m::rtp::{RtpWrite, SeqNo};

use super::media_kit::{self, KEY, PICTURE, REFERENCE, SOUND};
use super::world::{World, now};
use crate::context::Context;
use crate::core::admission::PublishGrant;
use crate::core::auth::Auth;
use crate::core::hub::{FrameEntry, Start, StreamName, Subscriber};
use crate::edges::webrtc::publish::PublisherRole;
use crate::edges::webrtc::rtc::{self, PublisherOptions};
use crate::limits::LimitSettings;

const SIZE: usize = 6000;
/// The first sequence number, which wraps around soon.
const FIRST: u16 = 65_400;

/// One track that the client sends.
pub(super) struct Line {
    pub(super) pt: Pt,
    seq: SeqNo,
    /// The RTP timestamp at capture time 0.
    rtp: u32,
    pub(super) number: u32,
    /// Delay from capture to sending.
    pub(super) late: Duration,
}

pub(super) struct Broadcast {
    pub(super) world: World<PublisherRole>,
    pub(super) context: Context,
    config: Arc<Config>,
    pub(super) video: Line,
    pub(super) audio: Line,
    start: Instant,
    /// Number of key frame requests that the client has answered.
    answered: usize,
    /// Whether the client ignores key frame requests.
    pub(super) deaf: bool,
    /// Whether each audio packet contains the previous one (RED); then the payload type of single packets.
    pub(super) redundant: Option<Pt>,
    frames: Option<Subscriber>,
    got: Vec<Arc<FrameEntry>>,
}

impl Broadcast {
    pub(super) async fn new() -> Self {
        let context = Context::new(LimitSettings::default(), Auth::default());
        let name = StreamName::parse("live/livestream").unwrap();
        let grant = PublishGrant::for_job(&name, "whip");
        let of = context.clone();
        let mut world = World::new(Direction::SendOnly, |certificate| {
            (
                rtc::publisher(certificate, PublisherOptions::default(), now()),
                PublisherRole::new(of, grant, now()),
            )
        })
        .await;
        world.connect().await;
        // Sequence numbers and RTP timestamps wrap around soon.
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
            context,
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

    /// Publishes for this time, sends a key frame when one is requested, and collects the hub's frames.
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

    pub(super) fn collect(&mut self) {
        if self.frames.is_none() {
            let clients = self.context.clients.list();
            self.frames = clients.first().map(|client| client.stream.subscribe(Start::Oldest));
        }
        let Some(frames) = &mut self.frames else { return };
        self.got.extend(std::iter::from_fn(|| frames.try_next()));
    }

    /// Returns the numbers and times of a track's frames. Panics if a frame is broken.
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

    /// Returns the numbers of the audio packets that the network has lost.
    pub(super) fn lost_sounds(&self) -> Vec<u32> {
        let sounds = self.world.up.dropped.iter().filter(|head| head[1] & 0x7f == *self.audio.pt);
        sounds.map(|head| u16::from_be_bytes([head[2], head[3]]).wrapping_sub(FIRST).into()).collect()
    }

    /// Returns the delay of each video frame relative to the audio, compared with their capture times, from
    /// `since` on.
    pub(super) fn apart(&self, since: Micros) -> Vec<Micros> {
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

    /// Checks that a frame after a missing one is a key frame.
    pub(super) fn assert_decodes(&self) {
        let mut before = None;
        let pictures = self.got.iter().map(|entry| &entry.frame).filter(|frame| frame.is_video());
        for ((number, _), frame) in self.numbers(Track::Video).into_iter().zip(pictures) {
            assert!(before.map_or(number, |before| before + 1) == number || frame.key, "picture {number}");
            before = Some(number);
        }
    }
}

/// Returns an audio packet together with the previous one (RFC 2198).
fn red(pt: Pt, packet: &[u8], before: Option<Bytes>) -> Vec<u8> {
    let before = before.unwrap_or_default();
    let head = (1 << 31) | u32::from(*pt) << 24 | 960 << 10 | before.len() as u32;
    let head = if before.is_empty() { Vec::new() } else { head.to_be_bytes().to_vec() };
    [&head[..], &[*pt], &before, packet].concat()
}
