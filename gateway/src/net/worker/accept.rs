//! Accepts connections and distributes them to the workers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Gate, Permit, Workers};

/// Maximum number of unsent bytes in the kernel per viewer: a slow viewer must skip frames, not queue
/// megabytes.
const NOTSENT_LOWAT: u32 = 128 << 10;
/// Maximum number of connections in the kernel's accept queue.
const BACKLOG: i32 = 4096;
/// After this silence the kernel checks whether the peer still exists.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Maximum number of refusals that are sent at the same time; further connections are just closed.
pub(super) const REFUSALS: usize = 64;

/// The bytes to send to a refused connection; may be empty.
pub type Refusal = &'static [u8];

/// An accepted connection, on its worker.
#[derive(Debug)]
pub struct Connection {
    /// The socket, registered with this worker.
    pub stream: TcpStream,
    /// The peer's address.
    pub peer: SocketAddr,
    /// Its permit. A task that takes over the socket (a WebSocket) must keep it.
    pub permit: Arc<Permit>,
}

/// Listens on `addr`.
///
/// # Errors
/// The address is in use or does not belong to this machine.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // `[::]` should accept both address families; systems without IPv4 mapping refuse this.
        let _ = socket.set_only_v6(false);
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Returns whether a socket that listens on `[::]` takes IPv4 connections, too. IPv6 may be turned off.
pub fn has_both_families() -> bool {
    let both = || -> io::Result<()> {
        let socket = socket2::Socket::new(Domain::IPV6, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 0)).into())
    };
    both().is_ok()
}

/// Accepts connections until `stop`, and runs `serve` for each on the next worker in turn. The connection
/// holds its permit until `serve` returns.
pub async fn accept<F>(
    listener: TcpListener,
    workers: Workers,
    gate: Gate,
    stop: CancellationToken,
    refusal: Refusal,
    serve: impl Fn(Connection) -> F + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let serve = Arc::new(serve);
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // An aborted connection concerns only its client. Other errors, such as too many open files,
                // concern the server: retrying immediately would use all CPU.
                if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
                {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(Duration::from_millis(100)).await;
                }
                continue;
            }
        };
        // A socket for both families reports IPv4 addresses as IPv6 addresses.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(permit) = gate.enter(peer.ip()) else {
            tracing::debug!(%peer, "connection refused: too many connections");
            if let Ok(place) = refusals.clone().try_acquire_owned() {
                tokio::spawn(async move {
                    refuse(stream, refusal).await;
                    drop(place);
                });
            }
            continue;
        };
        let Ok(stream) = stream.into_std() else { continue };
        let (serve, permit) = (serve.clone(), Arc::new(permit));
        let proxies = gate.clone();
        workers.next().spawn(async move {
            // A socket that cannot be registered is closed.
            let Ok(mut stream) = TcpStream::from_std(stream) else { return };
            tune(&stream);
            let client = match proxies.proxies().read_header(peer, &mut stream).await {
                Ok(client) => client,
                Err(error) => return tracing::debug!(%peer, %error, "connection of a proxy refused"),
            };
            if !permit.move_to(client.ip()) {
                tracing::debug!(peer = %client, "connection refused: too many connections");
                return refuse(stream, refusal).await;
            }
            serve(Connection { stream, peer: client, permit: permit.clone() }).await;
            drop(permit);
        });
    }
}

fn tune(stream: &TcpStream) {
    // These options only improve the service; it works without them.
    let _ = stream.set_nodelay(true);
    // Detects a peer that vanished, even if the gateway only receives.
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT);
}

/// Sends `text` and closes the connection.
pub async fn refuse(stream: TcpStream, words: Refusal) {
    // The connection is closed whether or not the text arrived.
    let _ = timeout(Duration::from_secs(1), say(stream, words)).await;
}

async fn say(mut stream: TcpStream, words: Refusal) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    // If unread input remains, closing the socket resets the connection and the text is lost.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
