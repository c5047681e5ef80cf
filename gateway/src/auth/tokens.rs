//! Tokens (JWT, signed by Ed25519): whose are trusted, and letting somebody in by one, once.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use http::Uri;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use tokio::time::Instant;

use super::fetch;
use super::jwks::Key;
use super::own::{self, now};
use super::source::{Place, Source};
use super::token::{Act, Claims, Rules, TokenError};
use super::used::Used;
use crate::config::Config;
use crate::hub::StreamName;
use crate::tls;

/// No token is longer, in bytes.
const LONGEST: usize = 4096;
/// A key's name in a token has at most this many bytes.
const KID: usize = 256;

/// Who signs tokens, and which were used.
#[derive(Debug)]
pub struct Tokens {
    sources: Vec<Arc<Source>>,
    rules: Rules,
    used: Used,
}

impl Tokens {
    /// Trusts those that `config` names, and the key of the data folder, if there is or will be one.
    ///
    /// # Errors
    /// In words, when a place can't be one.
    pub fn new(config: &Config) -> Result<Self, String> {
        let mut sources = vec![Arc::new(Source::new(Place::Own(own::path(&config.data))))];
        let mut client = None;
        for place in config.auth_jwks.iter().filter(|place| !place.is_empty()) {
            if !place.contains("://") {
                sources.push(Arc::new(Source::new(Place::File(PathBuf::from(place)))));
                continue;
            }
            let uri: Uri = place.parse().map_err(|error| format!("auth_jwks: {place}: {error}"))?;
            fetch::check(&uri).map_err(|why| format!("auth_jwks: {place}: {why}"))?;
            if client.is_none() {
                client = Some(tls::client().map_err(|error| error.to_string())?);
            }
            if let Some(client) = &client {
                sources.push(Arc::new(Source::new(Place::Url(uri, client.clone()))));
            }
        }
        let rules = Rules {
            audience: config.auth_audience.clone(),
            issuer: Some(config.auth_issuer.clone()).filter(|issuer| !issuer.is_empty()),
            started: now(),
        };
        Ok(Self { sources, rules, used: Used::default() })
    }

    /// Keeps the keys fresh from now on, in tasks on the current runtime.
    pub fn watch(&self) {
        for source in &self.sources {
            tokio::spawn(source.clone().watch());
        }
    }

    /// Lets the one in who shows `token`, which is used then.
    pub(super) async fn take(&self, token: &str, stream: &StreamName, act: Act) -> Result<(), TokenError> {
        let (claims, key) = self.read(token).await?;
        let now = now();
        let (jti, until) = self.rules_of(key).check(&claims, stream, act, now)?;
        self.used.take(key, jti, until, now)?;
        let short = |text: &Option<String>| text.iter().flat_map(|t| t.chars()).take(200).collect::<String>();
        let (iss, sub) = (short(&claims.iss), short(&claims.sub));
        tracing::info!(%stream, ?act, iss, sub, "a token is used");
        Ok(())
    }

    /// Whether `token` would let somebody in; it can still be used.
    pub(super) async fn check(&self, token: &str, stream: &StreamName, act: Act) -> Result<(), TokenError> {
        let (claims, key) = self.read(token).await?;
        let (jti, _) = self.rules_of(key).check(&claims, stream, act, now())?;
        if self.used.has(key, jti) { Err(TokenError::Used) } else { Ok(()) }
    }

    /// What is asked of tokens by this key: the gateway's own needs no issuer, whoever has it is the operator.
    fn rules_of(&self, key: [u8; 32]) -> Rules {
        let own = self.sources.iter().any(|source| source.is_own(key));
        let issuer = self.rules.issuer.clone().filter(|_| !own);
        Rules { issuer, ..self.rules.clone() }
    }

    /// What a token says that somebody who is trusted has signed, and with which key.
    async fn read(&self, token: &str) -> Result<(Claims, [u8; 32]), TokenError> {
        let kid = kid(token)?;
        let mut keys = self.find(&kid).await;
        if keys.is_empty() && self.sources.iter().any(|source| source.is_url()) {
            // Another key since we asked, perhaps.
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

/// The name of the key that is said to have signed this.
pub(super) fn kid(token: &str) -> Result<String, TokenError> {
    if token.len() > LONGEST {
        return Err(TokenError::Long);
    }
    if token.split('.').count() != 3 {
        return Err(TokenError::Shape);
    }
    let header = decode_header(token).map_err(|_| TokenError::Shape)?;
    if header.alg != Algorithm::EdDSA {
        return Err(TokenError::Algorithm);
    }
    if header.crit.is_some() {
        // Something that must be understood, and is not (RFC 7515 4.1.11).
        return Err(TokenError::Shape);
    }
    header.kid.filter(|kid| !kid.is_empty() && kid.len() <= KID).ok_or(TokenError::NoKey)
}

/// The claims, if one of `keys` has signed them.
pub(super) fn verify(token: &str, keys: &[Key]) -> Result<(Claims, [u8; 32]), TokenError> {
    use jsonwebtoken::errors::ErrorKind;
    let mut validation = Validation::new(Algorithm::EdDSA);
    // The signature only: what is signed, we look at ourselves.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    for key in keys {
        match decode::<Claims>(token, &key.decoding, &validation) {
            Ok(data) => return Ok((data.claims, key.raw)),
            Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {}
            Err(_) => return Err(TokenError::Shape),
        }
    }
    Err(if keys.is_empty() { TokenError::UnknownKey } else { TokenError::Signature })
}
