//! Offers of real clients, and the answers to them.

use super::super::limits::*;
use super::super::{ClientOffer, Credentials, Kind, SdpError, fragment};
use super::answer;
use super::offers::{TRANSPORT, lines, usual, video};
use crate::core::client::Act::{Play, Publish};

/// The values of `a=key:value` in a section.
fn values<'a>(answer: &'a str, section: usize, key: &str) -> Vec<&'a str> {
    let start = format!("a={key}:");
    let section = answer.split("\r\nm=").nth(section + 1).unwrap();
    section.lines().filter_map(|line| line.strip_prefix(&start)).collect()
}

fn port(answer: &str, section: usize) -> &str {
    answer.split("\r\nm=").nth(section + 1).unwrap().split(' ').nth(1).unwrap()
}

#[test]
fn audio_and_video_of_a_viewer_are_one_stream() {
    for direction in ["recvonly", "sendrecv"] {
        let answer = answer(&usual(direction), Play).unwrap();
        let msid = |section| values(&answer, section, "msid")[0].split(' ').collect::<Vec<_>>();
        let (audio, video) = (msid(0), msid(1));
        assert_eq!(audio[0], video[0]);
        assert_ne!(audio[1], video[1], "{answer}");
        assert!(answer.contains(&format!("a=msid-semantic: WMS {}\r\n", audio[0])), "{answer}");
        let told: Vec<&str> =
            values(&answer, 1, "ssrc").into_iter().filter(|v| v.contains("msid:")).collect();
        assert!(!told.is_empty() && told.iter().all(|value| value.contains(video[0])), "{answer}");
        assert_eq!(answer.matches("a=sendonly").count(), 2);
    }
    let answer = answer(&usual("sendonly"), Publish).unwrap();
    assert!(!answer.contains("a=msid:") && answer.matches("a=recvonly").count() == 2, "{answer}");
}

#[test]
fn candidates_stand_in_the_first_section_that_is_accepted() {
    for (act, direction) in [(Play, "recvonly"), (Publish, "sendonly")] {
        let offer = usual(direction);
        let g711 = offer.replace("opus/48000/2", "L16/48000/2").replace("a=fmtp:111", "a=x-fmtp:111");
        let refused = offer.replace("m=audio 9", "m=audio 0").replace("BUNDLE 0 1", "BUNDLE 1");
        for offer in [g711, refused] {
            let answer = answer(&offer, act).unwrap();
            assert_eq!((port(&answer, 0), port(&answer, 1)), ("0", "9"), "{answer}");
            assert!(
                values(&answer, 0, "candidate").is_empty() && !values(&answer, 1, "candidate").is_empty()
            );
            assert!(answer.contains("a=group:BUNDLE 1\r\n"), "{answer}");
        }
        // The answer keeps the order of the client's group, whose first section has the transport.
        let answer = answer(&offer.replace("BUNDLE 0 1", "BUNDLE 1 0"), act).unwrap();
        assert!(answer.contains("a=group:BUNDLE 1 0\r\n"), "{answer}");
        assert!(values(&answer, 0, "candidate").is_empty() && !values(&answer, 1, "candidate").is_empty());
    }
}

#[test]
fn the_transport_is_that_of_the_first_section_of_the_group() {
    let offer = usual("recvonly");
    let (start, video) = offer.split_once("m=video").unwrap();
    let other = video.replace("ice-ufrag:abcd", "ice-ufrag:video");
    let both = format!("{start}m=video{other}");
    let of = |offer: &str| ClientOffer::read(offer, Play).unwrap().credentials().fragment.clone();
    assert_eq!(of(&both), "abcd");
    assert_eq!(of(&both.replace("BUNDLE 0 1", "BUNDLE 1 0")), "video");
    // The credentials of a refused section do not count.
    assert_eq!(of(&both.replace("opus", "L16")), "video");
    // Credentials for all sections together, as OBS writes them; and only in the second section, as with bundle-only.
    let bare: String = both.split_inclusive("\r\n").filter(|l| !l.starts_with("a=ice-")).collect();
    let ice = "a=ice-ufrag:all\r\na=ice-pwd:0123456789012345678901\r\n";
    assert_eq!(of(&bare.replace("m=audio", &format!("{ice}m=audio"))), "all");
    assert_eq!(ClientOffer::read(&bare, Play).unwrap_err(), SdpError::NoCredentials);
    assert_eq!(of(&format!("{bare}{ice}")), "all");
}

