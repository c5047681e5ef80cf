//! The socket of a connection, with or without TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::Tcp;

/// A connection's socket. Written bytes are only sent once it is flushed.
#[derive(Debug)]
pub struct Socket {
    carrier: Carrier,
    /// Bytes that were read and put back.
    ahead: Bytes,
    /// Whether reading stops while written bytes wait to be sent.
    in_turns: bool,
    blocked: bool,
    /// The task that waits to read meanwhile.
    reader: Option<Waker>,
}

/// Attached to requests that arrived over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure;

#[derive(Debug)]
enum Carrier {
    Plain(Tcp),
    Tls(Box<TlsStream<Tcp>>),
}

impl Socket {
    /// Wraps `stream`. Its writes fail if the peer receives no byte for `stall`.
    pub fn new(stream: TcpStream, stall: Duration) -> Self {
        Self {
            carrier: Carrier::Plain(Tcp::new(stream, stall)),
            ahead: Bytes::new(),
            in_turns: false,
            blocked: false,
            reader: None,
        }
    }

    /// Wraps a connection whose TLS handshake is complete.
    pub fn tls(stream: TlsStream<Tcp>) -> Self {
        Self {
            carrier: Carrier::Tls(Box::new(stream)),
            ahead: Bytes::new(),
            in_turns: false,
            blocked: false,
            reader: None,
        }
    }

    /// Returns the marker for this connection's requests if it uses TLS.
    pub fn secure(&self) -> Option<Secure> {
        matches!(self.carrier, Carrier::Tls(_)).then_some(Secure)
    }

    /// Puts back the last read bytes: they are read again first.
    pub fn unread(&mut self, bytes: Bytes) {
        self.ahead = bytes;
    }

    /// Stops reading while the peer receives nothing. Otherwise a peer that sends requests without reading
    /// the responses would fill memory.
    pub fn read_between_writes(&mut self) {
        self.in_turns = true;
    }

    /// Reads and writes independently again.
    pub fn read_always(&mut self) {
        self.in_turns = false;
    }

    fn wrote(&mut self, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.blocked = wrote.is_pending();
        if !self.blocked
            && let Some(reader) = self.reader.take()
        {
            reader.wake();
        }
        wrote
    }

    /// Writes all of `message` and flushes.
    ///
    /// # Errors
    /// The peer is gone or receives nothing.
    pub async fn send(&mut self, message: &mut impl Buf) -> io::Result<()> {
        self.write_all_buf(message).await?;
        self.flush().await
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.in_turns && self.blocked {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..count]);
            self.ahead.advance(count);
            return Poll::Ready(Ok(()));
        }
        match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Carrier::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Carrier::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        };
        self.wrote(wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Carrier::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        };
        self.wrote(wrote)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Carrier::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Carrier::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
