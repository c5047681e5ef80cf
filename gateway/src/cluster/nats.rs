//! The bus over NATS: core subjects, without JetStream. Debian's nats-server 2.9 is enough.
//!
//! One connection carries all messages of the gateway. It connects again by itself, and finds a server that hangs by
//! pings.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, Request, RequestErrorKind, Subscriber};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::core::bus::{Bus, Handler, MAX_ANSWERS, MAX_PAYLOAD, Message, NoAnswer, Subject, Subscription};
use crate::remote::Dialer;

/// Interval of pings to the server. Two without an answer end the connection, so a server that hangs is noticed after
/// about 3 s.
const PING_EVERY: Duration = Duration::from_secs(1);
/// Timeout for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// First and maximum pause between tries to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Maximum number of messages that wait to be sent. Beyond it, they are dropped and counted.
const MAX_QUEUED: usize = 4096;
/// Maximum number of messages of one subject that wait to be handled. Beyond it, the newest are dropped.
const MAX_WAITING: usize = 256;

/// A message to send.
struct Outgoing {
    subject: Arc<str>,
    payload: Bytes,
}

/// The bus over NATS. Cloning shares the connection.
#[derive(Clone)]
pub struct NatsBus(Arc<Inner>);

struct Inner {
    runtime: Handle,
    /// Set when the client exists, connected or not.
    client: watch::Receiver<Option<Client>>,
    connected: watch::Sender<bool>,
    queue: mpsc::Sender<Outgoing>,
    /// Ends with the bus.
    tasks: OnceLock<AbortOnDropHandle<()>>,
}

impl fmt::Debug for NatsBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses may contain passwords.
        f.debug_struct("NatsBus").field("connected", &*self.0.connected.borrow()).finish_non_exhaustive()
    }
}

impl NatsBus {
    /// Connects to one of these servers, in the background on `runtime`. `name` is shown by the server. Addresses that
    /// begin with `tls://` use the certificate authorities of `dialer`.
    ///
    /// # Errors
    /// An address cannot be read; the text does not contain it, because it may contain a password.
    pub fn new(servers: &[String], name: &str, dialer: &Dialer, runtime: Handle) -> Result<Self, String> {
        let parse = |(n, server): (usize, &String)| {
            server
                .parse::<async_nats::ServerAddr>()
                .map_err(|_| format!("address {} of --cluster is not valid", n + 1))
        };
        let servers = servers.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        let dialer = Some(dialer.clone()).filter(|_| servers.iter().any(|server| server.scheme() == "tls"));
        let (queue, mut queued) = mpsc::channel::<Outgoing>(MAX_QUEUED);
        let (ready, client) = watch::channel(None);
        let connected = watch::Sender::new(false);
        let options = options(name, connected.clone());
        let inner =
            Arc::new(Inner { runtime: runtime.clone(), client, connected, queue, tasks: OnceLock::new() });
        let run = async move {
            let options = match with_tls(options, dialer).await {
                Ok(options) => options,
                Err(error) => return tracing::error!(error, "cluster not connected"),
            };
            let client = match options.connect(servers).await {
                Ok(client) => client,
                // It tries again for ever, so this is an error of the settings.
                Err(error) => return tracing::error!(%error, "cluster not connected"),
            };
            ready.send_replace(Some(client.clone()));
            while let Some(Outgoing { subject, payload }) = queued.recv().await {
                // The client tries again by itself; its own queue has a bound, at which this waits.
                let _ = client.publish(subject.to_string(), payload).await;
            }
        };
        let _ = inner.tasks.set(AbortOnDropHandle::new(runtime.spawn(run)));
        Ok(Self(inner))
    }

    /// Returns the client while it is connected.
    fn client(&self) -> Option<Client> {
        self.0.connected.borrow().then(|| self.0.client.borrow().clone()).flatten()
    }
}

/// Adds the certificate authorities of `dialer`, if there is one.
async fn with_tls(options: ConnectOptions, dialer: Option<Dialer>) -> Result<ConnectOptions, String> {
    let Some(dialer) = dialer else { return Ok(options) };
    Ok(options.tls_client_config(dialer.tls().await?.as_ref().clone()))
}

