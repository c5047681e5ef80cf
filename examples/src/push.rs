//! Pushes an FLV file into a gateway over RTMP, as fast as it plays.
//!
//! `push FILE rtmp://HOST[:PORT]/APP/STREAM`

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::flv::{Demuxer, Event, mux};
use media::{Frame, Track};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
};
use rml_rtmp::time::RtmpTimestamp;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, url] = args.as_slice() else {
        return Err("usage: push FILE rtmp://HOST[:PORT]/APP/STREAM".into());
    };
    let (host, app, stream) = split(url).ok_or("the URL must be rtmp://HOST[:PORT]/APP/STREAM")?;
    let frames = read(std::fs::read(file)?)?;
    let mut publisher = Publisher::connect(&host, app, stream)?;
    println!("publishing {} frames to {url}", frames.len());

    let start = Instant::now();
    let first = frames.first().map_or(0, |frame| frame.dts);
    let mut sent: [Option<std::sync::Arc<media::Config>>; 2] = [None, None];
    for frame in &frames {
        let due = Duration::from_micros((frame.dts - first).max(0) as u64);
        sleep(due.saturating_sub(start.elapsed()));
        // A decoder needs the configuration before the first frame, and again when it changes.
        let known = &mut sent[usize::from(frame.is_video())];
        if known.as_ref() != Some(&frame.config) {
            publisher.send(frame.track(), frame.dts, mux::config_body(&frame.config))?;
            *known = Some(frame.config.clone());
        }
        publisher.send(frame.track(), frame.dts, mux::frame_body(frame))?;
    }
    Ok(())
}

/// Splits `rtmp://host[:port]/app/stream`.
fn split(url: &str) -> Option<(String, &str, &str)> {
    let (host, path) = url.strip_prefix("rtmp://")?.split_once('/')?;
    let (app, stream) = path.rsplit_once('/')?;
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:1935") };
    Some((host, app, stream))
}

/// Reads all frames of an FLV file.
fn read(file: Vec<u8>) -> Result<Vec<Frame>> {
    let mut demuxer = Demuxer::new();
    demuxer.push(Bytes::from(file));
    demuxer.flush();
    let mut frames = Vec::new();
    while let Some(event) = demuxer.next() {
        if let Event::Frame(frame) = event? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// An RTMP connection that publishes.
struct Publisher {
    socket: TcpStream,
    session: ClientSession,
}

impl Publisher {
    fn connect(host: &str, app: &str, stream: &str) -> Result<Self> {
        let mut socket = TcpStream::connect(host)?;
        socket.set_nodelay(true)?;
        let rest = handshake(&mut socket)?;
        let mut config = ClientSessionConfig::new();
        config.tc_url = Some(format!("rtmp://{host}/{app}"));
        let (session, first) = ClientSession::new(config)?;
        let mut publisher = Self { socket, session };
        publisher.write(first)?;
        let early = publisher.session.handle_input(&rest)?;
        publisher.write(early)?;
        let connect = publisher.session.request_connection(app.to_owned())?;
        publisher.write(vec![connect])?;
        publisher.wait_for(&ClientSessionEvent::ConnectionRequestAccepted)?;
        let publish = publisher.session.request_publishing(stream.to_owned(), PublishRequestType::Live)?;
        publisher.write(vec![publish])?;
        publisher.wait_for(&ClientSessionEvent::PublishRequestAccepted)?;
        Ok(publisher)
    }

    /// Sends a message. The body of an FLV tag is the body of an RTMP message.
    fn send(&mut self, track: Track, dts: media::time::Micros, body: Bytes) -> Result {
        let time = RtmpTimestamp::new(mux::timestamp(dts));
        let message = match track {
            Track::Video => self.session.publish_video_data(body, time, false)?,
            Track::Audio => self.session.publish_audio_data(body, time, false)?,
        };
        self.write(vec![message])
    }

    fn write(&mut self, results: Vec<ClientSessionResult>) -> Result {
        for result in results {
            if let ClientSessionResult::OutboundResponse(packet) = result {
                self.socket.write_all(&packet.bytes)?;
            }
        }
        Ok(())
    }

    /// Reads until the server accepts what was requested.
    fn wait_for(&mut self, wanted: &ClientSessionEvent) -> Result {
        let mut buffer = [0; 4096];
        loop {
            let n = self.socket.read(&mut buffer)?;
            if n == 0 {
                return Err(
                    "the server closed the connection: is a secret needed, or the name in use?".into()
                );
            }
            let mut accepted = false;
            for result in self.session.handle_input(&buffer[..n])? {
                match result {
                    ClientSessionResult::RaisedEvent(event) => accepted |= event == *wanted,
                    // Every message has to be written: headers of later ones refer to it.
                    ClientSessionResult::OutboundResponse(packet) => self.socket.write_all(&packet.bytes)?,
                    ClientSessionResult::UnhandleableMessageReceived(_) => {}
                }
            }
            if accepted {
                return Ok(());
            }
        }
    }
}

/// Performs the RTMP handshake. Returns bytes that arrived after it.
fn handshake(socket: &mut TcpStream) -> Result<Vec<u8>> {
    let mut handshake = Handshake::new(PeerType::Client);
    socket.write_all(&handshake.generate_outbound_p0_and_p1()?)?;
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Err("the server closed the connection in the handshake".into());
        }
        match handshake.process_bytes(&buffer[..n])? {
            HandshakeProcessResult::InProgress { response_bytes } => socket.write_all(&response_bytes)?,
            HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                socket.write_all(&response_bytes)?;
                return Ok(remaining_bytes);
            }
        }
    }
}
