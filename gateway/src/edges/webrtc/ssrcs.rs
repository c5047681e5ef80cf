//! Drops RTP packets that would take over the stream of another SSRC.
//!
//! str0m looks for the stream of a packet before it authenticates the packet. If an unknown SSRC comes with the
//! `mid` of a stream, str0m makes it the stream's SSRC and forgets the stream's state, so that one forged packet
//! would interrupt the stream. This filter drops such a packet as long as the stream's own packets come.

use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::Mid;
use str0m::rtp::{Extension, ExtensionMap};

/// A stream that was silent for this long may get another SSRC.
const SSRC_TIMEOUT: Duration = Duration::from_secs(1);
/// SSRCs that are kept for one peer: for tracks, for simulcast layers, and for the resends of each.
const MAX_SSRCS: usize = 32;

/// The stream of an RTP packet, according to its header extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StreamId {
    mid: Vec<u8>,
    rid: Vec<u8>,
    /// Whether the stream carries resends.
    resends: bool,
}

#[derive(Debug)]
struct KnownSsrc {
    ssrc: u32,
    stream: Option<StreamId>,
    last_packet: Instant,
}

/// The SSRCs of one peer's authenticated packets.
#[derive(Debug, Default)]
pub(super) struct SsrcFilter(Vec<KnownSsrc>);

impl SsrcFilter {
    /// Whether str0m may handle this datagram.
    pub(super) fn allows(&self, rtc: &Rtc, mid: Option<Mid>, bytes: &[u8], now: Instant) -> bool {
        let Some(ssrc) = ssrc(bytes) else { return true };
        if self.0.iter().any(|known| known.ssrc == ssrc) {
            return true;
        }
        let Some(stream) = stream_id(rtc, mid, bytes) else { return true };
        let is_in_use = |known: &KnownSsrc| {
            now < known.last_packet + SSRC_TIMEOUT && known.stream.as_ref() == Some(&stream)
        };
        !self.0.iter().any(is_in_use)
    }

    /// Records the SSRC of a datagram that was authenticated.
    pub(super) fn record_authenticated(&mut self, rtc: &Rtc, mid: Option<Mid>, bytes: &[u8], now: Instant) {
        let Some(ssrc) = ssrc(bytes) else { return };
        if let Some(known) = self.0.iter_mut().find(|known| known.ssrc == ssrc) {
            known.last_packet = now;
            if known.stream.is_none() {
                known.stream = stream_id(rtc, mid, bytes);
            }
            return;
        }
        if self.0.len() == MAX_SSRCS
            && let Some(oldest) = (0..MAX_SSRCS).min_by_key(|at| self.0[*at].last_packet)
        {
            self.0.swap_remove(oldest);
        }
        self.0.push(KnownSsrc { ssrc, stream: stream_id(rtc, mid, bytes), last_packet: now });
    }
}

/// The SSRC of an RTP packet; none for other datagrams (RFC 5761 4, RFC 7983 7).
fn ssrc(bytes: &[u8]) -> Option<u32> {
    let is_rtp = bytes.first()? >> 6 == 2 && !(192..224).contains(bytes.get(1)?);
    let word = bytes.get(8..)?.first_chunk()?;
    is_rtp.then(|| u32::from_be_bytes(*word))
}

/// The stream that a packet says it belongs to; none if it has no `mid`.
fn stream_id(rtc: &Rtc, mid: Option<Mid>, bytes: &[u8]) -> Option<StreamId> {
    // All media sections share one transport, and with it the numbers of header extensions.
    let numbers: &ExtensionMap = rtc.media(mid?)?.remote_extmap();
    let value = |kind| extension(bytes, numbers.id_of(kind)?);
    let payload_type = bytes.get(1)? & 0x7f;
    let repaired = value(Extension::RepairedRtpStreamId);
    let mut codecs = rtc.codec_config().params().iter();
    Some(StreamId {
        mid: value(Extension::RtpMid)?.to_vec(),
        rid: value(Extension::RtpStreamId).or(repaired).unwrap_or_default().to_vec(),
        resends: repaired.is_some()
            || codecs.any(|codec| codec.resend().is_some_and(|pt| *pt == payload_type)),
    })
}

/// The value of a header extension (RFC 8285 4).
fn extension(bytes: &[u8], id: u8) -> Option<&[u8]> {
    let first = bytes.first().filter(|first| **first & 0x10 != 0)?;
    let (profile, rest) = bytes.get(12 + 4 * usize::from(first & 0x0f)..)?.split_first_chunk::<2>()?;
    let (words, rest) = rest.split_first_chunk::<2>()?;
    let mut rest = rest.get(..4 * usize::from(u16::from_be_bytes(*words)))?;
    let short = match profile {
        [0xbe, 0xde] => true,
        [0x10, 0..=0x0f] => false,
        _ => return None,
    };
    while let [head, tail @ ..] = rest {
        let (this, size, tail) = match head {
            0 => {
                rest = tail;
                continue;
            }
            0xf0.. if short => return None,
            _ if short => (head >> 4, usize::from(head & 0x0f) + 1, tail),
            _ => (*head, usize::from(*tail.first()?), &tail[1..]),
        };
        let (value, tail) = tail.split_at_checked(size)?;
        if this == id {
            return Some(value);
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_of_both_forms_are_found_and_damaged_ones_are_not() {
        let rtp = |profile: [u8; 2], body: &[u8]| {
            let mut bytes = vec![0x91, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 9, 9, 9, 9];
            bytes.extend(profile);
            bytes.extend((body.len() as u16 / 4).to_be_bytes());
            bytes.extend(body);
            bytes
        };
        let short = rtp([0xbe, 0xde], &[0x10, b'a', 0, 0x31, b'v', b'1', 0, 0]);
        let long = rtp([0x10, 0], &[1, 1, b'a', 0, 3, 2, b'v', b'1']);
        for bytes in [&short, &long] {
            assert_eq!(ssrc(bytes), Some(7));
            assert_eq!(extension(bytes, 1), Some(&b"a"[..]));
            assert_eq!(extension(bytes, 3), Some(&b"v1"[..]));
            assert_eq!(extension(bytes, 2), None);
            for end in 0..bytes.len() {
                assert_eq!(extension(&bytes[..end], 3), None);
            }
        }
        assert_eq!(extension(&rtp([0xbe, 0xde], &[0xf0, 0x10, b'a', 0]), 1), None);
        assert_eq!(extension(&rtp([0xbe, 0xde], &[0x1f, b'a', 0, 0]), 1), None);
        assert_eq!(extension(&rtp([0, 0], &[0x10, b'a', 0, 0]), 1), None);
        // RTCP, STUN, DTLS.
        for head in [[0x80, 200], [0, 1], [22, 0xfe]] {
            assert_eq!(ssrc(&[head[0], head[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]), None);
        }
    }
}
