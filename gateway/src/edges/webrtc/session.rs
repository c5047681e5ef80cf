//! A peer's task, and how requests reach it.

use std::cell::RefCell;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::paths::Way;
use super::peer::{Peer, Side};
use super::port::{Datagram, Outbox, Place, Port};
use super::rtc;
use super::sdp::{self, Credentials, Offered, Unfit};
use super::slot::Slot;
use crate::core::close::CloseReason;

/// What a request wants of a session.
#[derive(Debug)]
pub(super) enum Command {
    /// To end.
    Close,
    /// Other ICE credentials of the client; answered with the fragment that tells ours.
    Restart(Credentials, oneshot::Sender<Result<String, Unfit>>),
}

/// Requests that wait for a session at most.
const WAITING: usize = 8;

/// The way to a session, and its other end.
pub(super) fn commands() -> (mpsc::Sender<Command>, mpsc::Receiver<Command>) {
    mpsc::channel(WAITING)
}

/// Datagrams that are taken in before others get their turn.
const TURN: usize = 64;

/// What a session's task has.
pub(super) struct Session<S> {
    pub(super) peer: Peer<S>,
    pub(super) port: std::sync::Arc<Port>,
    pub(super) place: Place,
    pub(super) inbox: mpsc::Receiver<Datagram>,
    pub(super) commands: mpsc::Receiver<Command>,
    /// The client's offer, which an ICE restart repeats.
    pub(super) offer: Offered,
    pub(super) stop: CancellationToken,
    pub(super) slot: Slot,
}

thread_local! {
    /// One for all sessions of a worker: between two of them it is empty.
    static OUTBOX: RefCell<Outbox> = RefCell::default();
}

impl<S: Side> Session<S> {
    /// Runs until it ends, and says why.
    pub(super) async fn run(mut self) {
        let Err(reason) = self.serve().await;
        // The other side is told, once: RTCP BYE and DTLS's close_notify.
        let _ = self.peer.rtc.close();
        let _ = self.drain(Instant::now());
        self.peer.side.close(reason);
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, CloseReason> {
        let timer = tokio::time::sleep_until(Instant::now().into());
        let mut timer = std::pin::pin!(timer);
        let mut stopped = std::pin::pin!(self.stop.clone().cancelled_owned());
        loop {
            let now = Instant::now();
            let mut due = None;
            let next = loop {
                let (more, again) = self.peer.act(now)?;
                due = again.or(due);
                let next = self.drain(now)?;
                if !more {
                    break next;
                }
            };
            if self.peer.is_connected() {
                self.slot.connected()?;
            }
            let next = due.map_or(next, |due| due.min(next));
            if timer.deadline().into_std() != next {
                timer.as_mut().reset(next.into());
            }
            tokio::select! {
                biased;
                () = stopped.as_mut() => return Err(CloseReason::Shutdown),
                () = self.slot.displaced() => return Err(CloseReason::Displaced),
                command = self.commands.recv() => self.command(command)?,
                done = self.peer.side.work() => done?,
                datagram = self.inbox.recv() => {
                    let mut taken = datagram;
                    for _ in 0..TURN {
                        let Some(datagram) = taken else { break };
                        self.peer.receive(&datagram)?;
                        self.drain(datagram.at)?;
                        taken = self.inbox.try_recv().ok();
                    }
                    if let Some(datagram) = taken {
                        self.peer.receive(&datagram)?;
                    }
                }
                () = timer.as_mut() => self.peer.timeout(Instant::now())?,
            }
        }
    }

    /// Sends what there is to send.
    fn drain(&mut self, now: Instant) -> Result<Instant, CloseReason> {
        OUTBOX.with_borrow_mut(|outbox| {
            let next = self.peer.drain(now, |transmit| {
                let Way { protocol, to, from } = transmit.way;
                self.place.reached(protocol, to, now);
                outbox.push(protocol, to, from, transmit.bytes);
                if outbox.full() {
                    outbox.flush(&self.port);
                }
            });
            outbox.flush(&self.port);
            next
        })
    }

    fn command(&mut self, command: Option<Command>) -> Result<(), CloseReason> {
        match command {
            None | Some(Command::Close) => Err(CloseReason::Left),
            Some(Command::Restart(theirs, reply)) => {
                // Who asked may be gone; the restart stands.
                let _ = reply.send(self.restart(theirs));
                Ok(())
            }
        }
    }

    /// An ICE restart is the same offer with other credentials (RFC 8445 9).
    fn restart(&mut self, theirs: Credentials) -> Result<String, Unfit> {
        self.offer.restart(theirs);
        let rtc = &mut self.peer.rtc;
        let answer = rtc::accept(rtc, &self.offer)?;
        self.place.name(rtc.direct_api().local_ice_credentials().ufrag);
        self.peer.restarted();
        sdp::fragment(&self.offer.answer(&answer)?).ok_or(Unfit::Contradiction)
    }
}
