//! One peer as a state machine without I/O: it opens no socket and reads no clock.
//!
//! Its contract is str0m's, with the gateway's part of the work in it:
//!
//! 1. [`Peer::handle_input`] takes a datagram, or that time has passed.
//! 2. [`Peer::drive`] lets the peer's [`PeerRole`] work (publish or play), hands out every datagram that has to be
//!    sent, and returns the time of the next timeout.
//! 3. The caller waits for a datagram, for [`PeerRole::ready`], or for that time, and begins again.
//!
//! In the gateway the caller is [`super::session`], in tests a simulated network in virtual time.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::media::Mid;
use str0m::net::{DatagramSend, Receive};
use str0m::{Event, Rtc};

use super::liveness::{Liveness, Timeouts};
use super::paths::{Paths, Route};
use super::port::Datagram;
use super::resends::Resends;
use super::srtp;
use super::ssrcs::SsrcFilter;
use crate::core::close::CloseReason;
use crate::web::problem::Problem;

/// The addresses that one peer may use between two ICE restarts; datagrams from further ones are dropped. str0m keeps
/// an ICE candidate for each.
const MAX_SOURCES: usize = 64;

/// An input of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    /// A datagram from the network.
    Datagram(&'a Datagram),
    /// Time has passed: it is now this time.
    Timeout(Instant),
}

/// A request of a peer to its caller.
#[derive(Debug)]
pub(super) enum Output {
    /// Send a datagram.
    Transmit(Transmit),
    /// Call again at this time, or with the next input. There is nothing more to send.
    Timeout(Instant),
}

/// A datagram to send.
#[derive(Debug)]
pub(super) struct Transmit {
    pub(super) route: Route,
    pub(super) contents: DatagramSend,
}

/// The continuation of a role after [`PeerRole::advance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// The role may have more to do. Send what it has written, then let it go on.
    Continue,
    /// Nothing to do until [`PeerRole::ready`] resolves.
    Wait,
    /// Nothing to do until [`PeerRole::ready`] resolves, or until this time.
    WaitUntil(Instant),
}

/// The task of a peer for its client: to publish a stream or to play one.
pub(super) trait PeerRole {
    /// Adds a media section of the answer.
    fn add_media(&mut self, rtc: &mut Rtc, mid: Mid);

    /// Checks, after all media sections were added, that the negotiated media are of use.
    ///
    /// # Errors
    /// When they are not, with the response to the client.
    fn check_media(&mut self, rtc: &Rtc) -> Result<(), Problem>;

    /// Handles an event of the connection.
    fn handle_event(&mut self, rtc: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason>;

    /// The filter that sees the peer's RTCP before str0m does.
    fn resends(&mut self) -> Option<&mut Resends> {
        None
    }

    /// Resolves when [`Self::advance`] has something to do. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the peer has to end.
    fn ready(&mut self) -> impl Future<Output = Result<(), CloseReason>> + Send;

    /// Does the next part of what has to be done now.
    ///
    /// # Errors
    /// When the peer has to end.
    fn advance(&mut self, rtc: &mut Rtc, now: Instant) -> Result<NextStep, CloseReason>;

    /// Notes why the peer ended. Nothing is called after this.
    fn close(&mut self, reason: CloseReason);
}

/// The reason to end a peer over an error of str0m's.
pub(super) fn protocol_error(error: impl std::fmt::Display) -> CloseReason {
    CloseReason::Protocol(error.to_string())
}

/// One peer.
pub(super) struct Peer<R> {
    pub(super) rtc: Rtc,
    pub(super) role: R,
    /// The gateway's own addresses in the answer.
    local_addresses: Vec<SocketAddr>,
    paths: Paths,
    /// Addresses from which datagrams came.
    sources: Vec<SocketAddr>,
    /// One of the negotiated media sections.
    mid: Option<Mid>,
    ssrcs: SsrcFilter,
    liveness: Liveness,
}

impl<R: PeerRole> Peer<R> {
    /// A peer that may be reached at `local_addresses`.
    pub(super) fn new(
        rtc: Rtc,
        role: R,
        local_addresses: Vec<SocketAddr>,
        timeouts: Timeouts,
        now: Instant,
    ) -> Self {
        Self {
            rtc,
            role,
            local_addresses,
            paths: Paths::default(),
            sources: Vec::new(),
            mid: None,
            ssrcs: SsrcFilter::default(),
            liveness: Liveness::new(timeouts, now),
        }
    }

    /// The peer's timeouts and signs of life.
    pub(super) const fn liveness(&self) -> &Liveness {
        &self.liveness
    }

    /// Adds a media section of the answer.
    pub(super) fn add_media(&mut self, mid: Mid) {
        self.mid.get_or_insert(mid);
        self.role.add_media(&mut self.rtc, mid);
    }

    /// Prepares for the client's new ICE credentials: it may be in another network.
    pub(super) fn restart_ice(&mut self) {
        self.sources.clear();
    }

