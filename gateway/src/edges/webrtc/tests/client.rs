//! The browser's side of a connection.

use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::{Codec, PayloadParams};
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::rtcp::Rtcp;
use str0m::rtp::{RawPacket, RtpHeader};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::world::{HERE, THERE, now};

/// A client that makes an offer and keeps what it receives.
pub(super) struct Client {
    pub(super) rtc: Rtc,
    pub(super) video: Mid,
    pub(super) audio: Mid,
    pending: Option<SdpPendingOffer>,
    pub(super) connected: Option<Instant>,
    /// Complete frames in the order of arrival, and their arrival times.
    pub(super) media: Vec<(Instant, MediaData)>,
    /// When the gateway requested key frames.
    pub(super) key_asked: Vec<Instant>,
    /// Received packets, decrypted.
    pub(super) rtp: Vec<(Instant, RtpHeader)>,
    pub(super) rtcp: Vec<(Instant, Rtcp)>,
    /// The number of NACKs that the client has sent.
    pub(super) nacks: usize,
    /// Whether the client requests a key frame when a packet is missing, as players do.
    pub(super) asks: bool,
    pub(super) asked: usize,
    ask_again: Option<Instant>,
}

impl Client {
    /// Makes a client that sends RTP packets or receives frames, and its offer.
    pub(super) fn new(direction: Direction) -> (Self, String) {
        let mut rtc = Rtc::builder()
            .enable_opus(true, true)
            .set_rtp_mode(direction == Direction::SendOnly)
            .set_rtcp_report_interval_audio(Duration::from_secs(1))
            .enable_raw_packets(true)
            .build(now());
        rtc.add_local_candidate(Candidate::host(THERE, Protocol::Udp).unwrap());
        let mut api = rtc.sdp_api();
        let audio = api.add_media(MediaKind::Audio, direction, None, None, None);
        let video = api.add_media(MediaKind::Video, direction, None, None, None);
        let (offer, pending) = api.apply().unwrap();
        let client = Self {
            rtc,
            video,
            audio,
            pending: Some(pending),
            connected: None,
            media: Vec::new(),
            key_asked: Vec::new(),
            rtp: Vec::new(),
            rtcp: Vec::new(),
            nacks: 0,
            asks: true,
            asked: 0,
            ask_again: None,
        };
        (client, offer.to_sdp_string())
    }

    pub(super) fn answered(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(self.video, None) {
            // A browser resends a packet as often as it is requested.
            stream.set_rtx_cache(1000, Duration::from_secs(3), None);
        }
    }

    /// The payload type of this codec.
    pub(super) fn payload_type(&self, codec: Codec) -> Pt {
        self.payload(codec).pt()
    }

    /// The payload type of this codec with redundancy (RED).
    pub(super) fn redundant(&self, codec: Codec) -> Pt {
        self.payload(codec).red().unwrap()
    }

    fn payload(&self, codec: Codec) -> &PayloadParams {
        let mid = if codec.is_audio() { self.audio } else { self.video };
        let agreed = self.rtc.media(mid).unwrap().remote_pts();
        let all = self.rtc.codec_config().params().iter();
        let whole = |mode: Option<u8>| codec != Codec::H264 || mode == Some(1);
        all.filter(|p| p.spec().codec == codec && whole(p.spec().format.packetization_mode))
            .find(|p| agreed.contains(&p.pt()))
            .unwrap()
    }

    pub(super) fn receive(&mut self, now: Instant, datagram: &[u8]) {
        let receive = Receive::new(Protocol::Udp, HERE, THERE, datagram).unwrap();
        self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
    }

    /// Sends everything that waits, and returns the time of the next timeout.
    pub(super) fn drain(&mut self, now: Instant, mut send: impl FnMut(&[u8])) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => return at,
                Output::Transmit(transmit) => send(&transmit.contents),
                Output::Event(event) => self.event(event, now),
            }
        }
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Connected => self.connected = Some(now),
            Event::KeyframeRequest(_) => self.key_asked.push(now),
            Event::MediaData(data) => {
                let missing = data.mid == self.video && !data.contiguous;
                if self.asks && missing && self.ask_again.is_none_or(|at| now >= at) {
                    self.ask_again = Some(now + Duration::from_millis(300));
                    self.ask_key();
                }
                self.media.push((now, data));
            }
            Event::RawPacket(packet) => match *packet {
                RawPacket::RtpRx(header, _) => self.rtp.push((now, header)),
                RawPacket::RtcpRx(rtcp) => self.rtcp.push((now, rtcp)),
                RawPacket::RtcpTx(Rtcp::Nack(_)) => self.nacks += 1,
                _ => {}
            },
            _ => {}
        }
    }

    /// Requests a key frame (PLI).
    pub(super) fn ask_key(&mut self) {
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx_by_mid(self.video, None).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
        self.asked += 1;
    }
}
