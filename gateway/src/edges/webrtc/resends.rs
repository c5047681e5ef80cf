//! Which packets a viewer is sent again.
//!
//! A receiver asks for a packet (NACK, RFC 4585 6.2.1) as soon as a later one has come. On a network that reorders,
//! most of those packets come a moment later by themselves. str0m answers every request, so those that are not to be
//! answered are taken out of the feedback before str0m reads it: see [`super::srtp`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that can be sent again, as many as str0m keeps.
pub(super) const MAX_PACKETS: usize = 192;
/// Bytes that may be sent again for each byte that is sent, on a network without loss.
const BASE_RATIO: f64 = 0.1;
/// And so much more for the part that is lost, as each resend may be lost again.
const LOSS_RATIO: f64 = 3.0;
const MAX_RATIO: f64 = 0.5;
/// Bytes that may be sent again at once: those of a short outage.
const MAX_BURST: f64 = 128_000.0;
/// More packets than this part, beyond those lost, are asked for only where packets overtake each other.
const REORDERED: f64 = 0.03;
/// A round trip before one was measured.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);
/// From this part on, loss is answered with redundant audio, and until so long after.
const LOSSY: f64 = 0.01;
const LOSSY_TIME: Duration = Duration::from_secs(30);

/// A packet that was sent.
#[derive(Debug)]
struct Sent {
    sequence: u16,
    size: usize,
    at: Instant,
    /// How often it was asked for, and when it was sent again last.
    asked: u32,
    again: Option<Instant>,
}

/// A viewer's video packets, and what its reports say of the network.
#[derive(Debug, Default)]
pub(super) struct Resends {
    /// The video stream's SSRC.
    ssrc: u32,
    sent: VecDeque<Sent>,
    /// Bytes that may be sent again.
    budget: f64,
    loss: f64,
    round_trip: Option<Duration>,
    /// Packets sent, and packets asked for, since the last report.
    count: (u32, u32),
    reorders: bool,
    lossy_until: Option<Instant>,
}

impl Resends {
    /// For the video stream of this SSRC.
    pub(super) fn of(ssrc: u32) -> Self {
        Self { ssrc, budget: MAX_BURST, ..Self::default() }
    }

    /// A packet was sent.
    pub(super) fn sent(&mut self, sequence: u16, size: usize, at: Instant) {
        if self.sent.len() == MAX_PACKETS {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { sequence, size, at, asked: 0, again: None });
        self.count.0 += 1;
        let ratio = (BASE_RATIO + LOSS_RATIO * self.loss).min(MAX_RATIO);
        self.budget = (self.budget + size as f64 * ratio).min(MAX_BURST);
    }

    /// Whether the network loses packets now.
    pub(super) fn lossy(&self, now: Instant) -> bool {
        self.lossy_until.is_some_and(|until| now < until)
    }

    fn find(&mut self, sequence: u16) -> Option<&mut Sent> {
        // They are in order, so the distance from the first one is the index.
        let first = self.sent.front()?.sequence;
        let sent = self.sent.get_mut(usize::from(sequence.wrapping_sub(first)))?;
        (sent.sequence == sequence).then_some(sent)
    }

    /// Whether this packet is sent again.
    fn answers(&mut self, sequence: u16, now: Instant) -> bool {
        let round_trip = self.round_trip.unwrap_or(DEFAULT_ROUND_TRIP);
        let (reorders, budget) = (self.reorders, self.budget);
        let Some(sent) = self.find(sequence) else { return false };
        sent.asked += 1;
        let (first, size) = (sent.asked == 1, sent.size);
        // On its way, once more or for the first time. A lost one is asked for again.
        let again = sent.again.is_some_and(|at| now.saturating_duration_since(at) < round_trip);
        let young = now.saturating_duration_since(sent.at) < 2 * round_trip;
        let late = reorders && budget < MAX_BURST / 2.0 && first && young;
        let answers = !again && !late && budget >= size as f64;
        if answers {
            sent.again = Some(now);
            self.budget -= size as f64;
        }
        self.count.1 += u32::from(first);
        answers
    }

    /// Reads RTCP, of which `head` are the first eight bytes, and takes requests out that are not answered.
    pub(super) fn read(&mut self, head: [u8; 8], rest: &mut [u8], now: Instant) {
        let byte = |rest: &[u8], at: usize| head.get(at).or_else(|| rest.get(at.checked_sub(8)?)).copied();
        let mut start = 0;
        while let (Some(first), Some(kind), Some(high), Some(low)) =
            (byte(rest, start), byte(rest, start + 1), byte(rest, start + 2), byte(rest, start + 3))
        {
            let end = start + 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
            let body = |skip: usize| (start + skip).saturating_sub(8)..end.saturating_sub(8);
            match (kind, first & 0x1f) {
                // Receiver reports, and sender reports with such (RFC 3550 6.4).
                (201, _) => self.reports(rest.get(body(8)).unwrap_or_default(), now),
                (200, _) => self.reports(rest.get(body(28)).unwrap_or_default(), now),
                (205, 1) => self.requests(rest.get_mut(body(8)).unwrap_or_default(), now),
                _ => {}
            }
            start = end;
        }
    }

    fn reports(&mut self, blocks: &[u8], now: Instant) {
        for block in blocks.chunks_exact(24) {
            let word =
                |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
            let loss = f64::from(block[4]) / 256.0;
            if loss >= LOSSY {
                self.lossy_until = Some(now + LOSSY_TIME);
            }
            if word(0) == self.ssrc {
                self.report(loss, word(8) as u16, now);
            }
        }
    }

    /// What the viewer reports of the video stream: its loss and the newest packet that came.
    fn report(&mut self, loss: f64, newest: u16, now: Instant) {
        self.loss = loss.max(self.loss * 0.75);
        if let Some(trip) = self.find(newest).map(|sent| now.saturating_duration_since(sent.at)) {
            // It came a little before the report.
            let known = self.round_trip.unwrap_or(trip);
            self.round_trip = Some(if trip < known { trip } else { known + (trip - known) / 32 });
        }
        let (sent, asked) = std::mem::take(&mut self.count);
        if sent > 0 {
            let part = f64::from(asked) / f64::from(sent);
            self.reorders = part > 2.0 * self.loss + REORDERED;
        }
    }

    /// Leaves in a NACK (the media's SSRC, then entries) what is answered.
    fn requests(&mut self, nack: &mut [u8], now: Instant) {
        let Some((ssrc, entries)) = nack.split_first_chunk_mut::<4>() else { return };
        if u32::from_be_bytes(*ssrc) != self.ssrc {
            return;
        }
        for entry in entries.chunks_exact_mut(4) {
            let (packet, following) =
                (u16::from_be_bytes([entry[0], entry[1]]), u16::from_be_bytes([entry[2], entry[3]]));
            let asked = (0..=16).filter(|at| *at == 0 || following >> (at - 1) & 1 == 1);
            let answered = asked.filter(|at| self.answers(packet.wrapping_add(*at), now)).collect::<Vec<_>>();
            // None: one that str0m does not have any more, or not yet.
            let first = answered.first().copied().unwrap_or(1 << 15);
            let others = answered.iter().skip(1).fold(0, |bits, at| bits | 1u16 << (at - first - 1));
            entry[..2].copy_from_slice(&packet.wrapping_add(first).to_be_bytes());
            entry[2..].copy_from_slice(&others.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
