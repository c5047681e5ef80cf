//! The protocol of NATS clients: lines, and payloads whose length the line tells. No socket, no clock.

use bytes::{Buf as _, Bytes, BytesMut};

use crate::core::bus::MAX_PAYLOAD;

/// Maximum length of a line in bytes. The longest is the server's description of itself.
const MAX_LINE: usize = 64 << 10;
/// Maximum size of a message that a server may announce. It is its own limit at most.
const MAX_MESSAGE: usize = 64 << 20;

/// A message of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Its description of itself, as JSON.
    Info(Bytes),
    /// A message of a subscription.
    Message {
        /// The number of the subscription.
        id: u64,
        /// The subject.
        subject: Bytes,
        /// The subject of an answer.
        reply: Option<Bytes>,
        payload: Bytes,
        /// Whether the server says that nobody has subscribed.
        nobody: bool,
    },
    /// A message that was too large, and is skipped.
    TooLarge,
    Ping,
    Pong,
    /// An error, in the server's words.
    Error(String),
}

/// The server does not speak the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadProtocol;

/// The first line of a message whose payload is not complete.
#[derive(Debug)]
struct Head {
    id: u64,
    subject: Bytes,
    reply: Option<Bytes>,
    headers: usize,
    total: usize,
}

/// Reads what a server sends. Its memory is bounded by [`MAX_LINE`] and [`MAX_PAYLOAD`].
#[derive(Debug, Default)]
pub(super) struct NatsReader {
    head: Option<Head>,
    /// Bytes of a message that is too large.
    skip: usize,
}

impl NatsReader {
    /// Takes the next message out of `input`; `None` if it is not complete.
    ///
    /// # Errors
    /// The bytes are no messages.
    pub(super) fn next(&mut self, input: &mut BytesMut) -> Result<Option<Heard>, BadProtocol> {
        loop {
            if self.skip > 0 {
                let now = self.skip.min(input.len());
                input.advance(now);
                self.skip -= now;
                return Ok(if self.skip == 0 { Some(Heard::TooLarge) } else { None });
            }
            if let Some(head) = &self.head {
                if input.len() < head.total + 2 {
                    return Ok(None);
                }
                let Some(Head { id, subject, reply, headers, total }) = self.head.take() else {
                    return Ok(None);
                };
                let mut payload = input.split_to(total).freeze();
                input.advance(2);
                let headers = payload.split_to(headers);
                let nobody = headers.starts_with(b"NATS/1.0 503");
                return Ok(Some(Heard::Message { id, subject, reply, payload, nobody }));
            }
            let Some(end) = input.windows(2).take(MAX_LINE).position(|two| two == b"\r\n") else {
                return if input.len() > MAX_LINE { Err(BadProtocol) } else { Ok(None) };
            };
            let line = input.split_to(end).freeze();
            input.advance(2);
            if let Some(heard) = self.line(&line)? {
                return Ok(Some(heard));
            }
        }
    }

    /// Reads a line. `None` if more belongs to it, or if it means nothing.
    fn line(&mut self, line: &Bytes) -> Result<Option<Heard>, BadProtocol> {
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
        let (word, rest) = (line[..end].to_ascii_uppercase(), line.slice(end..));
        match word.as_slice() {
            b"INFO" => Ok(Some(Heard::Info(rest))),
            b"PING" => Ok(Some(Heard::Ping)),
            b"PONG" => Ok(Some(Heard::Pong)),
            b"+OK" => Ok(None),
            b"-ERR" => {
                Ok(Some(Heard::Error(String::from_utf8_lossy(&rest).trim().trim_matches('\'').to_owned())))
            }
            b"MSG" | b"HMSG" => {
                let head = head(&rest, word.len() == 4).ok_or(BadProtocol)?;
                if head.total > MAX_PAYLOAD + head.headers {
                    self.skip = head.total + 2;
                } else {
                    self.head = Some(head);
                }
                Ok(None)
            }
            _ => Err(BadProtocol),
        }
    }
}

/// Reads the fields `SUBJECT ID [REPLY] [HEADERS] TOTAL`.
fn head(fields: &Bytes, has_headers: bool) -> Option<Head> {
    let mut all = fields.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty());
    let all: Vec<&[u8]> = all.by_ref().take(6).collect();
    let numbers = if has_headers { 2 } else { 1 };
    let replies = all.len().checked_sub(2 + numbers).filter(|replies| *replies <= 1)?;
    let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse::<usize>().ok();
    let total = number(all.last()?).filter(|total| *total <= MAX_MESSAGE)?;
    let headers = if has_headers { number(all[all.len() - 2])? } else { 0 };
    let head = Head {
        id: number(all[1])? as u64,
        subject: fields.slice_ref(all[0]),
        reply: (replies == 1).then(|| fields.slice_ref(all[2])),
        headers,
        total,
    };
    (headers <= total.min(MAX_LINE)).then_some(head)
}

