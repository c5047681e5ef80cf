//! Claims of a token and their validation, without keys, clock or memory.

use std::fmt;

use http::StatusCode;
use serde::Deserialize;

use crate::core::client::Act;
use crate::core::name::StreamName;

/// Accepted difference between the clocks of machines, in seconds.
pub(super) const SKEW: i64 = 5;
/// Maximum lifetime of a token in seconds. A `jti` has to be remembered for as long.
pub const LONGEST: i64 = 24 * 3600;
/// `act` of a token that lets its holder operate the gateway.
pub(super) const OPERATE: &str = "operate";
/// Maximum length of a `jti` in bytes; it is stored as it is.
const JTI: usize = 256;

/// `aud` is a single value or a list (RFC 7519 4.1.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Self::One(one) => one == wanted,
            Self::Several(all) => all.iter().any(|one| one == wanted),
        }
    }
}

/// The claims of a token, as far as present.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: Option<String>,
    pub(super) aud: Option<Audience>,
    pub(super) sub: Option<String>,
    pub(super) stream: Option<String>,
    pub(super) act: Option<String>,
    pub(super) room: Option<String>,
    pub(super) role: Option<String>,
    pub(super) iat: Option<i64>,
    pub(super) nbf: Option<i64>,
    pub(super) exp: Option<i64>,
    pub(super) jti: Option<String>,
}

/// Requirements for every token.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) audience: String,
    /// Required issuer; `None` accepts any.
    pub(super) issuer: Option<String>,
    /// Start of the gateway's memory of used tokens, in seconds since 1970.
    pub(super) started: i64,
}

impl Rules {
    /// Checks whether a token with these claims allows `act` on `stream` at `now`. Returns its `jti` and the
    /// time until which that has to be remembered.
    pub(super) fn check<'a>(
        &self,
        claims: &'a Claims,
        stream: &StreamName,
        act: Act,
        now: i64,
    ) -> Result<(&'a str, i64), TokenError> {
        let named = claims.stream.as_deref().ok_or(TokenError::Missing("stream"))?;
        let allowed = claims.act.as_deref().ok_or(TokenError::Missing("act"))?;
        let checked = self.check_common(claims, now)?;
        if named != stream.as_str() {
            return Err(TokenError::Stream);
        }
        if allowed != act.word() {
            return Err(TokenError::Act);
        }
        Ok(checked)
    }

    /// Checks whether a token with these claims lets its holder into `room` at `now`. Returns the same as
    /// [`Rules::check`].
    pub(super) fn check_room<'a>(
        &self,
        claims: &'a Claims,
        room: &str,
        now: i64,
    ) -> Result<(&'a str, i64), TokenError> {
        let named = claims.room.as_deref().ok_or(TokenError::Missing("room"))?;
        let checked = self.check_common(claims, now)?;
        if named == room { Ok(checked) } else { Err(TokenError::Room) }
    }

    /// Checks whether a token with these claims lets its holder operate the gateway at `now`. Returns the same
    /// as [`Rules::check`].
    pub(super) fn check_operator<'a>(
        &self,
        claims: &'a Claims,
        now: i64,
    ) -> Result<(&'a str, i64), TokenError> {
        let allowed = claims.act.as_deref().ok_or(TokenError::Missing("act"))?;
        let checked = self.check_common(claims, now)?;
        // No difference of clocks is allowed for: a token that was used just before a restart would be valid again.
        if claims.iat.is_some_and(|made| made < self.started) {
            return Err(TokenError::Stale);
        }
        // A token that names a stream or a room is not for the whole gateway.
        if allowed == OPERATE && claims.stream.is_none() && claims.room.is_none() {
            Ok(checked)
        } else {
            Err(TokenError::Act)
        }
    }

    /// Checks the claims that every token has.
    fn check_common<'a>(&self, claims: &'a Claims, now: i64) -> Result<(&'a str, i64), TokenError> {
        let audience = claims.aud.as_ref().ok_or(TokenError::Missing("aud"))?;
        let made = claims.iat.ok_or(TokenError::Missing("iat"))?;
        let end = claims.exp.ok_or(TokenError::Missing("exp"))?;
        let jti = claims.jti.as_deref().filter(|jti| !jti.is_empty()).ok_or(TokenError::Missing("jti"))?;
        if !audience.has(&self.audience) {
            return Err(TokenError::Audience);
        }
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err(TokenError::Issuer);
        }
        if jti.len() > JTI {
            return Err(TokenError::Long);
        }
        let life = end.saturating_sub(made);
        if life <= 0 || life > LONGEST {
            return Err(TokenError::Life);
        }
        let early = made.max(claims.nbf.unwrap_or(made)).saturating_sub(now);
        if early > SKEW {
            return Err(TokenError::Early(early));
        }
        let late = now.saturating_sub(end);
        if late >= SKEW {
            return Err(TokenError::Expired(late));
        }
        if made.saturating_add(SKEW) < self.started {
            return Err(TokenError::Stale);
        }
        Ok((jti, end.saturating_add(SKEW)))
    }
}

