//! The task of one session: moves datagrams between the port and the [`Peer`], and carries out requests.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::paths::Route;
use super::peer::{Input, Peer, PeerRole, Transmit};
use super::port::{Datagram, Outbox, PeerRoutes, Port};
use super::rtc;
use super::sdp::{self, ClientOffer, Credentials, SdpError};
use super::session_permit::SessionPermit;
use crate::core::close::CloseReason;

/// A request about a running session.
#[derive(Debug)]
pub(super) enum Command {
    /// End the session.
    Close,
    /// Restart ICE with the client's new credentials. The reply is the SDP fragment with the gateway's new ones.
    RestartIce(Credentials, oneshot::Sender<Result<String, SdpError>>),
}

/// Requests that may wait for one session.
const MAX_QUEUED_COMMANDS: usize = 8;

/// The queue of a session's requests.
pub(super) fn commands() -> (mpsc::Sender<Command>, mpsc::Receiver<Command>) {
    mpsc::channel(MAX_QUEUED_COMMANDS)
}

/// Datagrams that a session handles before the peer's role and other sessions get their turn.
const MAX_DATAGRAMS_PER_TURN: usize = 64;

thread_local! {
    /// One outbox for all sessions of a worker: it is empty between two turns.
    static OUTBOX: RefCell<Outbox> = RefCell::default();
}

/// The state of one session's task.
pub(super) struct SessionTask<R> {
    pub(super) peer: Peer<R>,
    pub(super) port: Arc<Port>,
    pub(super) routes: PeerRoutes,
    pub(super) inbox: mpsc::Receiver<Datagram>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// The client's offer, which an ICE restart repeats.
    pub(super) offer: ClientOffer,
    pub(super) stop: CancellationToken,
    pub(super) permit: SessionPermit,
}

/// Why the task woke up.
#[derive(Debug)]
enum Wake {
    /// The gateway stops.
    Stopped,
    /// Another client needs the permit of this session.
    Displaced,
    /// A request arrived, or its queue was closed.
    Command(Option<Command>),
    /// The role has something to do, or has to end.
    Role(Result<(), CloseReason>),
    /// A datagram arrived.
    Datagram(Option<Datagram>),
    /// The peer's timeout has passed.
    Timeout,
}

impl<R: PeerRole> SessionTask<R> {
    /// Runs the session until it ends, and records why.
    pub(super) async fn run(mut self) {
        let Err(reason) = self.serve().await;
        // Tells the client once: RTCP BYE and DTLS close_notify.
        let _ = self.peer.rtc.close();
        let _ = self.flush(Instant::now());
        self.peer.role.close(reason);
    }

    async fn serve(&mut self) -> Result<Infallible, CloseReason> {
        let timer = tokio::time::sleep_until(Instant::now().into());
        let mut timer = std::pin::pin!(timer);
        let mut stopped = std::pin::pin!(self.stop.clone().cancelled_owned());
        loop {
            let timeout = self.drive(Instant::now())?;
            if timer.deadline().into_std() != timeout {
                timer.as_mut().reset(timeout.into());
            }
            let wake = self.wait(timer.as_mut(), stopped.as_mut()).await;
            self.handle_wake(wake)?;
        }
    }

    /// Waits for the next reason to work.
    async fn wait(
        &mut self,
        timer: Pin<&mut Sleep>,
        stopped: Pin<&mut WaitForCancellationFutureOwned>,
    ) -> Wake {
        tokio::select! {
            biased;
            () = stopped => Wake::Stopped,
            () = self.permit.displaced() => Wake::Displaced,
            command = self.commands.recv() => Wake::Command(command),
            ready = self.peer.role.ready() => Wake::Role(ready),
            datagram = self.inbox.recv() => Wake::Datagram(datagram),
            () = timer => Wake::Timeout,
        }
    }

    fn handle_wake(&mut self, wake: Wake) -> Result<(), CloseReason> {
        match wake {
            Wake::Stopped => Err(CloseReason::Shutdown),
            Wake::Displaced => Err(CloseReason::Displaced),
            Wake::Command(command) => self.handle_command(command),
            Wake::Role(ready) => ready,
            Wake::Datagram(datagram) => self.handle_datagrams(datagram),
            Wake::Timeout => self.peer.handle_input(Input::Timeout(Instant::now())),
        }
    }

    /// Handles a datagram, and those that have come since, as far as one turn allows.
    fn handle_datagrams(&mut self, first: Option<Datagram>) -> Result<(), CloseReason> {
        let mut next = first;
        for _ in 0..MAX_DATAGRAMS_PER_TURN {
            let Some(datagram) = next else { return Ok(()) };
            self.peer.handle_input(Input::Datagram(&datagram))?;
            self.flush(datagram.at)?;
            next = self.inbox.try_recv().ok();
        }
        match next {
            Some(datagram) => self.peer.handle_input(Input::Datagram(&datagram)),
            None => Ok(()),
        }
    }

    /// Lets the peer work and sends what it transmits. Returns the time of its next timeout.
    fn drive(&mut self, now: Instant) -> Result<Instant, CloseReason> {
        let timeout =
            self.with_sender(now, |peer, sender| peer.drive(now, |datagram| sender.send(datagram)))?;
        if self.peer.liveness().is_connected() {
            self.permit.connect()?;
        }
        Ok(timeout)
    }

    /// Sends what the peer transmits.
    fn flush(&mut self, now: Instant) -> Result<Instant, CloseReason> {
        self.with_sender(now, |peer, sender| peer.flush(now, |datagram| sender.send(datagram)))
    }

    /// Runs `step`, which sends datagrams, and empties the outbox after it.
    fn with_sender<T>(&mut self, now: Instant, step: impl FnOnce(&mut Peer<R>, &mut Sender<'_>) -> T) -> T {
        OUTBOX.with_borrow_mut(|outbox| {
            let mut sender = Sender { outbox, port: &self.port, routes: &mut self.routes, now };
            let done = step(&mut self.peer, &mut sender);
            sender.outbox.flush(&self.port);
            done
        })
    }

    fn handle_command(&mut self, command: Option<Command>) -> Result<(), CloseReason> {
        match command {
            None | Some(Command::Close) => Err(CloseReason::Left),
            Some(Command::RestartIce(theirs, reply)) => {
                // The restart is valid even if the client has given up its request.
                let _ = reply.send(self.restart_ice(theirs));
                Ok(())
            }
        }
    }

    /// Restarts ICE: the same offer is negotiated again with other credentials (RFC 8445 9).
    fn restart_ice(&mut self, theirs: Credentials) -> Result<String, SdpError> {
        self.offer.restart_ice(theirs);
        let rtc = &mut self.peer.rtc;
        let answer = rtc::accept(rtc, &self.offer)?;
        self.routes.add_username(rtc.direct_api().local_ice_credentials().ufrag);
        self.peer.restart_ice();
        sdp::fragment(&self.offer.answer(&answer)?).ok_or(SdpError::Contradiction)
    }
}

/// Sends one session's datagrams by the port.
struct Sender<'a> {
    outbox: &'a mut Outbox,
    port: &'a Port,
    routes: &'a mut PeerRoutes,
    now: Instant,
}

impl Sender<'_> {
    fn send(&mut self, transmit: Transmit) {
        let Route { protocol, to, from } = transmit.route;
        self.routes.add_address(protocol, to, self.now);
        self.outbox.push(protocol, to, from, &transmit.contents);
        if self.outbox.is_full() {
            self.outbox.flush(self.port);
        }
    }
}
