//! `gateway::webrtc`, how offers and their changes are read.

use std::sync::OnceLock;
use std::time::Instant;

use str0m::config::DtlsCert;

#[path = "../../../gateway/src/webrtc/rtc.rs"]
mod rtc;
#[path = "../../../gateway/src/webrtc/sdp/mod.rs"]
mod sdp;
#[allow(dead_code, reason = "what counts authenticated packets has nothing to count here")]
#[path = "../../../gateway/src/webrtc/srtp.rs"]
mod srtp;

use sdp::{Credentials, Fragment, Kind, Offered, Role, Unfit};

/// Answers an offer as the gateway does, and then once more with other credentials, as an ICE restart is.
pub fn offer(text: &str, publish: bool) {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| rtc::certificate().expect("a certificate can be made"));
    let role = if publish { Role::Publisher } else { Role::Viewer };
    let mut offered = match Offered::read(text, role) {
        Ok(offered) => offered,
        Err(why) => return assert!(!why.to_string().is_empty()),
    };
    if !offered.is_usable() {
        return;
    }
    assert!(!(offered.lacks_codec(Kind::Audio) && offered.lacks_codec(Kind::Video)));
    assert!(offered.size() < 64 << 10, "it keeps more than the client sent");
    let now = Instant::now();
    let mut peer = if publish {
        rtc::publisher(certificate, offered.has_layers(), now)
    } else {
        rtc::viewer(certificate, true, false, now)
    };
    let theirs = rtc::accept(&mut peer, &offered).expect("str0m reads what it is given");
    let answer = offered.answer(&theirs).expect("the answer fits the offer");
    let told = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(told(&answer), told(text));
    assert!(sdp::mids(&theirs).count() <= 2);
    let fragment = sdp::fragment(&answer).expect("an answer has credentials");
    let fresh = Fragment::parse(&fragment).ok().and_then(|told| told.credentials);
    let fresh: Credentials = fresh.expect("what we write, we read");
    offered.restart(fresh.clone());
    assert_eq!(offered.credentials(), &fresh);
    rtc::accept(&mut peer, &offered).expect("it is the same but for the credentials");
}

/// Reads what a PATCH brings.
pub fn fragment(text: &str) {
    match Fragment::parse(text) {
        Ok(Fragment { credentials: Some(told), .. }) => {
            assert!(told.password.len() >= 22 && told.fragment.len() >= 4);
        }
        Ok(fragment) => assert!(fragment.candidates),
        Err(why) => assert_ne!(why, Unfit::Contradiction),
    }
}
