//! Taking connections in and dealing them out.

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

/// What may wait unsent in the kernel for one viewer: a slow one must skip, not queue megabytes.
const NOTSENT_LOWAT: u32 = 128 << 10;
/// Connections the kernel holds until they are accepted.
const BACKLOG: i32 = 4096;
/// A connection that is silent for this long is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// Refusals that are put into words at once; the rest is just closed.
pub(super) const REFUSALS: usize = 64;

/// What to write to a connection that finds no place; may be empty.
pub type Refusal = &'static [u8];

/// A connection that was let in, on its worker.
#[derive(Debug)]
pub struct Connection {
    /// The socket, registered with this worker.
    pub stream: TcpStream,
    /// Its other end.
    pub peer: SocketAddr,
    /// Its place: what goes on with the socket elsewhere (a WebSocket) keeps it as well.
    pub permit: Arc<Permit>,
}

/// Listens on `addr`.
///
/// # Errors
/// When the address is in use or not ours.
pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // `[::]` means every interface in both families; a system without IPv4 mapping says no.
        let _ = socket.set_only_v6(false);
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until `stop`, and runs `serve` for each connection on the next worker in turn; the
/// connection has its place until `serve` is done.
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
                // One that left while it waited is its own affair; out of file descriptors is ours,
                // and trying again at once would only spin.
                if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
                {
                    tracing::warn!(%error, "can't take connections in");
                    sleep(Duration::from_millis(100)).await;
                }
                continue;
            }
        };
        let Some(permit) = gate.enter(peer.ip()) else {
            tracing::debug!(%peer, "refused: too many connections");
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
        workers.next().spawn(async move {
            // A socket that can't be registered is gone.
            let Ok(stream) = TcpStream::from_std(stream) else { return };
            tune(&stream);
            serve(Connection { stream, peer, permit: permit.clone() }).await;
            drop(permit);
        });
    }
}

fn tune(stream: &TcpStream) {
    // All are only better service; a system that knows them not still works.
    let _ = stream.set_nodelay(true);
    // A peer that vanished without a word is found out even where we only listen.
    let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    let _ = SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT);
}

/// Ends a connection with these words.
pub async fn refuse(stream: TcpStream, words: Refusal) {
    // Whether they arrived or not, it is over.
    let _ = timeout(Duration::from_secs(1), say(stream, words)).await;
}

async fn say(mut stream: TcpStream, words: Refusal) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    // Closing with unread input would reset the connection and lose the words.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
