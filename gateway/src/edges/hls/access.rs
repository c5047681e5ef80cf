//! Admission of viewers to playlists and segments.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;

use super::pass::PARAMETER;
use super::sessions::{Key, Sessions, Standing};
use super::store::Store;
use super::viewers::ClientOrigin;
use super::{Hls, PROTOCOL, info, kicked, short_query};
use crate::context::Context;
use crate::core::admission::{PlayGrant, Refusal};
use crate::core::auth::{AuthRequest, Denied, TokenError};
use crate::core::client::Act;
use crate::core::hub::StreamName;
use crate::web::problem::Problem;

/// Time that a session survives in addition to the usual silence of a player: for a phone that sleeps for a
/// moment.
const SLACK: Duration = Duration::from_secs(10);

/// The result of admission to a playlist.
#[derive(Debug)]
pub(super) enum Admitted {
    /// The stream is open to everybody. A new viewer comes with its grant.
    Public(Option<PlayGrant>),
    /// The viewer has this session.
    Session(String),
    /// The viewer goes on at the address with this pass.
    Pass(String),
}

/// Why this request may read a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    /// The stream is open to everybody.
    Free,
    /// The request's address has the pass of this viewer.
    Session(String),
    /// The segment's address carries the secret.
    Secret,
}

impl Hls {
    /// Returns how long a session may be silent, if three target durations are `known`. A player that waits for a stream is silent too.
    pub(super) fn patience(&self, known: Option<Duration>) -> Duration {
        let usual = Duration::from_micros((self.0.rules.segmenter.target * 3).max(0) as u64);
        patience(known.unwrap_or(usual), &self.0.context)
    }

