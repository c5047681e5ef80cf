//! Reads WebSocket messages from a viewer.

use bytes::{Buf, Bytes, BytesMut};

/// A message of a viewer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ViewerMessage {
    /// A ping, which needs a pong.
    Ping(Bytes),
    /// The viewer closes the connection.
    Close,
    /// A protocol error.
    Malformed,
}

/// Reads a viewer's messages. Data messages are skipped.
#[derive(Debug, Default)]
pub(crate) struct Listener {
    /// Remaining bytes of a message that is skipped.
    skip: u64,
}

impl Listener {
    /// Returns the next complete message in `input` and consumes it.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Option<ViewerMessage> {
        loop {
            let pass = self.skip.min(input.len() as u64);
            input.advance(pass as usize);
            self.skip -= pass;
            if self.skip > 0 || input.len() < 2 {
                return None;
            }
            let (kind, short) = (input[0], usize::from(input[1] & 0x7f));
            if input[1] & 0x80 == 0 || kind & 0x70 != 0 {
                return Some(ViewerMessage::Malformed);
            }
            if kind & 8 != 0 {
                if short > 125 || kind & 0x80 == 0 {
                    return Some(ViewerMessage::Malformed);
                }
                if input.len() < 6 + short {
                    return None;
                }
                let message = input.split_to(6 + short);
                let mask = [message[2], message[3], message[4], message[5]];
                let payload: Vec<u8> =
                    message[6..].iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
                match kind & 0xf {
                    8 => return Some(ViewerMessage::Close),
                    9 => return Some(ViewerMessage::Ping(payload.into())),
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
            assert_eq!(
                said,
                [ViewerMessage::Ping(Bytes::from_static(b"hi")), ViewerMessage::Close],
                "{size}"
            );
        }
        let unmasked = &mut BytesMut::from(&b"\x89\x02hi"[..]);
        assert_eq!(Listener::default().next(unmasked), Some(ViewerMessage::Malformed));
    }
}