fn options(name: &str, connected: watch::Sender<bool>) -> ConnectOptions {
    ConnectOptions::new()
        .name(name)
        .ping_interval(PING_EVERY)
        .connection_timeout(CONNECT_TIMEOUT)
        .subscription_capacity(MAX_WAITING)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|tries| {
            let doubled = FIRST_PAUSE * 2_u32.saturating_pow(tries.min(8) as u32);
            if tries <= 1 { Duration::ZERO } else { doubled.min(LONGEST_PAUSE) }
        })
        .event_callback(move |event| {
            match &event {
                Event::Connected => {
                    if !connected.send_replace(true) {
                        tracing::info!("cluster connected");
                    }
                }
                Event::Disconnected | Event::Closed => {
                    if connected.send_replace(false) {
                        tracing::warn!("cluster disconnected; what runs goes on");
                    }
                }
                Event::SlowConsumer(_) => {
                    metrics::counter!("lianmai_cluster_dropped_messages_total").increment(1);
                }
                other => tracing::debug!(event = %other, "cluster event"),
            }
            async {}
        })
}

impl Bus for NatsBus {
    fn subscribe(&self, subject: Subject, handler: Handler) -> Subscription {
        let (mut client, queue) = (self.0.client.clone(), self.0.queue.clone());
        let run = async move {
            let Ok(client) = client.wait_for(Option::is_some).await.map(|client| client.clone()) else {
                return;
            };
            let Some(client) = client else { return };
            let Ok(mut messages) = client.subscribe(subject.as_str().to_owned()).await else { return };
            while let Some(message) = messages.next().await {
                let reply = message.reply.map(|inbox| {
                    let (queue, inbox) = (queue.clone(), Arc::<str>::from(inbox.as_str()));
                    Box::new(move |payload| send(&queue, inbox, payload))
                        as Box<dyn FnOnce(Bytes) + Send + Sync>
                });
                handler(Message::new(message.payload, reply));
            }
        };
        Subscription::new(AbortOnDropHandle::new(self.0.runtime.spawn(run)))
    }

    fn publish(&self, subject: &Subject, payload: Bytes) {
        if payload.len() <= MAX_PAYLOAD {
            send(&self.0.queue, subject.as_str().into(), payload);
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
            let Some(client) = self.client() else { return Err(NoAnswer::Away) };
            let request = Request::new().payload(payload).timeout(Some(wait));
            // The client's own queue may be full, which its timeout does not cover.
            let asked = timeout(wait, client.send_request(subject.as_str().to_owned(), request)).await;
            match asked {
                Ok(Ok(answer)) => Ok(answer.payload),
                Ok(Err(error)) => Err(match error.kind() {
                    RequestErrorKind::NoResponders => NoAnswer::Nobody,
                    RequestErrorKind::TimedOut => NoAnswer::Silent,
                    _ => NoAnswer::Away,
                }),
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
            let Some(client) = self.client() else { return all };
            let inbox = client.new_inbox();
            let asked = async {
                let answers = client.subscribe(inbox.clone()).await.ok()?;
                client.publish_with_reply(subject.as_str().to_owned(), inbox, payload).await.ok()?;
                Some(answers)
            };
            let Ok(Some(mut answers)) = timeout_at(end, asked).await else { return all };
            collect(&mut answers, &mut all, end, enough.min(MAX_ANSWERS)).await;
            all
        }
        .boxed()
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.0.connected.subscribe()
    }
}

async fn collect(answers: &mut Subscriber, all: &mut Vec<Bytes>, end: Instant, enough: usize) {
    while all.len() < enough
        && let Ok(Some(answer)) = timeout_at(end, answers.next()).await
    {
        // "No responders" has a status and no content.
        if answer.status.is_some() {
            return;
        }
        all.push(answer.payload);
    }
}

fn send(queue: &mpsc::Sender<Outgoing>, subject: Arc<str>, payload: Bytes) {
    if queue.try_send(Outgoing { subject, payload }).is_err() {
        metrics::counter!("lianmai_cluster_dropped_messages_total").increment(1);
    }
}
