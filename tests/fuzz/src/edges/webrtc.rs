//! `gateway::edges::webrtc`: reading offers and their changes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use str0m::config::DtlsCert;
use str0m::crypto::dtls::{DtlsInstance, DtlsOutput, DtlsVersion};

#[path = "../../../../gateway/src/edges/webrtc/cname.rs"]
pub mod cname;
#[path = "../../../../gateway/src/edges/webrtc/resends/mod.rs"]
mod resends;
#[path = "../../../../gateway/src/edges/webrtc/rtc.rs"]
mod rtc;
#[path = "../../../../gateway/src/edges/webrtc/sdp/mod.rs"]
mod sdp;
#[allow(dead_code, reason = "what counts authenticated packets has nothing to count here")]
#[path = "../../../../gateway/src/edges/webrtc/srtp.rs"]
mod srtp;

use rtc::{Packetizer, PublisherOptions, ViewerOptions};
use sdp::{ClientOffer, Credentials, Fragment, Kind, SdpError};

use crate::core::client::Act;
use crate::rtc::dtls;

/// Answers an offer as the gateway does, and then again with other credentials, as in an ICE restart.
pub fn offer(text: &str, publish: bool) {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| rtc::certificate().expect("a certificate can be made"));
    let act = if publish { Act::Publish } else { Act::Play };
    let mut offered = match ClientOffer::read(text, act) {
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
        rtc::publisher(certificate, PublisherOptions { simulcast: offered.offers_simulcast() }, now)
    } else {
        rtc::viewer(
            certificate,
            ViewerOptions { packetizer: Packetizer::Shared, ..ViewerOptions::default() },
            now,
        )
    };
    let theirs = rtc::accept(&mut peer, &offered).expect("str0m reads what it is given");
    let answer = offered.answer(&theirs).expect("the answer fits the offer");
    let told = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
    assert_eq!(told(&answer), told(text));
    assert!(sdp::mids(&theirs).count() <= 2);
    let fragment = sdp::fragment(&answer).expect("an answer has credentials");
    let fresh = Fragment::parse(&fragment).ok().and_then(|told| told.credentials);
    let fresh: Credentials = fresh.expect("what we write, we read");
    offered.restart_ice(fresh.clone());
    assert_eq!(offered.credentials(), &fresh);
    rtc::accept(&mut peer, &offered).expect("it is the same but for the credentials");
}

/// Reads the body of a PATCH request.
pub fn fragment(text: &str) {
    match Fragment::parse(text) {
        Ok(Fragment { credentials: Some(told), .. }) => {
            assert!(told.password.len() >= 22 && told.fragment.len() >= 4);
        }
        Ok(fragment) => assert!(fragment.candidates),
        Err(why) => assert_ne!(why, SdpError::Contradiction),
    }
}

/// Performs a DTLS handshake between two of our own sides with damage. Each byte of `damage` decides about
/// one datagram: it arrives intact, is lost, arrives twice, has a byte changed, is cut, or has `foreign`
/// appended.
pub fn dtls(damage: &[u8], foreign: &[u8]) {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| rtc::certificate().expect("a certificate can be made"));
    let mut now = Instant::now();
    let provider = dtls::provider().dtls_provider;
    let [mut client, mut server] = [true, false].map(|active| {
        let mut side = provider.new_dtls(certificate, now, DtlsVersion::Dtls12, None).expect("a side");
        side.set_active(active);
        side
    });
    let mut damage = damage.iter();
    let mut up = vec![foreign.to_vec()];
    for _ in 0..40 {
        let down = step(&mut *server, now, &up, &mut damage, foreign);
        up = step(&mut *client, now, &down, &mut damage, foreign);
        now += Duration::from_millis(if up.is_empty() && down.is_empty() { 500 } else { 1 });
    }
}

fn step(
    side: &mut dyn DtlsInstance,
    now: Instant,
    datagrams: &[Vec<u8>],
    damage: &mut std::slice::Iter<'_, u8>,
    foreign: &[u8],
) -> Vec<Vec<u8>> {
    for datagram in datagrams {
        let _ = side.handle_packet(datagram);
    }
    let _ = side.handle_timeout(now);
    let (mut sent, mut buf) = (Vec::new(), [0; 4096]);
    loop {
        let mut datagram = match side.poll_output(&mut buf) {
            DtlsOutput::Packet(packet) => packet.to_vec(),
            DtlsOutput::Timeout(_) => return sent,
            _ => continue,
        };
        let decision = damage.next().copied().unwrap_or(0);
        let at = usize::from(decision >> 3) * datagram.len() / 32;
        match decision & 7 {
            1 => continue,
            2 => sent.push(datagram.clone()),
            3 => datagram[at] = datagram[at].wrapping_add(decision),
            4 => datagram.truncate(at),
            5 => datagram.extend_from_slice(foreign),
            6 => sent.push(foreign.to_vec()),
            _ => {}
        }
        sent.push(datagram);
    }
}
