//! Decides which packets a viewer is sent again.
//!
//! A receiver requests a packet (NACK, RFC 4585 6.2.1) as soon as a later one has come. On a network that reorders
//! packets, most of the requested ones come a moment later by themselves. str0m answers every request, so this module
//! removes from the feedback, before str0m reads it ([`super::srtp`]), the requests that should not be answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that can be sent again. str0m keeps as many.
pub(super) const MAX_PACKETS: usize = 192;
/// Bytes that may be resent for each byte that is sent, on a network without loss.
const BASE_RATIO: f64 = 0.1;
/// Is multiplied with the loss and added to [`BASE_RATIO`]: each resend may be lost again.
const LOSS_RATIO: f64 = 3.0;
/// The largest sum of both.
const MAX_RATIO: f64 = 0.5;
/// Bytes that may be resent at once: those of a short outage.
const MAX_BURST: f64 = 128_000.0;
/// If a larger part of the packets than this is requested, beyond those lost, the network reorders packets.
const MIN_REORDERING: f64 = 0.03;
/// The round-trip time before one was measured.
const DEFAULT_ROUND_TRIP: Duration = Duration::from_millis(100);
/// From this loss on, audio is sent with redundancy.
const MIN_LOSSY: f64 = 0.01;
/// Time after the last report of such loss until which redundancy is sent.
const LOSSY_TIME: Duration = Duration::from_secs(30);

/// A packet that was sent.
#[derive(Debug)]
struct SentPacket {
    sequence: u16,
    size: usize,
    sent_at: Instant,
    /// Number of requests for it.
    requests: u32,
    /// When it was sent again last.
    resent_at: Option<Instant>,
}

/// A viewer's video packets, and what its reports say about the network.
#[derive(Debug)]
pub(super) struct Resends {
    /// The video stream's SSRC.
    ssrc: u32,
    sent: VecDeque<SentPacket>,
    /// Bytes that may be resent now.
    budget: f64,
    /// The part of the packets that the viewer reports as lost, smoothed.
    loss: f64,
    round_trip: Option<Duration>,
    /// Packets sent since the last report.
    sent_count: u32,
    /// Packets requested since the last report, each counted once.
    requested_count: u32,
    /// Whether the network reorders packets.
    reorders: bool,
    lossy_until: Option<Instant>,
}

impl Resends {
    /// For the video stream with this SSRC; 0 before it is known.
    pub(super) const fn new(ssrc: u32) -> Self {
        Self {
            ssrc,
            sent: VecDeque::new(),
            budget: MAX_BURST,
            loss: 0.0,
            round_trip: None,
            sent_count: 0,
            requested_count: 0,
            reorders: false,
            lossy_until: None,
        }
    }

    /// Records a packet that was sent.
    pub(super) fn record_sent(&mut self, sequence: u16, size: usize, sent_at: Instant) {
        if self.sent.len() == MAX_PACKETS {
            self.sent.pop_front();
        }
        self.sent.push_back(SentPacket { sequence, size, sent_at, requests: 0, resent_at: None });
        self.sent_count += 1;
        let ratio = (BASE_RATIO + LOSS_RATIO * self.loss).min(MAX_RATIO);
        self.budget = (self.budget + size as f64 * ratio).min(MAX_BURST);
    }

    /// Whether the network loses packets now.
    pub(super) fn is_lossy(&self, now: Instant) -> bool {
        self.lossy_until.is_some_and(|until| now < until)
    }

    fn find(&mut self, sequence: u16) -> Option<&mut SentPacket> {
        // The packets are in order, so the distance from the first one is the index.
        let first = self.sent.front()?.sequence;
        let sent = self.sent.get_mut(usize::from(sequence.wrapping_sub(first)))?;
        (sent.sequence == sequence).then_some(sent)
    }

