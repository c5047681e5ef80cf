//! Converts between str0m's view of codecs and the gateway's: names, payload types, frames and redundant audio.

use std::sync::Arc;

use media::codec::{h264, h265, nal};
use media::{Codec, Config, Frame};
use str0m::Rtc;
use str0m::bwe::BweKind;
use str0m::format::{self, PayloadParams};
use str0m::media::{Frequency, Mid, Pt};

/// Returns the codec for str0m's codec; none if the gateway does not support it.
pub(crate) const fn ours(codec: format::Codec) -> Option<Codec> {
    match codec {
        format::Codec::Opus => Some(Codec::Opus),
        format::Codec::H264 => Some(Codec::H264),
        format::Codec::H265 => Some(Codec::H265),
        format::Codec::Vp8 => Some(Codec::Vp8),
        format::Codec::Vp9 => Some(Codec::Vp9),
        format::Codec::Av1 => Some(Codec::Av1),
        _ => None,
    }
}

/// Returns the payload type with which the peer accepts the codec in `config`, in this media section.
pub(crate) fn payload_type(rtc: &Rtc, mid: Mid, config: &Config) -> Option<Pt> {
    let taken = rtc.media(mid)?.remote_pts();
    let all = rtc.codec_config().params().iter();
    let fitting = all.filter(|params| taken.contains(&params.pt()) && fits(params, config));
    fitting.max_by_key(|params| closeness(params, config)).map(PayloadParams::pt)
}

/// Returns the payload type with which the peer accepts packets of `pt` together with the previous packet (RED).
pub(crate) fn redundant(rtc: &Rtc, pt: Pt) -> Option<Pt> {
    rtc.codec_config().params().iter().find(|params| params.pt() == pt)?.red()
}

/// A packet of `pt` together with the packet before, which is `ticks` older (RFC 2198 3). Returns none if `ticks`
/// or the size of the packet before does not fit into the RED header.
pub(crate) fn red(pt: Pt, packet: &[u8], before: &[u8], ticks: u32) -> Option<Arc<[u8]>> {
    if ticks >= 1 << 14 || before.len() >= 1 << 10 {
        return None;
    }
    let head = 1 << 31 | u32::from(*pt) << 24 | ticks << 10 | before.len() as u32;
    Some([&head.to_be_bytes(), &[*pt][..], before, packet].concat().into())
}

/// Returns whether the peer accepts this codec in the format that the gateway sends.
fn fits(params: &PayloadParams, config: &Config) -> bool {
    let spec = params.spec();
    // Without packetization mode 1 a NAL unit has to fit into one packet.
    let whole = config.codec != Codec::H264 || spec.format.packetization_mode == Some(1);
    ours(spec.codec) == Some(config.codec) && whole
}

/// Rates the similarity of the H.264 profile and level of the payload type to those of the stream. They may differ:
/// every decoder plays the profiles below its own, and browsers also play those above.
fn closeness(params: &PayloadParams, config: &Config) -> u8 {
    let Some([profile, limits, _]) = h264::profile_level_id(&config.description) else { return 0 };
    let Some(theirs) = params.spec().format.profile_level_id else { return 0 };
    let [_, their_profile, their_limits, _] = theirs.to_be_bytes();
    u8::from(their_profile == profile) * 2 + u8::from(their_limits == limits)
}

/// A frame in the format that str0m's packetizers expect: H.264 and H.265 in Annex B, with parameter sets before a
/// key frame, others as they are.
pub(crate) fn wire(frame: &Frame) -> Arc<[u8]> {
    let sets = match frame.config.codec {
        Codec::H264 if frame.key => {
            h264::Avcc::parse(&frame.config.description).map(|avcc| [avcc.sps, avcc.pps].concat())
        }
        Codec::H265 if frame.key => {
            h265::Hvcc::parse(&frame.config.description).map(|hvcc| [hvcc.vps, hvcc.sps, hvcc.pps].concat())
        }
        Codec::H264 | Codec::H265 => Ok(Vec::new()),
        _ => return Arc::from(&frame.data[..]),
    };
    let mut out = Vec::with_capacity(frame.data.len() + 128);
    let sets = sets.unwrap_or_default();
    for unit in sets.into_iter().chain(nal::length_prefixed(&frame.data)) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(unit);
    }
    out.into()
}

/// Returns a clock rate for str0m, which accepts all values except 0.
pub(crate) fn frequency(rate: u32) -> Frequency {
    Frequency::new(rate).unwrap_or(Frequency::NINETY_KHZ)
}

/// The estimate in bits per second.
pub(crate) fn bitrate(estimate: BweKind) -> Option<u64> {
    match estimate {
        BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. } => Some(estimate.as_u64()),
        _ => None,
    }
}
