//! One peer, without sockets or a clock of its own: datagrams and times in, datagrams and times out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::Mid;
use str0m::net::Receive;
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

use super::paths::{Paths, Way};
use super::port::Datagram;
use super::resends::Resends;
use super::srtp;
use super::ssrcs::Ssrcs;
use crate::core::close::CloseReason;

/// What a peer is for.
pub(super) trait Side {
    /// This media section is in the answer.
    fn agreed(&mut self, rtc: &mut Rtc, mid: Mid);

    /// Takes what the peer tells.
    fn event(&mut self, rtc: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason>;

    /// What is to see the peer's RTCP before str0m does.
    fn resends(&mut self) -> Option<&mut Resends> {
        None
    }

    /// Resolves when there is something to do for it, or with the reason why it has to end. May be
    /// dropped and called again.
    fn work(&mut self) -> impl Future<Output = Result<(), CloseReason>> + Send;

    /// Does what is to be done now. True when it has to be called again after what it wrote has gone
    /// out; and a time at which it has to be called anew.
    fn act(&mut self, rtc: &mut Rtc, now: Instant) -> Result<(bool, Option<Instant>), CloseReason>;

    /// Notes why the session ends, after which it is dropped.
    fn close(&mut self, reason: CloseReason);
}

/// Ends a peer that str0m cannot go on with.
pub(super) fn broken(error: impl std::fmt::Display) -> CloseReason {
    CloseReason::Protocol(error.to_string())
}

/// Timeouts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until the handshakes are done.
    pub(super) connect: Duration,
    /// Without a sign of life.
    pub(super) away: Duration,
}

/// A datagram to be sent, and where it goes.
pub(super) struct Transmit<'a> {
    pub(super) way: Way,
    pub(super) bytes: &'a [u8],
}

/// A peer whose ICE checks have ended is there as long as its media or reports come at least this often. Some
/// clients (libnice without consent freshness) check once and never again; a receiver reports at least every
/// 7.5 s (RFC 3550 6.2).
const SILENCE: Duration = Duration::from_secs(15);

/// Places that a peer comes from at most; what comes from more is not listened to.
const SOURCES: usize = 64;

/// One peer.
pub(super) struct Peer<S> {
    pub(super) rtc: Rtc,
    pub(super) side: S,
    /// Ours.
    addresses: Vec<SocketAddr>,
    paths: Paths,
    /// Where STUN came from: each is a candidate that is kept.
    sources: Vec<SocketAddr>,
    /// One of the agreed sections.
    mid: Option<Mid>,
    ssrcs: Ssrcs,
    patience: Patience,
    began: Instant,
    connected: bool,
    /// When SRTP or SRTCP was authenticated last.
    heard: Instant,
    /// Since when ICE misses the peer's checks.
    unchecked: Option<Instant>,
    /// Since when neither checks nor media nor reports come.
    away: Option<Instant>,
}

impl<S: Side> Peer<S> {
    pub(super) fn new(
        rtc: Rtc,
        side: S,
        addresses: Vec<SocketAddr>,
        patience: Patience,
        now: Instant,
    ) -> Self {
        Self {
            rtc,
            side,
            addresses,
            paths: Paths::default(),
            sources: Vec::new(),
            mid: None,
            ssrcs: Ssrcs::default(),
            patience,
            began: now,
            connected: false,
            heard: now,
            unchecked: None,
            away: None,
        }
    }

    /// Whether the handshakes are done and the peer is there.
    pub(super) const fn is_there(&self) -> bool {
        self.connected && self.away.is_none()
    }

    /// Whether the handshakes were done once.
    pub(super) const fn is_connected(&self) -> bool {
        self.connected
    }

    /// This media section is in the answer.
    pub(super) fn agreed(&mut self, mid: Mid) {
        self.mid.get_or_insert(mid);
        self.side.agreed(&mut self.rtc, mid);
    }

