//! `lianmai serve`: everything put together.

mod hello;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::core::auth::{self, Auth, Tokens, secret_of};
use crate::edges::rtmp;
use crate::edges::webrtc::{Port, WebRtc};
use crate::jobs::demo;
use crate::net::tls;
use crate::net::tls::{Tls, TlsError};
use crate::net::worker::{Connection, Gate, Watchdog, Workers, accept, bind};
use crate::settings::Settings;
use crate::{http, metrics, secret_file};

/// How long streams and connections may take to end.
const GRACE: Duration = Duration::from_millis(2500);

/// Why the gateway does not run, in a sentence.
#[derive(Debug)]
pub enum ServeError {
    /// An address can't be listened on; with the flag that sets it.
    Listen(&'static str, SocketAddr, io::Error),
    /// The HTTPS certificate can't be used.
    Tls(TlsError),
    /// A file can't be read or written.
    File(PathBuf, io::Error),
    /// A setting can't be what it is, in words.
    Setting(String),
    /// The system gives no threads or signals.
    System(io::Error),
}

impl fmt::Display for ServeError {
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
            Self::File(path, e) => write!(f, "{}: {e}", path.display()),
            Self::Setting(words) => f.write_str(words),
            Self::System(e) => write!(f, "the system refuses: {e}"),
        }
    }
}

impl std::error::Error for ServeError {}

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// When it can't start; the error says in words what to change.
pub async fn run(mut config: Settings) -> Result<(), ServeError> {
    metrics::install();
    secret_file::check_folder(&config.data).map_err(|e| ServeError::File(config.data.clone(), e))?;
    let (rtmp_addr, http, webrtc_addr) = config.addresses();
    let listener = listen("--rtmp", rtmp_addr)?;
    // The port that was chosen, if it was 0: the API tells it.
    config.rtmp.set_port(listener.local_addr().map_err(ServeError::System)?.port());
    let http = http.into_iter().map(|addr| listen("--http", addr)).collect::<Result<Vec<_>, _>>()?;
    let (port, webrtc_tcp) =
        Port::bind(webrtc_addr).map_err(|e| ServeError::Listen("--webrtc", webrtc_addr, e))?;
    let https = config.https().map(|addr| listen("--https", addr)).transpose()?;
    if let (Some(listener), Some(addr)) = (&https, &mut config.https.0) {
        addr.set_port(listener.local_addr().map_err(ServeError::System)?.port());
    }
    let https = match https {
        Some(listener) => Some((listener, Tls::new(&config).map_err(ServeError::Tls)?)),
        None => None,
    };
    // Not before everything listens: a start that fails makes no secret.
    let auth = rules(&config)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::System)?;

    let context = Context::new(config, auth);
    let gate = Gate::new(context.limits.connections, context.limits.connections_per_ip);
    let workers = Workers::start(context.settings.workers).map_err(ServeError::System)?;
    // This thread accepts connections and cuts streams for HLS.
    let _watchdog = Watchdog::current("main").map_err(ServeError::System)?;
    let stop = CancellationToken::new();
    let webrtc = WebRtc::new(context.clone(), port.clone(), workers.clone(), gate.clone(), stop.clone());
    let webrtc =
        webrtc.ok_or_else(|| ServeError::System(io::Error::other("no DTLS certificate can be made")))?;
    webrtc.listen(webrtc_tcp);
    let addresses = hello::Addresses::of(&listener, &http, https.as_ref(), port.addr());
    let addresses = addresses.map_err(ServeError::System)?;

    let router = http::router(context.clone(), gate.clone(), webrtc);
    let plain = http.into_iter().map(|listener| (listener, None, http::BUSY));
    let secure = https.into_iter().map(|(listener, tls)| (listener, Some(tls), tls::BUSY));
    for (listener, tls, refusal) in plain.chain(secure) {
        let (context, router, stopped) = (context.clone(), router.clone(), stop.clone());
        let serve = move |connection| {
            let (context, tls, router, stop) =
                (context.clone(), tls.clone(), router.clone(), stopped.clone());
            async move { http::serve(connection, tls, router, &context, stop).await }
        };
        tokio::spawn(accept(listener, workers.clone(), gate.clone(), stop.clone(), refusal, serve));
    }
    let serve = {
        let context = context.clone();
        move |connection: Connection| rtmp::handle(connection.stream, connection.peer, context.clone())
    };
    tokio::spawn(accept(listener, workers.clone(), gate.clone(), stop.clone(), b"", serve));
    tokio::spawn(context.auth.refusals.clone().run());
    if context.settings.demo {
        tokio::spawn(demo::run(context.hub.clone()));
    }

    let ready = &context.settings.ready_file;
    if !ready.as_os_str().is_empty() {
        secret_file::write(ready, &addresses.json(), 0o644)
            .map_err(|e| ServeError::File(ready.clone(), e))?;
    }
    hello::print(&addresses, &context);
    if let Some(files) =
        metrics::process::open_files().filter(|files| *files < context.limits.connections as u64)
    {
        tracing::warn!(files, "fewer files may be open than connections are allowed: raise `ulimit -n`");
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!(connections = gate.open(), "stopping");
    context.auth.refusals.flush();
    stop.cancel();
    context.hub.shutdown();
    if timeout(GRACE, gate.empty()).await.is_err() {
        tracing::warn!(connections = gate.open(), "some connections did not end in time");
    }
    Ok(())
}

/// The rules for publishers; makes the secret where one is needed.
fn rules(config: &Settings) -> Result<Auth, ServeError> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let secret = match text(&config.secret) {
        Some(secret) => Some(secret),
        None => {
            let make = config.public && !config.open;
            kept(config, auth::PUBLISH, make)?
        }
    };
    let operator = if secret.is_none() { operator(config)? } else { None };
    let tokens = Tokens::new(config).map_err(ServeError::Setting)?;
    tokens.watch();
    Ok(Auth {
        public: config.public,
        open: config.open,
        secret,
        operator,
        play_secret: text(&config.play_secret),
        tokens: Some(Arc::new(tokens)),
        publish_tokens: config.auth_jwks.iter().any(|place| !place.is_empty()),
        play_tokens: config.auth_play,
        ..Auth::default()
    })
}

/// A secret in the data folder.
fn kept(config: &Settings, name: &str, make: bool) -> Result<Option<String>, ServeError> {
    secret_of(&config.data, name, make).map_err(|e| ServeError::File(config.data.join(name), e))
}

/// What the operator shows; where it can't be kept, another one with every start.
fn operator(config: &Settings) -> Result<Option<String>, ServeError> {
    if let Some(kept) = kept(config, auth::OPERATOR, false)? {
        return Ok(Some(kept));
    }
    match secret_of(&config.data, auth::OPERATOR, true) {
        Ok(made) => Ok(made),
        Err(error) => {
            let folder = config.data.display();
            tracing::warn!(%folder, %error, "the operator's secret can't be kept: the next start has another");
            auth::new_secret().map(Some).map_err(ServeError::System)
        }
    }
}

fn listen(flag: &'static str, addr: SocketAddr) -> Result<TcpListener, ServeError> {
    bind(addr).map_err(|e| ServeError::Listen(flag, addr, e))
}
