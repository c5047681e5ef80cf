//! Authentication and authorization rules.
//!
//! A gateway that listens on loopback only lets every program on this machine publish. A request that merely
//! *arrives* over loopback is not trusted: a proxy may have forwarded it, it may name another host (DNS
//! rebinding), or a foreign page in a developer's browser may have sent it. Such a request, and every request
//! to a public gateway, must show the secret or a token. If token issuers are configured, every request must.
//! The operator always needs the operator's secret or a token, because a plain TCP forwarder on this machine
//! cannot be distinguished from a local program, and because publishers must not close other publishers.
//!
//! Start reading at [`Auth`]. `request` extracts credentials, `local` detects requests from this machine,
//! `guesses` limits guessing of secrets, `forged` slows down wrong keys and tokens, `tokens` checks tokens and `key_source` loads their keys.

mod denied;
mod fetch;
mod forged;
mod guesses;
mod jwks;
mod key_source;
mod keys;
mod local;
mod logins;
mod own;
mod request;
mod secret;
mod settings;
mod signed_url;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod used;
mod verify;

use std::io;
use std::sync::Arc;

pub use denied::Denied;
pub use forged::Forged;
pub use guesses::Guesses;
use guesses::{SecretCheck, SecretOrigin};
pub use key_source::IssuerReport;
pub(crate) use keys::FILE as KEYS;
pub use keys::{KeyEntry, KeyError, Keys, MAX_KEYS, StreamPattern};
pub(crate) use logins::FILE as LOGINS;
pub use logins::{LIFE as LOGIN_LIFE, LoginEntry, Logins, MAX_LOGINS, NewLogin, Page};
pub use own::{Right, SigningKey, TokenRequest};
use request::is_token;
pub use request::{AuthRequest, visitor};
pub use secret::{
    OPERATOR, PUBLISH, Secret, kept as secret_of, made_by as secret_made_by, random as new_secret,
    renewed as renewed_secret,
};
pub use settings::AuthSettings;
pub use signed_url::MIN_KEY as MIN_URL_KEY;
pub use token::{LONGEST, TokenError};
pub use tokens::{RoomPass, Tokens, UsedToken};

pub use crate::core::client::Act;
use crate::core::client::Identity;
use crate::core::name::StreamName;
use crate::core::refusals::Refusals;

/// The authentication rules of a gateway.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Whether the gateway listens on other addresses than loopback: publishing needs the secret then.
    pub public: bool,
    /// Whether everyone may publish.
    pub open: bool,
    /// The secret for publishers. If it is empty, no secret is valid.
    pub secret: Secret,
    /// The operator's secret. If it is empty, only a token authenticates the operator.
    pub operator: Secret,
    /// The secret for viewers, if playing is restricted.
    pub play_secret: Secret,
    /// The key that signs addresses for publishers, if there is one.
    pub publish_url_key: Secret,
    /// The key that signs addresses for viewers: playing is restricted then.
    pub play_url_key: Secret,
    /// Lasting keys.
    pub keys: Keys,
    /// Browsers that are logged in as the operator.
    pub logins: Logins,
    /// Trusted token issuers; `None` accepts no tokens.
    pub tokens: Option<Arc<Tokens>>,
    /// Whether publishing needs a token or secret even on this machine.
    pub publish_tokens: bool,
    /// Whether playing needs a token or secret.
    pub play_tokens: bool,
    /// Decides which refusals are logged.
    pub refusals: Refusals,
    /// Addresses that showed wrong secrets.
    pub guesses: Guesses,
}

impl Auth {
    /// Returns the identity of a client that may `act` without a token: by a secret, as a program on this
    /// machine, or on an open gateway.
    ///
    /// # Errors
    /// The address is slowed down, so its secret was not compared.
    pub async fn trusts(&self, act: Act, request: &AuthRequest<'_>) -> Result<Option<Identity>, Denied> {
        let by_secret = |shown: bool| shown.then_some(Identity::Secret);
        match act {
            Act::Publish if self.open => Ok(Some(Identity::Open)),
            Act::Publish if !self.public && !self.publish_tokens && request.is_local() => {
                Ok(Some(Identity::Local))
            }
            Act::Publish => self.shows(request, &[&self.secret], "publish").await.map(by_secret),
            Act::Play if !self.play_is_closed() => Ok(Some(Identity::Open)),
            Act::Play if self.logins.find(request).is_some() => Ok(Some(Identity::Operator)),
            Act::Play => self.shows(request, &[&self.play_secret, &self.secret], "play").await.map(by_secret),
        }
    }

