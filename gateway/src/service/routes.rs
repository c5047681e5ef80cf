//! Assigns HTTP addresses to services.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;

/// A request, and the peer of its connection.
#[derive(Debug)]
pub struct PeerRequest {
    /// The peer's address.
    pub peer: SocketAddr,
    /// The request, with an unread body.
    pub request: Request<Body>,
}

/// The future response of a service.
pub type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Handles one request.
pub type Serve = dyn Fn(PeerRequest) -> Answer + Send + Sync;

/// The handler for the stream addresses that `takes` accepts.
struct StreamRoute {
    takes: fn(&str) -> bool,
    serve: Box<Serve>,
}

/// The HTTP routes of all services.
#[derive(Default)]
pub struct Routes {
    /// Routes that do not depend on a stream.
    pub fixed: Router,
    streams: Vec<StreamRoute>,
}

impl Routes {
    /// Adds routes that do not depend on a stream.
    pub fn add(&mut self, router: Router) {
        let fixed = std::mem::take(&mut self.fixed);
        self.fixed = fixed.merge(router);
    }

    /// Adds the stream addresses that `takes` accepts, such as those that end in `.flv`. Pages of all hosts
    /// may use them. The first service whose `takes` accepts a path handles it.
    pub fn add_streams<F>(
        &mut self,
        takes: fn(&str) -> bool,
        serve: impl Fn(PeerRequest) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Response> + Send + 'static,
    {
        self.streams.push(StreamRoute { takes, serve: Box::new(move |asked| Box::pin(serve(asked))) });
    }

    /// Returns the fixed routes and the stream routes.
    pub fn finish(self) -> (Router, StreamRoutes) {
        (self.fixed, StreamRoutes(Arc::new(self.streams)))
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}

/// The routes of streams. Cloning shares them.
#[derive(Clone)]
pub struct StreamRoutes(Arc<Vec<StreamRoute>>);

impl StreamRoutes {
    /// Returns the handler for `path`; `None` if no service handles it.
    pub fn find(&self, path: &str) -> Option<&Serve> {
        self.0.iter().find(|stream| (stream.takes)(path)).map(|stream| &*stream.serve)
    }
}

impl std::fmt::Debug for StreamRoutes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamRoutes").field("services", &self.0.len()).finish()
    }
}
