//! One peer as a state machine without I/O: it opens no socket and reads no clock.
//!
//! The caller uses it in the same way as str0m, in a loop:
//!
//! 1. [`Peer::handle_input`] handles a datagram, or the fact that time has passed.
//! 2. [`Peer::drive`] runs the peer's [`PeerRole`] (publish or play), passes every datagram to send to the caller, and
//!    returns the time of the next timeout.
//! 3. The caller waits for a datagram, for [`PeerRole::ready`], or for that time, and starts again at step 1.
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

/// Maximum number of addresses from which one peer may send between two ICE restarts. Datagrams from further addresses
/// are dropped, because str0m keeps an ICE candidate for each address.
const MAX_SOURCES: usize = 64;

/// An input of a peer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input<'a> {
    /// A datagram from the network.
    Datagram(&'a Datagram),
    /// Time has passed. This is the current time.
    Timeout(Instant),
}

/// A request of a peer to its caller.
#[derive(Debug)]
pub(super) enum Output {
    /// Send a datagram.
    Transmit(Transmit),
    /// There is nothing more to send. Call the peer again at this time, or earlier if there is an input.
    Timeout(Instant),
}

/// A datagram to send.
#[derive(Debug)]
pub(super) struct Transmit {
    pub(super) route: Route,
    pub(super) contents: DatagramSend,
}

/// When to call [`PeerRole::advance`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Immediately after sending the datagrams: the role may have more to do.
    Continue,
    /// When [`PeerRole::ready`] resolves.
    Wait,
    /// When [`PeerRole::ready`] resolves, but at this time at the latest.
    WaitUntil(Instant),
}

/// The purpose of a peer: its client publishes a stream or plays one.
pub(super) trait PeerRole {
    /// Adds a media section of the answer.
    fn add_media(&mut self, rtc: &mut Rtc, mid: Mid);

    /// Checks that the role can use the negotiated media. Called after all media sections were added.
    ///
    /// # Errors
    /// The role cannot use them. The error is the response to the client.
    fn check_media(&mut self, rtc: &Rtc) -> Result<(), Problem>;

    /// Handles an event of the connection.
    fn handle_event(&mut self, rtc: &mut Rtc, event: Event, now: Instant) -> Result<(), CloseReason>;

    /// Returns the filter through which the peer's RTCP passes before str0m handles it, if the role has one.
    fn resends(&mut self) -> Option<&mut Resends> {
        None
    }

    /// Resolves when [`Self::advance`] has something to do. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The peer has to end, for this reason.
    fn ready(&mut self) -> impl Future<Output = Result<(), CloseReason>> + Send;

    /// Does the next part of the work that is due now.
    ///
    /// # Errors
    /// The peer has to end, for this reason.
    fn advance(&mut self, rtc: &mut Rtc, now: Instant) -> Result<NextStep, CloseReason>;

    /// Records why the peer ended. No other method is called after this one.
    fn close(&mut self, reason: CloseReason);
}

/// Returns the close reason for an error that str0m reports.
pub(super) fn protocol_error(error: impl std::fmt::Display) -> CloseReason {
    CloseReason::Protocol(error.to_string())
}

/// One peer.
pub(super) struct Peer<R> {
    pub(super) rtc: Rtc,
    pub(super) role: R,
    /// The gateway's own addresses, which the SDP answer contains as ICE candidates.
    local_addresses: Vec<SocketAddr>,
    paths: Paths,
    /// The addresses from which the peer has sent since the last ICE restart.
    sources: Vec<SocketAddr>,
    /// The first negotiated media section.
    mid: Option<Mid>,
    ssrcs: SsrcFilter,
    liveness: Liveness,
}

impl<R: PeerRole> Peer<R> {
    /// Creates a peer. Its client reaches the gateway at `local_addresses`.
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

    /// Returns the peer's timeouts and signs of life.
    pub(super) const fn liveness(&self) -> &Liveness {
        &self.liveness
    }

    /// Adds a media section of the answer.
    pub(super) fn add_media(&mut self, mid: Mid) {
        self.mid.get_or_insert(mid);
        self.role.add_media(&mut self.rtc, mid);
    }

    /// Prepares for new ICE credentials of the client, which may have moved to another network.
    pub(super) fn restart_ice(&mut self) {
        self.sources.clear();
    }

    /// Handles an input. After this, call [`Self::drive`] or at least [`Self::flush`].
    ///
    /// # Errors
    /// The connection is broken. An unknown datagram is no error: it is dropped.
    pub(super) fn handle_input(&mut self, input: Input<'_>) -> Result<(), CloseReason> {
        match input {
            Input::Datagram(datagram) => self.handle_datagram(datagram),
            Input::Timeout(now) => self.rtc.handle_input(str0m::Input::Timeout(now)).map_err(protocol_error),
        }
    }

    /// Runs the role until it has to wait, passes each datagram to `send`, and returns the time of the next timeout.
    ///
    /// # Errors
    /// The peer has to end, for this reason.
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

    /// Passes all waiting datagrams to `send`, and returns the time of the next timeout.
    ///
    /// # Errors
    /// The peer has to end, for this reason.
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

    /// Returns the peer's next request to the caller.
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

    /// Calls the role, but only while the peer is reachable.
    fn advance_role(&mut self, now: Instant) -> Result<NextStep, CloseReason> {
        if !self.liveness.is_reachable() {
            return Ok(NextStep::Wait);
        }
        let step = self.role.advance(&mut self.rtc, now)?;
        // str0m turns written media into datagrams only when it handles a timeout.
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

    /// Returns whether the peer may send from this address. Records the address if it is new.
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

    /// Returns the gateway's ICE candidate to which the peer sent a datagram. If the gateway is behind a NAT, the
    /// datagram arrives at an address that is no candidate. Then this returns the candidate with the same IP version.
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
