//! HTTP requests to other servers.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderName, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::{Dialer, RemoteAddress, RemoteError};

/// Timeout for the head of a response.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of redirections that are followed, all on the same host.
const MAX_REDIRECTIONS: usize = 3;

/// The body of a response.
#[derive(Debug)]
pub struct HttpBody {
    /// The address that the server answered at, after redirections: relative addresses in the body begin there.
    pub address: RemoteAddress,
    body: Incoming,
    /// Drives the connection.
    _connection: AbortOnDropHandle<()>,
}

impl HttpBody {
    /// Returns the next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection breaks, or nothing comes for `limit`.
    pub async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, RemoteError> {
        loop {
            let Ok(frame) = timeout(limit, self.body.frame()).await else {
                let words = format!("the server sent nothing for {} s", limit.as_secs());
                return Err(RemoteError::new(&words));
            };
            match frame {
                None => return Ok(None),
                Some(Err(error)) => return Err(RemoteError::new(&format!("the connection broke: {error}"))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return Ok(Some(bytes)),
                    // Trailers.
                    Err(_) => continue,
                },
            }
        }
    }

    /// Returns the whole body as text.
    ///
    /// # Errors
    /// The same as [`HttpBody::next`], a body of more than `max` bytes, and one that is not complete after `limit`.
    pub async fn text(mut self, max: usize, limit: Duration) -> Result<String, RemoteError> {
        let read = async {
            let mut all = Vec::new();
            while let Some(bytes) = self.next(limit).await? {
                if all.len() + bytes.len() > max {
                    return Err(RemoteError::refused("the response is too large"));
                }
                all.extend_from_slice(&bytes);
            }
            Ok(String::from_utf8_lossy(&all).into_owned())
        };
        let late = |_| {
            let words = format!("the response was not complete within {} s", limit.as_secs());
            Err(RemoteError::new(&words))
        };
        timeout(limit, read).await.unwrap_or_else(late)
    }
}

impl Dialer {
    /// Requests `GET` of an address, and follows redirections on the same host.
    ///
    /// # Errors
    /// The server cannot be reached, or its answer is not 200.
    pub async fn get(&self, address: &RemoteAddress) -> Result<HttpBody, RemoteError> {
        let mut address = address.clone();
        for _ in 0..=MAX_REDIRECTIONS {
            let asked = timeout(HEAD_TIMEOUT, self.ask(&address)).await;
            let late = || {
                RemoteError::new(&format!("the server did not answer within {} s", HEAD_TIMEOUT.as_secs()))
            };
            let (status, location, body) = asked.map_err(|_| late())??;
            if status == StatusCode::OK {
                return Ok(body);
            }
            if !status.is_redirection() {
                let words = format!("the server answered with status {status}");
                // A stream that is not there yet may come.
                let gone = status.is_client_error() && status != StatusCode::NOT_FOUND;
                return Err(if gone { RemoteError::refused(&words) } else { RemoteError::new(&words) });
            }
            let to = address.join(&location)?;
            if !address.may_lead_to(&to) {
                let words = "the server redirects to another host, or from https to http: set that address";
                return Err(RemoteError::refused(words));
            }
            address = to;
        }
        Err(RemoteError::refused("the server redirects too often"))
    }

    /// Requests `GET` of an address, and follows no redirection. Returns the status and the body. Wrap it in a timeout.
    ///
    /// # Errors
    /// The server cannot be reached, or the connection breaks.
    pub async fn get_once(&self, address: &RemoteAddress) -> Result<(StatusCode, HttpBody), RemoteError> {
        let (status, _, body) = self.ask(address).await?;
        Ok((status, body))
    }

    async fn ask(&self, address: &RemoteAddress) -> Result<(StatusCode, String, HttpBody), RemoteError> {
        let headers = vec![(header::ACCEPT, "*/*".to_owned())];
        let HttpAnswer { status, location, body } =
            self.send(address, Method::GET, headers, Bytes::new()).await?;
        Ok((status, location, body))
    }

    /// Sends one request, and returns the head of the answer with the body. Wrap it in a timeout.
    ///
    /// # Errors
    /// The server cannot be reached, or the connection breaks.
    pub(super) async fn send(
        &self,
        address: &RemoteAddress,
        method: Method,
        headers: Vec<(HeaderName, String)>,
        body: Bytes,
    ) -> Result<HttpAnswer, RemoteError> {
        let broken = |error: hyper::Error| RemoteError::new(&format!("the connection broke: {error}"));
        let stream = self.dial_stream(address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let connection = AbortOnDropHandle::new(tokio::spawn(connection.map(drop)));
        let authority = address.origin();
        let authority = authority.split_once("://").map_or("", |(_, authority)| authority);
        let mut request = Request::builder()
            .method(method)
            .uri(address.encoded_path())
            .header(header::HOST, authority)
            .header(header::USER_AGENT, concat!("lianmai/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| RemoteError::refused("the path of the address, or the token, is not valid"))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        let location = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let location = location.unwrap_or_default().to_owned();
        let status = response.status();
        let body = HttpBody { address: address.clone(), body: response.into_body(), _connection: connection };
        Ok(HttpAnswer { status, location, body })
    }
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: StatusCode,
    /// The header `Location`; empty if there is none.
    pub(super) location: String,
    pub(super) body: HttpBody,
}