    /// Takes an input. After this, call [`Self::drive`] or at least [`Self::flush`].
    ///
    /// # Errors
    /// When the connection is broken. A datagram that nothing understands is dropped and no error.
    pub(super) fn handle_input(&mut self, input: Input<'_>) -> Result<(), CloseReason> {
        match input {
            Input::Datagram(datagram) => self.handle_datagram(datagram),
            Input::Timeout(now) => self.rtc.handle_input(str0m::Input::Timeout(now)).map_err(protocol_error),
        }
    }

    /// Does everything that is due now, hands each datagram to `send`, and returns the time of the next timeout.
    ///
    /// # Errors
    /// When the peer has to end.
    pub(super) fn drive(
        &mut self,
        now: Instant,
        mut send: impl FnMut(Transmit),
    ) -> Result<Instant, CloseReason> {
        loop {
            let step = self.advance_role(now)?;
            let timeout = self.flush(now, &mut send)?;
            match step {
                NextStep::Continue => {}
                NextStep::Wait => return Ok(timeout),
                NextStep::WaitUntil(at) => return Ok(timeout.min(at)),
            }
        }
    }

    /// Hands all datagrams that wait to `send`, and returns the time of the next timeout.
    ///
    /// # Errors
    /// When the peer has to end.
    pub(super) fn flush(
        &mut self,
        now: Instant,
        mut send: impl FnMut(Transmit),
    ) -> Result<Instant, CloseReason> {
        loop {
            match self.poll_output(now)? {
                Output::Transmit(transmit) => send(transmit),
                Output::Timeout(at) => return Ok(at),
            }
        }
    }

    /// The next request to the caller.
    fn poll_output(&mut self, now: Instant) -> Result<Output, CloseReason> {
        loop {
            match self.rtc.poll_output().map_err(protocol_error)? {
                str0m::Output::Transmit(transmit) => {
                    let str0m::net::Transmit { proto, destination, contents, .. } = transmit;
                    let route = self.paths.route(proto, destination, &contents, now);
                    return Ok(Output::Transmit(Transmit { route, contents }));
                }
                str0m::Output::Event(event) => self.handle_event(event, now)?,
                str0m::Output::Timeout(at) => {
                    if !self.rtc.is_alive() {
                        return Err(CloseReason::Left);
                    }
                    let deadline = self.liveness.check(now)?;
                    return Ok(Output::Timeout(deadline.map_or(at, |deadline| deadline.min(at))));
                }
            }
        }
    }

    /// Lets the role work, as long as the peer is reachable.
    fn advance_role(&mut self, now: Instant) -> Result<NextStep, CloseReason> {
        if !self.liveness.is_reachable() {
            return Ok(NextStep::Wait);
        }
        let step = self.role.advance(&mut self.rtc, now)?;
        // str0m makes datagrams of what was written when time passes.
        self.handle_input(Input::Timeout(now))?;
        Ok(step)
    }

    fn handle_datagram(&mut self, datagram: &Datagram) -> Result<(), CloseReason> {
        if !self.accepts_source(datagram.source) {
            return Ok(());
        }
        self.paths.record(datagram);
        if !self.ssrcs.allows(&self.rtc, self.mid, &datagram.bytes, datagram.at) {
            return Ok(());
        }
        let Some(destination) = self.destination(datagram) else { return Ok(()) };
        let receive = Receive::new(datagram.protocol, datagram.source, destination, &datagram.bytes);
        let Ok(receive) = receive else { return Ok(()) };
        let before = srtp::authenticated_packets();
        let (rtc, resends) = (&mut self.rtc, self.role.resends());
        let handle = || rtc.handle_input(str0m::Input::Receive(datagram.at, receive));
        let handled = srtp::with_rtcp_filter(resends, &datagram.bytes, datagram.at, handle);
        if srtp::authenticated_packets() != before {
            self.liveness.set_authenticated(datagram.at);
            self.ssrcs.record_authenticated(&self.rtc, self.mid, &datagram.bytes, datagram.at);
        }
        handled.map_err(protocol_error)
    }

    /// Whether the address is one of the few that the peer may use.
    fn accepts_source(&mut self, source: SocketAddr) -> bool {
        if self.sources.contains(&source) {
            return true;
        }
        let has_room = self.sources.len() < MAX_SOURCES;
        if has_room {
            self.sources.push(source);
        }
        has_room
    }

    /// The gateway's candidate that a datagram was sent to. Behind a NAT, that is another address than the one at
    /// which the datagram arrived.
    fn destination(&self, datagram: &Datagram) -> Option<SocketAddr> {
        let exact = self.local_addresses.iter().find(|addr| Some(addr.ip()) == datagram.local);
        let same_family = || {
            let is_ipv4 = datagram.source.is_ipv4();
            self.local_addresses.iter().find(|addr| addr.is_ipv4() == is_ipv4)
        };
        exact.or_else(same_family).copied()
    }

    fn handle_event(&mut self, event: Event, now: Instant) -> Result<(), CloseReason> {
        match event {
            Event::Connected => self.liveness.set_connected(),
            Event::IceConnectionStateChange(state) => self.liveness.set_ice_state(state, now),
            event => self.role.handle_event(&mut self.rtc, event, now)?,
        }
        Ok(())
    }
}
