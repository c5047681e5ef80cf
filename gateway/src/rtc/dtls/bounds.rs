//! Limits a peer's DTLS records before the handshake library reads them.
//!
//! A peer that has passed ICE can send anything. The library collects handshake fragments of up to 2 MB and joins
//! them by recursion. A real handshake has a dozen datagrams and 5 kB.

/// Datagrams of one handshake, including all repetitions.
pub(super) const MAX_HANDSHAKE_DATAGRAMS: usize = 128;
/// Bytes of one handshake, including all repetitions: five times a handshake with an RSA-4096 certificate.
pub(super) const MAX_HANDSHAKE_BYTES: usize = 48 * 1024;
/// Fragments of unencrypted handshake messages of one association.
pub(super) const MAX_FRAGMENTS: usize = 128;
/// Bytes of one handshake message. A certificate chain has less.
pub(super) const MAX_MESSAGE: usize = 16 * 1024;
/// Handshake messages of one peer: a client sends six or seven.
pub(super) const MAX_MESSAGES: u16 = 16;
/// Bytes of an encrypted record during the handshake: `Finished` has less, with every cipher.
pub(super) const MAX_FINISHED: usize = 96;
/// Encrypted handshake records of one association before it is connected: `Finished`, including all repetitions. Each
/// may contain as many fragments as fit, which nobody can count from outside.
pub(super) const MAX_FINISHED_RECORDS: usize = 16;
/// Datagrams with handshake records after the handshake: the peer repeats its last flight until it has received the
/// gateway's. Together they may have as many fragments and encrypted records as a handshake.
pub(super) const MAX_REPEATED: usize = 16;

/// The size of a record's header: type, version, epoch, sequence number, length (RFC 6347 4.1).
const RECORD_HEAD: usize = 13;
/// The size of a handshake fragment's header: type, length, number, offset, length (RFC 6347 4.2.2).
const FRAGMENT_HEAD: usize = 12;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The decision about a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatagramDecision {
    /// The handshake library reads it.
    Read,
    /// The datagram is dropped, as RFC 6347 4.1.2.7 requires for invalid records.
    Ignore,
    /// The association ends: the peer has sent more than any handshake needs.
    End(&'static str),
}

/// Counts what one peer has sent.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    datagrams: usize,
    bytes: usize,
    fragments: usize,
    finished: usize,
    repeated: usize,
}

impl Bounds {
    /// Decides about a datagram. `connected` is true after the handshake.
    pub(super) fn check(&mut self, datagram: &[u8], connected: bool) -> DatagramDecision {
        let Some(records) = records(datagram) else { return DatagramDecision::Ignore };
        if connected {
            return self.check_connected(&records);
        }
        self.datagrams += 1;
        self.bytes += datagram.len();
        if self.datagrams > MAX_HANDSHAKE_DATAGRAMS || self.bytes > MAX_HANDSHAKE_BYTES {
            return DatagramDecision::End("the DTLS handshake has too many datagrams or bytes");
        }
        let Some(count) = content(&records) else { return DatagramDecision::Ignore };
        self.fragments += count.fragments;
        self.finished += count.finished;
        if self.fragments > MAX_FRAGMENTS || self.finished > MAX_FINISHED_RECORDS {
            return DatagramDecision::End("the DTLS handshake has too many fragments");
        }
        DatagramDecision::Read
    }

    /// Decides about a datagram after the handshake. The peer may repeat its last flight and close the association.
    /// Nothing else is read: the gateway refuses data channels, and each further `ChangeCipherSpec` would begin an
    /// epoch.
    fn check_connected(&mut self, records: &[Record<'_>]) -> DatagramDecision {
        let Some(count) = content(records) else { return DatagramDecision::Ignore };
        if records.iter().any(|record| record.kind == HANDSHAKE) {
            self.repeated += 1;
            self.fragments += count.fragments;
            self.finished += count.finished;
            if self.repeated > MAX_REPEATED
                || self.fragments > 2 * MAX_FRAGMENTS
                || self.finished > 2 * MAX_FINISHED_RECORDS
            {
                return DatagramDecision::Ignore;
            }
        }
        DatagramDecision::Read
    }
}

struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
}

/// Splits a datagram into records. Returns none if they do not fill it, or one is empty.
fn records(mut datagram: &[u8]) -> Option<Vec<Record<'_>>> {
    let mut records = Vec::new();
    while !datagram.is_empty() {
        let (head, rest) = datagram.split_at_checked(RECORD_HEAD)?;
        let size = usize::from(u16::from_be_bytes([head[11], head[12]]));
        let (body, rest) = rest.split_at_checked(size).filter(|_| size > 0)?;
        records.push(Record { kind: head[0], epoch: u16::from_be_bytes([head[3], head[4]]), body });
        datagram = rest;
    }
    Some(records)
}

/// The content of a datagram.
#[derive(Default)]
struct Content {
    /// Unencrypted fragments of handshake messages.
    fragments: usize,
    /// Encrypted records of the handshake.
    finished: usize,
}

/// Counts what a datagram has; None where a record of it belongs to no handshake.
fn content(records: &[Record<'_>]) -> Option<Content> {
    let mut count = Content::default();
    for record in records {
        match (record.kind, record.epoch, record.body.len()) {
            (HANDSHAKE, 0, _) => count.fragments += fragments(record.body)?,
            (CHANGE_CIPHER_SPEC, 0, 1) | (ALERT, 0, 2) => {}
            // The content of an encrypted record is hidden, so its size is bounded instead.
            (HANDSHAKE, 1, ..=MAX_FINISHED) => count.finished += 1,
            (ALERT, 1, ..=MAX_FINISHED) => {}
            _ => return None,
        }
    }
    Some(count)
}

/// Counts the handshake fragments of an unencrypted record. Returns none if a fragment is larger than any message,
/// has a number that no handshake reaches, or does not fit.
///
/// The library reads a fragment on to where its whole message would end. So only the last one of a record
/// may be a part of a message: behind another one the library would find other fragments than are counted.
fn fragments(mut body: &[u8]) -> Option<usize> {
    let mut count = 0;
    while !body.is_empty() {
        let (head, rest) = body.split_at_checked(FRAGMENT_HEAD)?;
        let number = |at: usize| {
            usize::from(head[at]) << 16 | usize::from(head[at + 1]) << 8 | usize::from(head[at + 2])
        };
        let (message, offset, size) = (number(1), number(6), number(9));
        let sequence = u16::from_be_bytes([head[4], head[5]]);
        if message > MAX_MESSAGE || offset + size > message || sequence > MAX_MESSAGES {
            return None;
        }
        // An empty fragment is valid only as a message without content.
        if size == 0 && message != 0 {
            return None;
        }
        body = rest.split_at_checked(size)?.1;
        if size != message && !body.is_empty() {
            return None;
        }
        count += 1;
    }
    Some(count)
}
