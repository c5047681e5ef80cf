//! A peer of the gateway and a client, with a simulated network between them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use str0m::Rtc;
use str0m::config::DtlsCert;
use str0m::media::{Direction, Mid};
use str0m::net::Protocol;

use super::client::Client;
use super::network::Link;
use crate::core::client::Act;
use crate::core::close::CloseReason;
use crate::edges::webrtc::liveness::Timeouts;
use crate::edges::webrtc::peer::{Input, Peer, PeerRole};
use crate::edges::webrtc::port::Datagram;
use crate::edges::webrtc::sdp::{self, ClientOffer};
use crate::edges::webrtc::{candidates, rtc};

pub(super) const HERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 8000);
pub(super) const THERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)), 5000);

/// Maximum number of steps at one moment. More steps are a busy loop.
const BUSY: u32 = 2000;

/// The virtual time.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(super) struct World<R> {
    pub(super) peer: Peer<R>,
    pub(super) client: Client,
    pub(super) up: Link,
    pub(super) down: Link,
    /// Number of calls of the peer.
    pub(super) woken: u64,
}

impl<R: PeerRole> World<R> {
    /// A client that publishes or plays, and the peer for it, not yet connected.
    pub(super) async fn new(direction: Direction, make: impl FnOnce(&DtlsCert) -> (Rtc, R)) -> Self {
        let (mut client, offer) = Client::new(direction);
        let (mut rtc, role) = make(&rtc::certificate().unwrap());
        candidates::candidates(&[HERE]).into_iter().for_each(|candidate| {
            rtc.add_local_candidate(candidate);
        });
        let act = if direction == Direction::SendOnly { Act::Publish } else { Act::Play };
        let offered = ClientOffer::read(&offer, act).unwrap();
        let answer = rtc::accept(&mut rtc, &offered).unwrap();
        let timeouts = Timeouts { connect: Duration::from_secs(10), unreachable: Duration::from_secs(15) };
        let mut peer = Peer::new(rtc, role, vec![HERE], timeouts, now());
        sdp::mids(&answer).for_each(|mid| peer.add_media(Mid::from(mid)));
        client.answered(&offered.answer(&answer).unwrap());
        Self { peer, client, up: Link::new(1), down: Link::new(2), woken: 0 }
    }

    /// Runs until both have connected.
    pub(super) async fn connect(&mut self) {
        for _ in 0..500 {
            if self.client.connected.is_some() && self.peer.liveness().is_reachable() {
                return;
            }
            self.run(Duration::from_millis(10)).await.unwrap();
        }
        panic!("not connected");
    }

    /// Runs both for this time.
    pub(super) async fn run(&mut self, time: Duration) -> Result<(), CloseReason> {
        self.run_until(now() + time).await
    }

    pub(super) async fn run_until(&mut self, end: Instant) -> Result<(), CloseReason> {
        let (mut moment, mut busy) = (now(), 0);
        loop {
            let now = now();
            busy = if now == moment { busy + 1 } else { 0 };
            moment = now;
            assert!(busy < BUSY, "a busy loop");
            let next = self.step(now).await?;
            if now >= end && next > now {
                return Ok(());
            }
            tokio::time::advance(next.min(end).saturating_duration_since(now)).await;
        }
    }

    /// Runs the steps of the session's task and of the browser at this moment.
    /// Returns the time of the next timeout or arrival.
    async fn step(&mut self, now: Instant) -> Result<Instant, CloseReason> {
        while let Some(datagram) = self.down.arrived(now) {
            self.client.receive(now, &datagram);
            self.client.drain(now, |bytes| self.up.send(now, bytes));
        }
        self.client.timeout(now);
        let theirs = self.client.drain(now, |bytes| self.up.send(now, bytes));
        while let Some(bytes) = self.up.arrived(now) {
            self.receive(now, bytes)?;
        }
        // Gives the tasks of the stream their turn.
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        if self.peer.liveness().is_reachable()
            && let Some(ready) = self.peer.role.ready().now_or_never()
        {
            ready?;
        }
        self.peer.handle_input(Input::Timeout(now))?;
        self.woken += 1;
        let ours = self.peer.drive(now, |transmit| self.down.send(now, &transmit.contents))?;
        let arrivals = [self.up.next(), self.down.next()].into_iter().flatten();
        Ok(arrivals.fold(ours.min(theirs), Instant::min))
    }

    /// Passes a datagram to the peer.
    pub(super) fn receive(&mut self, now: Instant, bytes: Vec<u8>) -> Result<(), CloseReason> {
        let (source, local) = (THERE, Some(HERE.ip()));
        let datagram =
            Datagram { protocol: Protocol::Udp, source, local, at: now, bytes: Bytes::from(bytes) };
        self.peer.handle_input(Input::Datagram(&datagram))?;
        self.peer.flush(now, |transmit| self.down.send(now, &transmit.contents))?;
        Ok(())
    }
}
