//! The question to the guards: may this client publish or play this stream?

use std::fmt;

use futures_util::future::BoxFuture;
use http::StatusCode;

use crate::core::auth::{AuthRequest, Denied};
use crate::core::client::{Act, ClientInfo, Identity};
use crate::core::close::CloseReason;
use crate::core::hub::StreamName;
use crate::core::session::{ClientSession, MAX_PAGE, MAX_QUERY, start_of};
use crate::limits::ClientLimits;

/// A client asks to publish or to play.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The client's number: the same as in the API once it is admitted.
    pub id: u64,
    /// The act that the client asks for.
    pub act: Act,
    /// The stream.
    pub stream: &'a StreamName,
    /// Secrets, tokens and addresses of the request.
    pub credentials: &'a AuthRequest<'a>,
    /// The client.
    pub client: &'a ClientInfo,
    /// Whether the check consumes credentials.
    pub usage: Usage,
}

impl Ask<'_> {
    /// Returns the session that the client will have if it is admitted with this identity.
    pub fn session(&self, identity: &Identity) -> ClientSession {
        let credentials = self.credentials;
        ClientSession {
            id: self.id,
            act: self.act,
            stream: self.stream.clone(),
            client: self.client.clone(),
            identity: identity.clone(),
            from: credentials.from,
            query: start_of(credentials.query, MAX_QUERY).to_owned(),
            page: start_of(credentials.page_url, MAX_PAGE).to_owned(),
        }
    }
}

/// Whether a valid token is consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The client connects now: its token is consumed.
    Consume,
    /// The client only asks: its token stays usable.
    Probe,
}

/// One of the rules that a client has to pass.
pub trait Guard: fmt::Debug + Send + Sync {
    /// Checks a client. `known` is its identity, if a guard before this one has established it.
    ///
    /// Returns an identity that this guard establishes, or `None` to leave the decision to the other guards. An
    /// error refuses the client, and no further guard is asked. If no guard identifies the client, it is refused.
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>>;

    /// Takes back what [`Guard::check`] has done for a client that this guard let pass: a later guard has refused the
    /// client, or the client gave up.
    fn withdraw(&self, ask: &Ask<'_>) {
        let _ = ask;
    }

    /// Lowers the limits of a client that all guards admit.
    fn limit(&self, ask: &Ask<'_>, identity: &Identity, limits: &mut ClientLimits) {
        let _ = (ask, identity, limits);
    }

    /// Returns whether this guard may refuse viewers. If no guard does, HLS playlists are public and caches
    /// may keep them.
    fn restricts_play(&self) -> bool {
        true
    }
}

/// Why a client is not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its credentials are missing or wrong.
    Credentials(Denied),
    /// Another rule refuses the client, with this text for it.
    Rule(String),
    /// Another publisher has the stream, as the text says.
    Taken(String),
    /// A rule cannot be checked now, for the reason in this text.
    Unavailable(String),
}

impl Refusal {
    /// Returns the HTTP status of the refusal.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Credentials(denied) => denied.status(),
            Self::Rule(_) => StatusCode::FORBIDDEN,
            Self::Taken(_) => StatusCode::CONFLICT,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(denied) => denied.fmt(f),
            Self::Rule(text) | Self::Taken(text) | Self::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Denied> for Refusal {
    fn from(denied: Denied) -> Self {
        Self::Credentials(denied)
    }
}

impl From<Refusal> for CloseReason {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}
