//! Sends one track to one viewer: payload types, sequence numbers and redundant audio.

use std::sync::Arc;
use std::time::{Duration, Instant};

use media::{Codec, Config, Frame};
use str0m::Rtc;
use str0m::media::{MediaTime, Mid, Pt};
use str0m::rtp::{RtpWrite, SeqNo};

use super::packets::{PacketizedFrame, clock_rate};
use super::peer::protocol_error;
use super::resends::{self, Resends};
use super::rtc::Packetizer;
use crate::core::close::CloseReason;
use crate::rtc::codecs;

/// Maximum time that str0m keeps packets for resending, in addition to the limit [`resends::MAX_PACKETS`],
/// which is more than half a second at 2 Mb/s. Each packet costs nearly half a kilobyte per viewer, beside
/// the payload that all share. With fewer packets, the cached frames that a viewer begins with could not be
/// repaired on a bad network.
const RESEND_TIME: Duration = Duration::from_millis(800);
/// The largest part of what is sent that may be resends, where str0m makes the packets and [`Resends`] knows none.
const RESEND_RATIO: f32 = 0.25;

/// The payload type and the times with which a frame goes to one viewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) pt: Pt,
    /// The RTP timestamp.
    pub(super) rtp: u32,
    /// The wall-clock time that sender reports give for it.
    pub(super) moment: Instant,
}

/// One track as one viewer receives it.
#[derive(Debug)]
pub(super) struct TrackSender {
    mid: Mid,
    /// The sequence number of the next packet.
    pub(super) seq: SeqNo,
    /// The codec that is sent now, and its payload type; none if the viewer did not accept the codec.
    codec: Option<(Codec, Option<Pt>)>,
    /// The payload type for audio packets that repeat the packet before (RED), if the viewer accepts them.
    red: Option<Pt>,
}

impl TrackSender {
    /// Prepares to send in this media section.
    pub(super) fn new(rtc: &mut Rtc, mid: Mid, packetizer: Packetizer) -> Self {
        if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
            let ratio = (packetizer == Packetizer::PerViewer).then_some(RESEND_RATIO);
            stream.set_rtx_cache(resends::MAX_PACKETS, RESEND_TIME, ratio);
        }
        // Sequence numbers begin in the lower half: the loss of a first packet must not look like a wrap-around.
        let seq = SeqNo::from(u64::from(rand::random::<u16>() >> 1));
        Self { mid, seq, codec: None, red: None }
    }

    /// Whether the viewer accepts what `config` describes.
    pub(super) fn accepts(&self, rtc: &Rtc, config: &Config) -> bool {
        codecs::payload_type(rtc, self.mid, config).is_some()
    }

    /// The payload type for frames of `config`; none if the viewer does not accept them.
    pub(super) fn payload_type(&mut self, rtc: &Rtc, config: &Config) -> Option<Pt> {
        match self.codec {
            Some((known, pt)) if known == config.codec => pt,
            _ => {
                let pt = codecs::payload_type(rtc, self.mid, config);
                self.codec = Some((config.codec, pt));
                self.red = pt.and_then(|pt| codecs::redundant(rtc, pt));
                pt
            }
        }
    }

    /// Sends a frame as packets that str0m makes for this viewer. Returns the number of bytes.
    ///
    /// # Errors
    /// When str0m does not accept the frame.
    pub(super) fn send_frame(
        &self,
        rtc: &mut Rtc,
        frame: &Frame,
        stamp: Stamp,
    ) -> Result<usize, CloseReason> {
        let Some(writer) = rtc.writer(self.mid) else { return Ok(0) };
        let frequency = codecs::frequency(clock_rate(frame.config.codec));
        let time = MediaTime::new(stamp.rtp.into(), frequency);
        let data = codecs::wire(frame);
        let size = data.len();
        writer.write(stamp.pt, stamp.moment, time, data).map_err(protocol_error)?;
        Ok(size)
    }

    /// Sends the shared packets of a frame. Returns the number of bytes.
    pub(super) fn send_packets(
        &mut self,
        rtc: &mut Rtc,
        unit: &PacketizedFrame,
        stamp: Stamp,
        resends: &mut Resends,
        now: Instant,
    ) -> usize {
        let mut api = rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(self.mid, None) else { return 0 };
        let is_video = unit.frame.is_video();
        let mut bytes = 0;
        for (index, payload) in unit.payloads.iter().enumerate() {
            let (mut pt, mut payload, seq) = (stamp.pt, payload.clone(), self.seq.inc());
            if is_video {
                resends.record_sent(*seq as u16, payload.len(), now);
            } else if resends.is_lossy(now)
                && let Some((red, both)) = self.redundant(unit, stamp.pt, &payload)
            {
                (pt, payload) = (red, both);
            }
            bytes += payload.len();
            let is_last = index + 1 == unit.payloads.len();
            let packet = RtpWrite::new(pt, seq, stamp.rtp, stamp.moment, payload);
            stream.write_rtp(packet.marker(is_video && is_last).nackable(is_video));
        }
        bytes
    }

    /// An audio packet together with the packet before it, and the payload type for both; none if the viewer does not
    /// accept that, or there is no packet before.
    fn redundant(&self, unit: &PacketizedFrame, pt: Pt, payload: &[u8]) -> Option<(Pt, Arc<[u8]>)> {
        let red = self.red?;
        let (before, ticks) = unit.before.as_ref()?;
        Some((red, codecs::red(pt, payload, before, *ticks)?))
    }
}
