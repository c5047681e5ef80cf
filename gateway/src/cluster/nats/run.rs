//! The task of the connection: connects, moves messages both ways, and connects again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::address::NatsAddress;
use super::connection::{self, Connection, Visitor};
use super::servers::Servers;
use super::table::{ANSWERS, Reply};
use super::wire::{self, Heard};
use super::{Outgoing, Shared, send};
use crate::core::bus::Message;
use crate::core::text::quoted;

/// Interval of pings to the server. A server that sends nothing for three of them hangs.
const PING_EVERY: Duration = Duration::from_secs(1);
const MAX_SILENT: u32 = 3;
/// First and maximum pause after all servers have failed.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Number of bytes that wait to be written, above which no further messages are taken from the queue.
const MAX_OUT: usize = 256 << 10;

/// Both ends of the queue: answers to messages are queued, too.
type Queue = (mpsc::Sender<Outgoing>, mpsc::Receiver<Outgoing>);

/// Keeps a connection to one of the servers.
pub(super) async fn run(shared: Arc<Shared>, visitor: Visitor, mut servers: Servers, mut queue: Queue) {
    let mut failures = 0;
    while let Some(to) = servers.next() {
        match visitor.connect(&to).await {
            Ok(connection) => {
                failures = 0;
                let mut link = Link::new(&shared, to, &mut servers);
                let error = link.serve(connection, &mut queue).await;
                shared.connected.send_replace(false);
                shared.table().end();
                tracing::warn!(server = %link.to, error, "cluster disconnected; what runs goes on");
            }
            Err(error) => {
                failures += 1;
                // Further failures in a row are not worth a line each.
                if failures == 1 {
                    tracing::warn!(error, "cluster not connected; trying again");
                } else {
                    tracing::debug!(error, "cluster not connected");
                }
                sleep(pause(failures, servers.len())).await;
            }
        }
    }
}

/// Returns the pause after so many failures in a row.
fn pause(failures: usize, servers: usize) -> Duration {
    match failures / servers.max(1) {
        // Another server may be there.
        0 => Duration::ZERO,
        rounds => (FIRST_PAUSE * 2_u32.pow(rounds.min(8) as u32 - 1)).min(LONGEST_PAUSE),
    }
}

/// The state of one connection.
struct Link<'a> {
    shared: &'a Shared,
    to: NatsAddress,
    servers: &'a mut Servers,
    out: BytesMut,
    /// Whether the library may hold bytes that were written.
    unflushed: bool,
    /// The pings whose answers did not come, with those who wait for them.
    pings: VecDeque<Option<oneshot::Sender<()>>>,
    /// Number of pings without a byte from the server.
    silent: u32,
    /// The server's last error.
    error: String,
}

impl<'a> Link<'a> {
    fn new(shared: &'a Shared, to: NatsAddress, servers: &'a mut Servers) -> Self {
        let (out, pings, error) = (BytesMut::new(), VecDeque::new(), String::new());
        Self { shared, to, servers, out, unflushed: false, pings, silent: 0, error }
    }

    /// Moves messages until the connection ends. Returns why it did.
    async fn serve(&mut self, connection: Connection, queue: &mut Queue) -> String {
        self.neighbours(connection.info.connect_urls.as_deref());
        let (mut ear, mut writer) = connection.split();
        self.shared.table().begin(&mut self.out);
        self.shared.connected.send_replace(true);
        tracing::info!(server = %self.to, "cluster connected");
        let mut ticks = interval(PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.shared.table().changes(&mut self.out);
            let (may_take, may_write) = (self.out.len() < MAX_OUT, self.unflushed || !self.out.is_empty());
            tokio::select! {
                heard = ear.hear() => match heard {
                    Ok(heard) => self.heard(heard, &queue.0),
                    Err(error) => return self.because(error),
                },
                written = write(&mut writer, &mut self.out), if may_write => match written {
                    Ok(unflushed) => self.unflushed = unflushed,
                    Err(error) => return self.because(error.to_string()),
                },
                Some(next) = queue.1.recv(), if may_take => self.take(next, &mut queue.1),
                () = self.shared.changed.notified() => {}
                _ = ticks.tick() => {
                    self.silent += 1;
                    if self.silent > MAX_SILENT {
                        return self.because("the server does not answer".to_owned());
                    }
                    self.ping(None);
                }
            }
        }
    }

