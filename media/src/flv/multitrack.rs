//! Several tracks in one stream (Enhanced RTMP v2, "Multitrack"). Only track 0, the default track, is read.

use bytes::Bytes;

use super::FORMAT;
use super::tag::skip_mod_ex;
use crate::config::Track;
use crate::error::{Error, Result};

/// `AvMultitrackType`.
const ONE_TRACK: u8 = 0;
const MANY_CODECS: u8 = 2;

/// The content of the default track.
pub(super) struct DefaultTrack {
    /// The body without multitrack framing; `None` if the default track is empty.
    pub(super) body: Option<Bytes>,
    /// Whether there are other tracks.
    pub(super) others: bool,
}

/// Extracts the default track of a multitrack body. Any other body is returned unchanged.
pub(super) fn default_track(track: Track, body: Bytes) -> Result<DefaultTrack> {
    let (enhanced, multitrack) = match track {
        Track::Video => (body.first().is_some_and(|first| first & 0x80 != 0), 6),
        Track::Audio => (body.first().is_some_and(|first| first >> 4 == 9), 5),
    };
    if !enhanced {
        return Ok(DefaultTrack { body: Some(body), others: false });
    }
    let (packet, at) = skip_mod_ex(&body, body[0] & 0x0f, 1)?;
    if packet != multitrack {
        return Ok(DefaultTrack { body: Some(body), others: false });
    }
    let truncated = || Error::truncated(FORMAT, body.len() as u64);
    let (&kinds, mut rest) = body.get(at..).and_then(<[u8]>::split_first).ok_or_else(truncated)?;
    let (kind, packet) = (kinds >> 4, kinds & 0x0f);
    if kind > MANY_CODECS || packet == multitrack || packet == 7 {
        return Err(Error::unsupported(FORMAT, at as u64, "kind of multitrack"));
    }
    let mut codec = [0; 4];
    let mut others = false;
    if kind != MANY_CODECS {
        (codec, rest) = rest.split_first_chunk().map(|(codec, rest)| (*codec, rest)).ok_or_else(truncated)?;
    }
    if rest.is_empty() {
        return Err(truncated());
    }
    while !rest.is_empty() {
        if kind == MANY_CODECS {
            (codec, rest) =
                rest.split_first_chunk().map(|(codec, rest)| (*codec, rest)).ok_or_else(truncated)?;
        }
        let (&id, after) = rest.split_first().ok_or_else(truncated)?;
        let (data, after) = match kind {
            ONE_TRACK => (after, &[][..]),
            _ => {
                let (size, after) = after.split_first_chunk::<3>().ok_or_else(truncated)?;
                let size = u32::from_be_bytes([0, size[0], size[1], size[2]]) as usize;
                after.split_at_checked(size).ok_or_else(truncated)?
            }
        };
        if id == 0 {
            let head = [body[0] & 0xf0 | packet];
            let others = others || !after.is_empty();
            return Ok(DefaultTrack { body: Some([&head, &codec[..], data].concat().into()), others });
        }
        (others, rest) = (true, after);
    }
    Ok(DefaultTrack { body: None, others })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(track: Track, body: &[u8]) -> Result<(Option<Vec<u8>>, bool)> {
        let read = default_track(track, Bytes::copy_from_slice(body))?;
        Ok((read.body.map(|body| body.to_vec()), read.others))
    }

    #[test]
    fn the_default_track_is_read_of_every_kind() {
        let whole = |body: &[u8]| Ok((Some(body.to_vec()), false));
        let (video, audio) = (Track::Video, Track::Audio);
        // Bodies without multitrack.
        for body in [&b"\x17\x01\0\0\0abc"[..], b"\x91avc1\0\0\0abc", b""] {
            assert_eq!(read(video, body), whole(body));
        }
        assert_eq!(read(audio, b"\xaf\x01abc"), whole(b"\xaf\x01abc"));
        // One track, with and without a preceding nanosecond offset.
        assert_eq!(read(video, b"\x96\x01avc1\0\0\0\x05abc"), whole(b"\x91avc1\0\0\x05abc"));
        assert_eq!(read(video, b"\x97\x02\0\0\0\x06\x01avc1\0\0\0\x05abc"), whole(b"\x91avc1\0\0\x05abc"));
        assert_eq!(read(audio, b"\x95\0mp4a\0\x12\x10"), whole(b"\x90mp4a\x12\x10"));
        assert_eq!(read(video, b"\x96\x01avc1\x01\0\0\0abc"), Ok((None, true)));
        // Many tracks, with the default track first, later, or missing.
        assert_eq!(
            read(audio, b"\x95\x11mp4a\0\0\0\x02ab\x01\0\0\x01c"),
            Ok((Some(b"\x91mp4aab".to_vec()), true))
        );
        assert_eq!(
            read(video, b"\xa6\x13hvc1\x02\0\0\x01c\0\0\0\x02ab"),
            Ok((Some(b"\xa3hvc1ab".to_vec()), true))
        );
        assert_eq!(read(video, b"\xa6\x13hvc1\x02\0\0\x01c"), Ok((None, true)));
        // Each track with its own codec.
        assert_eq!(
            read(video, b"\x96\x20av01\x01\0\0\x01cavc1\0\0\0\x02ab"),
            Ok((Some(b"\x90avc1ab".to_vec()), true))
        );
    }

    #[test]
    fn broken_ones_are_errors() {
        for body in [
            &b"\x96"[..],
            b"\x96\x01",
            b"\x96\x01avc",
            b"\x96\x01avc1",
            b"\x96\x11avc1\x01\0\0",
            b"\x96\x11avc1\x01\0\0\x09a",
            b"\x96\x21avc",
            b"\x96\x31avc1\0",
            b"\x96\x06avc1\0",
            b"\x96\x07avc1\0",
            b"\x97\xff",
        ] {
            assert!(read(Track::Video, body).is_err(), "{body:02x?}");
        }
    }
}
