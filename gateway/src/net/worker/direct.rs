//! A TCP connection, with or without TLS, that is read and written without waiting.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read as _, Write as _};

use bytes::{Buf as _, Bytes};
use rustls::Connection as TlsState;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// A connection whose reads and writes return immediately. Its owner waits with [`Direct::readable`] and
/// [`Direct::writable`], at the same time if it wants.
#[derive(Debug)]
pub struct Direct {
    stream: TcpStream,
    /// The state of TLS; `None` without TLS. At most 64 kB wait in it to be sent.
    tls: Option<Box<TlsState>>,
    /// Whether `tls` holds decrypted bytes that have not been read.
    decrypted: bool,
}

impl Direct {
    /// Wraps a connection without TLS.
    pub const fn plain(stream: TcpStream) -> Self {
        Self { stream, tls: None, decrypted: false }
    }

    /// Wraps a connection whose TLS handshake is complete.
    pub fn tls(stream: TcpStream, tls: impl Into<TlsState>) -> Self {
        // The peer may have sent data together with its last handshake message.
        Self { stream, tls: Some(Box::new(tls.into())), decrypted: true }
    }

    /// Returns whether the connection uses TLS.
    pub const fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// Returns the TCP connection.
    pub const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Resolves when [`Direct::try_read`] has something to read.
    pub async fn readable(&self) {
        if !self.decrypted {
            // The next read reports the error.
            let _ = self.stream.readable().await;
        }
    }

    /// Resolves when [`Direct::try_write`] or [`Direct::try_flush`] can continue.
    pub async fn writable(&self) {
        let _ = self.stream.writable().await;
    }

    /// Appends received bytes to `out`, at most as many as its spare capacity. Returns their number; 0 at the end of
    /// the connection.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing has arrived; otherwise the connection is broken.
    pub fn try_read(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.try_read_buf(out) };
        let start = out.len();
        let room = out.capacity() - start;
        let mut ended = false;
        self.decrypted = false;
        loop {
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            let waiting = state.plaintext_bytes_to_read();
            let have = out.len() - start;
            let count = waiting.min(room - have);
            if count > 0 {
                out.resize(start + have + count, 0);
                tls.reader().read_exact(&mut out[start + have..])?;
            }
            if waiting > count {
                self.decrypted = true;
                break;
            }
            if state.peer_has_closed() {
                ended = true;
                break;
            }
            if out.len() - start == room {
                break;
            }
            match tls.read_tls(&mut Io(&self.stream)) {
                Ok(0) => {
                    ended = true;
                    break;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match out.len() - start {
            0 if ended => Ok(0),
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    /// Writes as much as possible, and returns the number of bytes. With TLS, some of them may wait to be sent: see
    /// [`Direct::has_unsent`].
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if the peer receives nothing now; otherwise the connection is broken.
    pub fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.tls.is_none() {
            return self.stream.try_write_vectored(slices);
        }
        self.try_flush()?;
        let Some(tls) = &mut self.tls else { return Ok(0) };
        let count = tls.writer().write_vectored(slices)?;
        match self.try_flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    /// Writes from the front of `queue` as much as the peer receives now, and returns the number of bytes.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn try_write_queue(&mut self, queue: &mut VecDeque<Bytes>) -> io::Result<usize> {
        let mut total = 0;
        while !queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); 64];
            let mut count = 0;
            for (slice, bytes) in slices.iter_mut().zip(queue.iter()) {
                *slice = IoSlice::new(bytes);
                count += 1;
            }
            match self.try_write(&slices[..count]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    total += written;
                    advance(queue, written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match self.try_flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(total),
        }
    }

    /// Sends the bytes that wait in TLS.
    ///
    /// # Errors
    /// The same as [`Direct::try_write`].
    pub fn try_flush(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            tls.write_tls(&mut Io(&self.stream))?;
        }
        Ok(())
    }

    /// Returns whether bytes wait in TLS to be sent.
    pub fn has_unsent(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Ends the sending side, after everything was written.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        while let Err(error) = self.try_flush() {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            self.stream.writable().await?;
        }
        self.stream.shutdown().await
    }
}

fn advance(queue: &mut VecDeque<Bytes>, mut count: usize) {
    while let Some(front) = queue.front_mut() {
        if count < front.len() {
            front.advance(count);
            return;
        }
        count -= front.len();
        queue.pop_front();
    }
}

/// Lets TLS read and write the TCP connection.
struct Io<'a>(&'a TcpStream);

impl io::Read for Io<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl io::Write for Io<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
