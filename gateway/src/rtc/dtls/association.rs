//! One peer's DTLS association: implements str0m's interface with the library `rtc-dtls`.

use std::collections::VecDeque;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::config::HandshakeConfig;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use str0m::crypto::dtls::{
    DtlsImplError, DtlsInstance, DtlsOutput, KeyingMaterial, ProtocolVersion, SrtpProfile,
};

use super::bounds::{Bounds, DatagramDecision};
use super::resend::Resend;

/// The label for exporting SRTP keys (RFC 5764 4.2).
const SRTP_LABEL: &str = "EXTRACTOR-dtls_srtp";
/// Datagrams that may wait to be read. Usually it is one, which is read at the next poll.
const MAX_UNREAD: usize = 32;
/// The time of a timer that nothing needs.
const NEVER: Duration = Duration::from_secs(24 * 3600);
/// An endpoint tells peers apart by address. Here each peer has an endpoint of its own, and str0m knows
/// the addresses.
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// The state of one association.
pub(super) struct Association {
    server: Arc<HandshakeConfig>,
    client: Arc<HandshakeConfig>,
    /// In a mutex only because str0m requires `Sync`, which the library's type is not. It is never locked, only
    /// borrowed (`get_mut`).
    endpoint: Mutex<Option<Endpoint>>,
    is_client: bool,
    now: Instant,
    bounds: Bounds,
    unread: VecDeque<BytesMut>,
    unsent: VecDeque<BytesMut>,
    resend: Resend,
    events: VecDeque<Event>,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Handshake,
    Connected,
    Closed,
}

/// An output for str0m. The order of the variants is the order that str0m requires.
enum Event {
    PeerCertificate(Vec<u8>),
    Keys(Vec<u8>, SrtpProfile),
    Connected,
    PeerClosed,
}

impl Association {
    /// An association that has not begun. `set_active` sets its role.
    pub(super) fn new(server: Arc<HandshakeConfig>, client: Arc<HandshakeConfig>, now: Instant) -> Self {
        Self {
            server,
            client,
            endpoint: Mutex::new(None),
            is_client: false,
            now,
            bounds: Bounds::default(),
            unread: VecDeque::new(),
            unsent: VecDeque::new(),
            resend: Resend::default(),
            events: VecDeque::new(),
            stage: Stage::Handshake,
        }
    }

    /// The endpoint, begun in the role that was set.
    fn begin(&mut self) -> Result<&mut Endpoint, DtlsImplError> {
        let endpoint = match self.endpoint().take() {
            Some(endpoint) => endpoint,
            None => {
                let server = (!self.is_client).then(|| self.server.clone());
                let mut endpoint = Endpoint::new(PEER, Default::default(), server);
                if self.is_client {
                    let begun = endpoint.connect(self.now, PEER, self.client.clone(), None);
                    begun.map_err(|error| failed("begin", &error))?;
                }
                endpoint
            }
        };
        Ok(self.endpoint().insert(endpoint))
    }

    fn endpoint(&mut self) -> &mut Option<Endpoint> {
        self.endpoint.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&mut self, datagram: BytesMut) -> Result<(), DtlsImplError> {
        match self.bounds.check(&datagram, self.stage == Stage::Connected) {
            DatagramDecision::Read => {}
            DatagramDecision::Ignore => return Ok(()),
            DatagramDecision::End(why) => {
                self.stage = Stage::Closed;
                return Err(failed("read", &why));
            }
        }
        let now = self.now;
        let read = self.begin()?.read(now, PEER, None, datagram);
        self.collect();
        let events = read.map_err(|error| {
            self.stage = Stage::Closed;
            failed("read", &error)
        })?;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => self.complete()?,
                EndpointEvent::PeerClosed => {
                    self.stage = Stage::Closed;
                    self.events.push_back(Event::PeerClosed);
                }
                // Application data: the gateway refuses data channels.
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes the certificate and the keys out of a finished handshake.
    fn complete(&mut self) -> Result<(), DtlsImplError> {
        let state = self.endpoint().as_ref().and_then(|endpoint| endpoint.get_connection_state(PEER));
        let state = state.ok_or_else(|| failed("handshake", &"the association is gone"))?;
        let certificate = state.peer_certificates.first();
        let certificate =
            certificate.cloned().ok_or_else(|| failed("handshake", &"the peer has no certificate"))?;
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => SrtpProfile::AEAD_AES_128_GCM,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => SrtpProfile::AEAD_AES_256_GCM,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => SrtpProfile::AES128_CM_SHA1_80,
            _ => return Err(failed("handshake", &"the peer offers no SRTP profile")),
        };
        let keys = state
            .export_keying_material(SRTP_LABEL, &[], profile.keying_material_len())
            .map_err(|error| failed("handshake", &error))?;
        let keys = keys.as_ref().to_vec();
        self.events.extend([
            Event::PeerCertificate(certificate),
            Event::Keys(keys, profile),
            Event::Connected,
        ]);
        self.stage = Stage::Connected;
        self.resend.stop();
        Ok(())
    }

