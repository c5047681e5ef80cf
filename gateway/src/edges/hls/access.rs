//! Who may have a playlist, and who its segments.

use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;

use super::sessions::{Key, Standing};
use super::store::Store;
use super::viewers::Origin;
use super::{Hls, kicked, short_query};
use crate::core::auth::{AuthRequest, Denied, TokenError};
use crate::core::hub::StreamName;
use crate::web::problem::Problem;

/// What a session survives beside what a player may be silent anyway: a phone that was put away shortly.
const SLACK: Duration = Duration::from_secs(10);

/// By what somebody has a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody may.
    Free,
    /// The session of a playlist.
    Session(String),
    /// The secret in the segment's own address.
    Secret,
}

impl Hls {
    /// How long a session may be silent. Who waits for a stream is silent, too.
    pub(super) fn patience(&self, store: Option<&Store>) -> Duration {
        let usual = Duration::from_micros((self.0.settings.segmenter.target * 3).max(0) as u64);
        let patience = store.map_or(usual, Store::patience);
        patience.max(self.0.context.limits.play_wait) + SLACK
    }

    /// Whether who asks may have this stream's playlist; in which session, unless everybody may.
    pub(super) async fn admit(
        &self,
        name: &StreamName,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Option<String>, Problem> {
        let auth = &self.0.context.auth;
        if !auth.play_is_closed() {
            return Ok(None);
        }
        let sessions = &self.0.sessions;
        let store = self.stores().by_name.get(name).cloned();
        let patience = self.patience(store.as_deref());
        let about = AuthRequest::http(Some(name), &request.uri, &request.headers, peer);
        let shown = session_of(request);
        if let Some(id) = &shown {
            match sessions.ask(name, id, patience) {
                Standing::Open => return Ok(shown),
                Standing::Kicked => return Err(kicked()),
                Standing::Over => {}
            }
        }
        let origin = Origin::of(request, peer);
        let key = if auth.plays_freely(&about).await? {
            Key::Secret(origin, short_query(request))
        } else if let Some(token) = about.token() {
            Key::Token(origin.from, token.into_owned())
        } else {
            let denied = auth.play(&about).await.err().filter(|_| shown.is_none());
            return Err(denied.unwrap_or(Denied::Session).into());
        };
        let known = |id: String| match sessions.ask(name, &id, patience) {
            Standing::Kicked => Err(kicked()),
            _ => Ok(Some(id)),
        };
        if let Some(id) = sessions.known(name, &key, patience) {
            return known(id);
        }
        if let Err(denied) = auth.play(&about).await {
            if denied == Denied::Token(TokenError::Used) {
                // Perhaps by the same player, which asks twice at once.
                tokio::task::yield_now().await;
                if let Some(id) = sessions.known(name, &key, patience) {
                    return known(id);
                }
            }
            return Err(denied.into());
        }
        let full = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many are watching, try again later");
        sessions.open(name, key, patience).map(Some).ok_or_else(full)
    }

    /// Whether who asks may have a segment of this store.
    pub(super) async fn admit_segment(
        &self,
        store: Option<&Store>,
        peer: SocketAddr,
        request: &Parts,
    ) -> Result<Access, Problem> {
        let auth = &self.0.context.auth;
        if !auth.play_is_closed() {
            return Ok(Access::Free);
        }
        let about = AuthRequest::http(store.map(Store::name), &request.uri, &request.headers, peer);
        let Some(store) = store else {
            // What is not there is told only to those who may see what is.
            return if auth.plays_freely(&about).await? {
                Ok(Access::Secret)
            } else {
                Err(Denied::Session.into())
            };
        };
        if let Some(id) = session_of(request) {
            match self.0.sessions.ask(store.name(), &id, self.patience(Some(store))) {
                Standing::Open => return Ok(Access::Session(id)),
                Standing::Kicked => return Err(kicked()),
                Standing::Over => {}
            }
        }
        if auth.plays_freely(&about).await? { Ok(Access::Secret) } else { Err(Denied::Session.into()) }
    }
}

fn session_of(request: &Parts) -> Option<String> {
    let query = request.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "session").map(|(_, id)| id.into_owned())
}
