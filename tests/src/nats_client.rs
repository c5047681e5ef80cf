//! A small client of NATS that shares no code with the gateway.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{Nats, wait};

/// A message that was heard.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Its subject.
    pub subject: String,
    /// The payload as JSON; null if the payload is not JSON.
    pub json: Value,
    /// When it came.
    pub at: SystemTime,
}

/// A connection with one subscription.
#[derive(Debug)]
pub struct NatsClient {
    socket: TcpStream,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl NatsClient {
    /// Connects, and subscribes to a subject, which may have wildcards.
    #[track_caller]
    pub fn subscribe(nats: &Nats, subject: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", nats.port())).expect("nats-server listens");
        let reader = socket.try_clone().expect("a socket can be cloned");
        let text = format!("CONNECT {{\"verbose\":false}}\r\nSUB {subject} 1\r\nPING\r\n");
        socket.write_all(text.as_bytes()).expect("nats-server takes a subscription");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (into, mut pong) = (heard.clone(), socket.try_clone().expect("a socket can be cloned"));
        let (ready, is_ready) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
                let words: Vec<&str> = line.split_whitespace().collect();
                match words.first().copied() {
                    Some("PING") => drop(pong.write_all(b"PONG\r\n")),
                    Some("PONG") => drop(ready.send(())),
                    Some("MSG") => {
                        let size =
                            words.last().and_then(|size| size.parse::<usize>().ok()).unwrap_or_default();
                        let mut payload = vec![0; size + 2];
                        if reader.read_exact(&mut payload).is_err() {
                            return;
                        }
                        let json = serde_json::from_slice(&payload[..size]).unwrap_or_default();
                        let message = Heard { subject: words[1].to_owned(), json, at: SystemTime::now() };
                        into.lock().unwrap().push(message);
                    }
                    _ => {}
                }
                line.clear();
            }
        });
        is_ready.recv_timeout(Duration::from_secs(60)).expect("nats-server answers");
        Self { socket, heard }
    }

    /// Sends a request to a subject, and returns the JSON of the answer.
    #[track_caller]
    pub fn request(nats: &Nats, subject: &str, json: &Value) -> Value {
        let inbox = format!("_INBOX.test{}", std::process::id());
        let mut client = Self::subscribe(nats, &inbox);
        client.publish(subject, &inbox, &json.to_string());
        wait::until(&format!("an answer from {subject}"), Duration::from_secs(60), || {
            client.heard().first().map(|heard| heard.json.clone())
        })
    }

    fn publish(&mut self, subject: &str, reply: &str, payload: &str) {
        let text = format!("PUB {subject} {reply} {}\r\n{payload}\r\n", payload.len());
        self.socket.write_all(text.as_bytes()).expect("nats-server takes a message");
    }

    /// Returns the messages so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for NatsClient {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}
