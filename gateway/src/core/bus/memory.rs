//! A bus for several gateways of one process, in tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::{Bus, Handler, MAX_ANSWERS, MAX_PAYLOAD, Message, NoAnswer, Subject, Subscription};

#[derive(Debug, Default)]
struct State {
    next: u64,
    subscribers: HashMap<Subject, BTreeMap<u64, Subscriber>>,
    /// The nodes that are cut off: their messages reach nobody but themselves.
    cut: BTreeSet<u64>,
    /// The nodes that get messages and never answer, as one whose process is stopped.
    hung: BTreeSet<u64>,
}

struct Subscriber {
    node: u64,
    handler: Handler,
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").field("node", &self.node).finish_non_exhaustive()
    }
}

impl State {
    /// Returns whether a message of one node reaches another.
    fn reaches(&self, from: u64, to: u64) -> bool {
        from == to || !(self.cut.contains(&from) || self.cut.contains(&to))
    }
}

/// The network that connects the buses of several nodes. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct MemoryNet(Arc<Mutex<State>>);

/// The bus of one node of a [`MemoryNet`].
#[derive(Debug)]
pub struct MemoryBus {
    net: MemoryNet,
    node: u64,
    connected: watch::Sender<bool>,
}

impl MemoryNet {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a node.
    pub fn node(&self) -> MemoryBus {
        let mut state = self.state();
        state.next += 1;
        MemoryBus { net: self.clone(), node: state.next, connected: watch::Sender::new(true) }
    }
}

impl MemoryBus {
    /// Cuts the node off, as in a partition, or connects it again. It takes itself for connected all the time.
    pub fn cut(&self, cut: bool) {
        let mut state = self.net.state();
        if cut {
            state.cut.insert(self.node)
        } else {
            state.cut.remove(&self.node)
        };
    }

    /// Makes the node hang, as one whose process is stopped, or go on.
    pub fn hang(&self, hung: bool) {
        let mut state = self.net.state();
        if hung {
            state.hung.insert(self.node)
        } else {
            state.hung.remove(&self.node)
        };
    }

    /// Takes the bus away from this node, or gives it back.
    pub fn set_connected(&self, connected: bool) {
        self.cut(!connected);
        self.connected.send_replace(connected);
    }

    /// Passes a message to its subscribers. Returns how many there are, including those that hang.
    fn send(&self, subject: &Subject, payload: &Bytes, reply: Option<&mpsc::Sender<Bytes>>) -> usize {
        if payload.len() > MAX_PAYLOAD {
            return 0;
        }
        let (handlers, count) = {
            let state = self.net.state();
            let found = state.subscribers.get(subject).into_iter().flat_map(BTreeMap::values);
            let found: Vec<_> =
                found.filter(|subscriber| state.reaches(self.node, subscriber.node)).collect();
            let awake = found.iter().filter(|subscriber| !state.hung.contains(&subscriber.node));
            (awake.map(|subscriber| subscriber.handler.clone()).collect::<Vec<_>>(), found.len())
        };
        // The lock is not held: handlers use the bus.
        for handler in handlers {
            let reply = reply.cloned().map(|reply| {
                Box::new(move |payload| drop(reply.try_send(payload))) as Box<dyn FnOnce(Bytes) + Send + Sync>
            });
            handler(Message::new(payload.clone(), reply));
        }
        count
    }
}

impl Bus for MemoryBus {
    fn subscribe(&self, subject: Subject, handler: Handler) -> Subscription {
        struct End(MemoryNet, Subject, u64);
        impl Drop for End {
            fn drop(&mut self) {
                let mut state = self.0.state();
                if let Some(subscribers) = state.subscribers.get_mut(&self.1) {
                    subscribers.remove(&self.2);
                    if subscribers.is_empty() {
                        state.subscribers.remove(&self.1);
                    }
                }
            }
        }
        let mut state = self.net.state();
        state.next += 1;
        let (id, subscriber) = (state.next, Subscriber { node: self.node, handler });
        state.subscribers.entry(subject.clone()).or_default().insert(id, subscriber);
        Subscription::new(End(self.net.clone(), subject, id))
    }