/// Appends a message for a subject.
pub(super) fn publish(out: &mut BytesMut, subject: &str, reply: Option<&str>, payload: &[u8]) {
    out.extend_from_slice(b"PUB ");
    out.extend_from_slice(subject.as_bytes());
    if let Some(reply) = reply {
        out.extend_from_slice(b" ");
        out.extend_from_slice(reply.as_bytes());
    }
    out.extend_from_slice(format!(" {}\r\n", payload.len()).as_bytes());
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
}

/// Appends the begin of a subscription.
pub(super) fn subscribe(out: &mut BytesMut, subject: &str, id: u64) {
    out.extend_from_slice(format!("SUB {subject} {id}\r\n").as_bytes());
}

/// Appends the end of a subscription.
pub(super) fn unsubscribe(out: &mut BytesMut, id: u64) {
    out.extend_from_slice(format!("UNSUB {id}\r\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(parts: &[&[u8]]) -> Result<Vec<Heard>, BadProtocol> {
        let (mut reader, mut input, mut heard) = (NatsReader::default(), BytesMut::new(), Vec::new());
        for part in parts {
            input.extend_from_slice(part);
            while let Some(next) = reader.next(&mut input)? {
                heard.push(next);
            }
        }
        Ok(heard)
    }

    const ALL: &[u8] = b"INFO {\"x\":1}\r\nPING\r\n+OK\r\nPONG\r\n-ERR 'Slow Consumer'\r\n\
        MSG lm.all 7 5\r\nhe\r\no\r\nMSG lm.all 7 _INBOX.a.1 0\r\n\r\n\
        HMSG _INBOX.a.1 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nHMSG lm.x 2 lm.y 14 16\r\nNATS/1.0\r\na:\r\nhi\r\n";

    fn message(subject: &str, id: u64, reply: Option<&str>, payload: &str, nobody: bool) -> Heard {
        let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        Heard::Message {
            id,
            subject: bytes(subject),
            reply: reply.map(bytes),
            payload: bytes(payload),
            nobody,
        }
    }

    fn all() -> Vec<Heard> {
        vec![
            Heard::Info(Bytes::from_static(b" {\"x\":1}")),
            Heard::Ping,
            Heard::Pong,
            Heard::Error("Slow Consumer".to_owned()),
            message("lm.all", 7, None, "he\r\no", false),
            message("lm.all", 7, Some("_INBOX.a.1"), "", false),
            message("_INBOX.a.1", 1, None, "", true),
            message("lm.x", 2, Some("lm.y"), "hi", false),
        ]
    }

    proptest! {
        #[test]
        fn messages_are_read_whatever_the_parts(cuts in prop::collection::vec(0..ALL.len(), 0..6)) {
            let mut cuts = cuts;
            cuts.extend([0, ALL.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|pair| &ALL[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&parts), Ok(all()));
        }

        #[test]
        fn nonsense_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[b"MSG ", &bytes, b"\r\n"]);
            let _ = read(&[&bytes]);
        }
    }

    #[test]
    fn bad_lines_end_the_connection_and_large_messages_are_skipped() {
        let long = vec![b'x'; MAX_LINE + 2];
        let large = format!("MSG a 1 {}\r\n", MAX_MESSAGE + 1);
        for bad in [
            &b"HELLO\r\n"[..],
            b"MSG a\r\n",
            b"MSG a 1 x\r\n",
            b"MSG a 1 b c 1\r\n",
            b"HMSG a 1 5 4\r\n",
            &long,
            large.as_bytes(),
        ] {
            assert_eq!(
                read(&[bad]),
                Err(BadProtocol),
                "{}",
                String::from_utf8_lossy(&bad[..bad.len().min(30)])
            );
        }
        let size = MAX_PAYLOAD + 1;
        let head = format!("MSG a 1 {size}\r\n");
        let body = vec![b'x'; size];
        let heard = read(&[head.as_bytes(), &body[..10], &body[10..], b"\r\nPING\r\n"]);
        assert_eq!(heard, Ok(vec![Heard::TooLarge, Heard::Ping]));
    }

    #[test]
    fn messages_are_written_as_the_protocol_says() {
        let mut out = BytesMut::new();
        subscribe(&mut out, "lm.all", 3);
        publish(&mut out, "lm.all", None, b"hi");
        publish(&mut out, "lm.all", Some("_INBOX.a.1"), b"");
        unsubscribe(&mut out, 3);
        let text = String::from_utf8_lossy(&out).into_owned();
        assert_eq!(text, "SUB lm.all 3\r\nPUB lm.all 2\r\nhi\r\nPUB lm.all _INBOX.a.1 0\r\n\r\nUNSUB 3\r\n");
    }
}
