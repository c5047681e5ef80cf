use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;

use super::connector::MAX_WRITES;
use super::*;

const TEXT: Content = Content { kind: "text/plain", cache: "no-cache" };

/// Starts a server that does this with each connection, in a thread of its own; returns its address.
fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(socket));
        }
    });
    address
}

fn store(settings: StoreSettings) -> Result<Option<Store>, String> {
    Store::open(&settings, &RemoteSettings::default())
}

fn at(address: SocketAddr) -> Store {
    let settings = StoreSettings {
        store_url: "s3://bucket/prefix".to_owned(),
        store_endpoint: format!("http://{address}"),
        store_access_key: "name".to_owned(),
        store_secret_key: "the secret".to_owned(),
        ..StoreSettings::default()
    };
    store(settings).unwrap().unwrap()
}

/// Reads the head of a request.
fn head(socket: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|count| count == 1) {
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn an_answer_that_never_ends_is_not_read_to_its_end() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let address = server(move |mut socket| {
        head(&mut socket);
        let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [&b"10000\r\n"[..], &[b'x'; 0x10000], b"\r\n"].concat();
        while socket.write_all(&chunk).is_ok() {
            count.fetch_add(0x10000, Ordering::SeqCst);
        }
    });
    let error = at(address).get("x", 100).await.unwrap_err();
    assert!(!error.to_string().contains("the secret") && error.to_string().len() < 400, "{error}");
    // The rest is in the buffers of the system.
    assert!(sent.load(Ordering::SeqCst) < 32 << 20, "{sent:?}");
}

#[tokio::test]
async fn requests_that_write_are_bounded_and_one_that_is_given_up_makes_room() {
    let open = Arc::new(AtomicUsize::new(0));
    let count = open.clone();
    // It never answers.
    let address = server(move |mut socket| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = std::io::copy(&mut socket, &mut std::io::sink());
    });
    let store = at(address);
    let mut puts: Vec<_> = (0..MAX_WRITES + 4)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.put(&number.to_string(), Bytes::new(), TEXT, Expect::Any).await })
        })
        .collect();
    let wait = async |wanted: usize| {
        while open.load(Ordering::SeqCst) < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    wait(MAX_WRITES).await;
    assert_eq!(open.load(Ordering::SeqCst), MAX_WRITES);
    puts.iter().take(2).for_each(tokio::task::JoinHandle::abort);
    wait(MAX_WRITES + 2).await;
    assert_eq!(open.load(Ordering::SeqCst), MAX_WRITES + 2);
    puts.drain(..).for_each(|put| put.abort());
}

#[tokio::test]
async fn objects_larger_than_wanted_are_not_read_and_connections_are_used_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let count = connections.clone();
    let address = server(move |mut socket| {
        count.fetch_add(1, Ordering::SeqCst);
        loop {
            let asked = head(&mut socket);
            if asked.is_empty() {
                return;
            }
            assert!(asked.contains("/bucket/prefix/live/") && asked.contains("AWS4-HMAC-SHA256"), "{asked}");
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"tag\"\r\n\
                          Last-Modified: Mon, 30 Nov 2026 10:00:00 GMT\r\n\r\nhello";
            let _ = socket.write_all(answer.as_bytes());
        }
    });
    let store = at(address);
    for _ in 0..3 {
        let found = store.get("live/x", 5).await.unwrap().unwrap();
        assert_eq!((&*found.bytes, &*found.tag), (&b"hello"[..], "\"tag\""));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let error = store.get("live/x", 4).await.unwrap_err();
    assert!(error.to_string().contains("5 bytes, more than 4"), "{error}");
}

#[test]
fn settings_that_are_missing_or_wrong_are_named() {
    let good = StoreSettings {
        store_url: "s3://bucket".to_owned(),
        store_access_key: "name".to_owned(),
        store_secret_key: "the secret".to_owned(),
        ..StoreSettings::default()
    };
    assert!(store(StoreSettings::default()).unwrap().is_none());
    assert!(store(good.clone()).unwrap().is_some());
    let text = |wrong: StoreSettings| store(wrong).unwrap_err();
    for (wrong, named) in [
        (StoreSettings { store_url: "bucket".to_owned(), ..good.clone() }, "store_url"),
        (StoreSettings { store_access_key: String::new(), ..good.clone() }, "store_access_key"),
        (StoreSettings { store_secret_key: String::new(), ..good.clone() }, "store_secret_key_file"),
        (StoreSettings { store_endpoint: "host".to_owned(), ..good.clone() }, "store_endpoint"),
        (StoreSettings { store_public_url: "host".to_owned(), ..good.clone() }, "store_public_url"),
    ] {
        let words = text(wrong);
        assert!(words.contains(named) && !words.contains("the secret"), "{words}");
    }
    let missing = "/nowhere/key".into();
    let file = StoreSettings { store_secret_key: String::new(), store_secret_key_file: missing, ..good };
    assert!(text(file).contains("--store-secret-key-file"));
}
