//! A very small HTTP/1.1 client, for tests that inspect the bytes or stop reading at any point.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A complete response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the received order.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing; still compressed if a header says so.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns the first header `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Requests `GET path`; returns the complete response.
#[track_caller]
pub fn get(to: SocketAddr, path: &str) -> Response {
    request(to, "GET", path, &[])
}

/// Sends a request without a body; `headers` are complete lines without CRLF.
#[track_caller]
pub fn request(to: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Response {
    send(to, method, path, headers, b"")
}

/// Sends a request with a body; `headers` are complete lines without CRLF.
#[track_caller]
pub fn send(to: SocketAddr, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Response {
    let length = format!("Content-Length: {}", body.len());
    let mut lines = headers.to_vec();
    if !body.is_empty() {
        lines.push(&length);
    }
    let open = try_open(to, method, path, &lines, body);
    let mut open = open.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let mut body = Vec::new();
    open.body.read_to_end(&mut body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    Response { status: open.status, headers: open.headers, body }
}

/// A response with an unfinished body.
pub struct Open {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the received order.
    pub headers: Vec<(String, String)>,
    /// The body without chunk framing.
    pub body: Box<dyn Read + Send>,
    /// The connection under it.
    pub socket: TcpStream,
}

/// Sends a request and reads the response's head. Reads fail after 20 s without a byte.
#[track_caller]
pub fn open(to: SocketAddr, method: &str, path: &str, headers: &[&str]) -> Open {
    try_open(to, method, path, headers, b"").unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

fn try_open(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> std::io::Result<Open> {
    let socket = connect(to)?;
    let stream = socket.try_clone()?;
    exchange(socket, stream, to, (method, path), headers, body)
}

/// Connects. Reads fail after a minute without a byte.
pub fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpStream::connect(to)?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    Ok(socket)
}

/// Sends a request on `stream`, which is `socket` or a layer above it.
pub(crate) fn exchange(
    socket: TcpStream,
    mut stream: impl Read + Write + Send + 'static,
    to: SocketAddr,
    (method, path): (&str, &str),
    headers: &[&str],
    body: &[u8],
) -> std::io::Result<Open> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|line| line.starts_with("Host:")) {
        head += &format!("Host: {to}\r\n");
    }
    for line in headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let bad = || std::io::Error::other(format!("not a status line: {line:?}"));
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(bad)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let find = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let body: Box<dyn Read + Send> = if find("transfer-encoding").is_some_and(|v| v.contains("chunked")) {
        Box::new(Chunked { reader, left: 0, over: false })
    } else if let Some(length) = find("content-length").and_then(|v| v.parse().ok()) {
        Box::new(reader.take(length))
    } else {
        Box::new(reader)
    };
    Ok(Open { status, headers, body, socket })
}

/// Removes the chunk framing.
struct Chunked<R> {
    reader: R,
    left: usize,
    over: bool,
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 && !self.over {
            let mut line = String::new();
            self.reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                // The end of the previous chunk.
                line.clear();
                self.reader.read_line(&mut line)?;
            }
            let size = line.trim().split(';').next().unwrap_or_default();
            self.left = usize::from_str_radix(size, 16)
                .map_err(|_| std::io::Error::other(format!("not a chunk size: {line:?}")))?;
            self.over = self.left == 0;
        }
        if self.over {
            return Ok(0);
        }
        let most = buffer.len().min(self.left);
        let n = self.reader.read(&mut buffer[..most])?;
        if n == 0 {
            return Err(std::io::Error::other("closed within a chunk"));
        }
        self.left -= n;
        Ok(n)
    }
}
