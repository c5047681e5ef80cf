//! Writes the offer for str0m, with only what str0m needs and understands.

use std::fmt::Write as _;

use super::limits;
use super::offer::{ClientOffer, ClientSection};
use super::text::Lines;

/// Number of bytes that str0m keeps of the name of a section, and of the name of a layer.
const MID: usize = 16;
const RID: usize = 8;
/// The largest number of a header extension in the one-byte form (RFC 8285 4.2).
const MAX_EXTENSION: u8 = 14;

const SDES_MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
const SDES_LAYER: [&str; 2] = [
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
];
/// Other header extensions that the gateway uses.
const EXTENSIONS: [&str; 4] = [
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
];

impl ClientOffer {
    /// The offer for str0m.
    pub(in crate::edges::webrtc) fn to_str0m(&self) -> String {
        let mut out = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE".to_owned();
        let used = || self.sections.iter().filter_map(|told| Some((told, told.used.as_ref()?)));
        used().for_each(|(_, used)| put(&mut out, format_args!(" {}", used.mid)));
        let credentials = self.credentials();
        put(&mut out, format_args!("\r\na=ice-ufrag:{}\r\n", credentials.fragment));
        put(&mut out, format_args!("a=ice-pwd:{}\r\n", credentials.password));
        self.fingerprints.iter().for_each(|value| put(&mut out, format_args!("a=fingerprint:{value}\r\n")));
        self.setup.iter().for_each(|value| put(&mut out, format_args!("a=setup:{value}\r\n")));
        used().for_each(|(told, _)| section(&mut out, told));
        out
    }
}

/// Appends to a string, which cannot fail.
fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

fn section(out: &mut String, told: &ClientSection) {
    let Some(used) = &told.used else { return };
    put(out, format_args!("m={} 9 UDP/TLS/RTP/SAVPF", told.media));
    used.formats.iter().for_each(|format| put(out, format_args!(" {}", format.number)));
    put(out, format_args!("\r\nc=IN IP4 0.0.0.0\r\na=mid:{}\r\na={}\r\n", used.mid, used.direction));
    out.push_str("a=rtcp-mux\r\n");
    for (number, uri) in &used.extensions {
        put(out, format_args!("a=extmap:{number} {uri}\r\n"));
    }
    for format in &used.formats {
        let (number, (rtpmap, fmtp)) = (format.number, &format.normal);
        put(out, format_args!("a=rtpmap:{number} {rtpmap}\r\n"));
        fmtp.iter().for_each(|value| put(out, format_args!("a=fmtp:{number} {value}\r\n")));
        for message in &format.feedback {
            put(out, format_args!("a=rtcp-fb:{number} {message}\r\n"));
        }
    }
    used.layers.iter().for_each(|layer| put(out, format_args!("a=rid:{layer} send\r\n")));
    if used.layers.len() > 1 {
        put(out, format_args!("a=simulcast:send {}\r\n", used.layers.join(";")));
    }
    used.sources.iter().for_each(|line| put(out, format_args!("{line}\r\n")));
}

/// The `mid`s for str0m, which accepts letters, digits and `_`, and keeps [`STR0M_MID`] of them: what str0m makes
/// of the `mid`s in a publisher's packets. Returns numbers if the shortened names would not be unique.
pub(super) fn mids(told: &[Option<&str>]) -> Vec<String> {
    let names: Vec<String> = told.iter().map(|mid| mid.map(known).unwrap_or_default()).collect();
    let alike = |at: usize| names.iter().enumerate().any(|(other, name)| other != at && *name == names[at]);
    let plain = (0..names.len()).all(|at| !names[at].is_empty() && !alike(at));
    if plain { names } else { (0..names.len()).map(|at| at.to_string()).collect() }
}

/// Converts a `mid` as str0m does when it reads one in a packet.
pub(super) fn known(mid: &str) -> String {
    mid.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(MID).collect()
}

/// The header extensions that the gateway uses. `named`: packets contain the section's name; `layers`: packets
/// also contain the layer's name.
pub(super) fn extensions(lines: &Lines<'_>, named: bool, layers: bool) -> Vec<(u8, String)> {
    let wanted = |uri: &str| {
        EXTENSIONS.contains(&uri) || named && uri == SDES_MID || layers && SDES_LAYER.contains(&uri)
    };
    let mut found: Vec<(u8, String)> = Vec::new();
    for value in lines.values("extmap") {
        let mut parts = value.split_ascii_whitespace();
        let number = parts.next().and_then(|text| text.split('/').next()).and_then(|text| text.parse().ok());
        let (Some(number @ 1..=MAX_EXTENSION), Some(uri)) = (number, parts.next()) else { continue };
        if wanted(uri) && !found.iter().any(|(known, of)| *known == number || of == uri) {
            found.push((number, uri.to_owned()));
        }
    }
    found
}

/// The simulcast layers that a publisher offers (RFC 8853), the first of each list of alternatives. Returns none if
/// str0m does not accept their names: the client then sends one size, which every client supports.
pub(super) fn layers(lines: &Lines<'_>) -> Vec<String> {
    let Some(value) = lines.value("simulcast") else { return Vec::new() };
    let mut words = value.split_ascii_whitespace().skip_while(|word| *word != "send").skip(1);
    let groups = words.next().unwrap_or_default().split(';');
    let first = |group: &str| group.split(',').next().unwrap_or_default().trim_start_matches('~').to_owned();
    let layers: Vec<String> = groups.map(first).collect();
    let sent = |layer: &String| lines.values("rid").any(|rid| rid.starts_with(&format!("{layer} send")));
    let known = |layer: &String| {
        (1..=RID).contains(&layer.len()) && layer.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let once = |layer: &String| layers.iter().filter(|other| *other == layer).count() == 1;
    let whole = layers.len() <= limits::MAX_RIDS && layers.iter().all(|l| known(l) && once(l) && sent(l));
    if whole && layers.len() > 1 { layers } else { Vec::new() }
}

/// The `a=ssrc` and `a=ssrc-group` lines for str0m. They tell to which section a publisher's packets belong if the
/// packets have no `mid`.
pub(super) fn sources(lines: &Lines<'_>) -> Vec<String> {
    let is_ssrc = |text: &str| text.parse::<u32>().is_ok();
    let ssrcs = limits::ssrcs(lines).into_iter().filter(|ssrc| is_ssrc(ssrc));
    let mut found: Vec<String> = ssrcs.map(|ssrc| format!("a=ssrc:{ssrc} cname:-")).collect();
    for value in lines.values("ssrc-group") {
        // Retransmissions (RFC 5576 4.2).
        if let [semantics, one, other] = value.split_ascii_whitespace().collect::<Vec<_>>()[..]
            && semantics.eq_ignore_ascii_case("FID")
            && is_ssrc(one)
            && is_ssrc(other)
        {
            found.push(format!("a=ssrc-group:FID {one} {other}"));
        }
    }
    found
}