#[test]
fn names_of_sections_come_back_as_they_were() {
    let long = "abcdefghijklmnopqrstuvwxyz0123456789ABCD";
    for (audio, video) in
        [("{a-1}", "{v-1}"), (long, "x"), ("v-1", "v_1"), ("!#$%&'*+", "-.^_`|~"), ("00", "0")]
    {
        for (act, direction) in [(Play, "recvonly"), (Publish, "sendonly")] {
            let offer = usual(direction)
                .replace("BUNDLE 0 1", &format!("BUNDLE {audio} {video}"))
                .replace("a=mid:0", &format!("a=mid:{audio}"))
                .replace("a=mid:1", &format!("a=mid:{video}"));
            let answer = answer(&offer, act).unwrap();
            assert_eq!((values(&answer, 0, "mid"), values(&answer, 1, "mid")), (vec![audio], vec![video]));
            assert!(answer.contains(&format!("a=group:BUNDLE {audio} {video}\r\n")), "{answer}");
            // A `mid` that str0m would write differently is not sent in packets.
            let plain = audio.bytes().chain(video.bytes()).all(|byte| byte.is_ascii_alphanumeric());
            let short = audio.len() <= 16;
            if act == Play && !(plain && short) {
                let open = [audio, video]
                    .iter()
                    .filter(|mid| mid.len() > 16 || mid.contains(|c: char| !c.is_ascii_alphanumeric()))
                    .count();
                assert_eq!(answer.matches("sdes:mid").count(), 2 - open, "{answer}");
            }
        }
    }
    let offer = usual("recvonly");
    for (bad, why) in [
        (offer.replace("a=mid:0", "a=mid:a b"), SdpError::Mid),
        (offer.replace("a=mid:0", "a=mid:0\r\na=mid:2"), SdpError::Mid),
        (offer.replace("a=mid:0", "a=mid:ü"), SdpError::Mid),
        (offer.replace("a=mid:0", "a=mid:1"), SdpError::SameMid),
        (
            offer.replace("a=mid:0", &format!("a=mid:{}", "x".repeat(256))),
            SdpError::TooLong("a=mid", MAX_MID),
        ),
    ] {
        assert_eq!(answer(&bad, Play), Err(why));
    }
}

#[test]
fn without_a_group_one_section_is_taken_and_two_are_explained() {
    let offer = usual("recvonly");
    let alone = |offer: &str| -> String {
        offer.split_inclusive("\r\n").filter(|line| !line.starts_with("a=group")).collect()
    };
    let words = answer(&alone(&offer), Play).unwrap_err().to_string();
    assert!(words.contains("a=group:BUNDLE") && words.contains("max-bundle"), "{words}");
    for group in ["BUNDLE 0", "BUNDLE", "LS 0 1"] {
        assert_eq!(answer(&offer.replace("BUNDLE 0 1", group), Play), Err(SdpError::NoBundle), "{group}");
    }
    // A single section needs neither group nor `mid`.
    let video = video("102", "a=rtpmap:102 H264/90000");
    for offer in
        [alone(&video), alone(&video).replace("a=mid:1\r\n", ""), alone(&offer.replace("opus", "L16"))]
    {
        let answer = answer(&offer, Play).unwrap();
        assert!(!answer.contains("a=group"), "{answer}");
        assert_eq!(answer.contains("a=mid:1"), offer.contains("a=mid:1"), "{answer}");
    }
    // Two groups: audio and video of the first are used.
    let data = lines("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\na=sctp-port:5000");
    let two = offer.replace("BUNDLE 0 1", "BUNDLE 2\r\na=group:BUNDLE 0 1") + &data;
    assert!(answer(&two, Play).unwrap().contains("a=group:BUNDLE 0 1\r\n"));
}

