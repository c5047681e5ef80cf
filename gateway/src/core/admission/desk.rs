//! Admits clients by asking the guards.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use super::ask::{Ask, Guard, Refusal, Usage};
use super::grant::{Admitted, PlayGrant, PublishGrant};
use super::guards::{Keys, Secrets, SignedUrls, Tokens};
use crate::core::auth::{Auth, AuthRequest};
use crate::core::client::{Act, ClientInfo};
use crate::core::facts::{Fact, Facts};
use crate::core::hub::StreamName;
use crate::core::session::{self, Observers};
use crate::limits::ClientLimits;

/// Admits clients to the hub. Cloning shares the guards.
#[derive(Debug, Clone)]
pub struct Admission {
    auth: Arc<Auth>,
    /// The limits of every client, before a guard lowers them.
    limits: Arc<RwLock<ClientLimits>>,
    /// Asked in this order.
    guards: Arc<Vec<Arc<dyn Guard>>>,
    facts: Facts,
    observers: Observers,
}

/// The guards that have let a client pass. If this is dropped with any, they take their work back.
struct Passed<'a> {
    guards: &'a [Arc<dyn Guard>],
    ask: &'a Ask<'a>,
}

impl Drop for Passed<'_> {
    fn drop(&mut self) {
        self.guards.iter().for_each(|guard| guard.withdraw(self.ask));
    }
}

impl Admission {
    /// Creates admission with the gateway's own guards. Every client has these limits, unless a guard lowers them.
    pub fn new(auth: Arc<Auth>, limits: ClientLimits) -> Self {
        let guards: Vec<Arc<dyn Guard>> = vec![
            Arc::new(Keys(auth.clone())),
            Arc::new(SignedUrls(auth.clone())),
            Arc::new(Secrets(auth.clone())),
            Arc::new(Tokens(auth.clone())),
        ];
        Self {
            auth,
            limits: Arc::new(RwLock::new(limits)),
            guards: Arc::new(guards),
            facts: Facts::default(),
            observers: Observers::default(),
        }
    }

    /// Makes refusals known here.
    #[must_use]
    pub fn with_facts(self, facts: &Facts) -> Self {
        Self { facts: facts.clone(), ..self }
    }

    /// Gives clients that come from now on these limits.
    pub fn set_limits(&self, limits: ClientLimits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Adds a guard that is asked last: the client is identified by then, and its token is consumed.
    #[must_use]
    pub fn with(mut self, guard: impl Guard + 'static) -> Self {
        Arc::make_mut(&mut self.guards).push(Arc::new(guard));
        self
    }

    /// Adds a guard that is asked first: a client that it refuses keeps its token.
    #[must_use]
    pub fn with_first(mut self, guard: impl Guard + 'static) -> Self {
        Arc::make_mut(&mut self.guards).insert(0, Arc::new(guard));
        self
    }

    /// Admits a publisher.
    ///
    /// # Errors
    /// A guard refuses it, or no guard identifies it.
    pub async fn publish(
        &self,
        stream: &StreamName,
        credentials: &AuthRequest<'_>,
        client: ClientInfo,
    ) -> Result<PublishGrant, Refusal> {
        let admitted = self.ask(Act::Publish, stream, credentials, &client, Usage::Consume).await?;
        Ok(PublishGrant::new(admitted))
    }

    /// Admits a viewer.
    ///
    /// # Errors
    /// The same as [`Admission::publish`].
    pub async fn play(
        &self,
        stream: &StreamName,
        credentials: &AuthRequest<'_>,
        client: ClientInfo,
    ) -> Result<PlayGrant, Refusal> {
        let admitted = self.ask(Act::Play, stream, credentials, &client, Usage::Consume).await?;
        Ok(PlayGrant::new(admitted))
    }

    /// Checks whether a client would be admitted now. Its token stays usable.
    ///
    /// # Errors
    /// The same as [`Admission::publish`].
    pub async fn probe(
        &self,
        act: Act,
        stream: &StreamName,
        credentials: &AuthRequest<'_>,
        client: &ClientInfo,
    ) -> Result<(), Refusal> {
        self.ask(act, stream, credentials, client, Usage::Probe).await.map(drop)
    }

    /// Returns whether some viewers may be refused.
    pub fn restricts_play(&self) -> bool {
        self.guards.iter().any(|guard| guard.restricts_play())
    }

    async fn ask(
        &self,
        act: Act,
        stream: &StreamName,
        credentials: &AuthRequest<'_>,
        client: &ClientInfo,
        usage: Usage,
    ) -> Result<Admitted, Refusal> {
        // A guard never sees credentials for another stream.
        let credentials = &AuthRequest { stream: Some(stream), ..credentials.clone() };
        let ask = Ask { id: session::next_id(), act, stream, credentials, client, usage };
        let mut known = None;
        let mut passed = Passed { guards: &[], ask: &ask };
        for at in 0..self.guards.len() {
            passed.guards = &self.guards[..at];
            let identity = self.guards[at].check(&ask, known.as_ref()).await?;
            known = known.or(identity);
        }
        passed.guards = &self.guards;
        let identity = known.ok_or_else(|| self.auth.denial(act, credentials))?;
        passed.guards = &[];
        let mut limits = *self.limits.read().unwrap_or_else(PoisonError::into_inner);
        for guard in &*self.guards {
            guard.limit(&ask, &identity, &mut limits);
        }
        Ok(Admitted { session: ask.session(&identity), limits, observers: self.observers.clone() })
    }

    /// Returns the list of those that hear of all sessions.
    pub const fn observers(&self) -> &Observers {
        &self.observers
    }

    /// Logs and counts a refused client. Of many refusals from one address, only a few are logged.
    pub fn refused(&self, act: Act, protocol: &'static str, peer: SocketAddr, stream: &str, reason: &str) {
        let role = act.role();
        metrics::counter!("lianmai_closed_total", "kind" => role, "protocol" => protocol, "reason" => "refused")
            .increment(1);
        if !self.auth.refusals.count(role, peer.ip()) {
            return;
        }
        self.facts.push(Fact {
            what: "refused",
            act: act.word(),
            protocol,
            ip: Some(peer.ip().to_canonical()),
            stream: stream.trim_start_matches('/').to_owned(),
            reason: reason.to_owned(),
            ..Fact::default()
        });
        match act {
            Act::Publish => tracing::info!(%peer, stream, protocol, reason, "publisher refused"),
            Act::Play => tracing::info!(%peer, stream, protocol, reason, "viewer refused"),
        }
    }
}
