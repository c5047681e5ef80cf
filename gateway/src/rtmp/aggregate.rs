//! Aggregate messages (Adobe's RTMP 1.0, section 7.1.6): several FLV tags in one message.

use bytes::{Buf as _, Bytes};

use super::message::{Message, kind};

/// Iterates over the messages in an aggregate. Ends at the first incomplete one.
#[derive(Debug)]
pub struct Aggregate {
    timestamp: u32,
    /// Timestamp of the first message. It corresponds to the timestamp of the aggregate.
    first: Option<u32>,
    payload: Bytes,
}

impl Aggregate {
    /// Creates an iterator over the content of an aggregate message.
    pub fn new(timestamp: u32, payload: Bytes) -> Self {
        Self { timestamp, first: None, payload }
    }
}

impl Iterator for Aggregate {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        loop {
            let header: [u8; 11] = *self.payload.first_chunk()?;
            let [kind, l0, l1, l2, t0, t1, t2, t3, ..] = header;
            self.payload.advance(11);
            let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
            if self.payload.len() < length {
                return None;
            }
            let payload = self.payload.split_to(length);
            // Skip the back pointer. Some senders omit the last one.
            self.payload.advance(self.payload.len().min(4));
            let own = u32::from_be_bytes([t3, t0, t1, t2]);
            let first = *self.first.get_or_insert(own);
            let timestamp = self.timestamp.wrapping_add(own.wrapping_sub(first));
            if matches!(kind, kind::AUDIO | kind::VIDEO | kind::DATA) {
                return Some(Message { timestamp, kind, stream: 0, payload });
            }
        }
    }
}
