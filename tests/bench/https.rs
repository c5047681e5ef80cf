//! Cost of TLS for the server: handshakes, and memory for open connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use lianmai_tests::{Gateway, tls};
use rustls::ClientConfig;

use crate::cpu::cpu;

const COUNT: usize = 2000;

pub(crate) fn run() {
    let gateway = Gateway::start(&["--workers", "1"]);
    let to = gateway.https();
    println!("{COUNT} handshakes one after the other, TLS 1.3, ECDSA P-256");
    for _ in 0..100 {
        drop(tls::connect(to));
    }
    measure(&gateway, "new clients", |_| tls::config());
    // The others reuse the session ticket of the first.
    let known = tls::config();
    measure(&gateway, "clients that come back", |_| known.clone());

    let before = gateway.rss();
    let open: Vec<_> = (0..COUNT).map(|_| connect(to, tls::config())).collect();
    let each = gateway.rss().saturating_sub(before) / open.len() as u64;
    println!("{:.1} kB of memory for a connection that stays and is silent", each as f64 / 1024.0);
}

fn measure(gateway: &Gateway, what: &str, config: impl Fn(usize) -> Arc<ClientConfig>) {
    let configs: Vec<_> = (0..COUNT).map(config).collect();
    let (before, start) = (cpu(gateway.process.pid()), Instant::now());
    for config in configs {
        drop(connect(gateway.https(), config));
    }
    let seconds = start.elapsed().as_secs_f64();
    let cost = (cpu(gateway.process.pid()) - before).as_secs_f64() * 1e6 / COUNT as f64;
    println!(
        "{what:<24} {cost:>5.0} µs of server CPU each; {:.0}/s with the client's own work",
        COUNT as f64 / seconds
    );
}

/// A connection that has received one response, so that the messages after the handshake (tickets) were read.
fn connect(to: SocketAddr, config: Arc<ClientConfig>) -> tls::Stream {
    use std::io::{Read as _, Write as _};
    let mut stream = tls::connect_with(to, config).expect("a handshake");
    stream.write_all(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("a request can be sent");
    let mut answer = [0; 1024];
    assert!(stream.read(&mut answer).is_ok_and(|n| n > 0), "no answer");
    stream
}