/// Why a token is not valid, with a text for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// The token does not have three parts with JSON.
    Shape,
    /// The token or its `jti` is too long.
    Long,
    /// The signature algorithm is not supported.
    Algorithm,
    /// The token does not name its key.
    NoKey,
    /// No trusted issuer has that key.
    UnknownKey,
    /// The signature is invalid.
    Signature,
    /// This claim is missing.
    Missing(&'static str),
    /// The token is for another audience.
    Audience,
    /// The token is from another issuer than the configured one.
    Issuer,
    /// The token ends before it begins, or its lifetime is too long.
    Life,
    /// The token becomes valid in this many seconds.
    Early(i64),
    /// The token expired this many seconds ago.
    Expired(i64),
    /// The token was created before this gateway started, so it may have been used.
    Stale,
    /// The token was used.
    Used,
    /// The token is for another stream.
    Stream,
    /// The token is for another room.
    Room,
    /// The issuer is trusted for other streams only.
    Prefix,
    /// The issuer is not trusted to name operators.
    Operator,
    /// The token allows another act.
    Act,
    /// More tokens are in use than can be remembered.
    Busy,
}

impl TokenError {
    /// Returns whether no trusted issuer has signed the token.
    pub(super) const fn is_forged(self) -> bool {
        matches!(
            self,
            Self::Shape | Self::Long | Self::Algorithm | Self::NoKey | Self::UnknownKey | Self::Signature
        )
    }

    /// Returns the HTTP status: only a valid token for something else is "forbidden" (RFC 6750 3.1).
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Stream | Self::Room | Self::Prefix | Self::Operator | Self::Act => StatusCode::FORBIDDEN,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "the token cannot be read: it is not a JWT",
            Self::Long => "the token is too long",
            Self::Algorithm => "the token is not signed by EdDSA (Ed25519), RS256 or ES256, or its key is of another type",
            Self::NoKey => "the token does not name its key (kid)",
            Self::UnknownKey => "the token's key is not one that this gateway trusts",
            Self::Signature => "the token's signature is wrong",
            Self::Missing(claim) => return write!(f, "the token lacks the claim {claim}"),
            Self::Audience => "the token is for another audience (aud)",
            Self::Issuer => "the token is from another issuer (iss)",
            Self::Life => "the token expires before it begins, or is valid for more than 24 hours",
            Self::Early(seconds) => {
                return write!(f, "the token is not valid yet, but in {seconds} s: check the clocks of the issuer and the gateway");
            }
            Self::Expired(seconds) => return write!(f, "the token expired {seconds} s ago"),
            Self::Stale => "the token was made before the gateway started: request another one",
            Self::Used => "the token was used already: request another one for each attempt",
            Self::Stream => "the token is for another stream",
            Self::Room => "the token is for another room",
            Self::Prefix => "the token's key is trusted for streams of another prefix only",
            Self::Operator => "the token's key is not trusted to name operators (auth_operate)",
            Self::Act => "the token is for another action: a token allows either to publish, to play or to operate",
            Self::Busy => "too many tokens are in use, try again later",
        })
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests;
