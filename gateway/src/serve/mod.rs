//! `lianmai serve`: assembles and runs the gateway. Start reading at [`run`]; `services` lists all services
//! and jobs.

mod services;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::services::Services;
use crate::context::Context;
use crate::core::auth::{self, Auth, Tokens, secret_of};
use crate::jobs::Jobs;
use crate::jobs::mix::Mixes;
use crate::net::worker::{Gate, Watchdog, Workers};
use crate::service::{Gateway, Greeting, HttpAddresses, Routes, StartError};
use crate::settings::Settings;
use crate::{metrics, secret_file};

/// Maximum time for streams and connections to end at shutdown.
const GRACE: Duration = Duration::from_millis(2500);

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// The gateway cannot start; the text says what to change.
pub async fn run(mut settings: Settings) -> Result<(), StartError> {
    metrics::install();
    secret_file::check_folder(&settings.data).map_err(|e| StartError::File(settings.data.clone(), e))?;
    let jobs = Jobs::default();
    let mixes = Mixes::new(&settings.mix, &jobs);
    settings.open_addresses();
    let mut services = Services::bind(&settings, &jobs, &mixes)?;
    // Only after all sockets are bound: a failed start must not create a secret.
    let auth = rules(&settings)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::System)?;

    let mut context = Context::new(settings.context.clone(), auth);
    for service in &mut services.all {
        service.guard(&mut context)?;
    }
    let gateway = Gateway {
        gate: Gate::new(context.limits.connections, context.limits.connections_per_ip),
        workers: Workers::start(settings.workers).map_err(StartError::System)?,
        stop: CancellationToken::new(),
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

    let file = &settings.ready_file;
    if !file.as_os_str().is_empty() {
        secret_file::write(file, &gateway.listening.file(), 0o644)
            .map_err(|e| StartError::File(file.clone(), e))?;
    }
    // Ignore a closed standard output.
    let text = greeting(&services, &jobs, &context, services.http.addresses());
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
    if let Some(files) =
        metrics::process::open_files().filter(|files| *files < context.limits.connections as u64)
    {
        tracing::warn!(files, "the limit of open files is lower than --max-connections: raise `ulimit -n`");
    }

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let Gateway { gate, stop, .. } = gateway;
    tracing::info!(connections = gate.open(), "stopping");
    context.auth.refusals.flush();
    stop.cancel();
    context.hub.shutdown();
    if timeout(GRACE, gate.empty()).await.is_err() {
        tracing::warn!(connections = gate.open(), "some connections did not end in time");
    }
    Ok(())
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
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let secret = match text(&settings.auth.secret) {
        Some(secret) => Some(secret),
        None => {
            let make = settings.public && !settings.auth.open;
            kept(settings, auth::PUBLISH, make)?
        }
    };
    let operator = match text(&settings.auth.operator_secret) {
        Some(operator) => Some(operator),
        None => operator(settings)?,
    };
    if secret.is_some() && secret == operator {
        tracing::warn!("the operator's secret is the publish secret: every publisher can close the others");
    }
    let tokens = Tokens::new(&settings.auth, &settings.data).map_err(StartError::Setting)?;
    tokens.watch();
    Ok(Auth {
        public: settings.public,
        open: settings.auth.open,
        secret,
        operator,
        play_secret: text(&settings.auth.play_secret),
        tokens: Some(Arc::new(tokens)),
        publish_tokens: settings.auth.jwks.iter().any(|place| !place.is_empty()),
        play_tokens: settings.auth.play,
        ..Auth::default()
    })
}

/// Reads a secret from the data folder.
fn kept(settings: &Settings, name: &str, make: bool) -> Result<Option<String>, StartError> {
    secret_of(&settings.data, name, make).map_err(|e| StartError::File(settings.data.join(name), e))
}

/// Returns the operator's secret. If it cannot be stored, it is new on every start.
fn operator(settings: &Settings) -> Result<Option<String>, StartError> {
    if let Some(kept) = kept(settings, auth::OPERATOR, false)? {
        return Ok(Some(kept));
    }
    match secret_of(&settings.data, auth::OPERATOR, true) {
        Ok(made) => Ok(made),
        Err(error) => {
            let folder = settings.data.display();
            tracing::warn!(%folder, %error, "the operator's secret cannot be stored: the next start makes a new one");
            auth::new_secret().map(Some).map_err(StartError::System)
        }
    }
}
