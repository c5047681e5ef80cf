//! `GET /api/v1/issuers`: the sites whose tokens let people in, for the operator.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::{Api, Asker, millis};
use crate::core::auth::IssuerReport;

#[derive(Serialize)]
struct Issuer {
    /// The address without its query, or the file.
    place: String,
    /// Whether this is the gateway's own key.
    own: bool,
    /// Prefix of the streams for which it is trusted; `None`: all streams.
    prefix: Option<String>,
    /// Whether its tokens may let people operate the gateway.
    operates: bool,
    /// Ids of the keys.
    keys: Vec<String>,
    /// Time of the last answer, in milliseconds since 1970.
    asked_ms: Option<u64>,
    /// Why the keys could not be read the last time.
    error: Option<String>,
}

impl From<IssuerReport> for Issuer {
    fn from(report: IssuerReport) -> Self {
        let IssuerReport { place, own, prefix, operates, keys, asked, error } = report;
        Self { place, own, prefix, operates, keys, asked_ms: asked.map(millis), error }
    }
}

#[derive(Serialize)]
struct Issuers {
    issuers: Vec<Issuer>,
}

/// Handles `GET /api/v1/issuers`.
pub(super) async fn list(State(api): State<Api>, asked: Asker) -> Response {
    if let Some(refusal) = api.no_operator(&asked).await {
        return refusal;
    }
    let reports = api.0.context.auth.tokens.as_ref().map(|tokens| tokens.issuers()).unwrap_or_default();
    api.answer(Issuers { issuers: reports.into_iter().map(Issuer::from).collect() })
}