    /// Takes a datagram; one that is not understood is nothing.
    pub(super) fn receive(&mut self, datagram: &Datagram) -> Result<(), CloseReason> {
        if !self.knows(datagram) {
            return Ok(());
        }
        self.paths.heard(datagram);
        if !self.ssrcs.may_pass(&self.rtc, self.mid, &datagram.bytes, datagram.at) {
            return Ok(());
        }
        let Some(destination) = self.destination(datagram) else { return Ok(()) };
        let receive = Receive::new(datagram.protocol, datagram.source, destination, &datagram.bytes);
        let Ok(receive) = receive else { return Ok(()) };
        let before = srtp::authenticated();
        let (rtc, resends) = (&mut self.rtc, self.side.resends());
        let handle = || rtc.handle_input(Input::Receive(datagram.at, receive));
        let taken = srtp::reading(resends, &datagram.bytes, datagram.at, handle);
        if srtp::authenticated() != before {
            self.heard = datagram.at;
            self.ssrcs.heard(&self.rtc, self.mid, &datagram.bytes, datagram.at);
        }
        taken.map_err(broken)
    }

    /// When the peer counts as away, unless it is heard from before.
    fn away_at(&self) -> Option<Instant> {
        self.unchecked.map(|since| since.max(self.heard + SILENCE))
    }

    /// Whether it is from one of the few places that a peer comes from between two ICE restarts.
    fn knows(&mut self, datagram: &Datagram) -> bool {
        if self.sources.contains(&datagram.source) {
            return true;
        }
        let place = self.sources.len() < SOURCES;
        if place {
            self.sources.push(datagram.source);
        }
        place
    }

    /// The client has other credentials, and is perhaps in another network.
    pub(super) fn restarted(&mut self) {
        self.sources.clear();
    }

    /// The candidate of ours that a datagram came to. Behind a NAT that is not the address it came to.
    fn destination(&self, datagram: &Datagram) -> Option<SocketAddr> {
        let exact = self.addresses.iter().find(|addr| Some(addr.ip()) == datagram.local);
        let alike = || self.addresses.iter().find(|addr| addr.is_ipv4() == datagram.source.is_ipv4());
        exact.or_else(alike).copied()
    }

    /// Time has passed.
    pub(super) fn timeout(&mut self, now: Instant) -> Result<(), CloseReason> {
        self.rtc.handle_input(Input::Timeout(now)).map_err(broken)
    }

    /// Does what this side has to do now; see [`Side::act`].
    pub(super) fn act(&mut self, now: Instant) -> Result<(bool, Option<Instant>), CloseReason> {
        if !self.is_there() {
            return Ok((false, None));
        }
        let done = self.side.act(&mut self.rtc, now)?;
        // What was written goes out when time moves on.
        self.timeout(now)?;
        Ok(done)
    }

    /// Hands out all that is to be sent now, and tells when to come again.
    pub(super) fn drain(
        &mut self,
        now: Instant,
        mut send: impl FnMut(Transmit<'_>),
    ) -> Result<Instant, CloseReason> {
        let next = loop {
            match self.rtc.poll_output().map_err(broken)? {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => {
                    let bytes = &transmit.contents[..];
                    let way = self.paths.way(transmit.proto, transmit.destination, bytes, now);
                    send(Transmit { way, bytes });
                }
                Output::Event(event) => self.event(event, now)?,
            }
        };
        let away_at = self.away_at();
        self.away = away_at.filter(|at| now >= *at);
        if !self.rtc.is_alive() {
            return Err(CloseReason::Left);
        }
        if !self.connected && now >= self.began + self.patience.connect {
            return Err(CloseReason::NotConnected);
        }
        let limit = match self.away {
            Some(since) if now >= since + self.patience.away => {
                return Err(CloseReason::Idle);
            }
            Some(since) => since + self.patience.away,
            None if self.connected => away_at.unwrap_or(next),
            None => self.began + self.patience.connect,
        };
        Ok(next.min(limit))
    }

    fn event(&mut self, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::Connected => {
                self.connected = true;
                Ok(())
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                // str0m goes on sending to where the peer was last.
                self.unchecked.get_or_insert(now);
                Ok(())
            }
            Event::IceConnectionStateChange(_) => {
                self.unchecked = None;
                Ok(())
            }
            event => self.side.event(&mut self.rtc, event, now),
        }
    }
}