    fn publish(&self, subject: &Subject, payload: Bytes) {
        self.send(subject, &payload, None);
    }

    fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Bytes, NoAnswer>> {
        if !*self.connected.borrow() {
            return std::future::ready(Err(NoAnswer::Away)).boxed();
        }
        let (sender, mut answers) = mpsc::channel(1);
        if self.send(subject, &payload, Some(&sender)) == 0 {
            return std::future::ready(Err(NoAnswer::Nobody)).boxed();
        }
        async move {
            // Held until the end: a subscriber that does not answer is silent until the time is over.
            let _sender = sender;
            let first = timeout_at(Instant::now() + wait, answers.recv()).await;
            first.ok().flatten().ok_or(NoAnswer::Silent)
        }
        .boxed()
    }

    fn gather(
        &self,
        subject: &Subject,
        payload: Bytes,
        wait: Duration,
        enough: usize,
    ) -> BoxFuture<'_, Vec<Bytes>> {
        let (sender, mut answers) = mpsc::channel(MAX_ANSWERS);
        self.send(subject, &payload, Some(&sender));
        async move {
            let _sender = sender;
            let (end, mut all) = (Instant::now() + wait, Vec::new());
            while all.len() < enough.min(MAX_ANSWERS)
                && let Ok(Some(answer)) = timeout_at(end, answers.recv()).await
            {
                all.push(answer);
            }
            all
        }
        .boxed()
    }

    fn flush(&self, _: Duration) -> BoxFuture<'_, bool> {
        std::future::ready(*self.connected.borrow()).boxed()
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(300);

    fn echo(bus: &MemoryBus, subject: &Subject, name: &'static str) -> Subscription {
        bus.subscribe(subject.clone(), Arc::new(move |message| message.answer(name)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_finds_subscribers_or_nobody_or_one_that_hangs() {
        let net = MemoryNet::default();
        let (a, b, c) = (net.node(), net.node(), net.node());
        let subject = Subject::new("x");
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await, Err(NoAnswer::Nobody));
        let subscription = echo(&b, &subject, "b");
        let _other = echo(&c, &subject, "c");
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await.unwrap(), "b");
        assert_eq!(a.gather(&subject, Bytes::new(), WAIT, 9).await, ["b", "c"]);
        b.hang(true);
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await.unwrap(), "c");
        c.cut(true);
        let begun = Instant::now();
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await, Err(NoAnswer::Silent));
        assert_eq!(begun.elapsed(), WAIT);
        assert_eq!(c.request(&subject, Bytes::new(), WAIT).await.unwrap(), "c", "its own");
        drop(subscription);
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await, Err(NoAnswer::Nobody));
        a.set_connected(false);
        assert_eq!(a.request(&subject, Bytes::new(), WAIT).await, Err(NoAnswer::Away));
    }

    #[tokio::test]
    async fn large_messages_and_answers_are_not_sent() {
        let net = MemoryNet::default();
        let (a, b) = (net.node(), net.node());
        let subject = Subject::new("x");
        let _large =
            b.subscribe(subject.clone(), Arc::new(|message| message.answer(vec![0; MAX_PAYLOAD + 1])));
        let _small = echo(&b, &subject, "small");
        assert_eq!(a.gather(&subject, Bytes::new(), Duration::from_millis(50), 2).await, ["small"]);
        let large = Bytes::from(vec![0; MAX_PAYLOAD + 1]);
        assert!(a.gather(&subject, large, Duration::from_millis(50), 2).await.is_empty());
    }

    #[tokio::test]
    async fn the_number_of_answers_is_bounded() {
        let net = MemoryNet::default();
        let (a, b) = (net.node(), net.node());
        let subject = Subject::new("x");
        let _all: Vec<_> = (0..=MAX_ANSWERS).map(|_| echo(&b, &subject, "b")).collect();
        assert_eq!(a.gather(&subject, Bytes::new(), WAIT, usize::MAX).await.len(), MAX_ANSWERS);
    }
}
