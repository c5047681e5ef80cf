//! The HTTP routes of recordings.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::any;
use http::Request;

use super::records::Records;
use super::serve::{Files, serve};
use crate::service::{Gateway, Routes, Service, StartError};

/// Serves the files of recordings.
#[derive(Debug)]
pub struct RecordsService(Records);

impl RecordsService {
    /// Creates the service.
    pub const fn new(records: Records) -> Self {
        Self(records)
    }
}

impl Service for RecordsService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let files = Arc::new(Files::new(gateway.context.clone(), self.0.clone()));
        let answer = move |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request<Body>| {
            let files = files.clone();
            async move { serve(&files, peer, &request.into_parts().0).await }
        };
        routes.add(Router::new().route("/records/{*path}", any(answer)));
        Ok(())
    }
}
