//! The WebSocket of a client that is in a room.
//!
//! Two tasks use it: the client's own task reads, and sends what is for this client only; the room's task on this worker
//! sends the messages for all clients. Neither waits while it uses the socket.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::{Error, Message as Frame, Utf8Bytes};

use super::Client;
use super::end::{End, NORMAL, binary, broken, closed, too_slow};
use crate::net::worker::Socket;
use crate::rooms::delivery::{Delivery, Outlet, Subscription};
use crate::web::websocket::PING;

/// The content of [`Line`].
#[derive(Debug)]
struct State<S> {
    /// The WebSocket, until it is taken back.
    client: Option<Client<S>>,
    /// Wakes the client's own task.
    waker: Waker,
    /// Why the connection has to end.
    end: Option<End>,
}

/// A client's WebSocket, and the messages that the client has to receive.
#[derive(Debug)]
pub(super) struct Line<S = Socket> {
    subscription: Subscription,
    state: Mutex<State<S>>,
}

/// A message from a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(Utf8Bytes),
    /// A ping or a pong, which is answered already.
    Control,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(client: Client<S>, subscription: Subscription) -> Self {
        let state = State { client: Some(client), waker: Waker::noop().clone(), end: None };
        Self { subscription, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a message from the client. Sends meanwhile what is for the client.
    ///
    /// # Errors
    /// The connection has ended, or has to end.
    pub(super) async fn next(&self) -> Result<Heard, End> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Result<Heard, End>> {
        let state = &mut *self.state();
        if !state.waker.will_wake(cx.waker()) {
            state.waker = cx.waker().clone();
        }
        self.subscription.register(cx.waker());
        ready!(state.poll_send(&self.subscription, cx))?;
        let Some(client) = &mut state.client else { return Poll::Ready(Err((NORMAL, String::new()))) };
        Poll::Ready(match ready!(client.poll_next_unpin(cx)) {
            None | Some(Ok(Frame::Close(_))) => Err((NORMAL, String::new())),
            Some(Err(error)) => Err(broken(&error)),
            Some(Ok(Frame::Binary(_))) => Err(binary()),
            Some(Ok(Frame::Text(text))) => Ok(Heard::Text(text)),
            Some(Ok(_)) => Ok(Heard::Control),
        })
    }

    /// Sends a ping with the next messages, unless earlier messages still wait: these do as well.
    pub(super) fn ping(&self) {
        let state = &mut *self.state();
        if let Some(client) = state.client.as_mut().filter(|client| !client.get_ref().is_behind()) {
            client.get_mut().push(PING);
        }
    }

    /// Takes the WebSocket back.
    pub(super) fn take(&self) -> Option<Client<S>> {
        self.state().client.take()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> State<S> {
    /// Sends what waits for the client.
    fn poll_send(&mut self, subscription: &Subscription, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Some(client) = &mut self.client else { return Poll::Ready(Ok(())) };
        loop {
            if let Some(end) = &self.end {
                return Poll::Ready(Err(end.clone()));
            }
            if let Err(error) = ready!(client.get_mut().poll_send(cx)) {
                let slow = error.kind() == std::io::ErrorKind::TimedOut;
                self.end = Some(if slow { too_slow() } else { broken(&Error::Io(error)) });
                continue;
            }
            match subscription.take() {
                None => return Poll::Ready(Ok(())),
                Some(Delivery::Text(text)) => client.get_mut().push(text.bytes().clone()),
                Some(Delivery::Close(code)) => self.end = Some(closed(code)),
                Some(Delivery::TooSlow) => self.end = Some(too_slow()),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Outlet for Line<S> {
    fn pump(&self) {
        let state = &mut *self.state();
        let waker = state.waker.clone();
        // If the socket takes nothing now, it wakes the client's own task once it does.
        let sent = state.poll_send(&self.subscription, &mut Context::from_waker(&waker));
        if matches!(sent, Poll::Ready(Err(_))) {
            waker.wake();
        }
    }
}