    /// Whether a request for this packet should be answered. Counts it as resent if so.
    fn allows_resend(&mut self, sequence: u16, now: Instant) -> bool {
        let round_trip = self.round_trip.unwrap_or(DEFAULT_ROUND_TRIP);
        let (reorders, budget) = (self.reorders, self.budget);
        let Some(sent) = self.find(sequence) else { return false };
        sent.requests += 1;
        let (is_first, size) = (sent.requests == 1, sent.size);
        // The resend is on its way. If it is lost, the viewer requests it again.
        let was_resent = sent.resent_at.is_some_and(|at| now.saturating_duration_since(at) < round_trip);
        let is_recent = now.saturating_duration_since(sent.sent_at) < 2 * round_trip;
        let is_only_late = reorders && budget < MAX_BURST / 2.0 && is_first && is_recent;
        let allowed = !was_resent && !is_only_late && budget >= size as f64;
        if allowed {
            sent.resent_at = Some(now);
            self.budget -= size as f64;
        }
        self.requested_count += u32::from(is_first);
        allowed
    }

    /// Reads a compound RTCP packet, of which `head` are the first eight bytes, and removes the requests that
    /// should not be answered.
    pub(super) fn filter(&mut self, head: [u8; 8], rest: &mut [u8], now: Instant) {
        let byte = |rest: &[u8], at: usize| head.get(at).or_else(|| rest.get(at.checked_sub(8)?)).copied();
        let mut start = 0;
        while let (Some(first), Some(kind), Some(high), Some(low)) =
            (byte(rest, start), byte(rest, start + 1), byte(rest, start + 2), byte(rest, start + 3))
        {
            let end = start + 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
            let body = |skip: usize| (start + skip).saturating_sub(8)..end.saturating_sub(8);
            match (kind, first & 0x1f) {
                // Receiver reports, and sender reports, which have the same blocks (RFC 3550 6.4).
                (201, _) => self.read_reports(rest.get(body(8)).unwrap_or_default(), now),
                (200, _) => self.read_reports(rest.get(body(28)).unwrap_or_default(), now),
                (205, 1) => self.filter_nack(rest.get_mut(body(8)).unwrap_or_default(), now),
                _ => {}
            }
            start = end;
        }
    }

    /// Reads the report blocks of a receiver report or sender report.
    fn read_reports(&mut self, blocks: &[u8], now: Instant) {
        for block in blocks.chunks_exact(24) {
            let word =
                |at: usize| u32::from_be_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
            let loss = f64::from(block[4]) / 256.0;
            if loss >= MIN_LOSSY {
                self.lossy_until = Some(now + LOSSY_TIME);
            }
            if word(0) == self.ssrc {
                self.handle_report(loss, word(8) as u16, now);
            }
        }
    }

    /// Handles a report about the video stream: the loss, and the newest packet that has come.
    fn handle_report(&mut self, loss: f64, newest: u16, now: Instant) {
        self.loss = loss.max(self.loss * 0.75);
        if let Some(trip) = self.find(newest).map(|sent| now.saturating_duration_since(sent.sent_at)) {
            // The packet came some time before the report, so this is at least one round trip: the smallest counts.
            let known = self.round_trip.unwrap_or(trip);
            self.round_trip = Some(if trip < known { trip } else { known + (trip - known) / 32 });
        }
        let sent = std::mem::take(&mut self.sent_count);
        let requested = std::mem::take(&mut self.requested_count);
        if sent > 0 {
            let part = f64::from(requested) / f64::from(sent);
            self.reorders = part > 2.0 * self.loss + MIN_REORDERING;
        }
    }

    /// Removes from a NACK (the SSRC of the media, then entries) the requests that should not be answered.
    fn filter_nack(&mut self, nack: &mut [u8], now: Instant) {
        let Some((ssrc, entries)) = nack.split_first_chunk_mut::<4>() else { return };
        if u32::from_be_bytes(*ssrc) != self.ssrc {
            return;
        }
        for entry in entries.chunks_exact_mut(4) {
            let (packet, following) =
                (u16::from_be_bytes([entry[0], entry[1]]), u16::from_be_bytes([entry[2], entry[3]]));
            let requested = (0..=16).filter(|at| *at == 0 || following >> (at - 1) & 1 == 1);
            let allowed = |at: &u16| self.allows_resend(packet.wrapping_add(*at), now);
            let allowed = requested.filter(allowed).collect::<Vec<_>>();
            // If none is left, the entry names a packet that str0m does not have.
            let first = allowed.first().copied().unwrap_or(1 << 15);
            let others = allowed.iter().skip(1).fold(0, |bits, at| bits | 1u16 << (at - first - 1));
            entry[..2].copy_from_slice(&packet.wrapping_add(first).to_be_bytes());
            entry[2..].copy_from_slice(&others.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
