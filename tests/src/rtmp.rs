//! A small blocking RTMP client based on `rml_rtmp`, for tests that ffmpeg does not support: stop reading,
//! send at chosen times, run hundreds of clients.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
};
use rml_rtmp::time::RtmpTimestamp;

use crate::flv::{self, Tag};

/// A connection that publishes or plays.
pub struct Client {
    /// The connection. After [`Client::play`] it may be read raw.
    pub socket: TcpStream,
    session: ClientSession,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects and plays `live/NAME`; returns after the server accepted.
    pub fn play(to: SocketAddr, name: &str) -> io::Result<Self> {
        Self::play_at(to, "live", name)
    }

    /// Connects and plays `APP/NAME`; returns after the server accepted.
    pub fn play_at(to: SocketAddr, app: &str, name: &str) -> io::Result<Self> {
        let mut client = Self::connect_at(to, &format!("rtmp://{to}/{app}"), app)?;
        let request = client.session.request_playback(name.to_owned()).map_err(other)?;
        client.send(vec![request])?;
        client.until(&ClientSessionEvent::PlaybackRequestAccepted)?;
        Ok(client)
    }

    /// Connects and publishes `live/NAME`; returns after the server accepted.
    pub fn publish(to: SocketAddr, name: &str) -> io::Result<Self> {
        let mut client = Self::connect(to)?;
        let live = PublishRequestType::Live;
        let request = client.session.request_publishing(name.to_owned(), live).map_err(other)?;
        client.send(vec![request])?;
        client.until(&ClientSessionEvent::PublishRequestAccepted)?;
        Ok(client)
    }

    /// Sends a tag's body as an RTMP message; script tags are skipped.
    pub fn send_tag(&mut self, tag: &Tag) -> io::Result<()> {
        let data = Bytes::copy_from_slice(&tag.body);
        let time = RtmpTimestamp::new(tag.time);
        let result = match tag.kind {
            flv::VIDEO => self.session.publish_video_data(data, time, false),
            flv::AUDIO => self.session.publish_audio_data(data, time, false),
            _ => return Ok(()),
        };
        self.send(vec![result.map_err(other)?])
    }

    /// Connects with this `tcUrl` and application, and requests to publish `name`.
    pub fn publish_at(to: SocketAddr, tc_url: &str, app: &str, name: &str) -> io::Result<Self> {
        let mut client = Self::connect_at(to, tc_url, app)?;
        let live = PublishRequestType::Live;
        let request = client.session.request_publishing(name.to_owned(), live).map_err(other)?;
        client.send(vec![request])?;
        client.until(&ClientSessionEvent::PublishRequestAccepted)?;
        Ok(client)
    }

    fn connect(to: SocketAddr) -> io::Result<Self> {
        Self::connect_at(to, &format!("rtmp://{to}/live"), "live")
    }

    fn connect_at(to: SocketAddr, tc_url: &str, app: &str) -> io::Result<Self> {
        let mut socket = TcpStream::connect(to)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let rest = handshake(&mut socket)?;
        let mut config = ClientSessionConfig::new();
        config.tc_url = Some(tc_url.to_owned());
        // One chunk per message: the server is measured, not this client.
        config.chunk_size = 65_536;
        let (session, first) = ClientSession::new(config).map_err(other)?;
        let mut client = Self { socket, session };
        client.send(first)?;
        let early = client.session.handle_input(&rest).map_err(other)?;
        client.send(early)?;
        let connect = client.session.request_connection(app.into()).map_err(other)?;
        client.send(vec![connect])?;
        client.until(&ClientSessionEvent::ConnectionRequestAccepted)?;
        Ok(client)
    }

    fn send(&mut self, results: Vec<ClientSessionResult>) -> io::Result<()> {
        for result in results {
            if let ClientSessionResult::OutboundResponse(packet) = result {
                self.socket.write_all(&packet.bytes)?;
            }
        }
        Ok(())
    }

    /// Reads once and returns the timestamps (ms) of the video messages. An error at the end.
    pub fn video_times(&mut self) -> io::Result<Vec<u32>> {
        let mut buffer = [0; 64 * 1024];
        let n = self.socket.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut times = Vec::new();
        for result in self.session.handle_input(&buffer[..n]).map_err(other)? {
            match result {
                ClientSessionResult::RaisedEvent(ClientSessionEvent::VideoDataReceived {
                    timestamp, ..
                }) => times.push(timestamp.value),
                result => self.send(vec![result])?,
            }
        }
        Ok(times)
    }

    /// Reads until the server sends `wanted`; another status is the error.
    fn until(&mut self, wanted: &ClientSessionEvent) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let n = self.socket.read(&mut buffer)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut done = false;
            for result in self.session.handle_input(&buffer[..n]).map_err(other)? {
                match result {
                    ClientSessionResult::RaisedEvent(event) if event == *wanted => done = true,
                    ClientSessionResult::RaisedEvent(ClientSessionEvent::UnhandleableOnStatusCode {
                        code,
                    }) => {
                        if code.contains("Failed")
                            || code.contains("Denied")
                            || code.contains("NotFound")
                            || code.contains("BadName")
                        {
                            return Err(other(code));
                        }
                    }
                    result => self.send(vec![result])?,
                }
            }
            if done {
                return Ok(());
            }
        }
    }
}

/// Performs the handshake; returns bytes that arrived after it.
pub fn handshake(socket: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut handshake = Handshake::new(PeerType::Client);
    socket.write_all(&handshake.generate_outbound_p0_and_p1().map_err(other)?)?;
    let mut buffer = [0; 8 * 1024];
    loop {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match handshake.process_bytes(&buffer[..n]).map_err(other)? {
            HandshakeProcessResult::InProgress { response_bytes } => socket.write_all(&response_bytes)?,
            HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                socket.write_all(&response_bytes)?;
                return Ok(remaining_bytes);
            }
        }
    }
}

fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}
