//! Reasons why credentials are refused.

use std::fmt;

use http::StatusCode;

use super::token::TokenError;

/// A refusal, with a text for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// A secret is required, and none was shown.
    Missing,
    /// The operator's secret is required, and none was shown.
    MissingOperator,
    /// The operator's secret is required, and another one was shown.
    WrongOperator,
    /// This address has shown wrong secrets or keys: try again after this many seconds.
    Slow(u64),
    /// A token or secret is required, and none was shown.
    MissingToken,
    /// The secret is wrong.
    Wrong,
    /// The lasting key is wrong, or it is not for this stream and act.
    Key,
    /// The signature of the address is wrong.
    Signature,
    /// The signature of the address expired this many seconds ago.
    Expired(u64),
    /// The gateway serves its own machine only, and has no secret.
    Local,
    /// Playing requires a secret, and the right one was not shown.
    Play,
    /// Playing requires a token or a secret, and none was shown.
    PlayToken,
    /// An HLS session that was opened with a token or secret has ended or never existed.
    Session,
    /// The login of this browser has ended.
    LoginEnded,
    /// A page of somebody else sent the request with the cookie of a login.
    OtherPage,
    /// The token is not valid.
    Token(TokenError),
}

impl Denied {
    /// Returns the HTTP status of the refusal.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Missing
            | Self::MissingOperator
            | Self::MissingToken
            | Self::Play
            | Self::PlayToken
            | Self::LoginEnded
            | Self::Session => StatusCode::UNAUTHORIZED,
            Self::Wrong
            | Self::Key
            | Self::Signature
            | Self::Expired(_)
            | Self::WrongOperator
            | Self::Local
            | Self::OtherPage => StatusCode::FORBIDDEN,
            Self::Slow(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Token(why) => why.status(),
        }
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 3), if there is one. No text needs escaping in
    /// quotes.
    pub fn challenge(self) -> Option<String> {
        let error = match (self, self.status()) {
            (Self::Token(_) | Self::Session, StatusCode::UNAUTHORIZED) => "invalid_token",
            (Self::Token(_), StatusCode::FORBIDDEN) => "insufficient_scope",
            (_, StatusCode::UNAUTHORIZED) => return Some("Bearer".to_owned()),
            _ => return None,
        };
        Some(format!("Bearer error=\"{error}\", error_description=\"{self}\""))
    }
}

impl From<TokenError> for Denied {
    fn from(why: TokenError) -> Self {
        Self::Token(why)
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "a secret is needed here: add ?secret=… to the stream key or address",
            Self::MissingToken => {
                "a token is needed here: add ?token=… to the stream key or address, or Authorization: Bearer"
            }
            Self::MissingOperator => {
                "the operator's secret is needed here: add ?secret=… or Authorization: Bearer. The gateway prints where it is when it starts"
            }
            Self::Slow(seconds) => {
                return write!(f, "too many wrong secrets or keys came from this address: try again in {seconds} s");
            }
            Self::Wrong => "the secret is wrong",
            Self::Key => "the key is wrong or revoked, or it is not for this stream or action",
            Self::Signature => "the signature of the address is wrong, or for another stream or action",
            Self::Expired(seconds) => {
                return write!(f, "the signed address expired {seconds} s ago: request another one");
            }
            Self::WrongOperator => {
                "the operator's secret is wrong: it is not the secret for publishing, but the content of operator-secret in the data folder, or the setting operator_secret"
            }
            Self::Local => {
                "only programs on the gateway's own machine may do this; start it with --public, or set a secret, to allow more"
            }
            Self::Play => "playing needs the viewers' secret: add ?secret=… to the address",
            Self::PlayToken => "playing needs a token here: add ?token=… to the address, or Authorization: Bearer",
            Self::Session => "the HLS session has ended or does not exist: request the playlist again, with a token or secret",
            Self::LoginEnded => {
                "this browser is not logged in any more: open a new link, which `lianmai console` prints on the gateway's machine"
            }
            Self::OtherPage => "a login serves the pages of this gateway only: this request comes from another page",
            Self::Token(why) => return why.fmt(f),
        })
    }
}

impl std::error::Error for Denied {}
