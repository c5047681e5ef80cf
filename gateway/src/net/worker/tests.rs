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
                // Until the client disconnects.
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

#[tokio::test]
async fn only_so_many_refusals_are_written_at_once() {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    // All of them wait in the kernel before the first is accepted, and keep their ends open.
    let mut clients = Vec::new();
    for _ in 0..4 * accept::REFUSALS {
        clients.push(TcpStream::connect(addr).await.unwrap());
    }
    let workers = Workers::start(1).unwrap();
    let accepting =
        tokio::spawn(accept(listener, workers, Gate::new(0, 0), stop.clone(), b"no", |_| async {
            panic!("the gate is closed");
        }));
    let mut texts = Vec::new();
    for client in &mut clients {
        let mut text = String::new();
        // A connection that is closed at once may be reset.
        let _ = client.read_to_string(&mut text).await;
        texts.push(text);
    }
    let written = texts.iter().filter(|text| *text == "no").count();
    assert!(texts.iter().all(|text| text == "no" || text.is_empty()), "{texts:?}");
    assert!(written >= accept::REFUSALS && written < clients.len(), "{written} of {}", clients.len());
    stop.cancel();
    accepting.await.unwrap();
}

#[test]
fn one_address_has_its_own_limit() {
    let gate = Gate::new(10, 1);
    let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let first = gate.enter(a);
    assert!(first.is_some() && gate.enter(a).is_none() && gate.enter(b).is_some());
    // The same address in the form of an IPv6 socket.
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

/// Keeps a worker busy until the sender is dropped.
fn block(worker: &tokio::runtime::Handle) -> std::sync::mpsc::Sender<()> {
    let (release, released) = std::sync::mpsc::channel::<()>();
    worker.spawn(async move {
        let _ = released.recv();
    });
    release
}

async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it comes true");
}

/// Returns a value from `/metrics`.
fn metric(name: &str) -> f64 {
    let config = crate::limits::LimitSettings::default();
    let context = crate::context::Context::new(config, crate::core::auth::Auth::default());
    let text = crate::metrics::render(&context, &Gate::new(1, 1), &[]);
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

#[tokio::test]
async fn a_stalled_worker_is_counted_and_gets_nothing_new() {
    crate::metrics::install();
    let workers = Workers::start(3).unwrap();
    let stalls = metric(STALLS);
    let release = block(workers.next());
    until(|| workers.stalled() == 1).await;
    // Other workers may stall at the same time: the machine is busy with other tests.
    assert!(metric(STALLED) >= 1.0 && metric(STALLS) > stalls);
    for _ in 0..6 {
        workers.next().spawn(async {}).await.unwrap();
    }
    drop(release);
    until(|| workers.stalled() == 0).await;
    assert!(metric(STALLS) > stalls);
}

#[tokio::test]
async fn a_server_whose_workers_all_stall_goes_on_when_they_do() {
    let workers = Workers::start(2).unwrap();
    let releases = [block(workers.next()), block(workers.next())];
    until(|| workers.stalled() == 2).await;
    let late = workers.next().spawn(async {});
    drop(releases);
    late.await.unwrap();
    until(|| workers.stalled() == 0).await;
}

#[test]
fn a_limit_per_address_counts_the_connections_of_before() {
    let gate = Gate::new(10, 0);
    let ip = std::net::IpAddr::from([192, 0, 2, 1]);
    let mut open: Vec<_> = (0..3).map(|_| gate.enter(ip).unwrap()).collect();
    gate.set_max(10, 3);
    assert!(gate.enter(ip).is_none() && !gate.has_room(ip));
    assert!(gate.enter([192, 0, 2, 2].into()).is_some());
    open.pop();
    let again = gate.enter(ip).unwrap();
    gate.set_max(2, 0);
    assert!(gate.enter(ip).is_none(), "those that are there stay, and no more come");
    drop((open, again));
    assert_eq!(gate.open(), 0);
    assert!(gate.enter(ip).is_some());
}
