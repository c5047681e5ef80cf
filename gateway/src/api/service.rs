//! The API service: its routes, and its line in the greeting.

use std::sync::Arc;

use super::events::follow;
use super::{Api, ApiParts, ServerFacts, nodes, router};
use crate::service::{Gateway, Greeting, Routes, Service, StartError, query};

/// Seconds for which the link to the console is valid.
pub const CONSOLE_TTL: i64 = 600;

/// The API service.
#[derive(Debug)]
pub struct ApiService {
    parts: ApiParts,
    facts: Option<Arc<ServerFacts>>,
    /// The operator's secret.
    operator: Option<String>,
    /// A token with which a browser logs in to the console.
    token: Option<String>,
}

impl ApiService {
    /// Creates the service. The API lists and controls `parts`.
    pub const fn new(parts: ApiParts) -> Self {
        Self { parts, facts: None, operator: None, token: None }
    }

    /// Adds the facts about the gateway that the API shows.
    #[must_use]
    pub fn with_facts(mut self, facts: Arc<ServerFacts>) -> Self {
        self.facts = Some(facts);
        self
    }
}

impl Service for ApiService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let auth = &gateway.context.auth;
        self.operator = auth.operator.text();
        self.token = auth.tokens.as_ref().and_then(|tokens| match tokens.mint_for_console(CONSOLE_TTL) {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(error, "there is no link to the console");
                None
            }
        });
        tokio::spawn(follow(gateway.context.clone(), gateway.stop.clone()));
        let api = Api::new(gateway.clone(), self.parts.clone());
        let api = api.with_facts(self.facts.clone());
        nodes::share_lists(&api);
        routes.add(router(api));
        Ok(())
    }

    fn greet(&self, greeting: &mut Greeting) {
        if let (Some(pages), Some(token)) = (greeting.camera_pages(), &self.token) {
            greeting.operate(format!("{pages}/console/#{token}"));
            greeting.operate("(valid once, for 10 minutes; `lianmai console` prints another)".to_owned());
        }
        if let (Some(http), Some(secret)) = (&greeting.http, &self.operator) {
            greeting.operate(format!("http://{http}/api/v1/clients?secret={}", query(secret)));
        }
    }
}
