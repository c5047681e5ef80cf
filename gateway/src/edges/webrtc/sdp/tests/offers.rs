//! Parts of offers for the tests.

/// Joins lines with their line ends.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).flat_map(|line| [line, "\r\n"]).collect()
}

pub(super) const SESSION: &str = "v=0
    o=- 4611731400430051336 2 IN IP4 127.0.0.1
    s=-
    t=0 0
    a=group:BUNDLE 0 1
    a=msid-semantic: WMS";

pub(super) const TRANSPORT: &str = "a=ice-ufrag:abcd
    a=ice-pwd:0123456789012345678901
    a=fingerprint:sha-256 75:74:5A:A6:A4:E5:52:F4:A7:67:4C:01:C7:EE:91:3F:21:3D:A2:E3:53:7B:6F:30:86:F2:30:AA:65:FB:04:24
    a=setup:actpass";

/// Opus with redundancy, and browsers' other audio codecs.
pub(super) const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8
    c=IN IP4 0.0.0.0
    a=mid:0
    a=DIRECTION
    a=rtcp-mux
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
    a=rtpmap:111 opus/48000/2
    a=rtcp-fb:111 transport-cc
    a=fmtp:111 minptime=10;useinbandfec=1
    a=rtpmap:63 red/48000/2
    a=fmtp:63 111/111
    a=rtpmap:9 G722/8000
    a=rtpmap:0 PCMU/8000
    a=rtpmap:8 PCMA/8000";

/// H.264 in both packetization modes, VP8, and retransmissions.
pub(super) const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105
    c=IN IP4 0.0.0.0
    a=mid:1
    a=DIRECTION
    a=rtcp-mux
    a=rtcp-rsize
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
    a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
    a=rtpmap:96 VP8/90000
    a=rtcp-fb:96 nack
    a=rtcp-fb:96 nack pli
    a=rtpmap:97 rtx/90000
    a=fmtp:97 apt=96
    a=rtpmap:102 H264/90000
    a=rtcp-fb:102 nack pli
    a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
    a=rtpmap:103 rtx/90000
    a=fmtp:103 apt=102
    a=rtpmap:104 H264/90000
    a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
    a=rtpmap:105 rtx/90000
    a=fmtp:105 apt=104";

/// An offer like those of browsers.
pub(super) fn usual(direction: &str) -> String {
    let transport = format!("{TRANSPORT}\na=DIRECTION");
    let section = |text: &str| text.replace("a=DIRECTION", &transport);
    lines(&[SESSION, &section(AUDIO), &section(VIDEO)].join("\n")).replace("DIRECTION", direction)
}

/// An offer with only a video section, with the lines of these formats.
pub(super) fn video(formats: &str, body: &str) -> String {
    let section = format!("m=video 9 UDP/TLS/RTP/SAVPF {formats}\na=mid:1\na=recvonly\n{TRANSPORT}\n{body}");
    lines(&[&SESSION.replace(" 0 1", " 1"), section.as_str()].join("\n"))
}