    /// Admits a viewer to the playlist of a stream.
    pub(super) async fn admit(
        &self,
        name: &StreamName,
        pass: Option<&str>,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Admitted, Problem> {
        let admitted = match pass {
            _ if !self.0.context.admission.restricts_play() => {
                self.admit_to_public(name, peer, request).await
            }
            Some(pass) => self.admit_with_pass(name, pass, peer, request).await,
            None => {
                let id = self.admit_to_session(name, peer, request).await;
                id.map(|id| Admitted::Pass(self.0.passes.issue(name, &id)))
            }
        };
        if let Err(problem) = &admitted {
            let (path, text) = (request.uri.path(), &problem.detail);
            self.0.context.admission.refused(Act::Play, PROTOCOL, peer, path, text);
        }
        admitted
    }

    /// Admits a viewer of an open stream: once, not on every reload of its playlist.
    async fn admit_to_public(
        &self,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Admitted, Problem> {
        let store = self.stores().get(name).cloned();
        let other = self.0.remotes.known(name);
        let (origin, query) = (ClientOrigin::of(request, peer), short_query(request));
        if store.is_some_and(|store| store.viewers.knows(&origin, &query))
            || other.is_some_and(|other| other.viewers.knows(&origin, &query))
        {
            return Ok(Admitted::Public(None));
        }
        Ok(Admitted::Public(Some(self.ask(name, peer, request).await?)))
    }

    async fn ask(&self, name: &StreamName, peer: SocketAddr, request: &Parts) -> Result<PlayGrant, Refusal> {
        let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
        self.0.context.admission.play(name, &about, info(request, peer)).await
    }

    /// Returns the grant of an admitted viewer.
    pub(super) async fn grant(
        &self,
        admitted: &Admitted,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<PlayGrant, Problem> {
        match admitted {
            Admitted::Public(Some(grant)) => Ok(grant.clone()),
            Admitted::Public(None) => Ok(self.ask(name, peer, request).await?),
            Admitted::Session(id) | Admitted::Pass(id) => {
                self.0.sessions.grant(name, id).ok_or_else(|| Refusal::from(Denied::Session).into())
            }
        }
    }

    /// Admits a viewer that shows a pass. On this gateway it may have no session yet.
    async fn admit_with_pass(
        &self,
        name: &StreamName,
        pass: &str,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Admitted, Problem> {
        let sessions = &self.0.sessions;
        let found = self.0.passes.check(name, pass).ok_or(Denied::Session)?;
        let store = self.stores().get(name).cloned();
        let patience = self.patience(store.as_deref().map(Store::patience));
        match sessions.ask(name, &found.id, patience) {
            Standing::Kicked => return Err(kicked()),
            Standing::Open => {}
            Standing::Over => {
                let query = format!("{PARAMETER}={pass}");
                let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
                let about = AuthRequest { query: &query, bearer: None, ..about };
                let grant = self.0.context.admission.play(name, &about, info(request, peer)).await?;
                sessions.open(grant, Ok(found.id.clone()), patience).ok_or_else(full)?;
            }
        }
        if found.left < self.0.passes.life() / 2 {
            return Ok(Admitted::Pass(self.0.passes.issue(name, &found.id)));
        }
        Ok(Admitted::Session(found.id))
    }

    /// Admits a viewer by its credentials. Returns the id of its session.
    async fn admit_to_session(
        &self,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<String, Problem> {
        let Context { auth, admission, .. } = &self.0.context;
        let sessions = &self.0.sessions;
        let store = self.stores().get(name).cloned();
        let patience = self.patience(store.as_deref().map(Store::patience));
        let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
        let origin = ClientOrigin::of(request, peer);
        let key = if auth.is_free(Act::Play, &about).await? {
            Key::Secret(origin, short_query(request))
        } else if let Some(token) = about.token() {
            Key::Token(origin.from, token.into_owned())
        } else if auth.is_signed(Act::Play, &about)
            && let Some(id) =
                sessions.known(name, &Key::Secret(origin.clone(), short_query(request)), patience)
        {
            // The signature has expired meanwhile: it says when a viewer may begin.
            return known_session(sessions, name, id, patience);
        } else {
            admission.probe(Act::Play, name, &about, &info(request, peer)).await?;
            // Another guard knows the viewer, by something in the address: a seat key.
            Key::Secret(origin, short_query(request))
        };
        let known = |id: String| known_session(sessions, name, id, patience);
        if let Some(id) = sessions.known(name, &key, patience) {
            return known(id);
        }
        let grant = match self.ask(name, peer, request).await {
            Ok(grant) => grant,
            Err(refusal) => {
                if refusal == Refusal::Credentials(Denied::Token(TokenError::Used)) {
                    // The token may have been used by the same player, which sends two requests at the same
                    // time.
                    tokio::task::yield_now().await;
                    if let Some(id) = sessions.known(name, &key, patience) {
                        return known(id);
                    }
                }
                return Err(refusal.into());
            }
        };
        sessions.open(grant, Err(key), patience).ok_or_else(full)
    }

    /// Decides whether a request may read a segment of a stream. Only viewers who may play the stream learn that there
    /// is no such segment.
    pub(super) async fn admit_segment(
        &self,
        name: &StreamName,
        patience: Duration,
        pass: Option<&str>,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Access, Problem> {
        let auth = &self.0.context.auth;
        if !self.0.context.admission.restricts_play() {
            return Ok(Access::Free);
        }
        if let Some(found) = pass.and_then(|pass| self.0.passes.check(name, pass)) {
            return match self.0.sessions.ask(name, &found.id, patience) {
                Standing::Kicked => Err(kicked()),
                Standing::Open | Standing::Over => Ok(Access::Session(found.id)),
            };
        }
        let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
        if auth.play_is_closed() && auth.is_free(Act::Play, &about).await? {
            return Ok(Access::Secret);
        }
        // Where no secret is needed, another guard may refuse viewers: only a pass shows that it has not.
        Err(Denied::Session.into())
    }
}

/// Returns how long a session may be silent, of three target durations and the limits of the gateway.
pub(super) fn patience(targets: Duration, context: &Context) -> Duration {
    targets.max(context.limits.get().play_wait) + SLACK
}

fn full() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many HLS sessions: try again later")
}

/// Continues a session, unless an operator has closed it.
fn known_session(
    sessions: &Sessions,
    name: &StreamName,
    id: String,
    patience: Duration,
) -> Result<String, Problem> {
    match sessions.ask(name, &id, patience) {
        Standing::Kicked => Err(kicked()),
        _ => Ok(id),
    }
}
