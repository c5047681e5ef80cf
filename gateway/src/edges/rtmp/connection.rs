//! A socket and its session: reading up to the next event, writing without waiting for others.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use metrics::Counter;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::session::{Event, Session};
use crate::core::close::CloseReason;
use crate::net::worker::Permit;

/// What one read takes at most from a client that was admitted.
const READ: usize = 64 << 10;
/// What one read takes from any other.
const READ_PENDING: usize = 4 << 10;
/// A client that sends on while nothing can be written to it is not read beyond this much of answers.
const MAX_ANSWERS: usize = 64 << 10;
/// For a refused client to read why.
const LINGER: Duration = Duration::from_secs(2);

/// One client.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session,
    pub(super) peer: SocketAddr,
    /// Its place among those that were not admitted yet; none once it is.
    pub(super) pending: Option<Permit>,
    socket: TcpStream,
    input: Vec<u8>,
    at: usize,
    /// Whole messages, of which the front one may be written in part.
    output: VecDeque<Bytes>,
    /// Bytes of `output` that the session made.
    answers: usize,
    received: Counter,
    sent: Counter,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: SocketAddr, max_message: usize) -> Self {
        // Without it small writes wait for acknowledgements; where it fails, they just do.
        let _ = socket.set_nodelay(true);
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

    /// The next event in what was received already.
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

    /// Resolves when [`Connection::receive`] has something.
    pub(super) async fn readable(&self) {
        if self.answers > MAX_ANSWERS {
            return std::future::pending().await;
        }
        // Who sends without a pause takes turns with the others, and deadlines are looked at.
        tokio::task::coop::consume_budget().await;
        // An error shows in the read.
        let _ = self.socket.readable().await;
    }

    /// Takes what has arrived, after all events were taken; how many bytes.
    pub(super) fn receive(&mut self) -> Result<usize, CloseReason> {
        self.input.clear();
        self.at = 0;
        self.input.reserve(if self.pending.is_some() { READ_PENDING } else { READ });
        match self.socket.try_read_buf(&mut self.input) {
            Ok(0) => Err(CloseReason::Left),
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => Ok(0),
            // An error of the network.
            Err(_) => Err(CloseReason::Left),
            Ok(count) => {
                self.received.increment(count as u64);
                Ok(count)
            }
        }
    }

    /// Gives the input's memory back: for a client that is not expected to send much.
    pub(super) fn release(&mut self) {
        if self.at == self.input.len() {
            (self.input, self.at) = (Vec::new(), 0);
        }
    }

    /// Appends messages to what is to be written.
    pub(super) fn queue(&mut self, messages: impl IntoIterator<Item = Bytes>) {
        self.output.extend(messages);
    }

    /// Whether there is something to write.
    pub(super) fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Resolves when [`Connection::write`] may get on.
    pub(super) async fn writable(&self) {
        let _ = self.socket.writable().await;
    }

    /// Writes what the socket takes; how many bytes. Some may be left.
    pub(super) fn write(&mut self) -> Result<usize, CloseReason> {
        let mut total = 0;
        while !self.output.is_empty() {
            let mut slices = [IoSlice::new(&[]); 64];
            let mut count = 0;
            for (slice, bytes) in slices.iter_mut().zip(&self.output) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
            match self.socket.try_write_vectored(&slices[..count]) {
                Ok(0) => return Err(CloseReason::Left),
                Ok(written) => {
                    total += written;
                    self.sent.increment(written as u64);
                    self.advance(written);
                }
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Err(CloseReason::Left),
            }
        }
        if self.output.is_empty() {
            self.answers = 0;
        }
        Ok(total)
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.output.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.output.pop_front();
        }
    }

    /// Writes everything, for a client that takes something at least every `stall`.
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

    /// Says the last words and waits a little for the client to read them: closing a socket that
    /// has unread input would throw them away.
    pub(super) async fn close(mut self) {
        let deadline = Instant::now() + LINGER;
        // What the session answered to the last input is not queued if that input was an error.
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
