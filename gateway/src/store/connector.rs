//! The HTTP client of the store: hyper, and the connections of [`Dialer`], in place of the library's own client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Uri, header};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    HttpResponseBody, HttpService,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::body::ResponseBody;
use crate::net::outgoing::USER_AGENT;
use crate::remote::{Dialer, RemoteAddress};

/// Maximum number of requests at the same time that read objects, and of others. Slow viewers of recordings occupy
/// the first kind only.
const MAX_READS: usize = 64;
pub(super) const MAX_WRITES: usize = 16;
/// Time that a request waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for a response to begin, besides the time for the body of the request at [`SLOWEST`] bytes a second.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
const SLOWEST: u64 = 64 << 10;
/// Maximum number of unused connections that are kept, and the time for which they are.
const MAX_IDLE: usize = 8;
const KEPT_FOR: Duration = Duration::from_secs(20);

/// Makes the client.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Dialer);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client(Arc::new(Inner {
            dialer: self.0.clone(),
            idle: Mutex::default(),
            reads: Arc::new(Semaphore::new(MAX_READS)),
            writes: Arc::new(Semaphore::new(MAX_WRITES)),
        }))))
    }
}

/// A connection to the store. Dropping it closes it.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<HttpRequestBody>,
    _driver: AbortOnDropHandle<()>,
}

/// Unused connections: the origin that each leads to, and since when it is unused.
type Idle = Vec<(String, Instant, Connection)>;

/// The content of [`Client`].
#[derive(Debug)]
struct Inner {
    dialer: Dialer,
    idle: Mutex<Idle>,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

/// The client.
#[derive(Debug)]
struct Client(Arc<Inner>);

/// The connection of a response whose body is not read yet. It can be used again when the body has ended.
#[derive(Debug)]
pub(super) struct Lease {
    inner: Arc<Inner>,
    connection: Connection,
    origin: String,
    /// The turn, which ends with the response.
    _turn: OwnedSemaphorePermit,
}

impl Lease {
    /// Keeps the connection for the next request: the body was read to its end.
    pub(super) fn give_back(self) {
        let mut idle = self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since, connection)| since.elapsed() < KEPT_FOR && !connection.sender.is_closed());
        if idle.len() < MAX_IDLE && !self.connection.sender.is_closed() {
            idle.push((self.origin, Instant::now(), self.connection));
        }
    }
}

impl HttpService for Client {
    fn call<'a, 'b>(&'a self, request: HttpRequest) -> BoxFuture<'b, Result<HttpResponse, HttpError>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.send(request).boxed()
    }
}

impl Client {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let reads = *request.method() == Method::GET;
        let turns = if reads { &self.0.reads } else { &self.0.writes };
        let turn = timeout(TURN_TIMEOUT, turns.clone().acquire_owned()).await;
        let turn =
            turn.ok().and_then(Result::ok).ok_or_else(|| late("too many requests wait for the store"))?;
        let address = RemoteAddress::parse(&request.uri().to_string())
            .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
        let (origin, is_read) = (address.origin(), is_of_object(&request));
        let limit = HEAD_TIMEOUT + Duration::from_secs(request.body().content_length() as u64 / SLOWEST);
        let request = in_origin_form(request)?;
        let head_only = *request.method() == Method::HEAD;
        let answered = timeout(limit, self.exchange(&address, &origin, request)).await;
        let (response, connection) = answered
            .map_err(|_| late(&format!("the store did not answer within {} s", limit.as_secs())))??;
        let lease = Lease { inner: self.0.clone(), connection, origin, _turn: turn };
        let (head, body) = response.into_parts();
        // Only objects may be large. Lists and texts of errors are read whole.
        let unlimited = is_read && head.status.is_success();
        let body = ResponseBody::new(body, lease, unlimited, head_only);
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }

    /// Sends a request over a connection that is open already, or else over a new one.
    async fn exchange(
        &self,
        address: &RemoteAddress,
        origin: &str,
        request: HttpRequest,
    ) -> Result<(http::Response<hyper::body::Incoming>, Connection), HttpError> {
        let mut request = request;
        while let Some(mut connection) = self.take_idle(origin) {
            match connection.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut error) => match error.take_message() {
                    // The store has closed the connection meanwhile: the request was not sent.
                    Some(again) => request = again,
                    None => return Err(broken(error.into_error())),
                },
            }
        }
        let stream = self.0.dialer.dial_stream(address).await;
        let stream = stream.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // The error of a connection is also the error of its request.
        let driver = AbortOnDropHandle::new(tokio::spawn(driver.map(drop)));
        let mut connection = Connection { sender, _driver: driver };
        let response = connection.sender.send_request(request).await.map_err(broken)?;
        Ok((response, connection))
    }

    fn take_idle(&self, origin: &str) -> Option<Connection> {
        let mut idle = self.0.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since, connection)| since.elapsed() < KEPT_FOR && !connection.sender.is_closed());
        let at = idle.iter().rposition(|(to, _, connection)| to == origin && connection.sender.is_ready())?;
        Some(idle.swap_remove(at).2)
    }
}

/// Returns whether a request reads an object, and not a list of objects.
fn is_of_object(request: &HttpRequest) -> bool {
    *request.method() == Method::GET && request.uri().query().is_none_or(|query| !query.contains("list-type"))
}

/// Returns the request as it is sent: with a path only, and the host in a header.
fn in_origin_form(request: HttpRequest) -> Result<HttpRequest, HttpError> {
    let (mut head, body) = request.into_parts();
    let invalid = |error: http::Error| HttpError::new(HttpErrorKind::Unknown, error);
    let authority = head.uri.authority().map_or("", http::uri::Authority::as_str);
    let host = HeaderValue::try_from(authority).map_err(|error| invalid(error.into()))?;
    let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    head.uri = Uri::try_from(path).map_err(|error| invalid(error.into()))?;
    head.headers.insert(header::HOST, host);
    head.headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    Ok(HttpRequest::from_parts(head, body))
}

pub(super) fn late(words: &str) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, std::io::Error::new(std::io::ErrorKind::TimedOut, words))
}

pub(super) fn broken(error: hyper::Error) -> HttpError {
    HttpError::new(HttpErrorKind::Request, error)
}
