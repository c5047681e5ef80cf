//! How a peer is set up: what it may negotiate.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Rtc, RtcConfig};

use super::dtls;
use super::sdp::{Offered, Unfit};
use super::srtp;

/// Where a viewer's bandwidth estimate starts, where it is asked for.
const FIRST_ESTIMATE: u64 = 4_000_000;
/// Pictures that are held back for a missing packet at most. Before that its five resends have been
/// waited for: a second or less.
const REORDER_VIDEO: usize = 60;
/// Audio packets, of 20 ms each, that are held back for a missing one: it is late, or lost.
const REORDER_AUDIO: usize = 8;
/// And not longer than this.
const REORDER_AUDIO_TIME: Duration = Duration::from_millis(200);

/// A player needs reports of both tracks before it can show them in step.
const REPORTS: Duration = Duration::from_secs(1);

/// The certificate of all DTLS connections of this run.
pub(super) fn certificate() -> Option<DtlsCert> {
    dtls::provider().dtls_provider.generate_certificate()
}

fn base(certificate: &DtlsCert) -> RtcConfig {
    Rtc::builder()
        .set_crypto_provider(Arc::new(srtp::watched(dtls::provider())))
        .set_ice_lite(true)
        .set_dtls_cert(certificate.clone())
        .clear_codecs()
        .enable_h264(true)
        .enable_h265(true)
        .enable_vp8(true)
        .enable_vp9(true)
        .enable_av1(true)
}

/// One who publishes: frames come out.
///
/// Video orientation is not among the extensions: a browser then turns the picture before it encodes it,
/// and a phone that is turned is a change of resolution, which everybody can play.
/// With `layers` it may send several sizes, each named in its packets. Without, such names are not read: str0m
/// keeps a stream for each that it sees.
pub(super) fn publisher(certificate: &DtlsCert, layers: bool, now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(2, Extension::AbsoluteSendTime);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    if layers {
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
    }
    base(certificate)
        .enable_opus(true, true)
        .set_extension_map(extensions)
        .set_reordering_size_video(REORDER_VIDEO)
        .set_reordering_size_audio(REORDER_AUDIO)
        .set_reordering_timeout_audio(Some(REORDER_AUDIO_TIME))
        .build(now)
}

/// One who plays. With `packets`, RTP that was made once for all viewers goes in; else frames do, and it
/// is made for this one. `estimate` measures the way's bandwidth, for three times the CPU.
pub(super) fn viewer(certificate: &DtlsCert, packets: bool, estimate: bool, now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::empty();
    extensions.set(4, Extension::RtpMid);
    extensions.set(5, Extension::PlayoutDelay);
    if estimate {
        extensions.set(3, Extension::TransportSequenceNumber);
    }
    base(certificate)
        .enable_opus(true, true)
        .set_extension_map(extensions)
        .set_rtcp_report_interval_audio(REPORTS)
        .set_rtp_mode(packets)
        .enable_bwe(estimate.then(|| Bitrate::bps(FIRST_ESTIMATE)))
        .build(now)
}

/// Answers an offer. What is refused ends the peer.
///
/// str0m asserts what offers can break. [`Offered`] breaks nothing that is known of, and what is not known is
/// no reason for the server to lose a task over. str0m's own words are for developers of str0m.
pub(super) fn accept(rtc: &mut Rtc, offer: &Offered) -> Result<String, Unfit> {
    let Ok(parsed) = SdpOffer::from_sdp_string(&offer.to_str0m()) else { return Err(Unfit::Contradiction) };
    match catch_unwind(AssertUnwindSafe(|| rtc.sdp_api().accept_offer(parsed))) {
        Ok(Ok(answer)) => return Ok(answer.to_sdp_string()),
        Ok(Err(error)) => tracing::debug!(?error, "str0m refuses an offer"),
        Err(_) => tracing::warn!("str0m panicked over an offer"),
    }
    rtc.disconnect();
    Err(Unfit::Contradiction)
}
