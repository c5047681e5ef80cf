//! Two associations of the gateway, one in each role, without a socket.

use std::time::{Duration, Instant};

use str0m::config::DtlsCert;
use str0m::crypto::dtls::{DtlsInstance, DtlsOutput, DtlsVersion, SrtpProfile};

use super::super::provider;

/// One side, and its outputs so far.
pub(super) struct Side {
    pub(super) dtls: Box<dyn DtlsInstance>,
    pub(super) certificate: Option<Vec<u8>>,
    pub(super) keys: Option<(Vec<u8>, SrtpProfile)>,
    pub(super) connected: bool,
    pub(super) closed: bool,
    pub(super) error: Option<String>,
    /// When it must be called next.
    pub(super) timer: Instant,
}

impl Side {
    pub(super) fn new(certificate: &DtlsCert, active: bool, now: Instant) -> Self {
        let provider = provider().dtls_provider;
        let mut dtls = provider.new_dtls(certificate, now, DtlsVersion::Dtls12, None).unwrap();
        dtls.set_active(active);
        let (certificate, keys, error) = (None, None, None);
        Self { dtls, certificate, keys, connected: false, closed: false, error, timer: now }
    }

    /// Handles `datagrams` at `now`, and returns the datagrams that it sends.
    pub(super) fn step(&mut self, now: Instant, datagrams: &[Vec<u8>]) -> Vec<Vec<u8>> {
        for datagram in datagrams {
            self.note(|dtls| dtls.handle_packet(datagram));
        }
        self.note(|dtls| dtls.handle_timeout(now));
        let (mut sent, mut buf) = (Vec::new(), vec![0; 4096]);
        loop {
            match self.dtls.poll_output(&mut buf) {
                DtlsOutput::Packet(packet) => sent.push(packet.to_vec()),
                DtlsOutput::PeerCert(der) => self.certificate = Some(der.to_vec()),
                DtlsOutput::KeyingMaterial(keys, profile) => self.keys = Some((keys.to_vec(), profile)),
                DtlsOutput::Connected => self.connected = true,
                DtlsOutput::CloseNotify => self.closed = true,
                DtlsOutput::Timeout(timer) => {
                    self.timer = timer;
                    return sent;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn note<E: ToString>(&mut self, done: impl FnOnce(&mut dyn DtlsInstance) -> Result<(), E>) {
        if let Err(error) = done(&mut *self.dtls) {
            self.error.get_or_insert(error.to_string());
        }
    }
}

pub(super) fn certificate() -> DtlsCert {
    provider().dtls_provider.generate_certificate().unwrap()
}

/// Runs a client and a server until both are connected, or `rounds` are over. `way` returns what arrives of a
/// datagram on its way to the server (1) or to the client (0).
pub(super) fn run(
    certificates: [&DtlsCert; 2],
    rounds: u32,
    mut way: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>,
) -> [Side; 2] {
    let mut now = Instant::now();
    let [mut client, mut server] = [true, false].map(|active| {
        let own = certificates[usize::from(!active)];
        Side::new(own, active, now)
    });
    let mut up = Vec::new();
    for _ in 0..rounds {
        let down: Vec<_> = server.step(now, &up).into_iter().flat_map(|d| way(0, d)).collect();
        up = client.step(now, &down).into_iter().flat_map(|d| way(1, d)).collect();
        if client.connected && server.connected {
            break;
        }
        if up.is_empty() {
            now = client.timer.min(server.timer).max(now + Duration::from_millis(1));
        }
    }
    [client, server]
}

#[test]
fn both_roles_agree_on_keys_and_see_each_others_certificate() {
    let (ours, theirs) = (certificate(), certificate());
    let [client, server] = run([&theirs, &ours], 50, |_, datagram| vec![datagram]);
    assert_eq!((client.error, server.error), (None, None));
    assert_eq!(server.certificate.as_ref(), Some(&theirs.certificate));
    assert_eq!(client.certificate.as_ref(), Some(&ours.certificate));
    let (keys, profile) = server.keys.unwrap();
    assert_eq!(client.keys.unwrap(), (keys, profile));
    assert_eq!(profile, SrtpProfile::AEAD_AES_128_GCM);
}

#[test]
fn a_handshake_survives_loss_repetition_and_reordering() {
    let (ours, theirs) = (certificate(), certificate());
    for seed in 0..40_u32 {
        let mut count = seed;
        let mut late = [const { None::<Vec<u8>> }; 2];
        let sides = run([&theirs, &ours], 400, |to, datagram| {
            count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match count >> 28 {
                0..=2 => vec![],
                3 => vec![datagram.clone(), datagram],
                4 => late[to].replace(datagram).into_iter().collect(),
                _ => std::iter::once(datagram).chain(late[to].take()).collect(),
            }
        });
        let [client, server] = sides;
        assert!(client.connected && server.connected, "seed {seed}: {:?} {:?}", client.error, server.error);
        assert_eq!(client.keys, server.keys);
    }
}

#[test]
fn a_side_that_closes_tells_the_other() {
    let own = certificate();
    let [mut client, mut server] = run([&own, &own], 50, |_, datagram| vec![datagram]);
    server.dtls.close().unwrap();
    let now = Instant::now();
    let last = server.step(now, &[]);
    assert!(server.dtls.is_closed() && !last.is_empty());
    client.step(now, &last);
    assert!(client.closed);
}
