//! Selects the payload types of an offer that the gateway can use, and writes them for str0m.

use super::error::SdpError;
use super::h264::Profile;
use super::text::{Kind, Section};
use crate::core::client::Act;

/// RTCP feedback messages that the gateway supports (RFC 4585, RFC 5104).
const FEEDBACK: [&str; 5] = ["nack", "nack pli", "ccm fir", "transport-cc", "goog-remb"];

/// A payload type that the gateway uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) number: u8,
    /// `a=rtpmap` and `a=fmtp` as the client has them: the answer repeats them, so that the client finds
    /// the codec that it offered.
    pub(super) told: Vec<String>,
    /// The values of both as str0m knows them.
    pub(super) normal: (&'static str, Option<String>),
    /// The feedback messages that the client supports, too.
    pub(super) feedback: Vec<&'static str>,
}

/// A codec in a variant that str0m negotiates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Opus,
    /// Audio packets together with the packets before (RFC 2198).
    Red,
    /// The profile, and the packetization mode.
    H264(Profile, u8),
    H265,
    Vp8,
    /// The profile: 0 or 2.
    Vp9(u8),
    Av1,
    /// Retransmissions of this payload type (RFC 4588).
    Resend(u8),
}

/// A payload type of an offer.
struct OfferedFormat<'a> {
    number: u8,
    rtpmap: &'a str,
    fmtp: Option<String>,
    codec: Codec,
    /// Whether the offer names exactly this codec, not only one near it.
    exact: bool,
}

/// The payload types of a section that the gateway can use, in the client's order.
///
/// # Errors
/// When a payload type is described twice.
pub(super) fn usable(section: &Section<'_>, kind: Kind, act: Act) -> Result<Vec<Format>, SdpError> {
    let mut all = Vec::new();
    for format in &section.formats {
        let Ok(number @ 0..=127) = format.parse::<u8>() else { continue };
        let mut maps = of(section, "rtpmap", number);
        let Some(rtpmap) = maps.next() else { continue };
        if maps.next().is_some() || all.iter().any(|known: &(u8, _, _)| known.0 == number) {
            return Err(SdpError::PayloadType(number));
        }
        let fmtp = of(section, "fmtp", number).collect::<Vec<_>>().join(";");
        all.push((number, rtpmap, Some(fmtp).filter(|fmtp| !fmtp.is_empty())));
    }
    let mode_1 = all.iter().any(|(_, rtpmap, fmtp)| {
        name(rtpmap).eq_ignore_ascii_case("h264")
            && parameter(fmtp.as_deref(), "packetization-mode") == Some("1")
    });
    let mut found: Vec<OfferedFormat<'_>> = all
        .into_iter()
        .filter_map(|(number, rtpmap, fmtp)| {
            let (codec, exact) = codec(rtpmap, fmtp.as_deref(), kind, act, mode_1)?;
            Some(OfferedFormat { number, rtpmap, fmtp, codec, exact })
        })
        .collect();
    // Each codec once: as the client prefers, but what it names exactly before what only comes near.
    let best = |one: &OfferedFormat<'_>| {
        let rivals = || found.iter().filter(|other| other.codec == one.codec);
        let exact = rivals().find(|other| other.exact).or_else(|| rivals().next());
        exact.is_some_and(|other| other.number == one.number)
    };
    let mut kept: Vec<u8> = found.iter().filter(|one| best(one)).map(|one| one.number).collect();
    found.retain(|one| kept.contains(&one.number));
    // RED and retransmissions are of no use without the payload type that they belong to.
    kept.retain(|number| found.iter().any(|one| one.number == *number && !is_extra(one.codec)));
    found.retain(|one| match one.codec {
        Codec::Resend(of) => kept.contains(&of),
        Codec::Red => parameter_list(one.fmtp.as_deref()).is_some_and(|of| kept.contains(&of)),
        _ => true,
    });
    if kept.is_empty() {
        found.clear();
    }
    Ok(found.into_iter().map(|one| one.format(section)).collect())
}

const fn is_extra(codec: Codec) -> bool {
    matches!(codec, Codec::Red | Codec::Resend(_))
}

/// Returns the text after the payload type in each `a=key:NUMBER …`.
fn of<'a>(section: &Section<'a>, key: &str, number: u8) -> impl Iterator<Item = &'a str> {
    section.lines.values(key).filter_map(move |value| {
        let (told, rest) = value.split_once(' ')?;
        (told.parse() == Ok(number)).then(|| rest.trim())
    })
}

fn name(rtpmap: &str) -> &str {
    rtpmap.split('/').next().unwrap_or_default()
}

/// The value of a format parameter. The case of the name does not matter (RFC 4855 3).
fn parameter<'a>(fmtp: Option<&'a str>, key: &str) -> Option<&'a str> {
    fmtp?.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
    })
}

/// The first payload type in RED's list (RFC 2198 5).
fn parameter_list(fmtp: Option<&str>) -> Option<u8> {
    fmtp?.split('/').next()?.trim().parse().ok()
}

