//! Which service answers which HTTP address.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;

/// A request that has come to a service, and the other end of its connection.
#[derive(Debug)]
pub struct Asked {
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The request, with its body not read yet.
    pub request: Request<Body>,
}

/// The response that a service is working on.
pub type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Serves one request.
pub type Serve = dyn Fn(Asked) -> Answer + Send + Sync;

/// Serves the addresses that `takes` chooses.
struct Stream {
    takes: fn(&str) -> bool,
    serve: Box<Serve>,
}

/// The HTTP addresses of all services.
#[derive(Default)]
pub struct Routes {
    /// Addresses that are the same for all streams.
    pub fixed: Router,
    streams: Vec<Stream>,
}

impl Routes {
    /// Adds addresses that do not depend on a stream.
    pub fn add(&mut self, router: Router) {
        let fixed = std::mem::take(&mut self.fixed);
        self.fixed = fixed.merge(router);
    }

    /// Adds the addresses of streams whose path `takes` accepts, such as those that end in `.flv`. Every page of
    /// every host may ask there. The first service whose `takes` accepts a path answers it.
    pub fn add_streams<F>(
        &mut self,
        takes: fn(&str) -> bool,
        serve: impl Fn(Asked) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Response> + Send + 'static,
    {
        self.streams.push(Stream { takes, serve: Box::new(move |asked| Box::pin(serve(asked))) });
    }

    /// The addresses that are the same for all streams, and what answers those of streams.
    pub fn finish(self) -> (Router, StreamRoutes) {
        (self.fixed, StreamRoutes(Arc::new(self.streams)))
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("streams", &self.streams.len()).finish_non_exhaustive()
    }
}

/// The addresses of streams. Cloning shares it.
#[derive(Clone)]
pub struct StreamRoutes(Arc<Vec<Stream>>);

impl StreamRoutes {
    /// What serves the service that `path` belongs to; none where it belongs to no service.
    pub fn find(&self, path: &str) -> Option<&Serve> {
        self.0.iter().find(|stream| (stream.takes)(path)).map(|stream| &*stream.serve)
    }
}

impl std::fmt::Debug for StreamRoutes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamRoutes").field("services", &self.0.len()).finish()
    }
}
