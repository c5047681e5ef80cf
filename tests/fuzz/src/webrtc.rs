//! `gateway::webrtc`, how offers and their changes are read.

use std::sync::OnceLock;
use std::time::Instant;

use str0m::change::SdpOffer;
use str0m::config::DtlsCert;

#[path = "../../../gateway/src/webrtc/rtc.rs"]
mod rtc;
#[path = "../../../gateway/src/webrtc/sdp.rs"]
mod sdp;

/// Answers an offer as the gateway does, and then once more with other credentials, as an ICE restart is.
pub fn offer(text: &str, publish: bool) {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| rtc::certificate().expect("a certificate can be made"));
    let Ok(parsed) = SdpOffer::from_sdp_string(text) else { return };
    if !sdp::is_consistent(text) || sdp::credentials(text).is_none() {
        return;
    }
    let now = Instant::now();
    let mut peer =
        if publish { rtc::publisher(certificate, now) } else { rtc::viewer(certificate, true, false, now) };
    let Ok(answer) = rtc::accept(&mut peer, parsed) else { return };
    let answer = answer.to_sdp_string();
    assert!(sdp::mids(&answer).count() <= sdp::mids(text).count());
    let fragment = sdp::fragment(&answer).expect("an answer has credentials");
    let told = sdp::Fragment::parse(&fragment).and_then(|told| told.credentials);
    let fresh = told.expect("what we write, we read");
    let again = sdp::with_credentials(text, &fresh);
    assert_eq!(sdp::credentials(&again), Some(fresh));
    let parsed = SdpOffer::from_sdp_string(&again).expect("it is the same but for the credentials");
    let _ = rtc::accept(&mut peer, parsed);
}

/// Reads what a PATCH brings.
pub fn fragment(text: &str) {
    if let Some(credentials) = sdp::Fragment::parse(text).and_then(|fragment| fragment.credentials) {
        assert!(credentials.password.len() >= 22 && credentials.fragment.len() >= 4);
    }
}
