//! Who may publish, and who may play.
//!
//! Bound to loopback, the gateway lets everyone on this machine publish. What only *arrives* over
//! loopback is not from this machine: a request that a proxy passed on, that was made for another
//! host name (DNS rebinding), or that a page from elsewhere made in a developer's browser. Such a
//! request, and every request of a public gateway, must show the secret, or a token. With signers of
//! tokens configured, so must every request.

mod denied;
mod fetch;
mod jwks;
mod own;
mod request;
mod secret;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod used;

use std::sync::Arc;

pub use denied::Denied;
pub use own::{SigningKey, Wish};
pub use request::AuthRequest;
pub use secret::secret_of;
pub use token::{Act, LONGEST, TokenError};
pub use tokens::Tokens;

/// What a gateway asks of those who publish and play.
#[derive(Debug, Clone, Default)]
pub struct Auth {
    /// Not only loopback is listened on: nobody publishes without the secret.
    pub public: bool,
    /// Everyone publishes.
    pub open: bool,
    /// What publishers show; `None` when there is none, and then nobody has it.
    pub secret: Option<String>,
    /// What players must show, when playing is not free.
    pub play_secret: Option<String>,
    /// Whose tokens do beside the secrets; `None` takes none.
    pub tokens: Option<Arc<Tokens>>,
    /// Nobody publishes without a token or secret, from this machine neither.
    pub publish_tokens: bool,
    /// Nobody plays without a token or secret.
    pub play_tokens: bool,
}

/// What becomes of a token that does.
#[derive(Clone, Copy)]
enum Use {
    Up,
    Not,
}

impl Auth {
    /// Whether `request` may publish; the token that it may show is used then.
    pub async fn publish(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.publishes(request, Use::Up).await
    }

    /// Whether `request` might publish; the token that it may show can still be used.
    pub async fn might_publish(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.publishes(request, Use::Not).await
    }

    async fn publishes(&self, request: &AuthRequest<'_>, usage: Use) -> Result<(), Denied> {
        if self.publishes_freely(request) {
            return Ok(());
        }
        if let Some(done) = self.token(request, Act::Publish, usage).await {
            return done;
        }
        Err(match (&self.secret, request.shows_any()) {
            (Some(_), true) => Denied::Wrong,
            _ if self.publish_tokens => Denied::MissingToken,
            (None, _) => Denied::Local,
            (Some(_), false) => Denied::Missing,
        })
    }

    /// Whether `request` may publish without a token.
    pub fn publishes_freely(&self, request: &AuthRequest<'_>) -> bool {
        self.open
            || (!self.public && !self.publish_tokens && request.is_local())
            || request.shows(self.secret.as_deref())
    }

    /// Whether `request` may play; the token that it may show is used then.
    pub async fn play(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.plays(request, Use::Up).await
    }

    /// Whether `request` might play; the token that it may show can still be used.
    pub async fn might_play(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        self.plays(request, Use::Not).await
    }

    async fn plays(&self, request: &AuthRequest<'_>, usage: Use) -> Result<(), Denied> {
        if self.plays_freely(request) {
            return Ok(());
        }
        if let Some(done) = self.token(request, Act::Play, usage).await {
            return done;
        }
        Err(if self.play_tokens { Denied::PlayToken } else { Denied::Play })
    }

    /// Whether playing needs something at all.
    pub const fn play_is_closed(&self) -> bool {
        self.play_secret.is_some() || self.play_tokens
    }

    /// Whether `request` may play without a token.
    pub fn plays_freely(&self, request: &AuthRequest<'_>) -> bool {
        !self.play_is_closed()
            || request.shows(self.play_secret.as_deref())
            || request.shows(self.secret.as_deref())
    }

    /// What becomes of the token that `request` shows, if it shows one and some are taken.
    async fn token(&self, request: &AuthRequest<'_>, act: Act, usage: Use) -> Option<Result<(), Denied>> {
        let (tokens, token) = (self.tokens.as_ref()?, request.token()?);
        let Some(stream) = request.stream else { return Some(Err(TokenError::Stream.into())) };
        let done = match usage {
            Use::Up => tokens.take(&token, stream, act).await,
            Use::Not => tokens.check(&token, stream, act).await,
        };
        Some(done.map_err(Denied::from))
    }

    /// Whether `request` may operate the gateway (end other people's connections). Unlike publishing,
    /// this is never open to everyone: `open` counts only on this machine. Tokens do not operate.
    pub fn operate(&self, request: &AuthRequest<'_>) -> Result<(), Denied> {
        let local = request.is_local() && (self.open || !self.public);
        if local || request.shows(self.secret.as_deref()) {
            return Ok(());
        }
        Err(match (&self.secret, request.shows_any()) {
            (None, _) => Denied::Local,
            (Some(_), true) => Denied::Wrong,
            (Some(_), false) => Denied::Missing,
        })
    }
}
