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
/// Maximum size of unsent answers. A server that does not receive them is not read any further.
const MAX_ANSWERS: usize = 64 << 10;

/// A connection on which the server has accepted the request.
#[derive(Debug)]
pub struct RtmpConnection {
    /// The protocol.
    pub session: ClientSession,
    socket: Direct,
    input: Vec<u8>,
    at: usize,
    output: VecDeque<Bytes>,
    /// Number of bytes in `output` that answer the server.
    answers: usize,
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
        let (input, output) = (Vec::new(), VecDeque::new());
        let mut connection = Self { session, socket, input, at: 0, output, answers: 0 };
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
            self.answers += answer.len();
            self.output.push_back(answer.into());
        }
        event.map_err(|error| RemoteError::new(&error.to_string()))
    }

    /// Resolves when [`RtmpConnection::receive`] has something to read, but not before the server has received the
    /// answers to what it sent.
    pub async fn readable(&self) {
        if self.answers > MAX_ANSWERS {
            return std::future::pending().await;
        }
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
        if self.output.is_empty() {
            self.answers = 0;
        }
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use media::flv::amf0::Value;
    use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::remote::RemoteSettings;
    use crate::rtmp::message::{Writer, control, kind, object};

    /// Accepts everything that a player asks for, without looking at it.
    async fn accept(socket: &mut TcpStream) -> Writer {
        let (mut handshake, mut writer, mut out) =
            (Handshake::new(PeerType::Server), Writer::new(), Vec::new());
        loop {
            let mut input = Vec::new();
            socket.read_buf(&mut input).await.unwrap();
            match handshake.process_bytes(&input).unwrap() {
                HandshakeProcessResult::InProgress { response_bytes } => {
                    socket.write_all(&response_bytes).await.unwrap();
                }
                HandshakeProcessResult::Completed { response_bytes, .. } => {
                    out.extend(response_bytes);
                    break;
                }
            }
        }
        let start = object(&[("code", "NetStream.Play.Start".into())]);
        for (name, transaction, value) in
            [("_result", 1.0, Value::Null), ("_result", 4.0, Value::Number(1.0)), ("onStatus", 0.0, start)]
        {
            let values = [name.into(), Value::Number(transaction), Value::Null, value];
            writer.values(kind::COMMAND, 0, &values, &mut out);
        }
        socket.write_all(&out).await.unwrap();
        writer
    }

    #[tokio::test]
    async fn a_server_that_receives_no_answers_is_not_read_any_further() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("rtmp://{}/live/x", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let mut socket = listener.accept().await.unwrap().0;
            let (mut writer, mut pings) = (accept(&mut socket).await, Vec::new());
            for time in 0..4096 {
                writer.user_control(control::PING_REQUEST, time, &mut pings);
            }
            while socket.write_all(&pings).await.is_ok() {}
        });
        let dialer = Dialer::new(&RemoteSettings::default()).unwrap();
        let address = RemoteAddress::parse(&address).unwrap();
        let mut connection =
            RtmpConnection::open(&dialer, &address, Purpose::Play(1 << 20), "id").await.unwrap();
        let mut received = 0;
        while connection.answers <= MAX_ANSWERS {
            while connection.event().unwrap().is_some() {}
            connection.write().unwrap();
            if connection.answers <= MAX_ANSWERS {
                connection.readable().await;
                received += connection.receive().unwrap();
                assert!(received < 256 << 20, "the answers are bounded");
            }
        }
        assert!(connection.readable().now_or_never().is_none(), "what comes waits in the sockets");
        let waiting: usize = connection.output.iter().map(Bytes::len).sum();
        assert!(waiting <= MAX_ANSWERS + 2 * READ, "{waiting}");
        drop(connection);
        server.await.unwrap();
    }
}