    /// Returns whether `request` may `act` without a token.
    ///
    /// # Errors
    /// The same as [`Auth::trusts`].
    pub async fn is_free(&self, act: Act, request: &AuthRequest<'_>) -> Result<bool, Denied> {
        Ok(self.trusts(act, request).await?.is_some())
    }

    /// Returns the identity from the lasting key of a request; `None` if it shows none.
    pub(super) async fn key(&self, act: Act, request: &AuthRequest<'_>) -> Result<Option<Identity>, Denied> {
        let (Some(key), Some(stream)) = (request.key(), request.stream) else { return Ok(None) };
        match self.keys.find(&key, act, stream) {
            Some(identity) => Ok(Some(identity)),
            None => Err(self.refuse(Denied::Key, &key, request).await),
        }
    }

    /// Returns the identity from the signature of a request's address; `None` if it has none, or if no key for
    /// signatures is set.
    pub(super) async fn signed(
        &self,
        act: Act,
        request: &AuthRequest<'_>,
    ) -> Result<Option<Identity>, Denied> {
        let (Some(key), Some(stream)) = (self.url_key(act).text(), request.stream) else { return Ok(None) };
        let now = u64::try_from(own::now()).unwrap_or_default();
        match signed_url::check(&key, act, stream, request.query, now) {
            Ok(signed) => Ok(signed.then_some(Identity::SignedUrl)),
            Err(denied) => Err(self.refuse(denied, request.query, request).await),
        }
    }

    /// Returns whether the address of a request is signed. The signature may be wrong.
    pub fn is_signed(&self, act: Act, request: &AuthRequest<'_>) -> bool {
        self.url_key(act).is_set() && signed_url::is_signed(request.query)
    }

    const fn url_key(&self, act: Act) -> &Secret {
        match act {
            Act::Publish => &self.publish_url_key,
            Act::Play => &self.play_url_key,
        }
    }

    /// Returns the identity from the token of a request; `None` if there is no token, or tokens are not
    /// accepted.
    pub(super) async fn token(
        &self,
        act: Act,
        request: &AuthRequest<'_>,
        consume: bool,
    ) -> Result<Option<Identity>, Denied> {
        let (Some(tokens), Some(token)) = (&self.tokens, request.token()) else { return Ok(None) };
        let stream = request.stream.ok_or(TokenError::Stream)?;
        let checked = if consume {
            tokens.consume(&token, stream, act).await
        } else {
            tokens.check(&token, stream, act).await
        };
        match checked {
            Ok(identity) => Ok(Some(identity)),
            Err(error) => Err(self.refuse_token(error, &token, request).await),
        }
    }

    /// Returns the refusal of a request without a valid secret or token.
    pub(super) fn denial(&self, act: Act, request: &AuthRequest<'_>) -> Denied {
        match (act, self.secret.is_set(), request.shows_any()) {
            (Act::Play, ..) if self.play_tokens => Denied::PlayToken,
            (Act::Play, ..) => Denied::Play,
            (Act::Publish, true, true) => Denied::Wrong,
            (Act::Publish, ..) if self.publish_tokens => Denied::MissingToken,
            (Act::Publish, false, _) => Denied::Local,
            (Act::Publish, true, false) => Denied::Missing,
        }
    }

    /// Returns whether playing needs credentials.
    pub fn play_is_closed(&self) -> bool {
        self.play_secret.is_set() || self.play_tokens || self.play_url_key.is_set()
    }

