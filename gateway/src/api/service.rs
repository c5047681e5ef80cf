//! The API service: its routes, and its line in the greeting.

use super::{Api, router};
use crate::jobs::Jobs;
use crate::jobs::mix::Mixes;
use crate::service::{Gateway, Greeting, Routes, Service, StartError, query};

/// The API service.
#[derive(Debug)]
pub struct ApiService {
    jobs: Jobs,
    mixes: Mixes,
    /// The operator's secret.
    operator: Option<String>,
}

impl ApiService {
    /// Creates the service. The API lists `jobs`, and controls `mixes`.
    pub const fn new(jobs: Jobs, mixes: Mixes) -> Self {
        Self { jobs, mixes, operator: None }
    }
}

impl Service for ApiService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        self.operator = gateway.context.auth.operator.text();
        routes.add(router(Api::new(gateway.clone(), self.jobs.clone(), self.mixes.clone())));
        Ok(())
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let (Some(http), Some(secret)) = (&greeting.http, &self.operator) {
            greeting.operate(format!("http://{http}/api/v1/clients?secret={}", query(secret)));
        }
    }
}
