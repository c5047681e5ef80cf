//! The bus over NATS: core subjects, without JetStream. Debian's nats-server 2.9 is enough.
//!
//! One connection carries all messages of the gateway. It connects again by itself, to the next server if there are
//! several, and finds a server that hangs by pings.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, Request, RequestErrorKind, ServerAddr, Subscriber};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use percent_encoding::percent_decode_str;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
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
/// Maximum number of messages and subscriptions that the library has taken from the queue and not written yet.
const MAX_UNWRITTEN: usize = 256;
/// Maximum number of messages of one subject that wait to be handled. Beyond it, the newest are dropped.
const MAX_WAITING: usize = 256;

/// Maximum size of a file with credentials in bytes.
const MAX_CREDENTIALS: u64 = 64 << 10;

/// Something to send.
enum Outgoing {
    Message {
        subject: Arc<str>,
        payload: Bytes,
    },
    /// Tell when the server has everything before this.
    Flush(oneshot::Sender<()>),
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
    /// Connects to one of these servers, in the background on `runtime`. `name` is shown by the server. `credentials` is
    /// a file with an nkey seed or credentials; empty if the servers need none. If one address begins with `tls://`, all
    /// servers have to speak TLS, with a certificate of the authorities of `dialer`.
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
            server.parse::<ServerAddr>().map_err(|_| format!("address {} of --cluster is not valid", n + 1))
        };
        let servers = servers.iter().enumerate().map(parse).collect::<Result<Vec<_>, _>>()?;
        let dialer = Some(dialer.clone()).filter(|_| servers.iter().any(|server| server.scheme() == "tls"));
        let (queue, mut queued) = mpsc::channel::<Outgoing>(MAX_QUEUED);
        let (ready, client) = watch::channel(None);
        let connected = watch::Sender::new(false);
        let options = log_in_as(options(name, connected.clone()), &servers);
        let options = log_in(options, credentials).map_err(|error| {
            format!("cannot use {} (--cluster-credentials): {error}", credentials.display())
        })?;
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
            while let Some(outgoing) = queued.recv().await {
                match outgoing {
                    // The client tries again by itself; its own queue has a bound, at which this waits.
                    Outgoing::Message { subject, payload } => {
                        let _ = client.publish(subject.to_string(), payload).await;
                    }
                    Outgoing::Flush(flushed) => {
                        if client.flush().await.is_ok() {
                            let _ = flushed.send(());
                        }
                    }
                }
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

/// Adds the user and password, or the token, of the first address that has some: all servers of a cluster know them.
fn log_in_as(options: ConnectOptions, servers: &[ServerAddr]) -> ConnectOptions {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = servers.iter().find_map(|server| Some((server.username()?, server.password())));
    match login {
        Some((user, Some(password))) => options.user_and_password(decode(user), decode(password)),
        Some((token, None)) => options.token(decode(token)),
        None => options,
    }
}

/// Adds the credentials of a file: an nkey seed, or a JWT and a seed as `nsc` writes them.
fn log_in(options: ConnectOptions, file: &Path) -> Result<ConnectOptions, String> {
    if file.as_os_str().is_empty() {
        return Ok(options);
    }
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > MAX_CREDENTIALS {
        return Err(format!("the file is larger than {MAX_CREDENTIALS} bytes"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    if text.contains("BEGIN") {
        return options.credentials(&text).map_err(|error| error.to_string());
    }
    let seed = text.lines().map(str::trim).find(|line| line.starts_with("SU"));
    let seed = seed.filter(|seed| nkeys::KeyPair::from_seed(seed).is_ok()).ok_or(
        "the file has no nkey seed of a user: a line that begins with SU, as `nk -gen user` or `nsc` write it",
    )?;
    Ok(options.nkey(seed.to_owned()))
}

/// Adds the certificate authorities of `dialer`, if there is one. TLS is required then at all servers: the library takes
/// further ones from a message before TLS, which anybody on the way can change, and would send them the password.
async fn with_tls(options: ConnectOptions, dialer: Option<Dialer>) -> Result<ConnectOptions, String> {
    let Some(dialer) = dialer else { return Ok(options) };
    Ok(options.require_tls(true).tls_client_config(dialer.tls().await?.as_ref().clone()))
}

fn options(name: &str, connected: watch::Sender<bool>) -> ConnectOptions {
    let said = Mutex::new(String::new());
    ConnectOptions::new()
        .name(name)
        .ping_interval(PING_EVERY)
        .connection_timeout(CONNECT_TIMEOUT)
        .subscription_capacity(MAX_WAITING)
        .client_capacity(MAX_UNWRITTEN)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .reconnect_delay_callback(|tries| {
            let doubled = FIRST_PAUSE * 2_u32.saturating_pow(tries.min(8) as u32);
            if tries <= 1 { Duration::ZERO } else { doubled.min(LONGEST_PAUSE) }
        })
        .event_callback(move |event| {
            tell(&event, &connected, &said);
            async {}
        })
}

/// Logs an event of the connection. `said` is the newest error, which is logged once: tries repeat it.
fn tell(event: &Event, connected: &watch::Sender<bool>, said: &Mutex<String>) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        Event::Connected => {
            said.clear();
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
        Event::ServerError(_) | Event::ClientError(_) => {
            let error = event.to_string();
            if *said != error {
                tracing::warn!(?error, "the connection to NATS has an error");
                *said = error;
            }
        }
        other => tracing::debug!(event = %other, "cluster event"),
    }
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

    fn flush(&self, wait: Duration) -> BoxFuture<'_, bool> {
        async move {
            let (sender, flushed) = oneshot::channel();
            let flush =
                async { self.0.queue.send(Outgoing::Flush(sender)).await.is_ok() && flushed.await.is_ok() };
            self.client().is_some() && timeout(wait, flush).await.unwrap_or(false)
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
    if queue.try_send(Outgoing::Message { subject, payload }).is_err() {
        metrics::counter!("lianmai_cluster_dropped_messages_total").increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_both_kinds_of_files_and_not_shown() {
        let path = std::env::temp_dir().join(format!("lianmai-credentials-{}", std::process::id()));
        let file = |text: &str| {
            std::fs::write(&path, text).unwrap();
            log_in(ConnectOptions::new(), &path).map(drop)
        };
        let seed = nkeys::KeyPair::new_user().seed().unwrap();
        assert_eq!(file(&format!("{seed}\n")), Ok(()));
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\r\neyJ0.x.y\r\n------END NATS USER JWT------\r\n\r\n\
             -----BEGIN USER NKEY SEED-----\r\n{seed}\r\n------END USER NKEY SEED------\r\n"
        );
        assert_eq!(file(&creds), Ok(()));
        let damaged = format!("{}{}", &seed[..20], &seed[21..]);
        let account = nkeys::KeyPair::new_account().seed().unwrap();
        let long = "S".repeat(MAX_CREDENTIALS as usize + 1);
        for bad in ["", "SU", &damaged, &account, &creds[..60], &long] {
            let error = file(bad).unwrap_err();
            assert!(
                !error.is_empty() && !error.contains(&seed[2..12]) && !error.contains(&account[2..12]),
                "{error}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        assert!(log_in(ConnectOptions::new(), &path).is_err(), "no file");
    }

    #[test]
    fn the_same_error_is_said_once_until_the_next_connection() {
        let (connected, said) = (watch::Sender::new(false), Mutex::default());
        let error = Event::ClientError(async_nats::ClientError::Other("refused".to_owned()));
        tell(&error, &connected, &said);
        assert!(said.lock().unwrap().contains("refused"));
        tell(&Event::Connected, &connected, &said);
        assert!(said.lock().unwrap().is_empty() && *connected.borrow());
    }
}
