//! Checks tokens (JWT with Ed25519 signature): trusted issuers, and single use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures_util::future::join_all;
use http::Uri;
use tokio::time::Instant;

use super::jwks::Key;
use super::key_source::{IssuerReport, KeyLocation, KeySource};
use super::own::{self, Right, SigningKey, TokenRequest, now};
use super::settings::AuthSettings;
use super::token::{Claims, Rules, TokenError};
use super::used::UsedTokens;
use super::verify::{kid, verify};
use crate::core::client::{Act, Identity};
use crate::core::name::StreamName;
use crate::net::{outgoing, tls};

/// The right that a token for a room gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPass {
    /// The holder: the token's `sub` and `iss`; empty if it has no `sub`.
    pub subject: String,
    /// The token's `role`, if it has one.
    pub role: Option<String>,
}

/// A used token for publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedToken {
    /// The key that has signed it.
    pub key: [u8; 32],
    /// Its `jti`.
    pub jti: String,
    /// Until when it has to be remembered, in seconds since 1970.
    pub until: i64,
}

/// Hears of used tokens for publishing.
#[derive(Default)]
struct TellUsed(OnceLock<Box<dyn Fn(UsedToken) + Send + Sync>>);

impl TellUsed {
    fn get(&self) -> Option<&(dyn Fn(UsedToken) + Send + Sync)> {
        self.0.get().map(|tell| &**tell)
    }
}

impl std::fmt::Debug for TellUsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TellUsed").field("set", &self.0.get().is_some()).finish()
    }
}

/// Trusted issuers, and used tokens.
#[derive(Debug)]
pub struct Tokens {
    sources: Vec<Arc<KeySource>>,
    rules: Rules,
    used: UsedTokens,
    /// Hears of used tokens for publishing.
    tell_used: TellUsed,
    /// Whether the issuers of `auth_jwks` may name operators.
    issuers_operate: bool,
    /// The data folder, with the gateway's own key.
    data: PathBuf,
}

impl Tokens {
    /// Creates the list of trusted issuers from `config`, and the key of the data folder if it exists or will
    /// be created.
    ///
    /// # Errors
    /// A text: a key location is not valid.
    pub fn new(config: &AuthSettings, data: &Path) -> Result<Self, String> {
        let mut sources = vec![Arc::new(KeySource::new(KeyLocation::Own(own::path(data)), None))];
        let mut client = None;
        for entry in config.jwks.iter().filter(|entry| !entry.is_empty()) {
            let (prefix, place) = prefix_of(entry);
            if !place.contains("://") {
                sources.push(Arc::new(KeySource::new(KeyLocation::File(PathBuf::from(place)), prefix)));
                continue;
            }
            let uri: Uri = place.parse().map_err(|error| format!("auth_jwks: {place}: {error}"))?;
            outgoing::check(&uri).map_err(|why| format!("auth_jwks: {place}: {why}"))?;
            if client.is_none() {
                client = Some(tls::client().map_err(|error| error.to_string())?);
            }
            if let Some(client) = &client {
                sources.push(Arc::new(KeySource::new(KeyLocation::Url(uri, client.clone()), prefix)));
            }
        }
        let rules = Rules {
            audience: config.audience.clone(),
            issuer: Some(config.issuer.clone()).filter(|issuer| !issuer.is_empty()),
            started: now(),
        };
        let (used, data) = (UsedTokens::default(), data.to_owned());
        let tell_used = TellUsed::default();
        Ok(Self { sources, rules, used, tell_used, issuers_operate: config.operate, data })
    }

    /// Keeps the keys up to date from now on, in tasks on the current runtime.
    pub fn watch(&self) {
        for source in &self.sources {
            tokio::spawn(source.clone().watch());
        }
    }

    /// Returns the state of every trusted issuer, for the operator.
    pub fn issuers(&self) -> Vec<IssuerReport> {
        self.sources.iter().map(|source| source.report(self.issuers_operate)).collect()
    }

    /// Calls `tell` with each token for publishing that is used from now on, for other gateways that trust the same
    /// issuers. Only the first call has an effect.
    pub fn tell_used(&self, tell: impl Fn(UsedToken) + Send + Sync + 'static) {
        let _ = self.tell_used.0.set(Box::new(tell));
    }

    /// Marks a token as used that another gateway has accepted.
    pub fn mark_used(&self, token: &UsedToken) {
        // It may have been used here at the same moment.
        let _ = self.used.mark_used(token.key, &token.jti, token.until, now());
    }

    /// Checks `token`, consumes it, and returns the identity of its holder.
    pub(super) async fn consume(
        &self,
        token: &str,
        stream: &StreamName,
        act: Act,
    ) -> Result<Identity, TokenError> {
        let (claims, key) = self.read(token).await?;
        let now = now();
        let (jti, until) = self.rules_of(key).check(&claims, stream, act, now)?;
        self.check_prefix(key, stream)?;
        self.used.mark_used(key, jti, until, now)?;
        if let (Act::Publish, Some(tell)) = (act, self.tell_used.get()) {
            tell(UsedToken { key, jti: jti.to_owned(), until });
        }
        let identity = identity(&claims);
        tracing::info!(%stream, ?act, %identity, "token used");
        Ok(identity)
    }

    /// Checks `token` without consuming it.
    pub(super) async fn check(
        &self,
        token: &str,
        stream: &StreamName,
        act: Act,
    ) -> Result<Identity, TokenError> {
        let (claims, key) = self.read(token).await?;
        let (jti, _) = self.rules_of(key).check(&claims, stream, act, now())?;
        self.check_prefix(key, stream)?;
        if self.used.has(key, jti) { Err(TokenError::Used) } else { Ok(identity(&claims)) }
    }

