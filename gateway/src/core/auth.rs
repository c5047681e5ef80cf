//! Who may publish, and who may play.
//!
//! Bound to loopback, the gateway lets everyone on this machine publish. What only *arrives* over
//! loopback is not from this machine: a request that a proxy passed on, that was made for another
//! host name (DNS rebinding), or that a page from elsewhere made in a developer's browser. Such a
//! request, and every request of a public gateway, must show the secret, or a token. With signers of
//! tokens configured, so must every request. Whoever operates the gateway always shows a secret: a
//! forwarder of plain TCP on this machine cannot be told from a program of its owner.

mod denied;
mod fetch;
mod guesses;
mod jwks;
mod local;
mod own;
mod request;
mod secret;
mod settings;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod used;
mod verify;

use std::sync::Arc;

pub use denied::Denied;
pub use guesses::Guesses;
use guesses::{Source, Verdict};
pub use own::{SigningKey, Wish};
use request::is_token;
pub use request::{AuthRequest, visitor};
pub use secret::{OPERATOR, PUBLISH, kept as secret_of, random as new_secret};
pub use settings::AuthSettings;
pub use token::{LONGEST, TokenError};
pub use tokens::Tokens;

pub use crate::core::client::Act;
use crate::core::client::Identity;
use crate::core::name::StreamName;
use crate::core::refusals::Refusals;

/// What a gateway asks of those who publish and play.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Not only loopback is listened on: nobody publishes without the secret.
    pub public: bool,
    /// Everyone publishes.
    pub open: bool,
    /// What publishers show; `None` when there is none, and then nobody has it.
    pub secret: Option<String>,
    /// The operator's secret where there is no `secret`, which operates too.
    pub operator: Option<String>,
    /// What players must show, when playing is not free.
    pub play_secret: Option<String>,
    /// Whose tokens do beside the secrets; `None` takes none.
    pub tokens: Option<Arc<Tokens>>,
    /// Nobody publishes without a token or secret, from this machine neither.
    pub publish_tokens: bool,
    /// Nobody plays without a token or secret.
    pub play_tokens: bool,
    /// Which refusals are logged.
    pub refusals: Refusals,
    /// Addresses that showed wrong secrets.
    pub guesses: Guesses,
}

impl Auth {
    /// Who makes `request`, if it may `act` without a token: by secret, as a program on this machine, or as anybody.
    ///
    /// # Errors
    /// When its secret was not compared.
    pub async fn trusts(&self, act: Act, request: &AuthRequest<'_>) -> Result<Option<Identity>, Denied> {
        let by_secret = |shown: bool| shown.then_some(Identity::Secret);
        match act {
            Act::Publish if self.open => Ok(Some(Identity::Open)),
            Act::Publish if !self.public && !self.publish_tokens && request.is_local() => {
                Ok(Some(Identity::Local))
            }
            Act::Publish => self.shows(request, [&self.secret, &None], "publish").await.map(by_secret),
            Act::Play if !self.play_is_closed() => Ok(Some(Identity::Open)),
            Act::Play => self.shows(request, [&self.play_secret, &self.secret], "play").await.map(by_secret),
        }
    }

    /// Whether `request` may `act` without a token.
    ///
    /// # Errors
    /// As [`Auth::trusts`].
    pub async fn is_free(&self, act: Act, request: &AuthRequest<'_>) -> Result<bool, Denied> {
        Ok(self.trusts(act, request).await?.is_some())
    }

    /// Who makes `request`, by the token that it shows; none if it shows none, or no tokens are accepted.
    pub(super) async fn token(
        &self,
        act: Act,
        request: &AuthRequest<'_>,
        consume: bool,
    ) -> Result<Option<Identity>, Denied> {
        let (Some(tokens), Some(token)) = (&self.tokens, request.token()) else { return Ok(None) };
        let stream = request.stream.ok_or(TokenError::Stream)?;
        let identity = if consume {
            tokens.take(&token, stream, act).await?
        } else {
            tokens.check(&token, stream, act).await?
        };
        Ok(Some(identity))
    }

    /// The refusal of a request that shows neither a valid secret nor a token.
    pub(super) fn denial(&self, act: Act, request: &AuthRequest<'_>) -> Denied {
        match (act, &self.secret, request.shows_any()) {
            (Act::Play, ..) if self.play_tokens => Denied::PlayToken,
            (Act::Play, ..) => Denied::Play,
            (Act::Publish, Some(_), true) => Denied::Wrong,
            (Act::Publish, ..) if self.publish_tokens => Denied::MissingToken,
            (Act::Publish, None, _) => Denied::Local,
            (Act::Publish, Some(_), false) => Denied::Missing,
        }
    }

    /// Whether playing needs something at all.
    pub const fn play_is_closed(&self) -> bool {
        self.play_secret.is_some() || self.play_tokens
    }

    /// Whether `request` may know which streams there are: where playing is closed, their names are, too.
    ///
    /// # Errors
    /// In words, when it may not.
    pub async fn sees_streams(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if !self.play_is_closed()
            || self.shows(request, [&self.play_secret, self.operators()], "look").await?
        {
            return Ok(());
        }
        Err(if request.shows_any() { Denied::Wrong } else { Denied::Missing })
    }

    /// Whether `request` may operate the gateway (see clients, end other people's connections): that is
    /// never open, on this machine neither. Tokens do not operate.
    ///
    /// # Errors
    /// In words, when it may not.
    pub async fn operate(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        if self.shows(request, [self.operators(), &None], "operate").await? {
            return Ok(());
        }
        Err(match (self.operators(), request.shows_any()) {
            (None, _) => Denied::Local,
            (Some(_), true) => Denied::Wrong,
            (Some(_), false) => Denied::MissingOperator,
        })
    }

    fn operators(&self) -> &Option<String> {
        if self.secret.is_some() { &self.secret } else { &self.operator }
    }

    /// Whether `request` shows one of `secrets`. A wrong one is counted, logged, and answered late.
    ///
    /// # Errors
    /// When its secrets were not compared.
    async fn shows(
        &self,
        request: &AuthRequest<'_>,
        secrets: [&Option<String>; 2],
        door: &'static str,
    ) -> Result<bool, Denied> {
        let secrets: Vec<&str> =
            secrets.into_iter().flatten().map(String::as_str).filter(|secret| !secret.is_empty()).collect();
        let mut given = request.secrets();
        // A token is not a try at the secret, unless the secret looks like one.
        if self.tokens.is_some() && !secrets.iter().any(|secret| is_token(secret)) {
            given.retain(|given| !is_token(given));
        }
        if given.is_empty() || secrets.is_empty() {
            return Ok(false);
        }
        let source = Source::new(request.from, request.peer.ip());
        let (new, wait) = match self.guesses.judge(source, door, &given, &secrets) {
            Verdict::Right => return Ok(true),
            Verdict::Paused(wait) => {
                metrics::counter!("lianmai_paused_secrets_total", "door" => door).increment(1);
                return Err(Denied::Slow(wait.as_secs() + 1));
            }
            Verdict::Wrong { new, wait } => (new, wait),
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