    /// Checks whether `request` may list the streams. If playing is restricted, the list is too: it needs the
    /// secret of a viewer, a publisher or the operator.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub async fn sees_streams(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if !self.play_is_closed()
            || self.logins.find(request).is_some()
            || self.shows(request, &[&self.play_secret, &self.secret, &self.operator], "look").await?
        {
            return Ok(());
        }
        if let Some(operated) = self.operator_token(request).await {
            return operated.map(drop);
        }
        Err(if request.shows_any() { Denied::Wrong } else { Denied::Missing })
    }

    /// Checks whether `request` may operate the gateway (see clients, close other people's connections). This
    /// always needs the operator's secret, a token with `act: operate`, or a login, even on this machine. The token
    /// is consumed.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub async fn operate(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if self.logins.find(request).is_some() || self.shows(request, &[&self.operator], "operate").await? {
            return Ok(());
        }
        if let Some(operated) = self.operator_token(request).await {
            return operated.map(drop);
        }
        Err(match (request.shows_any(), self.logins.shown(request)) {
            (true, _) => Denied::WrongOperator,
            (false, None) => Denied::MissingOperator,
            (false, Some(cookie)) if request.may_use_login() => {
                self.hold_forged(Forged::Login, &cookie, request).await?;
                Denied::LoginEnded
            }
            (false, Some(_)) => Denied::OtherPage,
        })
    }

    /// Returns the login of a request; `None` if its browser is not logged in.
    pub fn login(&self, request: &AuthRequest<'_>) -> Option<LoginEntry> {
        self.logins.find(request)
    }

    /// Logs a browser in that shows an operator's token, which is consumed. Returns the login and the text of its
    /// cookie.
    ///
    /// # Errors
    /// The token is not valid, or a page of somebody else sent the request. Inside, why the login cannot be stored.
    pub async fn log_in(
        &self,
        request: &AuthRequest<'_>,
        agent: &str,
    ) -> Result<io::Result<(LoginEntry, String)>, Denied> {
        // Otherwise somebody else's page could log this browser in with a token of its own.
        if request.page == Page::Other {
            return Err(Denied::OtherPage);
        }
        let identity = self.operator_token(request).await.ok_or(Denied::MissingOperator)??;
        let Identity::Token { subject, .. } = identity else { return Err(Denied::MissingOperator) };
        Ok(self.logins.create(&NewLogin { subject: &subject, agent, from: request.from }))
    }

    /// Consumes the operator's token of a request; `None` if there is no token, or tokens are not accepted.
    async fn operator_token(&self, request: &AuthRequest<'_>) -> Option<Result<Identity, Denied>> {
        let token = request.token()?;
        let consumed = self.tokens.as_ref()?.consume_for_operator(&token).await;
        Some(match consumed {
            Ok(identity) => Ok(identity),
            Err(error) => Err(self.refuse_token(error, &token, request).await),
        })
    }

    /// Returns whether `request` shows one of `secrets`. A wrong secret is counted, logged, and answered with
    /// a delay.
    ///
    /// # Errors
    /// The address is slowed down, so its secrets were not compared.
    async fn shows(
        &self,
        request: &AuthRequest<'_>,
        secrets: &[&Secret],
        door: &'static str,
    ) -> Result<bool, Denied> {
        let texts: Vec<String> = secrets.iter().filter_map(|secret| secret.text()).collect();
        let secrets: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let mut given = request.secrets();
        // A token is not a guess of the secret, unless the secret looks like a token.
        if self.tokens.is_some() && !secrets.iter().any(|secret| is_token(secret)) {
            given.retain(|given| !is_token(given));
        }
        if given.is_empty() || secrets.is_empty() {
            return Ok(false);
        }
        let origin = SecretOrigin::new(request.from, request.peer.ip());
        let (new, wait) = match self.guesses.judge(origin, door, &given, &secrets) {
            SecretCheck::Right => return Ok(true),
            SecretCheck::Paused(wait) => {
                metrics::counter!("lianmai_paused_secrets_total", "door" => door).increment(1);
                return Err(Denied::Slow(wait.as_secs() + 1));
            }
            SecretCheck::Wrong { new, wait } => (new, wait),
        };
        metrics::counter!("lianmai_wrong_secrets_total", "door" => door).increment(new as u64);
        if self.refusals.count("wrong secret", request.from) {
            let stream = request.stream.map_or("", StreamName::as_str);
            tracing::warn!(peer = %request.peer, from = %request.from, door, stream, "wrong secret");
        }
        self.guesses.hold(wait).await;
        Ok(false)
    }
}