/// The codec of a payload type, and whether the match is exact. Returns none if the gateway does not support it.
fn codec(rtpmap: &str, fmtp: Option<&str>, kind: Kind, act: Act, mode_1: bool) -> Option<(Codec, bool)> {
    let mut parts = rtpmap.split('/').map(str::trim);
    let (name, rate) = (parts.next()?.to_ascii_lowercase(), parts.next()?);
    let number = |key| parameter(fmtp, key).and_then(|value| value.parse::<u8>().ok());
    let found = match (kind, name.as_str(), rate) {
        // Some clients leave out the number of channels, which is always 2 (RFC 7587 7).
        (Kind::Audio, "opus", "48000") => (Codec::Opus, true),
        (Kind::Audio, "red", "48000") => (Codec::Red, true),
        (Kind::Video, "h264", "90000") => return h264(fmtp, act, mode_1),
        (Kind::Video, "h265", "90000") => (Codec::H265, number("profile-id").is_none_or(|id| id == 1)),
        (Kind::Video, "vp8", "90000") => (Codec::Vp8, true),
        (Kind::Video, "vp9", "90000") => match number("profile-id").unwrap_or(0) {
            profile @ (0 | 2) => (Codec::Vp9(profile), true),
            _ => return None,
        },
        (Kind::Video, "av1", "90000") => (Codec::Av1, number("profile").is_none_or(|profile| profile == 0)),
        (Kind::Video, "rtx", "90000") => (Codec::Resend(number("apt")?), true),
        _ => return None,
    };
    Some(found)
}

/// The H.264 variant of a payload type, and whether the match is exact.
///
/// Viewers get packets of packetization mode 1. A viewer that names no mode in any payload type accepts them too:
/// GStreamer, for example, leaves `a=fmtp` out. Publishers may send in either mode.
fn h264(fmtp: Option<&str>, act: Act, mode_1: bool) -> Option<(Codec, bool)> {
    let (profile, exact) = Profile::nearest(parameter(fmtp, "profile-level-id"));
    let mode = match parameter(fmtp, "packetization-mode") {
        Some("1") => 1,
        None if act == Act::Play && !mode_1 => 1,
        None | Some("0") => 0,
        Some(_) => return None,
    };
    match (act, mode) {
        (Act::Publish, 0) if !profile.in_mode_0() => Some((Codec::H264(profile, 1), false)),
        (Act::Play, 0) if !profile.in_mode_0() => None,
        _ => Some((Codec::H264(profile, mode), exact)),
    }
}

impl OfferedFormat<'_> {
    fn format(self, section: &Section<'_>) -> Format {
        let Self { number, rtpmap, fmtp, codec, .. } = self;
        let normal = match codec {
            Codec::Opus => ("opus/48000/2", opus(fmtp.as_deref())),
            Codec::Red => ("red/48000/2", parameter_list(fmtp.as_deref()).map(|of| format!("{of}/{of}"))),
            Codec::H264(profile, mode) => {
                let id = profile.id();
                let normal =
                    format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={id}");
                ("H264/90000", Some(normal))
            }
            Codec::H265 => ("H265/90000", Some(h265(fmtp.as_deref()))),
            Codec::Vp8 => ("VP8/90000", None),
            Codec::Vp9(profile) => ("VP9/90000", Some(format!("profile-id={profile}"))),
            Codec::Av1 => ("AV1/90000", None),
            Codec::Resend(of) => ("rtx/90000", Some(format!("apt={of}"))),
        };
        let mut told = vec![format!("a=rtpmap:{number} {rtpmap}")];
        told.extend(fmtp.and_then(|fmtp| ours(&fmtp)).map(|fmtp| format!("a=fmtp:{number} {fmtp}")));
        let named = |wanted: &str| {
            let all = section.lines.values("rtcp-fb").filter_map(|value| value.split_once(' '));
            let mut here = all.filter(|(of, _)| *of == "*" || of.parse() == Ok(number));
            here.any(|(_, message)| message.trim() == wanted)
        };
        let feedback = FEEDBACK.into_iter().filter(|message| named(message)).collect();
        Format { number, told, normal, feedback }
    }
}

/// The parameters of an Opus decoder that str0m understands.
fn opus(fmtp: Option<&str>) -> Option<String> {
    let known = ["minptime", "useinbandfec", "usedtx", "stereo"];
    let told = known.into_iter().filter_map(|key| {
        let value: u8 = parameter(fmtp, key)?.parse().ok()?;
        Some(format!("{key}={value}"))
    });
    Some(told.collect::<Vec<_>>().join(";")).filter(|told| !told.is_empty())
}

fn h265(fmtp: Option<&str>) -> String {
    let mut normal = "profile-id=1;tier-flag=0;level-id=180".to_owned();
    let order = parameter(fmtp, "sprop-max-don-diff").and_then(|value| value.parse::<u16>().ok());
    order.into_iter().for_each(|order| normal += &format!(";sprop-max-don-diff={order}"));
    normal
}

/// A client's format parameters without those that tell of the stream that it sends.
fn ours(fmtp: &str) -> Option<String> {
    let parts = fmtp.split(';').map(str::trim);
    let kept: Vec<_> =
        parts.filter(|part| !part.is_empty() && !part.to_ascii_lowercase().starts_with("sprop-")).collect();
    (!kept.is_empty()).then(|| kept.join(";"))
}

/// Checks that no payload type has two meanings in bundled sections: packets have only the number (RFC 8843 10.1.2).
pub(super) fn agree(one: &[Format], other: &[Format]) -> Result<(), SdpError> {
    for format in one {
        if other.iter().any(|theirs| theirs.number == format.number && theirs.normal != format.normal) {
            return Err(SdpError::PayloadType(format.number));
        }
    }
    Ok(())
}
