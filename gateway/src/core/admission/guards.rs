//! The gateway's own guards.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::ask::{Ask, Guard, Refusal, Usage};
use crate::core::auth::Auth;
use crate::core::client::Identity;

/// Admits clients by a secret, by a connection from this machine, or all clients of an open gateway.
#[derive(Debug)]
pub(super) struct Secrets(pub(super) Arc<Auth>);

impl Guard for Secrets {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async move { Ok(self.0.trusts(ask.act, ask.credentials).await?) }.boxed()
    }

    fn restricts_play(&self) -> bool {
        self.0.play_is_closed()
    }
}

/// Admits clients by a lasting key. A client that shows a wrong one is refused, whoever else may come in.
#[derive(Debug)]
pub(super) struct Keys(pub(super) Arc<Auth>);

impl Guard for Keys {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        async move { Ok(self.0.key(ask.act, ask.credentials).await?) }.boxed()
    }

    fn restricts_play(&self) -> bool {
        self.0.play_is_closed()
    }
}

/// Admits clients by the signature of their address. A wrong one is refused, whoever else may come in.
#[derive(Debug)]
pub(super) struct SignedUrls(pub(super) Arc<Auth>);

impl Guard for SignedUrls {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        if known.is_some() {
            return ready(Ok(None)).boxed();
        }
        async move { Ok(self.0.signed(ask.act, ask.credentials).await?) }.boxed()
    }

    fn restricts_play(&self) -> bool {
        self.0.play_is_closed()
    }
}

/// Admits clients by a token.
#[derive(Debug)]
pub(super) struct Tokens(pub(super) Arc<Auth>);

impl Guard for Tokens {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        if known.is_some() {
            return ready(Ok(None)).boxed();
        }
        let consume = ask.usage == Usage::Consume;
        async move { Ok(self.0.token(ask.act, ask.credentials, consume).await?) }.boxed()
    }

    fn restricts_play(&self) -> bool {
        self.0.play_is_closed()
    }
}
