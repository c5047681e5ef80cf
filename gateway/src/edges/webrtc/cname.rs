//! Replaces the CNAMEs that str0m makes by one for all tracks: in the SDP answer, and in RTCP before it is encrypted.
//!
//! str0m gives each track a CNAME of its own, and has no way to set it. Chromium and Firefox synchronize the tracks that
//! have one `msid`, but GStreamer's rtpbin those whose source descriptions have one CNAME (RFC 3550 6.5.1).

use std::borrow::Cow;
use std::sync::LazyLock;

use rand::Rng as _;
use rand::distr::Alphanumeric;

/// Bytes of a CNAME: of those that str0m makes, and of this one.
const LENGTH: usize = 20;
/// Bytes of a chunk of a source description that has only a CNAME: SSRC, item header, name, end, padding.
const CHUNK: usize = 4 + 2 + LENGTH + 2;
/// The largest report that str0m makes: it has few tracks.
const MAX_REPORT: usize = 600;

/// Created for each run of the gateway, like the DTLS certificate: the gateway is one endpoint (RFC 7022 4.1).
static CNAME: LazyLock<String> =
    LazyLock::new(|| rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect());

/// The CNAME of all tracks that this gateway sends.
pub(super) fn gateway_cname() -> &'static str {
    &CNAME
}

/// Replaces the CNAMEs in a compound RTCP packet without its first eight bytes.
///
/// The caller encrypts RTP and RTCP and does not know which this is. Nothing else looks like a source description.
pub(super) fn replace(packet: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(packet);
    if packet.len() > MAX_REPORT {
        return out;
    }
    let mut at = 0;
    while let Some(head) = packet.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let chunks = usize::from(head[0] & 0x1f);
        let size = CHUNK * chunks;
        let is_description = head[0] >> 6 == 2 && head[1] == 202 && chunks > 0;
        let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
        at += 4;
        if !is_description || words * 4 != size || packet.len() - at < size {
            continue;
        }
        let names = |n: usize| at + n * CHUNK + 6..at + n * CHUNK + 6 + LENGTH;
        let is_name = |n| {
            let name = packet.get(names(n));
            packet.get(names(n).start - 2..names(n).start) == Some(&[1, LENGTH as u8])
                && name.is_some_and(|name| name.iter().all(u8::is_ascii_alphanumeric))
        };
        if (0..chunks).all(is_name) {
            (0..chunks).for_each(|n| out.to_mut()[names(n)].copy_from_slice(gateway_cname().as_bytes()));
            at += size;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sender report without its first eight bytes, then the source descriptions of `tracks` tracks.
    fn compound(tracks: u8) -> Vec<u8> {
        let mut packet = vec![7; 20];
        packet.extend([0x80 | tracks, 202, 0, 7 * tracks]);
        for track in 0..tracks {
            packet.extend([0, 0, 0, track, 1, 20]);
            packet.extend([b'a' + track; LENGTH]);
            packet.extend([0, 0]);
        }
        packet
    }

    #[test]
    fn all_tracks_get_one_name_and_nothing_else_changes() {
        for tracks in 1..4 {
            let before = compound(tracks);
            let after = replace(&before);
            assert_eq!(after.len(), before.len());
            for (n, chunk) in after[24..].chunks(CHUNK).enumerate() {
                assert_eq!(chunk[..6], [0, 0, 0, n as u8, 1, 20]);
                assert_eq!(&chunk[6..26], gateway_cname().as_bytes());
            }
            assert_eq!(after[..24], before[..24]);
        }
    }

    #[test]
    fn other_packets_stay_as_they_are() {
        let whole = compound(2);
        for length in 0..whole.len() {
            assert!(matches!(replace(&whole[..length]), Cow::Borrowed(_)), "{length}");
        }
        for at in [20, 21, 23, 28, 29, 30] {
            let mut other = whole.clone();
            other[at] ^= 0x1f;
            assert!(matches!(replace(&other), Cow::Borrowed(_)), "{at}");
        }
    }
}
