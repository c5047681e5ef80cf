//! Every connection that publishes or plays, for the API, the metrics and kicking.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use media::time::Micros;
use tokio::sync::watch;

use super::meter::Meter;
use super::stream::Stream;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKind {
    /// It sends a stream.
    Publish,
    /// It receives one.
    Play,
}

/// Who a client is.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// The protocol, in lower case: `rtmp`, `http-flv`, `ws-flv`, `hls` …
    pub protocol: &'static str,
    /// What it does.
    pub kind: ClientKind,
    /// Its address.
    pub peer: SocketAddr,
    /// The address it asked for, as the API shows it.
    pub url: String,
    /// Its software: the User-Agent or RTMP's flashVer; may be empty.
    pub agent: String,
}

/// One connected client.
#[derive(Debug)]
pub struct Client {
    /// Unique in this run.
    pub id: u64,
    /// Who it is.
    pub info: ClientInfo,
    /// Which stream it publishes or plays.
    pub stream: Arc<Stream>,
    /// Since when.
    pub since: SystemTime,
    /// Bytes sent to it.
    pub sent: Meter,
    /// Bytes received from it.
    pub received: Meter,
    /// Items it missed because it was too slow.
    pub skipped: AtomicU64,
    /// Where in the stream's time it is; `i64::MIN` before its first item.
    position: AtomicI64,
    kicked: watch::Sender<bool>,
    /// Bits a second; 0 while not known.
    estimate: AtomicU64,
}

impl Client {
    /// The bandwidth to it in bits a second, where that is estimated.
    pub fn estimate(&self) -> Option<u64> {
        Some(self.estimate.load(Ordering::Relaxed)).filter(|bits| *bits > 0)
    }

    /// How far it is behind what was published last; none while that is not known.
    pub fn lag(&self) -> Option<Micros> {
        let position = Some(self.position.load(Ordering::Relaxed)).filter(|at| *at != Micros::MIN)?;
        Some((self.stream.newest()? - position).max(0))
    }
}

#[derive(Debug, Default)]
struct Inner {
    clients: Mutex<BTreeMap<u64, Arc<Client>>>,
    next: AtomicU64,
    skipped: AtomicU64,
}

/// All clients. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Clients(Arc<Inner>);

impl Clients {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Client>>> {
        self.0.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a client until the handle is dropped.
    pub fn add(&self, info: ClientInfo, stream: &Arc<Stream>) -> ClientHandle {
        let client = Arc::new(Client {
            id: self.0.next.fetch_add(1, Ordering::Relaxed) + 1,
            info,
            stream: stream.clone(),
            since: SystemTime::now(),
            sent: Meter::default(),
            received: Meter::default(),
            skipped: AtomicU64::new(0),
            position: AtomicI64::new(i64::MIN),
            kicked: watch::Sender::new(false),
            estimate: AtomicU64::new(0),
        });
        if client.info.kind == ClientKind::Play {
            stream.viewer_came();
        }
        self.clients().insert(client.id, client.clone());
        ClientHandle { registry: self.clone(), client }
    }

    /// All clients, oldest first.
    pub fn list(&self) -> Vec<Arc<Client>> {
        self.clients().values().cloned().collect()
    }

    /// One client.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.clients().get(&id).cloned()
    }

    /// Tells a client to go; whether it was there.
    pub fn kick(&self, id: u64) -> bool {
        self.get(id).is_some_and(|client| !client.kicked.send_replace(true))
    }

    /// Items that all clients, past ones too, missed because they were too slow.
    pub fn skipped(&self) -> u64 {
        self.0.skipped.load(Ordering::Relaxed)
    }
}

/// A client's registration; dropping it takes the client off the list.
#[derive(Debug)]
pub struct ClientHandle {
    registry: Clients,
    client: Arc<Client>,
}

impl ClientHandle {
    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Counts bytes sent to it, for the stream too.
    pub fn sent(&self, bytes: usize) {
        self.client.sent.add(bytes as u64);
        self.client.stream.count_sent(bytes as u64);
    }

    /// Counts bytes received from it.
    pub fn received(&self, bytes: usize) {
        self.client.received.add(bytes as u64);
    }

    /// Notes how far in the stream's time it has come.
    pub fn reached(&self, time: Micros) {
        self.client.position.store(time, Ordering::Relaxed);
    }

    /// Notes how many bits a second the way to it bears.
    pub fn estimated(&self, bits: u64) {
        self.client.estimate.store(bits, Ordering::Relaxed);
    }

    /// Counts items it missed.
    pub fn skipped(&self, items: u64) {
        self.client.skipped.fetch_add(items, Ordering::Relaxed);
        self.registry.0.skipped.fetch_add(items, Ordering::Relaxed);
    }

    /// Resolves when an operator wants it gone.
    pub async fn kicked(&self) {
        let mut kicked = self.client.kicked.subscribe();
        // The sender is in the client we hold.
        let _ = kicked.wait_for(|kicked| *kicked).await;
    }
}

impl Drop for ClientHandle {
    fn drop(&mut self) {
        if self.client.info.kind == ClientKind::Play {
            self.client.stream.viewer_left();
        }
        self.registry.clients().remove(&self.client.id);
    }
}