    /// Checks a token for a room, consumes it, and returns the right of its holder.
    ///
    /// # Errors
    /// The token is not valid for this room.
    pub async fn consume_for_room(&self, token: &str, room: &str) -> Result<RoomPass, TokenError> {
        let (claims, key) = self.read(token).await?;
        let now = now();
        let (jti, until) = self.rules_of(key).check_room(&claims, room, now)?;
        // An issuer that is trusted for the streams of a room is trusted for the room.
        self.check_prefix(key, &StreamName::new(room, "x").map_err(|_| TokenError::Room)?)?;
        self.used.mark_used(key, jti, until, now)?;
        let identity = identity(&claims);
        tracing::info!(room, %identity, "token used");
        let Identity::Token { subject, issuer } = identity else { return Err(TokenError::Shape) };
        // WordPress gives all visitors the number 0: that is nobody in particular.
        let subject = if subject == "0" { String::new() } else { subject };
        Ok(RoomPass {
            subject: if subject.is_empty() { subject } else { format!("{subject} {issuer}") },
            role: claims.role,
        })
    }

    /// Checks a token that lets its holder operate the gateway, and consumes it. The gateway's own key may sign
    /// one, and with `auth_operate` every issuer that is trusted for all streams.
    pub(super) async fn consume_for_operator(&self, token: &str) -> Result<Identity, TokenError> {
        let (claims, key) = self.read(token).await?;
        let now = now();
        let (jti, until) = self.rules_of(key).check_operator(&claims, now)?;
        let trusted = |source: &Arc<KeySource>| {
            source.is_own(key) || self.issuers_operate && source.has(key) && source.is_trusted_for_all()
        };
        if !self.sources.iter().any(trusted) {
            return Err(TokenError::Operator);
        }
        self.used.mark_used(key, jti, until, now)?;
        let identity = identity(&claims);
        tracing::info!(%identity, "operator's token used");
        Ok(identity)
    }

    /// Creates a token with which a browser logs in to the console, within `ttl` seconds. Creates the gateway's own key
    /// if there is none.
    ///
    /// # Errors
    /// A text: the key cannot be read or created.
    pub fn mint_for_console(&self, ttl: i64) -> Result<String, String> {
        let (issuer, subject) = ("lianmai", "operator");
        let request =
            TokenRequest { issuer, audience: &self.rules.audience, subject, right: Right::Operate, ttl };
        SigningKey::kept(&self.data)?.mint(&request)
    }

    /// Returns the requirements for tokens of this key. The gateway's own key needs no issuer: its holder is
    /// the operator.
    fn rules_of(&self, key: [u8; 32]) -> Rules {
        let own = self.sources.iter().any(|source| source.is_own(key));
        let issuer = self.rules.issuer.clone().filter(|_| !own);
        Rules { issuer, ..self.rules.clone() }
    }

    /// Checks whether this key may sign tokens for `stream`. One source that lists the key is enough.
    fn check_prefix(&self, key: [u8; 32], stream: &StreamName) -> Result<(), TokenError> {
        let trusted = self.sources.iter().any(|source| source.has(key) && source.is_trusted_for(stream));
        if trusted { Ok(()) } else { Err(TokenError::Prefix) }
    }

    /// Returns the claims of a token with a trusted signature, and the key.
    async fn read(&self, token: &str) -> Result<(Claims, [u8; 32]), TokenError> {
        let kid = kid(token)?;
        let mut keys = self.find(&kid).await;
        if keys.is_empty() && self.sources.iter().any(|source| source.is_url()) {
            // The key set may have changed since the last download.
            let now = Instant::now();
            join_all(self.sources.iter().map(|source| source.refresh(now))).await;
            keys = self.find(&kid).await;
        }
        verify(token, &keys)
    }

    async fn find(&self, kid: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        for source in &self.sources {
            keys.extend(source.find(kid).await);
        }
        keys
    }
}

/// Returns the identity of the holder of a token with these claims.
fn identity(claims: &Claims) -> Identity {
    let short = |text: &Option<String>| text.iter().flat_map(|t| t.chars()).take(200).collect();
    Identity::Token { subject: short(&claims.sub), issuer: short(&claims.iss) }
}

/// Splits an entry of `auth_jwks`: `PREFIX/=PLACE` trusts the keys of a location only for streams below a
/// prefix.
fn prefix_of(entry: &str) -> (Option<String>, &str) {
    let whole = (None, entry);
    let Some((prefix, place)) = entry.split_once("/=") else { return whole };
    let prefix = prefix.trim_start_matches('/');
    // An address may contain these characters too, but not before its scheme.
    let is_prefix = !prefix.contains(':') && StreamName::parse(&format!("{prefix}/x")).is_ok();
    if is_prefix { (Some(format!("{prefix}/")), place) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_stands_before_the_place() {
        for (entry, prefix, place) in [
            ("https://a.example/jwks", None, "https://a.example/jwks"),
            ("keys.json", None, "keys.json"),
            ("a/=https://a.example/jwks", Some("a/"), "https://a.example/jwks"),
            ("/a/b/=keys.json", Some("a/b/"), "keys.json"),
            ("https://a.example/?x/=y", None, "https://a.example/?x/=y"),
            ("a b/=keys.json", None, "a b/=keys.json"),
            ("/=keys.json", None, "/=keys.json"),
        ] {
            assert_eq!(prefix_of(entry), (prefix.map(str::to_owned), place), "{entry}");
        }
    }
}
