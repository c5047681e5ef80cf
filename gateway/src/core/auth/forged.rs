//! Counts, logs and slows down wrong credentials that nobody can guess: keys, signatures, tokens, invitations, cookies.
//!
//! A right one is let in at once, whatever else comes from its address: comparing it tells an attacker nothing. A wrong
//! one costs the gateway a computation and a line in the log, so its answer is delayed as that to a wrong secret is.
//! Credentials that were right once (an expired or used token) do not count: players show them in good faith.

use std::fmt;

use super::guesses::{SecretCheck, SecretOrigin};
use super::{Auth, AuthRequest, Denied, TokenError};
use crate::core::name::StreamName;
use crate::core::text::quoted;

/// The kind of a wrong credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// A lasting key.
    Key,
    /// The signature of an address.
    Signature,
    /// A token that no trusted issuer has signed.
    Token,
    /// An invitation to a room.
    Invitation,
    /// The key of a seat in a room.
    Seat,
    /// The cookie of a login.
    Login,
}

impl Forged {
    /// Returns the kind's word in the log and in metrics.
    const fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Token => "token",
            Self::Invitation => "invitation",
            Self::Seat => "seat",
            Self::Login => "login",
        }
    }
}

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Auth {
    /// Counts and logs a wrong credential, and waits until its answer is due.
    ///
    /// # Errors
    /// So many wrong ones of this address wait for their answers that this one is answered at once, with
    /// [`Denied::Slow`].
    pub async fn hold_forged(
        &self,
        kind: Forged,
        shown: &str,
        request: &AuthRequest<'_>,
    ) -> Result<(), Denied> {
        let origin = SecretOrigin::new(request.from, request.peer.ip());
        let wait = match self.guesses.judge_forged(origin, shown) {
            SecretCheck::Paused(wait) => {
                metrics::counter!("lianmai_paused_secrets_total", "door" => kind.word()).increment(1);
                return Err(Denied::Slow(wait.as_secs() + 1));
            }
            SecretCheck::Wrong { new: 0, .. } | SecretCheck::Right => return Ok(()),
            SecretCheck::Wrong { wait, .. } => wait,
        };
        metrics::counter!("lianmai_wrong_secrets_total", "door" => kind.word()).increment(1);
        if self.refusals.count("wrong credential", request.from) {
            let stream = quoted(request.stream.map_or("", StreamName::as_str));
            tracing::warn!(peer = %request.peer, from = %request.from, %kind, stream, "wrong credential");
        }
        self.guesses.hold(wait).await;
        Ok(())
    }

    /// Returns the refusal of a token, after the delay that is due if nobody trusted has signed the token.
    pub async fn refuse_token(&self, error: TokenError, shown: &str, request: &AuthRequest<'_>) -> Denied {
        let held =
            if error.is_forged() { self.hold_forged(Forged::Token, shown, request).await } else { Ok(()) };
        held.err().unwrap_or(Denied::Token(error))
    }

    /// Returns the refusal of a key or a signature, after the delay that is due if it is wrong.
    pub(super) async fn refuse(&self, denied: Denied, shown: &str, request: &AuthRequest<'_>) -> Denied {
        let kind = match denied {
            Denied::Key => Forged::Key,
            Denied::Signature => Forged::Signature,
            _ => return denied,
        };
        self.hold_forged(kind, shown, request).await.err().unwrap_or(denied)
    }
}
