//! What a connection is read from and written to, whether TLS is between or not.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::Tcp;

/// A connection's socket. What is written to it has left only when it is flushed.
#[derive(Debug)]
pub struct Socket {
    carrier: Carrier,
    /// Was read already, and comes again.
    ahead: Bytes,
}

/// Goes with a request that came over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure;

#[derive(Debug)]
enum Carrier {
    Plain(Tcp),
    Tls(Box<TlsStream<Tcp>>),
}

impl Socket {
    /// `stream`, whose writes fail when the peer takes no byte for `stall`.
    pub fn new(stream: TcpStream, stall: Duration) -> Self {
        Self { carrier: Carrier::Plain(Tcp::new(stream, stall)), ahead: Bytes::new() }
    }

    /// A connection whose handshake is done.
    pub fn tls(stream: TlsStream<Tcp>) -> Self {
        Self { carrier: Carrier::Tls(Box::new(stream)), ahead: Bytes::new() }
    }

    /// What to put beside this connection's requests if it is TLS.
    pub fn secure(&self) -> Option<Secure> {
        matches!(self.carrier, Carrier::Tls(_)).then_some(Secure)
    }

    /// Puts back what was read last: it is read again before anything else.
    pub fn unread(&mut self, bytes: Bytes) {
        self.ahead = bytes;
    }

    /// Writes all of `message` and sees it off.
    ///
    /// # Errors
    /// When the peer is gone or takes nothing.
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
        match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Carrier::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.carrier {
            Carrier::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Carrier::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
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
