//! The WebSocket protocol (RFC 6455), as far as a server that plays needs it.
//!
//! What a server sends is not masked, so a message's bytes can be shared by all viewers: its header
//! and those bytes go out in one write. (Publishers use tungstenite: their messages are masked and
//! may come in fragments.)

use std::io::IoSlice;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::problem::Problem;
use crate::worker::Socket;

/// Whether the request wants to become a WebSocket.
pub(super) fn asked(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// The answer that makes `request` a WebSocket, and the connection it will be.
pub(super) fn accept(mut request: Request<Body>) -> Result<(Response, OnUpgrade), Problem> {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "only version 13 of WebSocket is spoken here"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let (Some(key), true) = (key, has_token(headers, header::CONNECTION, "upgrade")) else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "this is no WebSocket handshake"));
    };
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "this is no WebSocket handshake"))?;
    let mut answer = HeaderMap::new();
    answer.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    // A browser that offers protocols wants one of them back.
    let offered = headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok());
    let first = offered.and_then(|list| list.split(',').next()).map(str::trim);
    if let Some(first) = first.and_then(|name| HeaderValue::from_str(name).ok()) {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, first);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    Ok(((StatusCode::SWITCHING_PROTOCOLS, answer).into_response(), upgrade))
}

/// The socket under an upgraded connection, and what was read of it already.
pub(super) fn socket(upgraded: Upgraded) -> Option<(Socket, Bytes)> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf))
}

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// The head of an unmasked message of `length` bytes.
fn head(kind: u8, length: usize) -> Bytes {
    let mut head = Vec::with_capacity(10);
    head.push(kind);
    match length {
        0..=125 => head.push(length as u8),
        126..=0xffff => {
            head.push(126);
            head.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    head.into()
}

/// A binary message of these pieces.
pub(super) fn binary(pieces: impl IntoIterator<Item = Bytes>) -> Pieces {
    let mut message = Pieces::default();
    message.0.push(Bytes::new());
    message.0.extend(pieces);
    message.0[0] = head(BINARY, message.0.iter().map(Bytes::len).sum());
    message
}

/// The answer to a ping.
pub(super) fn pong(payload: Bytes) -> Pieces {
    Pieces(vec![head(PONG, payload.len()), payload], 0)
}

/// A close with a code and a reason, of which as much is said as fits.
pub(super) fn close(code: u16, reason: &str) -> Pieces {
    let end = (0..=reason.len().min(123)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    let payload = [&code.to_be_bytes()[..], &reason.as_bytes()[..end]].concat();
    Pieces(vec![head(CLOSE, payload.len()), payload.into()], 0)
}

/// Several pieces of bytes that are written as one.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Bytes>, usize);

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.0[self.1..].iter().map(Bytes::len).sum()
    }

    fn chunk(&self) -> &[u8] {
        self.0[self.1..].iter().find(|piece| !piece.is_empty()).map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let pieces = self.0[self.1..].iter().filter(|piece| !piece.is_empty());
        out.iter_mut().zip(pieces).map(|(slot, piece)| *slot = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(piece) = self.0.get_mut(self.1) {
            if count < piece.len() {
                piece.advance(count);
                return;
            }
            count -= piece.len();
            self.1 += 1;
        }
    }
}

/// What a viewer said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It wants to know whether we live.
    Ping(Bytes),
    /// It leaves.
    Close,
    /// It breaks the protocol.
    Nonsense,
}

/// Reads what a viewer sends. Messages of its own mean nothing here and are passed over.
#[derive(Debug, Default)]
pub(super) struct Listener {
    /// Bytes of a message still to pass over.
    skip: u64,
}

impl Listener {
    /// What `input` says, as far as it is complete; consumes it.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Option<Said> {
        loop {
            let pass = self.skip.min(input.len() as u64);
            input.advance(pass as usize);
            self.skip -= pass;
            if self.skip > 0 || input.len() < 2 {
                return None;
            }
            let (kind, short) = (input[0], usize::from(input[1] & 0x7f));
            if input[1] & 0x80 == 0 || kind & 0x70 != 0 {
                return Some(Said::Nonsense);
            }
            if kind & 8 != 0 {
                if short > 125 || kind & 0x80 == 0 {
                    return Some(Said::Nonsense);
                }
                if input.len() < 6 + short {
                    return None;
                }
                let message = input.split_to(6 + short);
                let mask = [message[2], message[3], message[4], message[5]];
                let payload: Vec<u8> =
                    message[6..].iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
                match kind & 0xf {
                    8 => return Some(Said::Close),
                    9 => return Some(Said::Ping(payload.into())),
                    _ => continue,
                }
            }
            let extra = match short {
                126 => 2,
                127 => 8,
                _ => 0,
            };
            if input.len() < 2 + extra {
                return None;
            }
            input.advance(2);
            let length = if extra == 0 { short as u64 } else { input.get_uint(extra) };
            self.skip = length.saturating_add(4);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_have_the_three_lengths_of_the_standard() {
        assert_eq!(
            &binary([Bytes::from_static(b"ab"), Bytes::from_static(b"c")]).copy_to_bytes(5)[..],
            b"\x82\x03abc"
        );
        assert_eq!(&head(BINARY, 126)[..], b"\x82\x7e\0\x7e");
        assert_eq!(&head(BINARY, 65536)[..], b"\x82\x7f\0\0\0\0\0\x01\0\0");
        let mut long = close(4404, &"流".repeat(100));
        assert!(long.remaining() <= 2 + 125);
        assert!(std::str::from_utf8(&long.copy_to_bytes(long.remaining())[4..]).is_ok());
    }

    #[test]
    fn viewers_are_understood_in_any_pieces() {
        // A text message of 200 bytes, a ping "hi" and a close, masked with 1 2 3 4.
        let mut wire = b"\x81\xfe\0\xc8\x01\x02\x03\x04".to_vec();
        wire.extend([0; 200]);
        wire.extend(b"\x89\x82\x01\x02\x03\x04ik");
        wire.extend(b"\x88\x80\x01\x02\x03\x04");
        for size in [1, 3, 7, 1000] {
            let (mut listener, mut input, mut said) = (Listener::default(), BytesMut::new(), Vec::new());
            for piece in wire.chunks(size) {
                input.extend_from_slice(piece);
                said.extend(std::iter::from_fn(|| listener.next(&mut input)));
            }
            assert_eq!(said, [Said::Ping(Bytes::from_static(b"hi")), Said::Close], "{size}");
        }
        let unmasked = &mut BytesMut::from(&b"\x89\x02hi"[..]);
        assert_eq!(Listener::default().next(unmasked), Some(Said::Nonsense));
    }

    #[test]
    fn pieces_go_on_where_a_write_ended() {
        let mut message = binary([Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"def")]);
        message.advance(4);
        let mut slices = [IoSlice::new(&[]); 4];
        assert_eq!(message.chunks_vectored(&mut slices), 2);
        assert_eq!((message.remaining(), message.chunk()), (4, &b"c"[..]));
    }
}
