//! Configures str0m for one peer: codecs, header extensions and jitter buffers; and negotiates an offer with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Rtc, RtcConfig};

use super::sdp::{ClientOffer, SdpError};
use super::srtp;
use crate::rtc::dtls;

/// The first bandwidth estimate of a viewer, in bits per second, where estimation is on.
const FIRST_ESTIMATE: u64 = 4_000_000;
/// Video frames that the jitter buffer holds back for a missing packet at most. A missing packet is requested five
/// times before this many frames have come, within a second.
const MAX_REORDERED_VIDEO: usize = 60;
/// Audio packets, of 20 ms each, that the jitter buffer holds back for a missing one.
const MAX_REORDERED_AUDIO: usize = 8;
/// The longest time for which audio packets are held back.
const AUDIO_REORDER_TIMEOUT: Duration = Duration::from_millis(200);
/// A player needs sender reports of both tracks before it can synchronize them, so they are sent this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Options of a publisher's connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PublisherOptions {
    /// Whether several sizes of the video may come, each named in its packets (RFC 8853). If not, such names are not
    /// read: str0m keeps a stream for each name that it sees.
    pub(super) simulcast: bool,
}

/// Options of a viewer's connection.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ViewerOptions {
    pub(super) packetizer: Packetizer,
    /// Measures the bandwidth to the viewer. Costs three times the CPU.
    pub(super) estimate_bandwidth: bool,
}

/// Selects who makes the RTP packets of a viewer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Packetizer {
    /// The stream's packets are made once and shared by all viewers.
    #[default]
    Shared,
    /// str0m makes packets for this viewer out of whole frames.
    PerViewer,
}

/// Makes the certificate that all DTLS connections of this run use.
pub(super) fn certificate() -> Option<DtlsCert> {
    dtls::provider().dtls_provider.generate_certificate()
}

fn builder(certificate: &DtlsCert) -> RtcConfig {
    Rtc::builder()
        .set_crypto_provider(Arc::new(srtp::observed(dtls::provider())))
        .set_ice_lite(true)
        .set_dtls_cert(certificate.clone())
        .clear_codecs()
        .enable_h264(true)
        .enable_h265(true)
        .enable_vp8(true)
        .enable_vp9(true)
        .enable_av1(true)
}

/// Makes the connection of a publisher: frames come out of it.
///
/// Video orientation is not among the extensions. A browser then rotates the picture before it encodes it, and a
/// phone that is turned changes the resolution, which every player supports.
pub(super) fn publisher(certificate: &DtlsCert, options: PublisherOptions, now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    extensions.set(2, Extension::AbsoluteSendTime);
    extensions.set(3, Extension::TransportSequenceNumber);
    extensions.set(4, Extension::RtpMid);
    if options.simulcast {
        extensions.set(10, Extension::RtpStreamId);
        extensions.set(11, Extension::RepairedRtpStreamId);
    }
    builder(certificate)
        .enable_opus(true, true)
        .set_extension_map(extensions)
        .set_reordering_size_video(MAX_REORDERED_VIDEO)
        .set_reordering_size_audio(MAX_REORDERED_AUDIO)
        .set_reordering_timeout_audio(Some(AUDIO_REORDER_TIMEOUT))
        .build(now)
}

/// Makes the connection of a viewer: packets or frames go into it.
pub(super) fn viewer(certificate: &DtlsCert, options: ViewerOptions, now: Instant) -> Rtc {
    let mut extensions = ExtensionMap::empty();
    extensions.set(4, Extension::RtpMid);
    extensions.set(5, Extension::PlayoutDelay);
    if options.estimate_bandwidth {
        extensions.set(3, Extension::TransportSequenceNumber);
    }
    builder(certificate)
        .enable_opus(true, true)
        .set_extension_map(extensions)
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .set_rtp_mode(options.packetizer == Packetizer::Shared)
        .enable_bwe(options.estimate_bandwidth.then(|| Bitrate::bps(FIRST_ESTIMATE)))
        .build(now)
}

/// Gives the offer to str0m and returns str0m's answer. An offer that str0m refuses ends the peer.
///
/// str0m panics over some offers. [`ClientOffer`] writes none that is known to do that; if one gets through, the
/// panic ends this peer only. The text of str0m's errors is for its own developers, so clients do not see it.
pub(super) fn accept(rtc: &mut Rtc, offer: &ClientOffer) -> Result<String, SdpError> {
    let Ok(parsed) = SdpOffer::from_sdp_string(&offer.to_str0m()) else {
        return Err(SdpError::Contradiction);
    };
    match catch_unwind(AssertUnwindSafe(|| rtc.sdp_api().accept_offer(parsed))) {
        Ok(Ok(answer)) => return Ok(answer.to_sdp_string()),
        Ok(Err(error)) => tracing::debug!(?error, "str0m refuses an offer"),
        Err(_) => tracing::warn!("str0m panicked over an offer"),
    }
    rtc.disconnect();
    Err(SdpError::Contradiction)
}
