//! A web site that publishes the keys of a token issuer, like a site with the plugin.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use ::gateway::core::auth::{Act, Right, SigningKey, TokenRequest};
use ::gateway::core::hub::StreamName;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::gateway::temp_dir;

/// Creates a private key.
#[track_caller]
pub fn key() -> SigningKey {
    SigningKey::kept(&temp_dir("site")).unwrap()
}

/// Creates a token of `key` for `live/NAME` that is valid for a minute.
#[track_caller]
pub fn token(key: &SigningKey, name: &str, act: Act) -> String {
    token_for(key, name, act, 60)
}

/// The same, valid for `ttl` seconds.
#[track_caller]
pub fn token_for(key: &SigningKey, name: &str, act: Act, ttl: i64) -> String {
    let stream = StreamName::new("live", name).unwrap();
    let (issuer, audience, subject) = ("https://site.example", "lianmai", "7");
    let right = Right::Stream { stream: &stream, act };
    key.mint(&TokenRequest { issuer, audience, subject, right, ttl }).unwrap()
}

/// The response of the site.
#[derive(Debug, Clone)]
enum Says {
    Keys(String),
    Moved(String),
}

/// The site. It can go down and return at the same address.
#[derive(Debug)]
pub struct Site {
    addr: SocketAddr,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
    /// Present if the site uses HTTPS.
    tls: Option<Arc<ServerConfig>>,
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Site {
    /// Starts a site that publishes `key`.
    #[track_caller]
    pub fn start(key: &SigningKey) -> Self {
        Self::with(key, None)
    }

    /// The same over HTTPS.
    #[track_caller]
    pub fn secure(key: &SigningKey, tls: Arc<ServerConfig>) -> Self {
        Self::with(key, Some(tls))
    }

    #[track_caller]
    fn with(key: &SigningKey, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut site = Self {
            addr: listener.local_addr().unwrap(),
            says: Arc::new(Mutex::new(Says::Keys(key.jwks().unwrap()))),
            asked: Arc::default(),
            tls,
            running: None,
        };
        site.run(listener);
        site
    }

    /// Returns the address of its keys.
    pub fn url(&self) -> String {
        let s = if self.tls.is_some() { "s" } else { "" };
        format!("http{s}://{}/wp-json/lianmai/v1/jwks", self.addr)
    }

    /// From now on, publishes only this key.
    pub fn tell(&self, key: &SigningKey) {
        self.say(&key.jwks().unwrap());
    }

    /// From now on, responds with this text.
    pub fn say(&self, text: &str) {
        *self.says.lock().unwrap() = Says::Keys(text.to_owned());
    }

    /// From now on, redirects to `address`.
    pub fn send_to(&self, address: &str) {
        *self.says.lock().unwrap() = Says::Moved(address.to_owned());
    }

    /// Returns the number of requests.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// From now on, does not respond.
    #[track_caller]
    pub fn down(&mut self) {
        let Some((stop, thread)) = self.running.take() else { return };
        stop.store(true, Ordering::SeqCst);
        // The thread checks this on the next connection.
        let _ = TcpStream::connect(self.addr);
        thread.join().unwrap();
    }

    /// Responds again.
    #[track_caller]
    pub fn up(&mut self) {
        self.down();
        self.run(TcpListener::bind(self.addr).unwrap());
    }

    fn run(&mut self, listener: TcpListener) {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, says, asked) = (stop.clone(), self.says.clone(), self.asked.clone());
        let tls = self.tls.clone();
        let thread = thread::spawn(move || {
            for socket in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(socket) = socket {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let says = says.lock().unwrap().clone();
                    // The client may disconnect before the response.
                    let _ = match &tls {
                        None => answer(socket, &says),
                        Some(tls) => ServerConnection::new(tls.clone())
                            .map_err(std::io::Error::other)
                            .and_then(|session| answer(StreamOwned::new(session, socket), &says)),
                    };
                }
            }
        });
        self.running = Some((stop, thread));
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some((stop, _)) = self.running.take() {
            stop.store(true, Ordering::SeqCst);
            let _ = TcpStream::connect(self.addr);
        }
    }
}

fn answer(mut socket: impl Read + Write, says: &Says) -> std::io::Result<()> {
    for line in BufReader::new(&mut socket).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let (head, body) = match says {
        Says::Keys(text) => ("200 OK\r\nContent-Type: application/json".to_owned(), text.as_str()),
        Says::Moved(address) => (format!("302 Found\r\nLocation: {address}"), ""),
    };
    let length = body.len();
    write!(socket, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")?;
    socket.flush()
}
