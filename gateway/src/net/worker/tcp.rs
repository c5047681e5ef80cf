//! A TCP stream that fails when the peer stalls, and counts its bytes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use metrics::Counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// A TCP connection of a viewer or publisher.
#[derive(Debug)]
pub struct Tcp {
    stream: TcpStream,
    stall: Duration,
    /// Runs while a write waits. Kept between writes, because resetting a timer is cheaper than creating one.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    received: Counter,
    sent: Counter,
}

impl Tcp {
    /// Wraps `stream`. Its writes fail if the peer receives no byte for `stall`.
    pub fn new(stream: TcpStream, stall: Duration) -> Self {
        let received = metrics::counter!("lianmai_received_bytes_total");
        let sent = metrics::counter!("lianmai_sent_bytes_total");
        Self { stream, stall, timer: None, waiting: false, received, sent }
    }

    /// Returns the TCP connection.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }

    fn wrote(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(result) => {
                self.waiting = false;
                if let Ok(bytes) = result {
                    self.sent.increment(bytes as u64);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let deadline = Instant::now() + self.stall;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                if !self.waiting {
                    self.waiting = true;
                    timer.as_mut().reset(deadline);
                }
                ready!(timer.as_mut().poll(cx));
                metrics::counter!("lianmai_stalled_connections_total").increment(1);
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes no bytes")))
            }
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = buf.filled().len() - before;
        if bytes > 0 {
            self.received.increment(bytes as u64);
        }
        read
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
