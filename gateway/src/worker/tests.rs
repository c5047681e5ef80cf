use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test]
async fn connections_are_dealt_to_all_workers_and_refused_with_words_over_the_limit() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.local_addr().unwrap();
    let (workers, gate, stop) = (Workers::start(3).unwrap(), Gate::new(6, 0), CancellationToken::new());
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let serve = {
        let seen = seen.clone();
        move |mut connection: Connection| {
            let seen = seen.clone();
            async move {
                seen.lock().unwrap().insert(std::thread::current().name().map(str::to_owned));
                connection.stream.write_all(b"hi").await.unwrap();
                // Until the client goes.
                let _ = connection.stream.read(&mut [0]).await;
            }
        }
    };
    let accepting = tokio::spawn(accept(listener, workers, gate.clone(), stop.clone(), b"no", serve));
    let mut clients = Vec::new();
    for _ in 0..6 {
        let mut client = TcpStream::connect(addr).await.unwrap();
        let mut said = [0; 2];
        client.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"hi");
        clients.push(client);
    }
    assert_eq!(seen.lock().unwrap().len(), 3);
    let mut late = TcpStream::connect(addr).await.unwrap();
    let mut said = String::new();
    late.read_to_string(&mut said).await.unwrap();
    assert_eq!((said.as_str(), gate.refused(), gate.open()), ("no", 1, 6));
    drop(clients);
    gate.empty().await;
    stop.cancel();
    accepting.await.unwrap();
}

#[test]
fn one_address_has_its_own_limit() {
    let gate = Gate::new(10, 1);
    let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let first = gate.enter(a);
    assert!(first.is_some() && gate.enter(a).is_none() && gate.enter(b).is_some());
    // The same address as an IPv6 socket shows it.
    assert!(gate.enter("::ffff:192.0.2.1".parse().unwrap()).is_none());
    drop(first);
    assert!(gate.enter(a).is_some());
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_given_up() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let _deaf = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let mut socket = Socket::new(stream, Duration::from_millis(50));
    let block = vec![0; 1 << 20];
    let error = loop {
        if let Err(error) = socket.write_all(&block).await {
            break error;
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}
