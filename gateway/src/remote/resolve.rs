//! Resolves host names without blocking network threads, or the end of the gateway.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::thread;

use tokio::sync::{Semaphore, oneshot};

/// Maximum number of names that are resolved at the same time, in one thread each. The system's resolver may need half
/// a minute for a name.
pub(super) const MAX_RESOLVERS: usize = 16;
/// Maximum number of addresses of a host that are tried.
const MAX_ADDRESSES: usize = 4;

/// Resolves names. Cloning shares its threads.
#[derive(Debug, Clone)]
pub(super) struct Resolver(Arc<Semaphore>);

impl Resolver {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_RESOLVERS)))
    }

    /// Returns the addresses of a host. The error is a text for people.
    pub(super) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let failed = |error: String| format!("cannot resolve {host}: {error}");
        // The permit stays with the thread, which nobody can end.
        let permit = self.0.clone().acquire_owned().await.map_err(|error| failed(error.to_string()))?;
        let (send, receive) = oneshot::channel();
        let name = host.to_owned();
        let resolve = move || {
            let found = (name.as_str(), port).to_socket_addrs();
            let found = found.map(|found| found.take(MAX_ADDRESSES).collect::<Vec<_>>());
            drop(permit);
            let _ = send.send(found);
        };
        let thread = thread::Builder::new().name("resolve".to_owned()).spawn(resolve);
        thread.map_err(|error| failed(error.to_string()))?;
        match receive.await {
            Ok(Ok(found)) if !found.is_empty() => Ok(found),
            Ok(Err(error)) => Err(failed(error.to_string())),
            _ => Err(failed("it has no address".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_and_addresses_are_resolved_by_few_threads() {
        let resolver = Resolver::new();
        let found = resolver.resolve("::1", 7).await.unwrap();
        assert_eq!(found, ["[::1]:7".parse::<SocketAddr>().unwrap()]);
        let local = resolver.resolve("localhost", 7).await.unwrap();
        assert!(local.iter().all(|addr| addr.ip().is_loopback() && addr.port() == 7), "{local:?}");
        let permits = resolver.0.clone().acquire_many_owned(MAX_RESOLVERS as u32).await.unwrap();
        let waiting =
            tokio::time::timeout(std::time::Duration::from_millis(50), resolver.resolve("localhost", 7));
        assert!(waiting.await.is_err(), "all threads are in use");
        drop(permits);
        assert!(resolver.resolve("localhost", 7).await.is_ok());
    }
}
