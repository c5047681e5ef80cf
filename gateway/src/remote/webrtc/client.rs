//! One WebRTC connection to another server.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use media::{Config, Frame, Track};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::time::sleep_until;

use super::answer;
use super::sender::{Stamps, clock_rate};
use super::signal::Session;
use crate::remote::dialer::is_public;
use crate::remote::{Dialer, Hidden, RemoteAddress, RemoteError};
use crate::rtc::{codecs, dtls};

/// Time for ICE and DTLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A server that cannot be reached is disconnected after this time: ICE has tried for some seconds before it says so.
const LOST_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum size of a datagram in bytes. WebRTC sends at most what Ethernet carries.
const MAX_DATAGRAM: usize = 2000;
/// Maximum number of datagrams that are read before others get a turn.
const MAX_BURST: usize = 64;
/// Video frames, and audio packets of 20 ms, that are held back for a missing packet at most.
const MAX_REORDERED: (usize, usize) = (60, 8);
/// A player needs sender reports of both tracks before it can synchronize them.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest time between two requests for a key frame.
const KEY_INTERVAL: Duration = Duration::from_millis(500);

/// The tracks of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracks {
    /// Whether there is video.
    pub video: bool,
    /// Whether there is audio.
    pub audio: bool,
}

/// What happened on a connection.
#[derive(Debug)]
pub enum WebRtcEvent {
    /// Media can be sent and received from now on.
    Connected,
    /// A frame or an audio packet has come.
    Media(Box<MediaData>),
    /// The server needs a key frame.
    KeyWanted,
}

/// A connection. Dropping it ends the session on the server.
#[derive(Debug)]
pub struct WebRtcClient {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    /// The addresses from which datagrams are read: an unlimited number would let strangers fill str0m's tables.
    peers: Vec<SocketAddr>,
    video: Option<Mid>,
    audio: Option<Mid>,
    connect_by: Option<Instant>,
    lost: Option<Instant>,
    key_asked: Option<Instant>,
    stamps: Stamps,
    _session: Session,
}

impl WebRtcClient {
    /// Connects to send these tracks (WHIP).
    ///
    /// # Errors
    /// The server cannot be reached, or refuses the offer.
    pub async fn publish(
        dialer: &Dialer,
        address: &RemoteAddress,
        token: &Hidden,
        tracks: Tracks,
    ) -> Result<Self, RemoteError> {
        Self::open(dialer, address, token, Direction::SendOnly, tracks).await
    }

    /// Connects to receive video and audio (WHEP).
    ///
    /// # Errors
    /// The same as [`WebRtcClient::publish`].
    pub async fn play(dialer: &Dialer, address: &RemoteAddress, token: &Hidden) -> Result<Self, RemoteError> {
        Self::open(dialer, address, token, Direction::RecvOnly, Tracks { video: true, audio: true }).await
    }

    async fn open(
        dialer: &Dialer,
        address: &RemoteAddress,
        token: &Hidden,
        direction: Direction,
        tracks: Tracks,
    ) -> Result<Self, RemoteError> {
        let (local, server) = dialer.route_to(address).await?;
        let failed = |error: std::io::Error| RemoteError::new(&format!("no UDP socket on {local}: {error}"));
        let socket = UdpSocket::bind((local, 0)).await.map_err(failed)?;
        let own = socket.local_addr().map_err(failed)?;
        let mut rtc = builder()?;
        let candidate = Candidate::host(own, Protocol::Udp).map_err(|error| other(&error))?;
        rtc.add_local_candidate(candidate);
        let mut api = rtc.sdp_api();
        let mut add = |kind, wanted: bool| wanted.then(|| api.add_media(kind, direction, None, None, None));
        let audio = add(MediaKind::Audio, tracks.audio);
        let video = add(MediaKind::Video, tracks.video);
        let (offer, pending) = api.apply().ok_or_else(|| RemoteError::new("there is no track to offer"))?;
        let (session, text) = Session::open(dialer, address, token, &offer.to_sdp_string()).await?;
        let (text, peers) = answer::usable(&text, local, is_public(server))?;
        accept(&mut rtc, pending, &text)?;
        Ok(Self {
            rtc,
            socket,
            local: own,
            peers,
            video,
            audio,
            connect_by: Some(Instant::now() + CONNECT_TIMEOUT),
            lost: None,
            key_asked: None,
            stamps: Stamps::new(rand::random()),
            _session: session,
        })
    }

    /// Waits for the next event. Cancel-safe.
    ///
    /// # Errors
    /// There is no connection in time, or it is lost.
    pub async fn next(&mut self) -> Result<WebRtcEvent, RemoteError> {
        loop {
            let wake = match self.rtc.poll_output().map_err(|error| other(&error))? {
                Output::Transmit(transmit) => {
                    // A datagram that cannot be sent now is lost, as in the network.
                    let _ = self.socket.try_send_to(&transmit.contents, transmit.destination);
                    continue;
                }
                Output::Event(event) => match self.event(event) {
                    Some(event) => return Ok(event),
                    None => continue,
                },
                Output::Timeout(at) => at,
            };
            if !self.rtc.is_alive() {
                return Err(RemoteError::new("the server ended the connection"));
            }
            let now = Instant::now();
            if self.connect_by.is_some_and(|by| now >= by) {
                let words = format!("no connection over UDP within {} s", CONNECT_TIMEOUT.as_secs());
                return Err(RemoteError::new(&words));
            }
            if self.lost.is_some_and(|since| now >= since + LOST_TIMEOUT) {
                return Err(RemoteError::new("the connection was lost"));
            }
            let ends = [Some(wake), self.connect_by, self.lost.map(|since| since + LOST_TIMEOUT)];
            let until = ends.into_iter().flatten().min().unwrap_or(wake);
            tokio::select! {
                ready = self.socket.readable() => {
                    ready.map_err(|error| other(&error))?;
                    self.receive()?;
                }
                () = sleep_until(until.into()) => {
                    let timeout = Input::Timeout(Instant::now());
                    self.rtc.handle_input(timeout).map_err(|error| other(&error))?;
                }
            }
        }
    }

