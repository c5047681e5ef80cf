//! Handshakes with OpenSSL's client and server, with the kinds of certificates that WebRTC clients have.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::pair::{Side, certificate};

/// GStreamer makes RSA-2048 certificates, FFmpeg with GnuTLS P-224, browsers P-256. Users can configure the others.
const KINDS: [&[&str]; 7] = [
    &["rsa:2048"],
    &["rsa:4096"],
    &["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
    &["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
    &["ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"],
    &["ec", "-pkeyopt", "ec_paramgen_curve:secp224r1"],
    &["ed25519"],
];
const LIMIT: Duration = Duration::from_secs(60);

/// A temporary folder, which is deleted with this value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lianmai-dtls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Makes a key and its certificate, in one file.
    fn certificate(&self, kind: &[&str]) -> PathBuf {
        let file = self.0.join("own.pem");
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=test", "-newkey"])
            .args(kind)
            .arg("-keyout")
            .arg(&file)
            .arg("-out")
            .arg(self.0.join("certificate.pem"))
            .output()
            .expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let both = [&file, &self.0.join("certificate.pem")].map(|file| std::fs::read(file).unwrap());
        std::fs::write(&file, both.concat()).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `openssl`, and its output.
struct OpenSsl {
    child: Child,
    output: Arc<Mutex<String>>,
}

impl OpenSsl {
    fn start(program: &str, own: &Path, args: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args([program, "-dtls1_2", "-use_srtp", "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"])
            .args(["-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "56"])
            .arg("-cert")
            .arg(own)
            .args(args)
            // The input stays open: openssl exits at its end.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is installed");
        let output = Arc::<Mutex<String>>::default();
        let (mut stdout, kept) = (child.stdout.take().unwrap(), output.clone());
        std::thread::spawn(move || {
            let mut buf = [0; 4096];
            while let Ok(size @ 1..) = stdout.read(&mut buf) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buf[..size]));
            }
        });
        Self { child, output }
    }

    /// The rest of the line after the last `before` in the output.
    fn said(&self, before: &str) -> Option<String> {
        let output = self.output.lock().unwrap();
        let (_, rest) = output.rsplit_once(before)?;
        Some(rest.split_once('\n')?.0.trim().to_owned())
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the gateway's side over a socket until it is connected and openssl has printed its keys.
fn connect(side: &mut Side, socket: &UdpSocket, mut peer: Option<SocketAddr>, openssl: &OpenSsl) -> String {
    socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let (start, mut buf) = (Instant::now(), [0; 4096]);
    loop {
        let read = socket.recv_from(&mut buf).ok();
        peer = read.map(|(_, from)| from).or(peer);
        let datagrams: Vec<_> = read.map(|(size, _)| buf[..size].to_vec()).into_iter().collect();
        for datagram in side.step(Instant::now(), &datagrams) {
            socket.send_to(&datagram, peer.unwrap()).unwrap();
        }
        assert_eq!(side.error, None);
        if side.connected
            && let Some(keys) = openssl.said("Keying material: ")
        {
            return keys;
        }
        assert!(start.elapsed() < LIMIT, "not connected: {}", openssl.output.lock().unwrap());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn clients_with_every_kind_of_certificate_connect() {
    let folder = Folder::new("client");
    let own = certificate();
    for kind in KINDS {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let openssl = OpenSsl::start("s_client", &folder.certificate(kind), &["-connect", &address]);
        let mut side = Side::new(&own, false, Instant::now());
        let keys = connect(&mut side, &socket, None, &openssl);
        assert_eq!(hex(&side.keys.unwrap().0), keys, "{kind:?}");
        let der = std::fs::read(folder.0.join("certificate.pem")).unwrap();
        let der = x509_parser::pem::parse_x509_pem(&der).unwrap().1.contents;
        assert_eq!(side.certificate, Some(der), "{kind:?}");
    }
}

#[test]
fn servers_with_every_usual_kind_of_certificate_are_connected_to() {
    let folder = Folder::new("server");
    let own = certificate();
    // OpenSSL's server requires that the client names the curve of its certificate among those for the key exchange.
    for kind in &KINDS[..4] {
        let args = ["-accept", "127.0.0.1:0", "-Verify", "1"];
        let openssl = OpenSsl::start("s_server", &folder.certificate(kind), &args);
        let start = Instant::now();
        let address = loop {
            if let Some(address) = openssl.said("ACCEPT ") {
                break address.parse::<SocketAddr>().unwrap();
            }
            assert!(start.elapsed() < LIMIT, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut side = Side::new(&own, true, Instant::now());
        let keys = connect(&mut side, &socket, Some(address), &openssl);
        assert_eq!(hex(&side.keys.unwrap().0), keys, "{kind:?}");
    }
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let folder = Folder::new("none");
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let mut child = Command::new("openssl")
        .args(["s_client", "-dtls1_2", "-use_srtp", "SRTP_AEAD_AES_128_GCM", "-connect", &address])
        .current_dir(&folder.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut side = Side::new(&certificate(), false, Instant::now());
    let (start, mut buf) = (Instant::now(), [0; 4096]);
    while side.error.is_none() {
        let Ok((size, from)) = socket.recv_from(&mut buf) else {
            assert!(start.elapsed() < LIMIT, "neither connected nor refused");
            continue;
        };
        for datagram in side.step(Instant::now(), &[buf[..size].to_vec()]) {
            socket.send_to(&datagram, from).unwrap();
        }
        assert!(!side.connected && side.keys.is_none());
    }
    let _ = child.kill();
    let _ = child.wait();
}
