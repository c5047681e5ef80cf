//! Creates WebSocket messages that share their payload.

use std::io::IoSlice;

use bytes::{Buf, Bytes};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// Returns the header of an unmasked message of `length` bytes.
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

/// A ping without a payload.
pub(crate) const PING: Bytes = Bytes::from_static(b"\x89\0");

/// A text message with its header. Cloning it shares the bytes, so that many connections can send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    bytes: Bytes,
    /// Length of the header.
    head: usize,
}

impl Text {
    /// Creates a message with this text.
    pub(crate) fn new(text: &str) -> Self {
        let head = head(TEXT, text.len());
        Self { bytes: [&head[..], text.as_bytes()].concat().into(), head: head.len() }
    }

    /// Returns the header and the text as they are sent.
    pub(crate) const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the text.
    pub(crate) fn payload(&self) -> &[u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }
}

/// Creates a binary message from these pieces.
pub(crate) fn binary(pieces: impl IntoIterator<Item = Bytes>) -> Pieces {
    let mut message = Pieces::default();
    message.0.push(Bytes::new());
    message.0.extend(pieces);
    message.0[0] = head(BINARY, message.0.iter().map(Bytes::len).sum());
    message
}

/// Creates the response to a ping.
pub(crate) fn pong(payload: Bytes) -> Pieces {
    Pieces(vec![head(PONG, payload.len()), payload], 0)
}

/// Creates a close message with a code and a reason, which is cut to the maximum length.
pub(crate) fn close(code: u16, reason: &str) -> Pieces {
    let end = (0..=reason.len().min(123)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    let payload = [&code.to_be_bytes()[..], &reason.as_bytes()[..end]].concat();
    Pieces(vec![head(CLOSE, payload.len()), payload.into()], 0)
}

/// Several pieces of bytes that are written together.
#[derive(Debug, Default)]
pub(crate) struct Pieces(Vec<Bytes>, usize);

impl Pieces {
    /// Creates a sequence of these pieces.
    pub(crate) fn of(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self(pieces.into_iter().collect(), 0)
    }
}

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
        let text = Text::new("hi");
        assert_eq!((&text.bytes()[..], text.payload()), (&b"\x81\x02hi"[..], &b"hi"[..]));
        let mut long = close(4404, &"流".repeat(100));
        assert!(long.remaining() <= 2 + 125);
        assert!(std::str::from_utf8(&long.copy_to_bytes(long.remaining())[4..]).is_ok());
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
