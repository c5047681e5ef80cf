//! Damaged and random offers: str0m must neither panic nor refuse the normalized offer, and answers must match offers.

use proptest::prelude::*;

use super::super::ClientOffer;
use super::answer;
use super::offers::usual;
use crate::core::client::Act;

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![Just(Act::Publish), Just(Act::Play)]
}

/// A line of an offer, or a similar text.
fn line() -> impl Strategy<Value = String> {
    let number = 90u8..115;
    prop_oneof![
        (
            number.clone(),
            prop::sample::select(vec![
                "H264/90000",
                "VP8/90000",
                "VP9/90000",
                "AV1/90000",
                "H265/90000",
                "opus/48000/2",
                "red/48000/2",
                "rtx/90000",
                "opus/48000",
                "PCMU/8000",
                "x/0",
                "H264/-1",
            ])
        )
            .prop_map(|(n, map)| format!("a=rtpmap:{n} {map}")),
        (number.clone(), number.clone()).prop_map(|(n, of)| format!("a=fmtp:{n} apt={of}")),
        (number.clone(), number.clone()).prop_map(|(n, of)| format!("a=fmtp:{n} {of}/{of}")),
        (number.clone(), 0u8..3, any::<u32>()).prop_map(|(n, mode, id)| {
            format!("a=fmtp:{n} packetization-mode={mode};profile-level-id={:06x}", id & 0xff_ffff)
        }),
        (
            0u8..20,
            prop::sample::select(vec![
                "urn:ietf:params:rtp-hdrext:sdes:mid",
                "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
            ])
        )
            .prop_map(|(n, uri)| format!("a=extmap:{n} {uri}")),
        "a=mid:[!-~]{1,20}",
        "a=ssrc:[0-9]{1,11} cname:[a-z ]{0,4}",
        "a=(rid|simulcast|ssrc-group|rtcp-fb|candidate|setup|fingerprint|ice-ufrag|ice-pwd|group)[: ][ -~]{0,20}",
        "a=(sendrecv|sendonly|recvonly|inactive|bundle-only|rtcp-mux|ice-lite)",
        "m=(audio|video|application) (0|9) (UDP/TLS/RTP/SAVPF|RTP/AVP) [0-9]{1,3} [0-9]{1,3}",
        "[a-z]=[ -~]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_offers_are_answered_or_refused(
        act in act(),
        direction in prop::sample::select(vec!["sendrecv", "sendonly", "recvonly"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, line()), 0..8),
    ) {
        let text = usual(direction);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, how, line) in changes {
            let at = at.index(lines.len());
            match how {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, line),
                2 => lines[at] = line,
                _ => lines.swap(at, at / 2),
            }
        }
        let offer = lines.join("\r\n") + "\r\n";
        // `answer` checks the answer.
        if let Err(why) = answer(&offer, act) {
            prop_assert_ne!(why, super::SdpError::Contradiction, "str0m refuses {}", ClientOffer::read(&offer, act).unwrap().to_str0m());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(act in act(), text in "(v=0\n)?([a-z]=[ -~\u{0}-\u{1f}ü]{0,30}\r?\n){0,20}") {
        let _ = answer(&text, act);
    }
}
