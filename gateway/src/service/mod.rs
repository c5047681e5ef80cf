//! The parts of a gateway: services and jobs.
//!
//! A service owns a listening socket or a set of HTTP routes. Each protocol is one folder with a [`Service`],
//! and one line in `serve/services.rs`. A service is first bound, so that a port in use is detected before
//! anything else happens; then started, once the hub exists; then asked for its lines in the ready file and
//! the greeting. Start reading at [`Service`] and [`Job`].

mod greeting;
mod job;
mod routes;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use greeting::query;
pub use greeting::{Greeting, HttpAddresses};
pub use job::{Job, Run};
pub use routes::{Answer, PeerRequest, Routes, Serve, StreamRoutes};

use crate::context::Context;
use crate::net::tls::{Tls, TlsError};
use crate::net::worker::{Gate, Workers, bind};

/// The running gateway in which services are started. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The hub and the rules.
    pub context: Context,
    /// The network threads.
    pub workers: Workers,
    /// Limits the number of connections.
    pub gate: Gate,
    /// Cancelled when the gateway stops: services finish their current work and accept nothing more.
    pub stop: CancellationToken,
    /// The protocol names of all services, for the API and the metrics.
    pub protocols: Vec<&'static str>,
    /// TLS with the certificate of HTTPS; `None` if HTTPS is off.
    pub tls: Option<Tls>,
    /// The addresses of all services.
    pub listening: Listening,
}

/// The addresses on which the services listen: the entries of the ready file.
#[derive(Debug, Clone, Default)]
pub struct Listening(serde_json::Map<String, serde_json::Value>);

impl Listening {
    /// The port at which the service with this entry listens; 0 when there is none.
    pub fn port(&self, entry: &str) -> u16 {
        let addr = self.0.get(entry).and_then(|entry| entry.as_str());
        addr.and_then(|addr| addr.parse::<SocketAddr>().ok()).map_or(0, |addr| addr.port())
    }

    /// The first address on which the service with this entry listens.
    pub fn first(&self, entry: &str) -> Option<SocketAddr> {
        let entry = self.0.get(entry)?;
        let addr = entry.as_array().map_or(Some(entry), |list| list.first());
        addr?.as_str()?.parse().ok()
    }

    /// The ready file's contents, with the process.
    pub fn file(&self) -> String {
        let mut entries = self.0.clone();
        entries.insert("pid".to_owned(), std::process::id().into());
        format!("{}\n", serde_json::Value::Object(entries))
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (entry, addresses)) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let list = addresses.as_array().map_or_else(|| vec![addresses], |list| list.iter().collect());
            let list: Vec<&str> = list.into_iter().filter_map(|addr| addr.as_str()).collect();
            write!(f, "{space}{entry}={}", list.join(","))?;
        }
        Ok(())
    }
}

impl FromIterator<(&'static str, serde_json::Value)> for Listening {
    fn from_iter<I: IntoIterator<Item = (&'static str, serde_json::Value)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
}

/// A part of the gateway that clients connect to: through its own socket, or through HTTP routes.
pub trait Service: Send {
    /// Adds its guards to the admission of `context`, before the gateway starts.
    ///
    /// # Errors
    /// The same as [`Service::start`].
    fn guard(&mut self, context: &mut Context) -> Result<(), StartError> {
        let _ = context;
        Ok(())
    }

    /// Starts to serve, in tasks that end with [`Gateway::stop`], and adds its HTTP routes to `routes`.
    ///
    /// # Errors
    /// A required resource cannot be created; the text says what to change.
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError>;

    /// Returns the protocols of its viewers: the metrics list them from the start.
    fn protocols(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns its entry in the ready file: a key, and the addresses.
    fn ready(&self) -> Option<(&'static str, serde_json::Value)> {
        None
    }

    /// Adds its lines to the text that is printed at the start.
    fn greet(&self, greeting: &mut Greeting) {
        let _ = greeting;
    }
}

/// Why the gateway cannot run.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be used for listening; with the flag that sets it.
    Listen(&'static str, SocketAddr, io::Error),
    /// The HTTPS certificate cannot be used.
    Tls(TlsError),
    /// A file cannot be read or written; with the flag that says where it is.
    File(&'static str, PathBuf, io::Error),
    /// A setting is not valid; the text says why.
    Setting(String),
    /// The system provides no threads, signals or random numbers.
    System(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(flag, addr, e) if e.kind() == io::ErrorKind::AddrInUse => {
                let port = addr.port();
                write!(
                    f,
                    "port {port} is in use: another program listens on {addr}; choose another with {flag}"
                )?;
                if *flag == "--https" { f.write_str(", or none with `--https=`") } else { Ok(()) }
            }
            Self::Listen(flag, addr, e) => write!(f, "cannot listen on {addr} ({flag}): {e}"),
            Self::Tls(e) => e.fmt(f),
            Self::File(flag, path, e) => write!(f, "cannot use {} ({flag}): {e}", path.display()),
            Self::Setting(words) => f.write_str(words),
            Self::System(e) => write!(f, "the system reports an error: {e}"),
        }
    }
}

impl std::error::Error for StartError {}

/// Listens on the address that `flag` sets.
///
/// # Errors
/// The address is in use or does not belong to this machine.
pub fn listen(flag: &'static str, addr: SocketAddr) -> Result<TcpListener, StartError> {
    bind(addr).map_err(|e| StartError::Listen(flag, addr, e))
}
