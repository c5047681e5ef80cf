//! `lianmai serve`: assembles and runs the gateway. Start reading at [`run`]; `services` lists all services
//! and jobs.

mod console_file;
mod lock;
mod notify;
mod reload;
mod running;
mod secrets;
mod services;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::console_file::ConsoleFile;
use self::lock::DataLock;
use self::secrets::SecretTexts;
use self::services::Services;
use crate::api::{ApiParts, ReloadRequest};
use crate::cdn::Cdn;
use crate::context::Context;
use crate::core::auth::{self, Auth, Keys, Logins, Tokens};
use crate::jobs::Jobs;
use crate::jobs::mix::Mixes;
use crate::jobs::record::Records;
use crate::jobs::slate::Slates;
use crate::net::worker::{Gate, Watchdog, Workers, has_both_families};
use crate::service::{Gateway, Greeting, HttpAddresses, Routes, StartError};
use crate::settings::{Settings, check_data_folder};
use crate::store::Store;
use crate::{metrics, secret_file};

pub use self::console_file::FILE as CONSOLE_FILE;
pub use self::reload::Reload;
use self::running::RunningGateway;

/// Maximum time for streams and connections to end at shutdown.
const GRACE: Duration = Duration::from_millis(2500);

/// Maximum time for the last sessions to be logged at shutdown.
const LOG_GRACE: Duration = Duration::from_secs(1);
/// Maximum time for the last hooks to be sent at shutdown.
const HOOK_GRACE: Duration = Duration::from_secs(1);

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// The gateway cannot start; the text says what to change.
pub async fn run(settings: Settings) -> Result<(), StartError> {
    run_until_end(settings, None, None).await
}

/// Runs the gateway until SIGTERM or SIGINT, and reads its settings again on `hangup`.
///
/// # Errors
/// The same as [`run`].
pub async fn run_with_reload(settings: Settings, reload: Reload, hangup: Signal) -> Result<(), StartError> {
    run_until_end(settings, Some(reload), Some(hangup)).await
}

async fn run_until_end(
    mut settings: Settings,
    reload: Option<Reload>,
    hangup: Option<Signal>,
) -> Result<(), StartError> {
    metrics::install();
    check_data_folder(&settings.data).map_err(StartError::Setting)?;
    let in_data = |e| StartError::File("--data", settings.data.clone(), e);
    secret_file::check_folder(&settings.data).map_err(in_data)?;
    let mut signals = Signals::new(hangup)?;
    let jobs = Jobs::default();
    let mixes = Mixes::new(&settings.mix, &jobs);
    let store = Store::open(&settings.store, &settings.remote).map_err(StartError::Setting)?;
    let parts = ApiParts {
        records: Records::new(&settings.record, &settings.data).with_store(store.clone(), &settings.store),
        jobs: jobs.clone(),
        mixes: mixes.clone(),
        store,
        cdn: Cdn::new(&settings.cdn).map_err(StartError::Setting)?,
        ..ApiParts::default()
    };
    let (records, hooks, sessions) = (parts.records.clone(), parts.hooks.clone(), parts.sessions.clone());
    let cluster = parts.cluster.clone();
    let mut requests = parts.reload.requests();
    let given = settings.clone();
    settings.open_addresses(has_both_families());
    let mut services = Services::bind(&settings, &parts)?;
    // Only after all sockets are bound: a failed start must not create a secret.
    let _lock = DataLock::take(&settings.data)?;
    let auth = rules(&settings)?;

    let mut context = Context::new(settings.context.clone(), auth);
    for service in &mut services.all {
        service.guard(&mut context)?;
    }
    let limits = context.limits.get();
    let gateway = Gateway {
        gate: Gate::behind(context.proxies.clone(), limits.connections, limits.connections_per_ip),
        workers: Workers::start(settings.workers).map_err(StartError::System)?,
        stop: CancellationToken::new(),
        tls: services.http.tls().cloned(),
        listening: services.listening(),
        protocols: services.all.iter().flat_map(|service| service.protocols()).copied().collect(),
        context: context.clone(),
    };
    // This thread accepts connections and cuts HLS segments.
    let _watchdog = Watchdog::current("main").map_err(StartError::System)?;
    let mut routes = Routes::default();
    for service in &mut services.all {
        service.start(&gateway, &mut routes)?;
    }
    services.http.start(&gateway, routes);
    tokio::spawn(context.auth.refusals.clone().run());
    for job in self::services::jobs(&settings) {
        jobs.add(job, &context, &gateway.stop);
    }
    mixes.begin(&context, &gateway.stop);
    records.begin(&context, &jobs, &gateway.stop)?;
    let slates = Slates::default();
    slates.set(&settings.slate, &jobs, &context, &gateway.stop);

    let ready_file = ReadyFile::write(&settings.ready_file, gateway.listening.file())?;
    let console_file = ConsoleFile::write(&settings.data, &context, services.http.addresses());
    let data = std::path::absolute(&settings.data).unwrap_or_else(|_| settings.data.clone());
    let (version, public) = (env!("CARGO_PKG_VERSION"), settings.public);
    tracing::info!(version, public, data = %data.display(), listening = %gateway.listening, "gateway started");
    // Ignore a closed standard output.
    let text = greeting(&services, &jobs, &context, services.http.addresses());
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
    if let Some(files) = metrics::process::open_files().filter(|files| *files < limits.connections as u64) {
        tracing::warn!(files, "the limit of open files is lower than --max-connections: raise `ulimit -n`");
    }

    notify::tell(notify::READY);
    let running = RunningGateway {
        context: context.clone(),
        gate: gateway.gate.clone(),
        parts,
        slates,
        facts: services.facts.clone(),
        stop: gateway.stop.clone(),
    };
    let signal = wait_for_end(&mut signals, &mut requests, reload.as_ref(), given, &running).await;
    drop(requests);
    notify::tell(notify::STOPPING);
    // A program that waits for the file must not find a gateway that ends.
    drop((ready_file, console_file));
    let Gateway { gate, stop, .. } = gateway;
    tracing::info!(signal, connections = gate.open(), "gateway stopping");
    context.auth.refusals.flush();
    context.auth.keys.flush();
    context.auth.logins.flush();
    stop.cancel();
    context.hub.shutdown();
    let recordings = tokio::task::spawn_blocking(move || records.end(GRACE));
    if timeout(GRACE, gate.empty()).await.is_err() {
        tracing::warn!(connections = gate.open(), "some connections did not end in time");
    }
    // It waits no longer than the connections.
    let _ = recordings.await;
    if let Some(sessions) = sessions.get()
        && timeout(LOG_GRACE, sessions.finish()).await.is_err()
    {
        tracing::warn!("some sessions were not logged before the end");
    }
    if let Some(cluster) = cluster.get() {
        cluster.finish().await;
    }
    if timeout(HOOK_GRACE, hooks.drained()).await.is_err() {
        tracing::warn!("some hooks were not sent before the end");
    }
    Ok(())
}

