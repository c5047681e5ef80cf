//! A socket and its session: reads until the next event, and writes without blocking.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use metrics::Counter;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Address;
use super::session::{Event, Session};
use crate::core::close::CloseReason;
use crate::net::worker::{Direct, Permit};

/// Maximum number of bytes per read from an admitted client.
const READ: usize = 64 << 10;
/// Maximum number of bytes per read from any other client.
const READ_PENDING: usize = 4 << 10;
/// Maximum size of unsent replies. A client that does not receive them is not read any further.
const MAX_ANSWERS: usize = 64 << 10;
/// Time for a refused client to read the reason.
const LINGER: Duration = Duration::from_secs(2);

/// The connection of one client.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session,
    pub(super) peer: SocketAddr,
    /// The permit of a client that is not admitted yet; `None` once it is admitted.
    pub(super) pending: Option<Permit>,
    socket: Direct,
    input: Vec<u8>,
    at: usize,
    /// Complete messages to send; the front one may be partly written.
    output: VecDeque<Bytes>,
    /// Number of bytes in `output` that the session created.
    answers: usize,
    received: Counter,
    sent: Counter,
}

impl Connection {
    pub(super) fn new(socket: Direct, peer: SocketAddr, max_message: usize) -> Self {
        // Without TCP_NODELAY small writes wait for acknowledgements. Failing to set it is harmless.
        let _ = socket.stream().set_nodelay(true);
        Self {
            session: Session::new(max_message),
            peer,
            pending: None,
            socket,
            input: Vec::new(),
            at: 0,
            output: VecDeque::new(),
            answers: 0,
            received: metrics::counter!("lianmai_received_bytes_total"),
            sent: metrics::counter!("lianmai_sent_bytes_total"),
        }
    }

    /// Returns the address without its query, which may contain secrets.
    pub(super) fn url(&self, address: &Address) -> String {
        let url = address.url();
        if self.socket.is_secure() { url.replacen("rtmp:", "rtmps:", 1) } else { url }
    }

    /// Returns the next event from the bytes received so far.
    pub(super) fn event(&mut self) -> Result<Option<Event>, CloseReason> {
        let mut input = &self.input[self.at..];
        let event = self.session.read(&mut input);
        self.at = self.input.len() - input.len();
        let answer = self.session.take_output();
        if !answer.is_empty() {
            self.answers += answer.len();
            self.output.push_back(answer.into());
        }
        Ok(event?)
    }

    /// Resolves when [`Connection::receive`] has something to read.
    pub(super) async fn readable(&self) {
        if self.answers > MAX_ANSWERS {
            return std::future::pending().await;
        }
        // A client that sends without a pause must yield to the others, and the deadlines must be checked.
        tokio::task::coop::consume_budget().await;
        self.socket.readable().await;
    }

    /// Reads the available bytes, after all events were handled. Returns their number.
    pub(super) fn receive(&mut self) -> Result<usize, CloseReason> {
        self.input.clear();
        self.at = 0;
        self.input.reserve(if self.pending.is_some() { READ_PENDING } else { READ });
        match self.socket.try_read(&mut self.input) {
            Ok(0) => Err(CloseReason::Left),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => Ok(0),
            // A network error.
            Err(_) => Err(CloseReason::Left),
            Ok(count) => {
                self.received.increment(count as u64);
                Ok(count)
            }
        }
    }

    /// Frees the input buffer, for a client that is not expected to send much.
    pub(super) fn release(&mut self) {
        if self.at == self.input.len() {
            (self.input, self.at) = (Vec::new(), 0);
        }
    }

    /// Appends messages to the output.
    pub(super) fn queue(&mut self, messages: impl IntoIterator<Item = Bytes>) {
        self.output.extend(messages);
    }

    /// Returns whether there is output to write.
    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty() || self.socket.has_unsent()
    }

    /// Resolves when [`Connection::write`] can continue.
    pub(super) async fn writable(&self) {
        self.socket.writable().await;
    }

    /// Writes as many bytes as the socket accepts, and returns their number. Output may remain.
    pub(super) fn write(&mut self) -> Result<usize, CloseReason> {
        // A network error.
        let total = self.socket.try_write_queue(&mut self.output).map_err(|_| CloseReason::Left)?;
        self.sent.increment(total as u64);
        if self.output.is_empty() {
            self.answers = 0;
        }
        Ok(total)
    }

    /// Writes all output, unless the client accepts nothing for `stall`.
    pub(super) async fn flush(&mut self, stall: Duration) -> Result<usize, CloseReason> {
        let mut total = self.write()?;
        while self.has_output() {
            if timeout(stall, self.writable()).await.is_err() {
                return Err(CloseReason::Stalled);
            }
            total += self.write()?;
        }
        Ok(total)
    }

    /// Sends the remaining output and waits a short time for the client to read it: closing a socket with
    /// unread input would discard it.
    pub(super) async fn close(mut self) {
        let deadline = Instant::now() + LINGER;
        // After an invalid input the session's replies are not queued yet.
        let last = self.session.take_output();
        self.queue((!last.is_empty()).then(|| last.into()));
        if timeout_at(deadline, self.flush(LINGER)).await.is_ok_and(|flushed| flushed.is_ok()) {
            let _ = self.socket.shutdown().await;
            while timeout_at(deadline, self.readable()).await.is_ok() {
                if self.receive().is_err() {
                    break;
                }
            }
        }
    }
}