#[test]
fn data_channels_and_strange_sections_are_refused() {
    for protocol in ["UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000", "TCP/DTLS/SCTP webrtc-datachannel"]
    {
        let data = format!(
            "m=application 9 {protocol}\na=mid:d\n{TRANSPORT}\na=sctp-port:5000\na=max-message-size:262144"
        );
        for first in [false, true] {
            let offer =
                usual("recvonly").replace("BUNDLE 0 1", if first { "BUNDLE d 0 1" } else { "BUNDLE 0 1 d" });
            let offer = match first {
                true => offer.replacen("m=audio", &(lines(&data) + "m=audio"), 1),
                false => offer + &lines(&data),
            };
            let offered = ClientOffer::read(&offer, Play).unwrap();
            assert!(!offered.to_str0m().contains("application"));
            let answer = answer(&offer, Play).unwrap();
            let at = if first { 0 } else { 2 };
            assert_eq!(port(&answer, at), "0");
            assert!(answer.contains(&format!("m=application 0 {protocol}\r\n")), "{answer}");
            assert!(!answer.contains("sctp-port") && answer.contains("a=group:BUNDLE 0 1\r\n"), "{answer}");
        }
    }
    let text = lines("m=text 9 UDP/TLS/RTP/SAVPF 98\na=mid:t\na=rtpmap:98 t140/1000\na=sendrecv");
    assert_eq!(port(&answer(&(usual("recvonly") + &text), Play).unwrap(), 2), "0");
    // An offer with such sections only.
    let offer =
        lines(&format!("v=0\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:0\n{TRANSPORT}"));
    assert!(!ClientOffer::read(&offer, Play).unwrap().is_usable());
}

#[test]
fn only_the_first_section_of_a_kind_that_can_be_used_is() {
    let offer = usual("recvonly");
    let (_, section) = offer.split_once("m=video").unwrap();
    let section = format!("m=video{}", section.replace("a=mid:1", "a=mid:2"));
    let two = offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + &section;
    let ports = |offer: &str| {
        let answer = answer(offer, Play).unwrap();
        [0, 1, 2].map(|at| port(&answer, at).to_owned())
    };
    assert_eq!(ports(&two), ["9", "9", "0"]);
    // The first section has the wrong direction, or only unknown codecs.
    let (head, tail) = two.split_once("a=mid:1").unwrap();
    assert_eq!(ports(&format!("{head}a=mid:1{}", tail.replacen("recvonly", "sendonly", 1))), ["9", "0", "9"]);
    let strange = two.replacen("VP8", "X8", 1).replacen("H264", "X4", 2);
    assert_eq!(ports(&strange), ["9", "0", "9"]);
}

