//! The messages that one client of a room has not received yet.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::batches::{Batch, Batches};
use crate::rooms::state::CloseCode;
use crate::web::websocket::Text;

/// Maximum number of messages for one client only that wait. A client with more is disconnected.
const MAX_OWN: usize = 64;

/// The next step for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rooms) enum Delivery {
    /// Send this text message: a JSON array of messages.
    Text(Text),
    /// Close the connection with this code.
    Close(CloseCode),
    /// Close the connection: the client was too slow.
    TooSlow,
}

/// The content of [`Mailbox`].
#[derive(Debug)]
struct State {
    /// The messages for this client only, each with the number of the batch before which it is sent.
    own: VecDeque<(u64, Delivery)>,
    /// The number of the next batch; `None` while the client gets no batches.
    next: Option<u64>,
    too_slow: bool,
    /// Wakes the task of the client.
    waker: Option<Waker>,
}

/// The messages for one client, from the room's side.
#[derive(Debug)]
pub(in crate::rooms) struct Mailbox(Mutex<State>);

impl Mailbox {
    /// Creates an empty mailbox. The client gets the batches from `next` on; no batches if it is `None`.
    pub(in crate::rooms) fn new(next: Option<u64>) -> Self {
        Self(Mutex::new(State { own: VecDeque::new(), next, too_slow: false, waker: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a delivery for this client only, before batch `end`, and wakes the task of the client.
    pub(in crate::rooms) fn push(&self, end: u64, delivery: Delivery) {
        let mut state = self.state();
        if state.own.len() >= MAX_OWN {
            state.too_slow = true;
        } else {
            state.own.push_back((end, delivery));
        }
        let waker = state.waker.clone();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Lets the client get the batches from `next` on, if it has got none before. Returns whether it had not.
    pub(in crate::rooms) fn enter(&self, next: u64) -> bool {
        let mut state = self.state();
        let enters = state.next.is_none();
        state.next.get_or_insert(next);
        enters
    }

    /// Wakes the task of the client.
    fn wake(&self) {
        let waker = self.state().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn take(&self, batches: &Mutex<Batches>) -> Option<Delivery> {
        let mut state = self.state();
        if state.too_slow {
            return Some(Delivery::TooSlow);
        }
        if state.own.front().is_some_and(|(at, _)| state.next.is_none_or(|next| *at <= next)) {
            let delivery = state.own.pop_front().map(|(_, delivery)| delivery);
            if matches!(delivery, Some(Delivery::Close(_))) {
                (state.next, state.own) = (None, VecDeque::new());
            }
            return delivery;
        }
        let next = state.next?;
        match batches.lock().unwrap_or_else(PoisonError::into_inner).get(next) {
            Batch::Kept(text) => {
                state.next = Some(next + 1);
                Some(Delivery::Text(text))
            }
            Batch::Dropped => {
                // A client that is closed anyway hears the true reason.
                let close = state
                    .own
                    .iter()
                    .map(|(_, delivery)| delivery)
                    .find(|own| matches!(own, Delivery::Close(_)));
                let end = close.cloned().unwrap_or(Delivery::TooSlow);
                state.too_slow = end == Delivery::TooSlow;
                (state.next, state.own) = (None, VecDeque::new());
                Some(end)
            }
            Batch::Future => None,
        }
    }
}

impl super::Outlet for Mailbox {
    fn pump(&self) {
        self.wake();
    }
}

/// The messages for one client, from the client's side.
#[derive(Debug)]
pub(in crate::rooms) struct Subscription {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) batches: Arc<Mutex<Batches>>,
}

impl Subscription {
    pub(in crate::rooms) fn new(mailbox: Arc<Mailbox>, batches: Arc<Mutex<Batches>>) -> Self {
        Self { mailbox, batches }
    }

    pub(in crate::rooms) fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Sets the task to wake when a message for this client only comes.
    pub(in crate::rooms) fn register(&self, waker: &Waker) {
        let mut state = self.mailbox.state();
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
    }

    /// Returns the next delivery, if there is one now.
    pub(in crate::rooms) fn take(&self) -> Option<Delivery> {
        self.mailbox.take(&self.batches)
    }

    /// Waits for the next delivery.
    pub(in crate::rooms) async fn next(&self) -> Delivery {
        poll_fn(|cx| {
            self.register(cx.waker());
            self.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Delivery {
        Delivery::Text(Text::new(text))
    }

    fn subscription(next: Option<u64>) -> Subscription {
        Subscription::new(Arc::new(Mailbox::new(next)), Arc::default())
    }

    fn batch(to: &Subscription, text: &str) {
        to.batches.lock().unwrap().push(Text::new(text));
    }

    #[test]
    fn messages_keep_their_order() {
        let client = subscription(Some(1));
        client.mailbox.push(0, text("welcome"));
        batch(&client, "before the client came");
        batch(&client, "first");
        client.mailbox.push(2, text("answer"));
        batch(&client, "second");
        client.mailbox.push(3, Delivery::Close(CloseCode::Left));
        batch(&client, "third");
        let got: Vec<_> = std::iter::from_fn(|| client.take()).collect();
        let expected = [
            text("welcome"),
            text("first"),
            text("answer"),
            text("second"),
            Delivery::Close(CloseCode::Left),
        ];
        assert_eq!(got, expected);
    }

    #[test]
    fn in_the_lobby_nothing_is_heard_of_the_room() {
        let client = subscription(None);
        batch(&client, "0");
        client.mailbox.push(1, text("waiting"));
        assert_eq!((client.take(), client.take()), (Some(text("waiting")), None));
        batch(&client, "1");
        assert!(client.mailbox.enter(2));
        assert!(!client.mailbox.enter(9));
        batch(&client, "2");
        assert_eq!((client.take(), client.take()), (Some(text("2")), None));
    }

    #[test]
    fn a_client_may_be_behind_by_so_much() {
        let client = subscription(Some(0));
        for n in 0..super::super::batches::MAX_BATCHES {
            batch(&client, &n.to_string());
        }
        assert_eq!(client.take(), Some(text("0")));
        batch(&client, "64");
        batch(&client, "65");
        assert_eq!((client.take(), client.take()), (Some(Delivery::TooSlow), Some(Delivery::TooSlow)));

        let client = subscription(Some(0));
        for _ in 0..MAX_OWN {
            client.mailbox.push(0, text("own"));
        }
        assert_eq!(client.take(), Some(text("own")));
        client.mailbox.push(0, text("own"));
        client.mailbox.push(0, text("own"));
        assert_eq!(client.take(), Some(Delivery::TooSlow));
    }
}
