//! The codecs and the frame order that a reader of a stream supports.

use std::sync::Arc;

use media::{Codec, Config, Track, TrackId};

use super::{AudioTarget, Reencoders};
use crate::core::hub::Stream;

/// The codecs that a format carries. The sets are constants, so that their number, and with it the number of derived
/// streams, is bounded.
pub type Codecs = &'static [Codec];

const VIDEO: Codecs = &[Codec::H264, Codec::H265, Codec::Av1, Codec::Vp8, Codec::Vp9];

/// The codecs and the frame order that a reader of a stream supports. From it, [`super::Frames`] decides
/// whether to pass a track on, transcode it, reorder it or leave it out. Readers with equal wants share the
/// work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Video codecs; video in another codec is left out.
    pub video: Codecs,
    /// Audio codecs; audio in another codec is transcoded to one of these, or left out where that is not possible.
    pub audio: Codecs,
    /// If set, video is put in presentation order, for players that show frames in the order of arrival. Video with
    /// B-frames is encoded again if one of these encoders is free.
    pub presentation_order: Option<Reencoders>,
}

/// The treatment of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// The track is passed on.
    Pass,
    /// The track is decoded and encoded again.
    Transcode(AudioTarget),
    /// The track is left out.
    LeaveOut,
}

impl Want {
    /// The want of FLV and RTMP for players without Enhanced RTMP.
    pub const FLV: Self = Self { video: VIDEO, audio: &[Codec::Aac, Codec::Mp3], presentation_order: None };

    /// The want of FLV and RTMP for players with Enhanced RTMP that decode Opus.
    pub const FLV_WITH_OPUS: Self =
        Self { video: VIDEO, audio: &[Codec::Aac, Codec::Mp3, Codec::Opus], presentation_order: None };

    /// The want of MPEG-TS. Video codecs that MPEG-TS does not support are included: its muxer refuses them,
    /// and gives the reason.
    pub const MPEG_TS: Self = Self::FLV;

    /// Returns the want of WebRTC.
    pub fn webrtc(reencoders: &Reencoders) -> Self {
        Self { video: VIDEO, audio: &[Codec::Opus], presentation_order: Some(reencoders.clone()) }
    }

    pub(super) fn plan(&self, codec: Codec) -> Plan {
        match codec.track() {
            Track::Video if self.video.contains(&codec) => Plan::Pass,
            Track::Video => Plan::LeaveOut,
            Track::Audio => audio_plan(self.audio, codec),
        }
    }

    /// Returns whether the stream's audio has to be transcoded.
    pub fn transcodes(&self, stream: &Stream) -> bool {
        let transcoded = |config: Arc<Config>| matches!(self.plan(config.codec), Plan::Transcode(_));
        stream.config(Track::Audio).is_some_and(transcoded)
    }

    /// Returns the newest configuration of a track, as a reader receives it.
    pub fn config(&self, stream: &Stream, track: impl Into<TrackId>) -> Option<Arc<Config>> {
        let config = stream.config(track)?;
        match self.plan(config.codec) {
            Plan::Pass => Some(config),
            Plan::Transcode(to) => Some(to.output(super::channels(&config))),
            Plan::LeaveOut => None,
        }
    }
}

/// Returns the treatment of audio in `codec` for a format that carries the codecs `carried`.
pub(super) fn audio_plan(carried: Codecs, codec: Codec) -> Plan {
    if carried.contains(&codec) {
        return Plan::Pass;
    }
    let decoded = matches!(codec, Codec::Aac | Codec::Opus | Codec::PcmAlaw | Codec::PcmMulaw);
    let target = AudioTarget::ALL.into_iter().find(|target| carried.contains(&target.codec()));
    target.filter(|_| decoded).map_or(Plan::LeaveOut, Plan::Transcode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_is_passed_where_it_can_be_and_else_transcoded() {
        use AudioTarget::{Aac, Opus};
        use Plan::{LeaveOut, Pass, Transcode};
        let webrtc = Want::webrtc(&Reencoders::off());
        for (codec, flv, with_opus, in_webrtc) in [
            (Codec::Aac, Pass, Pass, Transcode(Opus)),
            (Codec::Opus, Transcode(Aac), Pass, Pass),
            (Codec::Mp3, Pass, Pass, LeaveOut),
            (Codec::PcmAlaw, Transcode(Aac), Transcode(Aac), Transcode(Opus)),
            (Codec::PcmMulaw, Transcode(Aac), Transcode(Aac), Transcode(Opus)),
            (Codec::H264, Pass, Pass, Pass),
            (Codec::Av1, Pass, Pass, Pass),
        ] {
            let plans = [&Want::FLV, &Want::FLV_WITH_OPUS, &webrtc].map(|want| want.plan(codec));
            assert_eq!(plans, [flv, with_opus, in_webrtc], "{}", codec.name());
        }
        let audio_only = Want { video: &[], ..Want::FLV };
        assert_eq!(audio_only.plan(Codec::H264), LeaveOut);
        assert_ne!(Want::FLV, Want::FLV_WITH_OPUS);
        assert_ne!(webrtc, Want::webrtc(&Reencoders::off()), "other encoders, another want");
    }
}