#[test]
fn lines_that_every_description_may_have_do_no_harm() {
    let offer = usual("sendrecv");
    let more = "i=x\r\nu=http://example.org\r\ne=x\r\np=1\r\nc=IN IP4 203.0.113.1\r\nb=CT:1000\r\nb=AS:2000\r\n\
                t=2873397496 2873404696\r\nr=7d 1h 0 25h\r\nt=0 0\r\nz=0 0\r\nk=prompt\r\na=ice-options:trickle ice2\r\n";
    for (what, offer) in [
        ("session lines", offer.replace("t=0 0\r\n", more)),
        ("no times", offer.replace("t=0 0\r\n", "")),
        ("AS and TIAS", offer.replace("a=mid:1", "b=AS:2500\r\nb=TIAS:2500000\r\na=mid:1")),
        ("no direction", offer.replace("a=sendrecv\r\n", "")),
        (
            "the session's direction",
            offer.replace("a=sendrecv\r\n", "").replace("t=0 0", "t=0 0\r\na=sendrecv"),
        ),
        ("newlines alone", offer.replace("\r\n", "\n")),
        ("empty lines", offer.replace("m=", "\r\n\r\nm=")),
        ("a name that is not ASCII", offer.replace("s=-", "s=Übertragung 直播")),
        (
            "bundle-only",
            offer.replace("m=video 9", "m=video 0").replace("a=mid:1", "a=bundle-only\r\na=mid:1"),
        ),
        ("another profile", offer.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF")),
        ("over TCP", offer.replace("UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF")),
        (
            "strange candidates",
            offer.clone() + "a=candidate:1 1 ssltcp 1 1.2.3.4 443 typ host\r\na=candidate:x\r\n",
        ),
        (
            "many fingerprints",
            offer.replace("a=mid:0", "a=fingerprint:sha-1 AA\r\na=fingerprint:x\r\na=mid:0"),
        ),
    ] {
        for act in [Play, Publish] {
            let answer = answer(&offer, act).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert_eq!((port(&answer, 0), port(&answer, 1)), ("9", "9"), "{what}: {answer}");
        }
    }
    // Directions in which nothing can be sent.
    for (act, direction) in [(Play, "sendonly"), (Publish, "recvonly"), (Play, "inactive")] {
        let offered = ClientOffer::read(&usual(direction), act).unwrap();
        assert!(!offered.is_usable() && !offered.lacks_codec(Kind::Video));
    }
}

#[test]
fn what_is_no_description_is_refused_with_a_sentence() {
    let offer = usual("recvonly");
    let without = |key: &str| -> String {
        offer.split_inclusive("\r\n").filter(|line| !line.starts_with(key)).collect()
    };
    for (bad, why) in [
        (String::new(), SdpError::Version),
        ("hello".to_owned(), SdpError::Line(1)),
        ("v=0\r\n".to_owned(), SdpError::NoSection),
        (offer.replace("v=0", "v=1"), SdpError::Version),
        (offer.replace("a=rtcp-mux", "a rtcp-mux"), SdpError::Line(15)),
        (offer.replace("s=-", "s=\u{1b}]0;x"), SdpError::Line(3)),
        (offer.replace("m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8", "m=audio 9"), SdpError::MediaLine),
        (without("a=ice-pwd"), SdpError::NoCredentials),
        (without("a=fingerprint"), SdpError::NoFingerprint),
        (offer.replace("t=0 0", "t=0 0\r\na=ice-lite"), SdpError::Lite),
        (offer.replace("a=rtpmap:96", "a=rtpmap:102"), SdpError::PayloadType(102)),
        (offer.replace("96", "111"), SdpError::PayloadType(111)),
    ] {
        let error = answer(&bad, Play).unwrap_err();
        assert_eq!(error, why, "{bad}");
        let words = error.to_string();
        assert!(words.contains(' ') && !words.contains("0x"), "{words}");
    }
}

#[test]
fn formats_that_leave_something_out_or_name_other_profiles_are_served() {
    let h264 = |fmtp: &str| match fmtp {
        "" => "a=rtpmap:96 H264/90000".to_owned(),
        fmtp => format!("a=rtpmap:96 H264/90000\na=fmtp:96 {fmtp}"),
    };
    for fmtp in [
        "",
        "profile-level-id=42e01f",
        "packetization-mode=1",
        "packetization-mode=1;profile-level-id=640c34",
        "packetization-mode=1; profile-level-id=7A0032",
        "Profile-Level-Id=f4001f;packetization-mode=1;level-asymmetry-allowed=0",
        "packetization-mode=1;profile-level-id=580015",
        "packetization-mode=1;profile-level-id=nonsense",
        "packetization-mode=1;sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==;profile-level-id=640028",
    ] {
        let offer = video("96", &h264(fmtp));
        let viewer = answer(&offer, Play).unwrap();
        assert_eq!(port(&viewer, 0), "9", "{fmtp}");
        // The client's own parameters, except those that describe the stream that it sends.
        assert!(viewer.contains("a=rtpmap:96 H264/90000\r\n") && !viewer.contains("sprop"), "{viewer}");
        let told = values(&viewer, 0, "fmtp");
        assert_eq!(told.is_empty(), fmtp.is_empty(), "{viewer}");
        let publisher = answer(&offer.replace("recvonly", "sendonly"), Publish).unwrap();
        assert_eq!(port(&publisher, 0), "9", "{fmtp}");
    }
    // A decoder of single NAL units cannot decode fragments.
    for fmtp in ["packetization-mode=0;profile-level-id=640c34", "packetization-mode=2"] {
        let offer = video("96", &h264(fmtp));
        assert!(ClientOffer::read(&offer, Play).unwrap().lacks_codec(Kind::Video), "{fmtp}");
    }
    let offer = video("96", &h264("packetization-mode=0;profile-level-id=640c34"));
    assert_eq!(port(&answer(&offer.replace("recvonly", "sendonly"), Publish).unwrap(), 0), "9");

    let other = [
        "AV1/90000",
        "av1/90000\na=fmtp:96 level-idx=13;profile=1;tier=1",
        "H265/90000",
        "H265/90000\na=fmtp:96 profile-id=2;tier-flag=1;level-id=93",
        "VP9/90000",
        "vp8/90000",
    ];
    for map in other {
        assert_eq!(
            port(&answer(&video("96", &format!("a=rtpmap:96 {map}")), Play).unwrap(), 0),
            "9",
            "{map}"
        );
    }
    for map in ["OPUS/48000", "opus/48000/1", "Opus/48000/2"] {
        let offer = usual("recvonly").replace("opus/48000/2", map);
        assert!(answer(&offer, Play).unwrap().contains(&format!("a=rtpmap:111 {map}\r\n")), "{map}");
    }
}

#[test]
fn of_several_formats_the_exact_one_is_kept() {
    let offer = video(
        "96 97 98 99 100",
        "a=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=1;profile-level-id=640c34
         a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96
         a=rtpmap:98 H264/90000\na=fmtp:98 packetization-mode=1;profile-level-id=640028
         a=rtpmap:99 rtx/90000\na=fmtp:99 apt=98
         a=rtpmap:100 H264/90000\na=fmtp:100 profile-level-id=640028",
    );
    let answer = answer(&offer, Play).unwrap();
    assert!(answer.contains("m=video 9 UDP/TLS/RTP/SAVPF 98 99\r\n"), "{answer}");
}

#[test]
fn feedback_is_what_the_client_offers() {
    let offer =
        usual("recvonly").replace("a=rtcp-fb:102 nack pli", "a=rtcp-fb:* nack\r\na=rtcp-fb:* ccm fir");
    let answer = answer(&offer, Play).unwrap();
    let told = values(&answer, 1, "rtcp-fb");
    assert!(told.contains(&"102 nack") && told.contains(&"102 ccm fir"), "{answer}");
    assert!(!told.contains(&"102 nack pli") && told.contains(&"96 nack pli"), "{answer}");
    assert!(!told.iter().any(|value| value.contains("remb")), "{answer}");
}

#[test]
fn sources_are_for_publishers_and_layers_too() {
    let more = "a=ssrc:1 cname:x\r\na=ssrc:1 msid:s t\r\na=ssrc:2 cname:x\r\na=ssrc-group:FID 1 2\r\na=ssrc:y z:1\r\n";
    let viewer = ClientOffer::read(&(usual("sendrecv") + more), Play).unwrap().to_str0m();
    assert!(!viewer.contains("ssrc:"), "{viewer}");
    let publisher = ClientOffer::read(&(usual("sendrecv") + more), Publish).unwrap().to_str0m();
    assert!(publisher.contains("a=ssrc:2 cname:-\r\na=ssrc-group:FID 1 2\r\n"), "{publisher}");
    assert!(!publisher.contains("ssrc:y"), "{publisher}");

    let rids = "a=rid:hi send\r\na=rid:lo send max-width=320\r\n";
    let layers = usual("sendonly") + more + rids + "a=simulcast:send hi;~lo\r\n";
    let offered = ClientOffer::read(&layers, Publish).unwrap();
    assert!(offered.offers_simulcast() && !offered.to_str0m().contains("a=ssrc:1"));
    let told = answer(&layers, Publish).unwrap();
    assert!(told.contains("a=simulcast:recv hi;lo") && told.contains("a=rid:lo recv"), "{told}");
    assert!(told.contains("sdes:rtp-stream-id"), "{told}");
    // Names that str0m does not accept: no simulcast.
    let strange = layers.replace("hi", "hi-1");
    let told = answer(&strange, Publish).unwrap();
    assert!(
        !told.contains("simulcast") && !told.contains("rtp-stream-id") && !told.contains("a=rid"),
        "{told}"
    );
    assert!(!ClientOffer::read(&layers, Play).unwrap().offers_simulcast());
}

#[test]
fn a_restart_is_the_same_offer_with_other_credentials() {
    let offer = usual("sendonly").replace("a=mid:0", "a=mid:{0}").replace("BUNDLE 0 1", "BUNDLE {0} 1");
    let mut offered = ClientOffer::read(&offer, Publish).unwrap();
    let before = offered.to_str0m();
    let fresh = Credentials { fragment: "fresh".to_owned(), password: "p".repeat(22) };
    offered.restart_ice(fresh.clone());
    assert_eq!(offered.credentials(), &fresh);
    let after = offered.to_str0m();
    assert_eq!(before.replace("abcd", "fresh").replace("0123456789012345678901", &fresh.password), after);
    let told = fragment(&answer(&offer, Publish).unwrap()).unwrap();
    assert!(told.contains("a=mid:{0}\r\n") && told.contains("a=candidate:"), "{told}");
}

#[test]
fn every_bound_is_reached() {
    let offer = usual("recvonly");
    let many = |count: usize, line: &dyn Fn(usize) -> String| -> String {
        offer.clone() + &(0..count).map(|n| line(n) + "\r\n").collect::<String>()
    };
    let plain = |text: &'static str| move |_: usize| text.to_owned();
    // The maximum number, and the error for a larger number.
    type Line = Box<dyn Fn(usize) -> String>;
    let cases: Vec<(usize, Line, SdpError)> = vec![
        (
            MAX_SSRCS,
            Box::new(|n| format!("a=ssrc:{n} cname:x")),
            SdpError::TooMany("SSRCs in a section", MAX_SSRCS),
        ),
        (
            MAX_SSRC_GROUPS,
            Box::new(plain("a=ssrc-group:FID 1 2")),
            SdpError::TooMany("a=ssrc-group lines in a section", MAX_SSRC_GROUPS),
        ),
        (
            MAX_CANDIDATES,
            Box::new(plain("a=candidate:1 1 udp 1 192.0.2.1 9 typ host")),
            SdpError::TooMany("candidates", MAX_CANDIDATES),
        ),
        (
            MAX_RIDS,
            Box::new(|n| format!("a=rid:{n} send")),
            SdpError::TooMany("a=rid lines in a section", MAX_RIDS),
        ),
        (
            MAX_SIMULCAST,
            Box::new(plain("a=simulcast:send 1;2")),
            SdpError::TooMany("a=simulcast lines in a section", MAX_SIMULCAST),
        ),
        (
            MAX_EXTENSIONS - 2,
            Box::new(|n| format!("a=extmap:{n} urn:x")),
            SdpError::TooMany("header extensions in a section", MAX_EXTENSIONS),
        ),
        (
            MAX_FINGERPRINTS - 1,
            Box::new(plain("a=fingerprint:sha-256 AA")),
            SdpError::TooMany("fingerprints in a section", MAX_FINGERPRINTS),
        ),
        (
            MAX_SECTIONS - 2,
            Box::new(|n| format!("m=application 9 UDP/DTLS/SCTP x\r\na=mid:m{n}")),
            SdpError::TooMany("sections", MAX_SECTIONS),
        ),
    ];
    for (most, line, why) in cases {
        assert!(answer(&many(most, &line), Play).is_ok(), "{why}");
        assert_eq!(answer(&many(most + 1, &line), Play), Err(why));
    }
    let start = |text: &str| offer.replace("t=0 0", &format!("t=0 0\r\n{text}"));
    let groups = "a=group:LS 0 1\r\n".repeat(MAX_GROUPS);
    assert_eq!(answer(&start(&groups), Play), Err(SdpError::TooMany("a=group lines", MAX_GROUPS)));
    let attributes = "a=x\r\n".repeat(MAX_ATTRIBUTES);
    assert_eq!(
        answer(&start(&attributes), Play),
        Err(SdpError::TooMany("lines in a section", MAX_ATTRIBUTES))
    );
    let long = "x".repeat(MAX_LINE);
    assert_eq!(answer(&start(&format!("a={long}")), Play), Err(SdpError::TooLong("a line", MAX_LINE)));
    let empty = "\r\n".repeat(MAX_LINES);
    assert_eq!(answer(&(offer.clone() + &empty), Play), Err(SdpError::TooMany("lines", MAX_LINES)));
    let formats = " 96".repeat(MAX_FORMATS + 1);
    let formats = offer.replace("SAVPF 96", &format!("SAVPF{formats}"));
    assert_eq!(answer(&formats, Play), Err(SdpError::TooMany("payload types in a section", MAX_FORMATS)));
    let layers = many(1, &|_| format!("a=simulcast:send {}", vec!["1"; 2 * MAX_RIDS].join(",")));
    let why = SdpError::TooMany("simulcast layers in a section", 2 * MAX_RIDS - 1);
    assert_eq!(answer(&layers, Play), Err(why));
    let ufrag = offer.replace("a=ice-ufrag:abcd", &format!("a=ice-ufrag:{}", "x".repeat(MAX_CREDENTIAL + 1)));
    assert_eq!(answer(&ufrag, Play), Err(SdpError::NoCredentials));
}