    fn receive(&mut self) -> Result<(), RemoteError> {
        let mut buffer = [0; MAX_DATAGRAM];
        for _ in 0..MAX_BURST {
            let Ok((size, from)) = self.socket.try_recv_from(&mut buffer) else { break };
            if !self.peers.contains(&from) {
                continue;
            }
            let Ok(receive) = Receive::new(Protocol::Udp, from, self.local, &buffer[..size]) else {
                continue;
            };
            let input = Input::Receive(Instant::now(), receive);
            self.rtc.handle_input(input).map_err(|error| other(&error))?;
            // str0m's queues stay short if its output is taken between the datagrams; `next` does that.
            if size == MAX_DATAGRAM {
                break;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Event) -> Option<WebRtcEvent> {
        match event {
            Event::Connected => {
                self.connect_by = None;
                Some(WebRtcEvent::Connected)
            }
            Event::IceConnectionStateChange(state) => {
                let is_lost = state == IceConnectionState::Disconnected;
                self.lost = is_lost.then(|| self.lost.unwrap_or_else(Instant::now));
                None
            }
            Event::MediaData(data) => Some(WebRtcEvent::Media(Box::new(data))),
            Event::KeyframeRequest(_) => Some(WebRtcEvent::KeyWanted),
            _ => None,
        }
    }

    /// Checks that the server takes a track.
    ///
    /// # Errors
    /// The server does not take its codec.
    pub fn check(&self, config: &Config) -> Result<(), RemoteError> {
        self.payload_type(config).map(drop)
    }

    /// Sends a frame. The bytes go out with [`WebRtcClient::next`]. Returns their number.
    ///
    /// # Errors
    /// The track is not one of this connection, or the server does not take its codec.
    pub fn send(&mut self, frame: &Frame) -> Result<usize, RemoteError> {
        let (mid, pt) = self.payload_type(&frame.config)?;
        let now = Instant::now();
        let (rtp, moment) = self.stamps.stamp(frame, now);
        let time = MediaTime::new(rtp.into(), codecs::frequency(clock_rate(frame.config.codec)));
        let data = codecs::wire(frame);
        let size = data.len();
        let Some(writer) = self.rtc.writer(mid) else { return Ok(0) };
        writer.write(pt, moment, time, data).map_err(|error| other(&error))?;
        Ok(size)
    }

    fn payload_type(&self, config: &Config) -> Result<(Mid, str0m::media::Pt), RemoteError> {
        let mid = match config.codec.track() {
            Track::Video => self.video,
            Track::Audio => self.audio,
        };
        let mid = mid.ok_or_else(|| RemoteError::new("the stream has another track now"))?;
        let pt = codecs::payload_type(&self.rtc, mid, config).ok_or_else(|| {
            RemoteError::refused(&format!("the server does not take {} by WebRTC", config.codec.name()))
        })?;
        Ok((mid, pt))
    }

    /// Asks the server for a key frame (PLI), unless that was done a moment ago.
    pub fn ask_key(&mut self) {
        let now = Instant::now();
        if self.key_asked.is_some_and(|at| now < at + KEY_INTERVAL) {
            return;
        }
        let Some(mid) = self.video else { return };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
            self.key_asked = Some(now);
        }
    }
}

/// Returns the address of this machine from which a server is reached, as a candidate: see [`Dialer::route_to`].
pub(in crate::remote) async fn local_address(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0u16; 8].into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // This sends nothing.
    socket.connect(server).await?;
    Ok(socket.local_addr()?.ip())
}

fn builder() -> Result<Rtc, RemoteError> {
    static CERTIFICATE: OnceLock<Option<DtlsCert>> = OnceLock::new();
    let provider = dtls::provider();
    let certificate = CERTIFICATE.get_or_init(|| provider.dtls_provider.generate_certificate());
    let certificate =
        certificate.clone().ok_or_else(|| RemoteError::new("no DTLS certificate can be made"))?;
    let rtc = Rtc::builder()
        .set_crypto_provider(Arc::new(provider))
        .set_dtls_cert(certificate)
        .clear_codecs()
        .enable_h264(true)
        .enable_h265(true)
        .enable_vp8(true)
        .enable_vp9(true)
        .enable_av1(true)
        .enable_opus(true, true)
        .set_reordering_size_video(MAX_REORDERED.0)
        .set_reordering_size_audio(MAX_REORDERED.1)
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .build(Instant::now());
    Ok(rtc)
}

/// Gives the answer to str0m, which panics over some texts.
fn accept(rtc: &mut Rtc, pending: SdpPendingOffer, text: &str) -> Result<(), RemoteError> {
    let invalid = || RemoteError::refused("the server's answer is not valid SDP for the offer");
    let parse = || SdpAnswer::from_sdp_string(text);
    let answer = catch_unwind(AssertUnwindSafe(parse)).map_err(|_| invalid())?.map_err(|_| invalid())?;
    let accepted = catch_unwind(AssertUnwindSafe(|| rtc.sdp_api().accept_answer(pending, answer)));
    match accepted {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "str0m refuses an answer");
            Err(invalid())
        }
        Err(_) => {
            tracing::warn!("str0m panicked over an answer");
            Err(invalid())
        }
    }
}

/// An error of str0m or of the socket.
fn other(error: &dyn std::fmt::Display) -> RemoteError {
    RemoteError::new(&format!("the WebRTC connection failed: {error}"))
}
