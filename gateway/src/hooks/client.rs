//! Sends hooks by HTTP POST, over connections that are kept for the next hook.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Request, StatusCode, header};
use http_body_util::Full;
use rustls::ClientConfig;
use tokio::time::Instant;

use super::event::Event;
use super::signature::Signer;
use crate::net::outgoing::{Connection, Resolver, Response, SendError};

/// Maximum size of a response in bytes.
pub(super) const MAX_ANSWER: usize = 64 << 10;
/// Maximum number of unused connections that are kept.
const MAX_IDLE: usize = 4;
/// Time for which an unused connection is kept. A back end may serve one connection at a time.
const KEPT_FOR: Duration = Duration::from_secs(5);

/// The response to a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

/// Sends to one address.
#[derive(Debug)]
pub(super) struct HookClient {
    uri: http::Uri,
    resolver: Resolver,
    tls: Arc<ClientConfig>,
    signer: RwLock<Option<Arc<Signer>>>,
    /// Unused connections, and since when.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl HookClient {
    pub(super) fn new(uri: http::Uri, tls: Arc<ClientConfig>) -> Self {
        let resolver = Resolver::new(uri.clone());
        Self { uri, resolver, tls, signer: RwLock::default(), idle: Mutex::default() }
    }

    /// Signs with this secret from now on.
    pub(super) fn sign_with(&self, signer: Arc<Signer>) {
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = Some(signer);
    }

    /// Sends an event, and returns the response. The error is a text for the log. Wrap it in a timeout.
    pub(super) async fn post(&self, event: &Event) -> Result<Answer, String> {
        while let Some(mut connection) = self.take_idle() {
            match connection.send(&self.uri, self.request(event)?, MAX_ANSWER).await {
                // The server has closed the connection meanwhile. The event has the same id the second time.
                Err(SendError { before_response: true, .. }) => {}
                sent => return self.finish(connection, sent),
            }
        }
        let addresses = self.resolver.addresses().await?;
        let mut connection = Connection::open(&self.uri, &addresses, &self.tls).await?;
        let sent = connection.send(&self.uri, self.request(event)?, MAX_ANSWER).await;
        self.finish(connection, sent)
    }

    fn finish(&self, connection: Connection, sent: Result<Response, SendError>) -> Result<Answer, String> {
        let Response { status, headers, body } = sent.map_err(|error| error.text)?;
        let closes = headers.get(header::CONNECTION).is_some_and(|value| value == "close");
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_open() && !closes && idle.len() < MAX_IDLE {
            idle.push((connection, Instant::now()));
        }
        drop(idle);
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
    }

    fn take_idle(&self) -> Option<Connection> {
        self.close_old();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().map(|(connection, _)| connection)
    }

    /// Closes the connections that were not used for a time. Returns whether any is left.
    pub(super) fn close_old(&self) -> bool {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| connection.is_open() && since.elapsed() < KEPT_FOR);
        !idle.is_empty()
    }

    /// Returns the request with an event, signed for now.
    fn request(&self, event: &Event) -> Result<Request<Full<bytes::Bytes>>, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let signer = self.signer.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut request = Request::post("/")
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", now);
        if let Some(signer) = signer {
            request = request.header("webhook-signature", signer.sign(&event.id, now, &event.body));
        }
        request.body(Full::new(event.body.clone())).map_err(|error| error.to_string())
    }
}