    /// When the library repeats its own flight. Only a client needs that: if the server's last flight was lost, the
    /// server answers only a repetition with new record numbers.
    fn library_timer(&mut self) -> Option<Instant> {
        let waits = self.is_client && self.stage == Stage::Handshake;
        self.endpoint().as_ref().filter(|_| waits)?.poll_timeout(&PEER)
    }

    /// Takes what the endpoint wants to send. During the handshake it is a flight.
    fn collect(&mut self) {
        let sent = std::iter::from_fn(|| self.endpoint().as_mut()?.poll_transmit());
        let datagrams: Vec<_> = sent.map(|transmit| transmit.message).collect();
        if self.stage == Stage::Handshake && !datagrams.is_empty() {
            self.resend.sent(datagrams.clone(), self.now);
        }
        self.unsent.extend(datagrams);
    }
}

impl fmt::Debug for Association {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Association").field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl DtlsInstance for Association {
    fn set_active(&mut self, active: bool) {
        self.is_client = active;
    }

    /// Keeps a datagram for the next [`Self::handle_timeout`], which gives the time.
    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        if self.stage != Stage::Closed && !packet.is_empty() && self.unread.len() < MAX_UNREAD {
            self.unread.push_back(packet.into());
        }
        Ok(())
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        if let Some(packet) = self.unsent.pop_front() {
            return match buf.get_mut(..packet.len()) {
                None => DtlsOutput::Timeout(self.now),
                Some(out) => {
                    out.copy_from_slice(&packet);
                    DtlsOutput::Packet(out)
                }
            };
        }
        match self.events.pop_front() {
            Some(Event::PeerCertificate(der)) => match buf.get_mut(..der.len()) {
                // The association ends: without the certificate, str0m could not check the fingerprint.
                None => DtlsOutput::CloseNotify,
                Some(out) => {
                    out.copy_from_slice(&der);
                    DtlsOutput::PeerCert(out)
                }
            },
            Some(Event::Keys(keys, profile)) => {
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(&keys), profile)
            }
            Some(Event::Connected) => DtlsOutput::Connected,
            Some(Event::PeerClosed) => DtlsOutput::CloseNotify,
            None if !self.unread.is_empty() => DtlsOutput::Timeout(self.now),
            None => {
                let timers = [self.resend.at(), self.library_timer()];
                DtlsOutput::Timeout(timers.into_iter().flatten().min().unwrap_or(self.now + NEVER))
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = self.now.max(now);
        if self.stage == Stage::Closed {
            self.unread.clear();
            return Ok(());
        }
        if self.is_client {
            self.begin()?;
            self.collect();
        }
        while let Some(datagram) = self.unread.pop_front() {
            self.read(datagram)?;
        }
        if self.library_timer().is_some_and(|at| at <= self.now) {
            let now = self.now;
            let repeated = self.begin()?.handle_timeout(PEER, now);
            repeated.map_err(|error| failed("handshake", &error))?;
            self.collect();
        }
        match self.resend.due(self.now) {
            Ok(datagrams) => self.unsent.extend(datagrams.iter().cloned()),
            Err(why) => {
                self.stage = Stage::Closed;
                return Err(failed("handshake", &why));
            }
        }
        Ok(())
    }

    fn send_application_data(&mut self, _data: &[u8]) -> Result<usize, DtlsImplError> {
        // The gateway refuses data channels, so nothing is sent.
        Err(DtlsImplError::ConnectionClosed)
    }

    fn is_active(&self) -> bool {
        self.is_client
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        (self.stage == Stage::Connected).then_some(ProtocolVersion::DTLS1_2)
    }

    fn is_closing(&self) -> bool {
        self.stage == Stage::Closed
    }

    fn is_closed(&self) -> bool {
        self.stage == Stage::Closed && self.events.is_empty() && self.unsent.is_empty()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        if self.stage == Stage::Connected {
            let now = self.now;
            let Some(endpoint) = self.endpoint() else { return Ok(()) };
            endpoint.close(now).map_err(|error| failed("close", &error))?;
            self.collect();
        }
        self.stage = Stage::Closed;
        Ok(())
    }
}

/// Logs why a step failed, and returns an error for str0m. The error has no place for the reason.
fn failed(what: &str, why: &dyn fmt::Display) -> DtlsImplError {
    tracing::debug!(reason = %why, "DTLS {what} failed");
    DtlsImplError::ConnectionClosed
}
