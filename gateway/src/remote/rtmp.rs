//! An RTMP connection to another server.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::{Dialer, RemoteAddress, RemoteError};
use crate::net::worker::Direct;
use crate::rtmp::client::{ClientEvent, ClientSession, Purpose};

/// Timeout for the server's answers, from the handshake to the accepted request.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of bytes per read.
const READ: usize = 64 << 10;

/// A connection on which the server has accepted the request.
#[derive(Debug)]
pub struct RtmpConnection {
    /// The protocol.
    pub session: ClientSession,
    socket: Direct,
    input: Vec<u8>,
    at: usize,
    output: VecDeque<Bytes>,
}

impl RtmpConnection {
    /// Connects, and asks to publish or play the stream of `address`. `id` is that of this gateway.
    ///
    /// # Errors
    /// The server cannot be reached, does not answer in time, or refuses the request.
    pub async fn open(
        dialer: &Dialer,
        address: &RemoteAddress,
        purpose: Purpose,
        id: &str,
    ) -> Result<Self, RemoteError> {
        let parts = address.rtmp().ok_or_else(|| RemoteError::refused("the address is not one of RTMP"))?;
        let socket = dialer.dial(address).await?;
        let session = ClientSession::new(parts, purpose, id);
        let mut connection = Self { session, socket, input: Vec::new(), at: 0, output: VecDeque::new() };
        let accepted = timeout(ACCEPT_TIMEOUT, connection.accepted()).await;
        let late =
            || RemoteError::new(&format!("the server did not answer within {} s", ACCEPT_TIMEOUT.as_secs()));
        accepted.map_err(|_| late())??;
        Ok(connection)
    }

    async fn accepted(&mut self) -> Result<(), RemoteError> {
        loop {
            if let Some(event) = self.event()? {
                match event {
                    ClientEvent::Accepted => return Ok(()),
                    ClientEvent::Refused(reason) => return Err(RemoteError::refused(&reason)),
                    ClientEvent::Ended => return Err(RemoteError::refused("the stream is over")),
                    _ => continue,
                }
            }
            self.write()?;
            tokio::select! {
                () = self.readable() => {}
                () = self.writable(), if self.has_output() => {}
            }
            self.receive()?;
        }
    }

    /// Returns the next event from the bytes received so far.
    ///
    /// # Errors
    /// The server breaks the protocol.
    pub fn event(&mut self) -> Result<Option<ClientEvent>, RemoteError> {
        let mut input = &self.input[self.at..];
        let event = self.session.read(&mut input);
        self.at = self.input.len() - input.len();
        if self.at == self.input.len() {
            (self.input, self.at) = (Vec::new(), 0);
        }
        let answer = self.session.take_output();
        if !answer.is_empty() {
            self.output.push_back(answer.into());
        }
        event.map_err(|error| RemoteError::new(&error.to_string()))
    }

    /// Resolves when [`RtmpConnection::receive`] has something to read.
    pub async fn readable(&self) {
        // A server that sends without a pause must yield to other tasks.
        tokio::task::coop::consume_budget().await;
        self.socket.readable().await;
    }

    /// Reads the available bytes, after all events were handled. Returns their number.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn receive(&mut self) -> Result<usize, RemoteError> {
        self.input.reserve(READ);
        match self.socket.try_read(&mut self.input) {
            Ok(0) => Err(RemoteError::new("the server closed the connection")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(RemoteError::new(&format!("the connection broke: {error}"))),
            Ok(count) => Ok(count),
        }
    }

    /// Appends messages to the output.
    pub fn queue(&mut self, messages: impl IntoIterator<Item = Bytes>) {
        self.output.extend(messages);
    }

    /// Appends what the session has written to the output.
    pub fn queue_session(&mut self) {
        let written = self.session.take_output();
        self.queue((!written.is_empty()).then(|| written.into()));
    }

    /// Returns whether there is output to write.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty() || self.socket.has_unsent()
    }

    /// Resolves when [`RtmpConnection::write`] can continue.
    pub async fn writable(&self) {
        self.socket.writable().await;
    }

    /// Writes as many bytes as the socket accepts, and returns their number. Output may remain.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn write(&mut self) -> Result<usize, RemoteError> {
        let written = self.socket.try_write_queue(&mut self.output);
        written.map_err(|error| RemoteError::new(&format!("the connection broke: {error}")))
    }

    /// Ends the stream and the connection, for at most `limit`.
    pub async fn finish(mut self, limit: Duration) {
        self.session.finish();
        self.queue_session();
        let close = async {
            while self.has_output() && self.write().is_ok() {
                if self.has_output() {
                    self.writable().await;
                }
            }
            let _ = self.socket.shutdown().await;
        };
        let _ = timeout(limit, close).await;
    }
}