    /// Returns why the connection ended: the server's own words, if there are some.
    fn because(&self, error: String) -> String {
        if self.error.is_empty() { error } else { format!("{error} ({})", quoted(&self.error)) }
    }

    fn ping(&mut self, waiter: Option<oneshot::Sender<()>>) {
        self.out.extend_from_slice(b"PING\r\n");
        self.pings.push_back(waiter);
    }

    fn neighbours(&mut self, places: Option<&[String]>) {
        if let Some(places) = places {
            self.servers.set_named(&self.to, places);
        }
    }

    /// Takes messages from the queue.
    fn take(&mut self, first: Outgoing, queue: &mut mpsc::Receiver<Outgoing>) {
        let mut table = self.shared.table();
        // The server has to know a subscription before it gets the node's question to itself.
        table.changes(&mut self.out);
        let mut next = Some(first);
        let mut flushes = Vec::new();
        while let Some(outgoing) = next.take() {
            match outgoing {
                Outgoing::Message { subject, payload } => {
                    wire::publish(&mut self.out, &subject, None, &payload);
                }
                Outgoing::Question { subject, question, payload } => {
                    let inbox = table.inbox(question);
                    wire::publish(&mut self.out, subject.as_str(), Some(&inbox), &payload);
                }
                Outgoing::Flush(done) => flushes.push(done),
            }
            next = if self.out.len() < MAX_OUT { queue.try_recv().ok() } else { None };
        }
        drop(table);
        flushes.into_iter().for_each(|done| self.ping(Some(done)));
    }

    fn heard(&mut self, heard: Heard, queue: &mpsc::Sender<Outgoing>) {
        self.silent = 0;
        match heard {
            Heard::Message { id: ANSWERS, subject, payload, nobody, .. } => {
                let reply = if nobody { Reply::Nobody } else { Reply::Answer(payload) };
                self.shared.table().answered(&subject, reply);
            }
            Heard::Message { id, reply, payload, .. } => {
                // The lock is not held: handlers use the bus.
                let handler = self.shared.table().handler(id);
                let Some(handler) = handler else { return };
                handler(Message::new(payload, reply.and_then(|inbox| answer(queue, &inbox))));
            }
            Heard::TooLarge => metrics::counter!("lianmai_cluster_dropped_messages_total").increment(1),
            Heard::Ping => self.out.extend_from_slice(b"PONG\r\n"),
            Heard::Pong => {
                if let Some(Some(waiter)) = self.pings.pop_front() {
                    // Nobody may wait any more.
                    let _ = waiter.send(());
                }
            }
            Heard::Info(json) => match connection::read_info(&json) {
                Ok(info) => self.neighbours(info.connect_urls.as_deref()),
                Err(error) => tracing::debug!(error, "cluster: INFO not understood"),
            },
            Heard::Error(error) => {
                // A missing permission comes again with each message.
                if error != self.error {
                    tracing::warn!(server = %self.to, error = quoted(&error), "the NATS server reports an error");
                }
                self.error = error;
            }
        }
    }
}

/// Returns how a message is answered.
fn answer(queue: &mpsc::Sender<Outgoing>, inbox: &[u8]) -> Option<Box<dyn FnOnce(Bytes) + Send + Sync>> {
    let inbox: Arc<str> = std::str::from_utf8(inbox).ok()?.into();
    let queue = queue.clone();
    Some(Box::new(move |payload| send(&queue, inbox, payload)))
}

/// Writes some of `out`, or flushes if it is empty. Returns whether bytes have to be flushed. Safe to cancel.
async fn write(writer: &mut (impl AsyncWrite + Unpin), out: &mut BytesMut) -> std::io::Result<bool> {
    if out.is_empty() {
        writer.flush().await?;
        return Ok(false);
    }
    match writer.write_buf(out).await? {
        0 => Err(std::io::ErrorKind::WriteZero.into()),
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_begin_when_all_servers_have_failed_and_are_bounded() {
        let pauses = |servers| [1, 2, 3, 4, 100].map(|failures| pause(failures, servers).as_millis());
        assert_eq!(pauses(1), [50, 100, 200, 400, 500]);
        assert_eq!(pauses(2), [0, 50, 50, 100, 500]);
    }
}
