//! `GET /api/v1/server`: the gateway itself, for the operator.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;

use super::{Api, Asker, millis};
use crate::net::tls::{CertReport, CertSource};
use crate::settings::{self, Settings};

/// Facts about the gateway that the API shows.
#[derive(Debug)]
pub struct ServerFacts {
    /// The source and the state of the certificate.
    pub certificate: Option<(CertSource, CertReport)>,
    /// The data folder.
    pub data: PathBuf,
    settings: RwLock<Settings>,
}

impl ServerFacts {
    /// Creates the facts about a gateway with these settings.
    pub fn new(settings: &Settings, certificate: Option<(CertSource, CertReport)>) -> Self {
        Self { certificate, data: settings.data.clone(), settings: RwLock::new(settings.clone()) }
    }

    /// Returns whether the publish secret is one of the settings.
    pub(super) fn has_publish_secret(&self) -> bool {
        !self.settings.read().unwrap_or_else(PoisonError::into_inner).auth.secret.is_empty()
    }

    /// Replaces the settings, after a reload.
    pub fn set(&self, settings: &Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings.clone();
    }
}

#[derive(Serialize)]
struct Certificate {
    /// `own` (self-signed), `files` or `acme`.
    source: &'static str,
    names: Vec<String>,
    /// In milliseconds since 1970.
    expires_ms: Option<u64>,
    /// Whole days; negative after the expiry.
    days_left: Option<i64>,
    acme_error: Option<String>,
}

#[derive(Serialize)]
struct Disk {
    folder: String,
    /// Bytes; `None` if the system does not know.
    free_bytes: Option<u64>,
    total_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Server {
    version: &'static str,
    uptime_s: u64,
    public: bool,
    certificate: Option<Certificate>,
    disk: Disk,
    /// All settings by their keys. Secrets are hidden.
    settings: Value,
}

#[derive(Serialize)]
struct OneServer {
    data: Server,
}

fn certificate(source: &CertSource, report: &CertReport) -> Certificate {
    let (state, now) = (report.get(), millis(SystemTime::now()) as i64);
    let expires_ms = state.expires.map(millis);
    let source = match source {
        CertSource::Own => "own",
        CertSource::Files => "files",
        CertSource::Acme(_) => "acme",
    };
    Certificate {
        source,
        names: state.names,
        expires_ms,
        days_left: expires_ms.map(|at| (at as i64 - now).div_euclid(86_400_000)),
        acme_error: state.acme_error,
    }
}

fn disk(folder: PathBuf) -> Disk {
    let found = rustix::fs::statvfs(&folder).ok();
    let bytes = |blocks: u64, size: u64| blocks.saturating_mul(size);
    Disk {
        free_bytes: found.as_ref().map(|disk| bytes(disk.f_bavail, disk.f_frsize)),
        total_bytes: found.as_ref().map(|disk| bytes(disk.f_blocks, disk.f_frsize)),
        folder: std::path::absolute(&folder).unwrap_or(folder).display().to_string(),
    }
}

/// Handles `GET /api/v1/server`.
pub(super) async fn show(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let Some(facts) = &api.0.facts else { return api.bad_range() };
    let folder = facts.data.clone();
    // The folder may be on a network.
    let disk = tokio::task::spawn_blocking(move || disk(folder)).await;
    let Ok(disk) = disk else { return api.bad_range() };
    let settings = settings::shown(&facts.settings.read().unwrap_or_else(PoisonError::into_inner));
    api.answer(OneServer {
        data: Server {
            version: env!("CARGO_PKG_VERSION"),
            uptime_s: api.0.started.elapsed().as_secs(),
            public: api.0.context.auth.public,
            certificate: facts.certificate.as_ref().map(|(source, report)| certificate(source, report)),
            disk,
            settings,
        },
    })
}