/// The ready file. Dropping it removes the file, unless another gateway has written there since.
struct ReadyFile<'a> {
    path: &'a Path,
    text: String,
}

impl<'a> ReadyFile<'a> {
    /// Writes the file; `None` if the settings name none.
    fn write(path: &'a Path, text: String) -> Result<Option<Self>, StartError> {
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        secret_file::write(path, &text, 0o644)
            .map_err(|e| StartError::File("--ready-file", path.to_owned(), e))?;
        Ok(Some(Self { path, text }))
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        if fs::read_to_string(self.path).is_ok_and(|text| text == self.text) {
            let _ = fs::remove_file(self.path);
        }
    }
}

/// Returns the text that is printed at the start.
fn greeting(services: &Services, jobs: &Jobs, context: &Context, addresses: &HttpAddresses) -> String {
    let mut greeting = Greeting::new(context, addresses);
    services.http.greet(&mut greeting);
    services.all.iter().for_each(|service| service.greet(&mut greeting));
    jobs.greet(&mut greeting);
    greeting.text()
}

/// Returns the authentication rules; creates the secrets that are needed.
fn rules(settings: &Settings) -> Result<Auth, StartError> {
    let secrets = SecretTexts::read(settings)?;
    // A secret that cannot be stored is new on every start.
    let operator = secrets.operator.map_or_else(auth::new_secret, Ok).map_err(StartError::System)?;
    let in_data = |e| StartError::File("--data", settings.data.join(auth::KEYS), e);
    let keys = Keys::kept(&settings.data).map_err(in_data)?;
    tokio::spawn(keys.clone().run());
    let in_data = |e| StartError::File("--data", settings.data.join(auth::LOGINS), e);
    let logins = Logins::kept(&settings.data).map_err(in_data)?;
    tokio::spawn(logins.clone().run());
    let tokens = Tokens::new(&settings.auth, &settings.data).map_err(StartError::Setting)?;
    tokens.watch();
    Ok(Auth {
        public: settings.public,
        open: settings.auth.open,
        secret: secrets.publish.into(),
        operator: Some(operator).into(),
        play_secret: secrets.play.into(),
        publish_url_key: secrets.publish_url.into(),
        play_url_key: secrets.play_url.into(),
        keys,
        logins,
        tokens: Some(Arc::new(tokens)),
        publish_tokens: settings.auth.jwks.iter().any(|place| !place.is_empty()),
        play_tokens: settings.auth.play,
        ..Auth::default()
    })
}

/// Waits for a signal to end. Reads the settings again on SIGHUP and for requests of the API, if `reload` says how.
async fn wait_for_end(
    signals: &mut Signals,
    requests: &mut Option<mpsc::Receiver<ReloadRequest>>,
    reload: Option<&Reload>,
    mut current: Settings,
    running: &RunningGateway,
) -> &'static str {
    loop {
        let answer = tokio::select! {
            _ = signals.terminate.recv() => return "SIGTERM",
            _ = signals.interrupt.recv() => return "SIGINT",
            () = hangup(&mut signals.hangup) => None,
            answer = next_request(requests) => Some(answer),
        };
        let cannot = || Err("this gateway was started without a way to read its settings again".to_owned());
        let reloaded = reload.map_or_else(cannot, |reload| reload.run(&mut current, running));
        if let Some(answer) = answer {
            // The client may have gone.
            let _ = answer.send(reloaded);
        }
    }
}

/// Resolves with the next request to read the settings again.
async fn next_request(requests: &mut Option<mpsc::Receiver<ReloadRequest>>) -> ReloadRequest {
    match requests {
        Some(requests) => match requests.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// The signals that end the gateway or reload its settings.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    fn new(hangup: Option<Signal>) -> Result<Self, StartError> {
        let signal = |kind| signal(kind).map_err(StartError::System);
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup,
        })
    }
}

/// Resolves at a SIGHUP, if the gateway can reload.
async fn hangup(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
