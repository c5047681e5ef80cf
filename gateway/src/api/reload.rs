//! `POST /api/v1/reload`: reads the settings again, for the operator.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::{Api, Asker};

/// Maximum number of requests that wait for the one before.
pub const MAX_RELOADS: usize = 4;

/// The result of a reload of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReloadReport {
    /// Keys of the settings that count now.
    pub changed: Vec<String>,
    /// Keys of the settings that differ, and count after a restart.
    pub needs_restart: Vec<String>,
    /// Why settings that can change were not applied.
    pub failed: Vec<String>,
}

/// A request, with the place for its answer. The error says why nothing has changed.
pub type ReloadRequest = oneshot::Sender<Result<ReloadReport, String>>;

/// Passes requests on to the gateway's main task. Cloning shares it.
#[derive(Debug, Clone)]
pub struct ReloadDesk {
    requests: mpsc::Sender<ReloadRequest>,
    receiver: Arc<Mutex<Option<mpsc::Receiver<ReloadRequest>>>>,
}

impl Default for ReloadDesk {
    fn default() -> Self {
        let (requests, receiver) = mpsc::channel(MAX_RELOADS);
        Self { requests, receiver: Arc::new(Mutex::new(Some(receiver))) }
    }
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReloadError {
    /// As many requests wait as allowed, or the gateway is stopping.
    Busy,
    /// The settings are not valid, for this reason. Nothing has changed.
    Settings(String),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the settings are being read, or the gateway is stopping: try again"),
            Self::Settings(why) => {
                write!(f, "the settings were not reloaded, and nothing has changed: {why}")
            }
        }
    }
}

impl ReloadDesk {
    /// Returns the requests; `None` the second time.
    pub fn requests(&self) -> Option<mpsc::Receiver<ReloadRequest>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks to read the settings again, and waits for the report.
    async fn ask(&self) -> Result<ReloadReport, ReloadError> {
        let (answer, report) = oneshot::channel();
        self.requests.try_send(answer).map_err(|_| ReloadError::Busy)?;
        report.await.map_err(|_| ReloadError::Busy)?.map_err(ReloadError::Settings)
    }
}

#[derive(Serialize)]
struct Reloaded {
    data: ReloadReport,
}

/// Handles `POST /api/v1/reload`.
pub(super) async fn reload(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    tracing::info!(peer = %asked.peer, "reload asked by an operator");
    match api.0.reload.ask().await {
        Ok(data) => api.answer(Reloaded { data }),
        Err(error) => {
            let status = match error {
                ReloadError::Busy => StatusCode::SERVICE_UNAVAILABLE,
                ReloadError::Settings(_) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            api.refuse(status, status.as_u16().into(), &error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn requests_are_answered_in_order_and_bounded() {
        let desk = ReloadDesk::default();
        let mut requests = desk.requests().unwrap();
        assert!(desk.requests().is_none());
        let mut asked: Vec<_> = (0..MAX_RELOADS).map(|_| Box::pin(desk.ask())).collect();
        assert!(asked.iter_mut().all(|ask| ask.as_mut().now_or_never().is_none()));
        assert_eq!(desk.ask().await, Err(ReloadError::Busy));
        let report = ReloadReport { changed: vec!["log".to_owned()], ..ReloadReport::default() };
        requests.recv().await.unwrap().send(Ok(report.clone())).unwrap();
        assert_eq!(asked.remove(0).await, Ok(report));
        requests.recv().await.unwrap().send(Err("bad".to_owned())).unwrap();
        assert_eq!(asked.remove(0).await, Err(ReloadError::Settings("bad".to_owned())));
        drop(requests);
        assert_eq!(asked.remove(0).await, Err(ReloadError::Busy));
    }
}
