//! The byte stream below a client's WebSocket: a queue of complete WebSocket frames, and the socket.
//!
//! The frames of tungstenite (answers to pings, the close message) and frames that were built for many clients are sent
//! through the same queue, so a frame never starts within another one.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Maximum number of frames that are written with one system call.
const FRAMES_AT_ONCE: usize = 8;
/// Maximum number of frames that wait. While so many wait, frames of tungstenite are not accepted. Its own buffer is
/// limited, too, so a client that sends pings and reads nothing fills no queue.
const MAX_WAITING: usize = 32;

/// A socket with the frames that wait to be sent.
#[derive(Debug)]
pub(in crate::rooms) struct Carrier<S> {
    socket: S,
    waiting: VecDeque<Bytes>,
}

impl<S: AsyncWrite + Unpin> Carrier<S> {
    pub(super) const fn new(socket: S) -> Self {
        Self { socket, waiting: VecDeque::new() }
    }

    /// Adds a complete frame, which [`Carrier::poll_send`] sends. The caller adds one only if few others wait.
    pub(super) fn push(&mut self, frame: Bytes) {
        self.waiting.push_back(frame);
    }

    /// Returns whether a frame waits.
    pub(super) fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends the frames that wait, as far as the socket takes them now.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(first) = self.waiting.front() {
            let mut socket = Pin::new(&mut self.socket);
            let written = if self.waiting.len() == 1 {
                socket.as_mut().poll_write(cx, first)
            } else {
                let mut slices = [IoSlice::new(&[]); FRAMES_AT_ONCE];
                let frames = slices.iter_mut().zip(&self.waiting);
                let count = frames.map(|(slice, frame)| *slice = IoSlice::new(frame)).count();
                socket.as_mut().poll_write_vectored(cx, slices.get(..count).unwrap_or_default())
            };
            let mut written = ready!(written)?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            while let Some(frame) = self.waiting.front_mut().filter(|_| written > 0) {
                let part = frame.len().min(written);
                frame.advance(part);
                written -= part;
                if frame.is_empty() {
                    self.waiting.pop_front();
                }
            }
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Carrier<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Carrier<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.waiting.len() >= MAX_WAITING {
            ready!(self.poll_send(cx))?;
        }
        // tungstenite writes complete frames.
        self.push(Bytes::copy_from_slice(buf));
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn frames_stay_whole_and_in_order() {
        // The socket takes five bytes at once.
        let (near, mut far) = duplex(5);
        let mut carrier = Carrier::new(near);
        let mut expected = Vec::new();
        for n in 0..20_u8 {
            let frame = vec![n; usize::from(n) + 1];
            expected.extend_from_slice(&frame);
            if n.is_multiple_of(3) {
                carrier.write_all(&frame).await.unwrap();
            } else {
                carrier.push(frame.into());
            }
        }
        assert!(carrier.is_behind());
        let sending = tokio::spawn(async move {
            carrier.flush().await.unwrap();
            assert!(!carrier.is_behind());
        });
        let mut got = vec![0; expected.len()];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(got, expected);
        sending.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_pings_and_reads_nothing_fills_no_queue() {
        let (near, far) = duplex(64);
        let mut client = crate::rooms::socket::client(near, Vec::new()).await;
        let pings = tokio::spawn(async move {
            let (unread, mut far) = tokio::io::split(far);
            for _ in 0..10_000 {
                // A masked ping of 10 bytes.
                far.write_all(b"\x89\x8a\0\0\0\0..........").await.unwrap();
            }
            (unread, far)
        });
        for _ in 0..10_000 {
            assert!(client.next().await.unwrap().unwrap().is_ping());
            assert!(client.get_ref().waiting.len() <= MAX_WAITING);
        }
        assert_eq!(client.get_ref().waiting.len(), MAX_WAITING);
        pings.await.unwrap();
    }
}
