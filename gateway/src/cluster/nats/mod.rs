//! The bus over NATS: core subjects, without JetStream. Debian's nats-server 2.9 is enough.
//!
//! One connection carries all messages of the gateway. It connects again by itself, to the next server if there are
//! several, and finds a server that hangs by pings. The client is our own, because a subscription has to be small: each
//! stream of a node is one, and the crate async-nats takes 10 kB for each.
//!
//! `wire` reads and writes the protocol, `table` has the subscriptions and questions, `connection` logs in with
//! `credentials`, `run` moves messages, `servers` chooses the next server. Start reading at [`NatsBus`].

mod address;
mod connection;
mod credentials;
mod run;
mod servers;
mod table;
mod wire;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use self::address::NatsAddress;
use self::connection::Visitor;
use self::credentials::Credentials;
use self::servers::Servers;
use self::table::{Reply, Table, Waiter};
use crate::core::bus::{Bus, Handler, MAX_ANSWERS, MAX_PAYLOAD, NoAnswer, Subject, Subscription};
use crate::remote::Dialer;

/// Maximum number of messages that wait to be sent. Beyond it, they are dropped and counted.
const MAX_QUEUED: usize = 4096;

/// Something to send.
enum Outgoing {
    /// A message.
    Message { subject: Arc<str>, payload: Bytes },
    /// A message whose answers belong to a question.
    Question { subject: Subject, question: u64, payload: Bytes },
    /// Tell when the server has everything before this.
    Flush(oneshot::Sender<()>),
}

/// What the bus and the task of its connection share.
struct Shared {
    table: Mutex<Table>,
    /// The table has changes for the server.
    changed: Notify,
    connected: watch::Sender<bool>,
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bus over NATS. Cloning shares the connection.
#[derive(Clone)]
pub struct NatsBus {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Outgoing>,
    /// Ends with the bus.
    _task: Arc<AbortOnDropHandle<()>>,
}

impl fmt::Debug for NatsBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBus").field("connected", &self.is_connected()).finish_non_exhaustive()
    }
}

impl NatsBus {
    /// Connects to one of these servers, in the background on `runtime`. `name` is shown by the server. `credentials` is
    /// a file with an nkey seed or credentials; empty if the servers need none. TLS uses the certificate authorities of
    /// `dialer`.
    ///
    /// # Errors
    /// An address or the file is not valid; the text contains no secrets.
    pub fn new(
        servers: &[String],
        credentials: &Path,
        name: &str,
        dialer: &Dialer,
        runtime: &Handle,
    ) -> Result<Self, String> {
        let parse = |(n, server): (usize, &String)| {
            NatsAddress::parse(server).ok_or_else(|| format!("address {} of --cluster is not valid", n + 1))
        };
        let servers = servers.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        let wrong = |error| format!("cannot use {} (--cluster-credentials): {error}", credentials.display());
        let is_given = !credentials.as_os_str().is_empty();
        let credentials = is_given.then(|| Credentials::read(credentials)).transpose().map_err(wrong)?;
        let visitor = Visitor { name: name.to_owned(), credentials, dialer: dialer.clone() };
        let first = rand::random_range(0..servers.len().max(1));
        let (queue, queued) = mpsc::channel(MAX_QUEUED);
        let shared = Arc::new(Shared {
            table: Mutex::new(Table::new()),
            changed: Notify::new(),
            connected: watch::Sender::new(false),
        });
        let run = run::run(shared.clone(), visitor, Servers::new(servers, first), (queue.clone(), queued));
        let task = Arc::new(AbortOnDropHandle::new(runtime.spawn(run)));
        Ok(Self { shared, queue, _task: task })
    }

    fn is_connected(&self) -> bool {
        *self.shared.connected.borrow()
    }

    /// Sends a question. Returns it, if it could be queued before `end`.
    async fn ask(&self, waiter: Waiter, subject: Subject, payload: Bytes, end: Instant) -> Option<Question> {
        if payload.len() > MAX_PAYLOAD {
            return None;
        }
        let question = self.shared.table().wait(waiter);
        let asked = Question { shared: self.shared.clone(), question };
        let queued = self.queue.send(Outgoing::Question { subject, question, payload });
        timeout_at(end, queued).await.ok()?.ok()?;
        Some(asked)
    }
}

/// An open question. Dropping it ends it.
struct Question {
    shared: Arc<Shared>,
    question: u64,
}

impl Drop for Question {
    fn drop(&mut self) {
        self.shared.table().forget(self.question);
    }
}

/// An entry of the table. Dropping it ends the subscription.
struct Subscribed {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        let is_connected = *self.shared.connected.borrow();
        // The handler is dropped without the lock: it may hold what uses the bus.
        let handler = {
            let mut table = self.shared.table();
            let handler = table.handler(self.id);
            table.unsubscribe(self.id);
            if !is_connected {
                table.drop_old();
            }
            handler
        };
        drop(handler);
        self.shared.changed.notify_one();
    }
}

impl Bus for NatsBus {
    fn subscribe(&self, subject: Subject, handler: Handler) -> Subscription {
        let id = self.shared.table().subscribe(subject, handler);
        self.shared.changed.notify_one();
        Subscription::new(Subscribed { shared: self.shared.clone(), id })
    }

    fn publish(&self, subject: &Subject, payload: Bytes) {
        if payload.len() <= MAX_PAYLOAD {
            send(&self.queue, subject.as_str().into(), payload);
        }
    }

    fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Bytes, NoAnswer>> {
        let subject = subject.clone();
        async move {
            if !self.is_connected() {
                return Err(NoAnswer::Away);
            }
            let (end, (sender, answer)) = (Instant::now() + wait, oneshot::channel());
            let asked = self.ask(Waiter::One(sender), subject, payload, end).await;
            let Some(_asked) = asked else { return Err(NoAnswer::Silent) };
            match timeout_at(end, answer).await {
                Ok(Ok(Reply::Answer(answer))) => Ok(answer),
                Ok(Ok(Reply::Nobody)) => Err(NoAnswer::Nobody),
                // The connection has ended.
                Ok(Err(_)) => Err(NoAnswer::Away),
                Err(_) => Err(NoAnswer::Silent),
            }
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
        let subject = subject.clone();
        async move {
            let (end, mut all) = (Instant::now() + wait, Vec::new());
            let (sender, mut answers) = mpsc::channel(MAX_ANSWERS);
            if !self.is_connected() {
                return all;
            }
            let asked = self.ask(Waiter::Many(sender), subject, payload, end).await;
            let Some(_asked) = asked else { return all };
            while all.len() < enough.min(MAX_ANSWERS)
                && let Ok(Some(Reply::Answer(answer))) = timeout_at(end, answers.recv()).await
            {
                all.push(answer);
            }
            all
        }
        .boxed()
    }

    fn flush(&self, wait: Duration) -> BoxFuture<'_, bool> {
        async move {
            let (sender, flushed) = oneshot::channel();
            let flush =
                async { self.queue.send(Outgoing::Flush(sender)).await.is_ok() && flushed.await.is_ok() };
            self.is_connected() && timeout(wait, flush).await.unwrap_or(false)
        }
        .boxed()
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.shared.connected.subscribe()
    }
}

fn send(queue: &mpsc::Sender<Outgoing>, subject: Arc<str>, payload: Bytes) {
    if queue.try_send(Outgoing::Message { subject, payload }).is_err() {
        metrics::counter!("lianmai_cluster_dropped_messages_total").increment(1);
    }
}
