//! Offers of all kinds, answered by str0m: the answer must fit the offer, and str0m must understand what it gets.

mod cases;
mod offers;
mod properties;

use std::sync::OnceLock;
use std::time::Instant;

use str0m::Candidate;
use str0m::config::DtlsCert;
use str0m::net::Protocol;

use super::text::Description;
use super::{ClientOffer, SdpError};
use crate::core::client::Act;
use crate::edges::webrtc::rtc::{self, PublisherOptions, ViewerOptions};

/// Answers an offer as the gateway does, and checks the answer. Returns an empty text if the offer is of no use.
fn answer(offer: &str, act: Act) -> Result<String, SdpError> {
    static CERTIFICATE: OnceLock<DtlsCert> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| rtc::certificate().unwrap());
    let offered = ClientOffer::read(offer, act)?;
    if !offered.is_usable() {
        return Ok(String::new());
    }
    let mut peer = match act {
        Act::Publish => rtc::publisher(
            certificate,
            PublisherOptions { simulcast: offered.offers_simulcast() },
            Instant::now(),
        ),
        Act::Play => rtc::viewer(certificate, ViewerOptions::default(), Instant::now()),
    };
    peer.add_local_candidate(Candidate::host(([192, 0, 2, 1], 8000).into(), Protocol::Udp).unwrap());
    let theirs = rtc::accept(&mut peer, &offered)?;
    let answer = offered.answer(&theirs)?;
    check(offer, &answer);
    Ok(answer)
}

/// Checks what every answer must be (RFC 3264 6, RFC 8843 7.3).
fn check(offer: &str, answer: &str) {
    let (offer, told) = (Description::parse(offer).unwrap(), answer);
    let answer = Description::parse(told).unwrap_or_else(|error| panic!("{error}: {told}"));
    assert_eq!(offer.sections.len(), answer.sections.len(), "{told}");
    let group = answer.session.value("group").map(|group| group.trim_start_matches("BUNDLE").trim());
    let grouped: Vec<&str> = group.unwrap_or_default().split_ascii_whitespace().collect();
    let mut open = 0;
    for (ours, theirs) in answer.sections.iter().zip(&offer.sections) {
        assert_eq!((ours.media, ours.protocol, ours.mid()), (theirs.media, theirs.protocol, theirs.mid()));
        let has = |key| ours.lines.value(key).is_some();
        let is_open = ours.port != "0";
        for key in ["ice-ufrag", "ice-pwd", "fingerprint", "setup"] {
            assert_eq!(has(key), is_open, "{key}: {told}");
        }
        if group.is_some() && is_open {
            assert!(ours.mid().is_some_and(|mid| grouped.contains(&mid)), "{told}");
        }
        if !is_open {
            assert!(!has("candidate") && ours.mid().is_none_or(|mid| !grouped.contains(&mid)), "{told}");
            continue;
        }
        open += 1;
        for format in &ours.formats {
            assert!(theirs.formats.contains(format), "{format} was not offered: {told}");
            let map = |part: &super::text::Section<'_>| -> Option<String> {
                let mut all = part.lines.values("rtpmap");
                all.find(|value| value.split(' ').next() == Some(format)).map(str::to_owned)
            };
            assert_eq!(map(ours), map(theirs), "{told}");
        }
        // The candidates are in the first section of the group, or in the only section.
        let first = grouped.first().is_none_or(|first| ours.mid() == Some(first));
        assert_eq!(has("candidate"), first, "{told}");
    }
    assert!(open <= 2, "{told}");
    let mut streams: Vec<&str> =
        answer.sections.iter().filter_map(|section| section.lines.value("msid")?.split(' ').next()).collect();
    streams.dedup();
    assert!(streams.len() <= 1, "{told}");
    let names = answer.sections.iter().flat_map(|section| section.lines.values("ssrc"));
    let mut names: Vec<&str> =
        names.filter_map(|ssrc| ssrc.split_once(" cname:").map(|(_, name)| name)).collect();
    names.dedup();
    assert!(names.len() <= 1, "{told}");
}
