//! Sessions of viewers of protected recordings.
//!
//! A token admits once, but a player requests a recording piece by piece, and the addresses in a playlist do not
//! inherit the query of its own address. An admitted viewer therefore gets a session. Its id is a folder in the
//! address of the playlist: `/records/live/x/.ID/FILE.m3u8`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::core::hub::StreamName;
use crate::core::session::ClientSession;

/// Maximum number of sessions. Further viewers are refused.
pub(super) const MAX_SESSIONS: usize = 20_000;
/// A session ends after this time without requests. A viewer may pause for a while.
const IDLE: Duration = Duration::from_secs(3600);

/// A viewer who was admitted to the recordings of a stream.
#[derive(Debug)]
struct Session {
    stream: StreamName,
    /// The viewer: a ban or the end of its key ends the session.
    client: Arc<ClientSession>,
    seen: Instant,
    /// The address and the token of the request that began it.
    token: Option<(IpAddr, String)>,
}

impl Session {
    fn is_open(&self) -> bool {
        self.seen.elapsed() < IDLE
    }
}

/// Returns whether a viewer that was admitted is kept out now.
pub(super) type IsKeptOut<'a> = dyn Fn(&ClientSession) -> bool + 'a;

/// All sessions, by id.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether session `id` admits to the recordings of a stream, and records the request. A session whose viewer
    /// is kept out now ends.
    pub(super) fn admits(&self, id: &str, stream: &StreamName, is_kept_out: &IsKeptOut<'_>) -> bool {
        let mut all = self.all();
        let Some(session) = all.get_mut(id).filter(|session| session.stream == *stream && session.is_open())
        else {
            return false;
        };
        if is_kept_out(&session.client) {
            all.remove(id);
            return false;
        }
        session.seen = Instant::now();
        true
    }

    /// Returns the session that this token began at this address. A session whose viewer is kept out now ends.
    pub(super) fn of_token(
        &self,
        stream: &StreamName,
        (from, token): (IpAddr, &str),
        is_kept_out: &IsKeptOut<'_>,
    ) -> Option<String> {
        let mut all = self.all();
        let same = |session: &Session| {
            session.stream == *stream
                && session.is_open()
                && session.token.as_ref().is_some_and(|(ip, known)| *ip == from && known == token)
        };
        let (id, session) = all.iter_mut().find(|(_, session)| same(session))?;
        let id = id.clone();
        if is_kept_out(&session.client) {
            all.remove(&id);
            return None;
        }
        session.seen = Instant::now();
        Some(id)
    }

    /// Opens a session; `None` if there are too many.
    pub(super) fn open(
        &self,
        client: &Arc<ClientSession>,
        token: Option<(IpAddr, String)>,
    ) -> Option<String> {
        let mut all = self.all();
        if all.len() >= MAX_SESSIONS {
            all.retain(|_, session| session.is_open());
        }
        if all.len() >= MAX_SESSIONS {
            return None;
        }
        let id = format!("{:032x}", rand::random::<u128>());
        let (stream, client) = (client.stream.clone(), client.clone());
        all.insert(id.clone(), Session { stream, client, seen: Instant::now(), token });
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::admission::PlayGrant;

    fn name(text: &str) -> StreamName {
        StreamName::parse(text).unwrap()
    }

    fn viewer(stream: &str) -> Arc<ClientSession> {
        PlayGrant::for_job(&name(stream), "test").session().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_admits_to_one_stream_and_ends_in_silence() {
        let sessions = Sessions::default();
        let (from, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let (x, free) = (name("live/x"), |_: &ClientSession| false);
        let id = sessions.open(&viewer("live/x"), Some((from, "token".to_owned()))).unwrap();
        assert!(sessions.admits(&id, &x, &free) && !sessions.admits(&id, &name("live/y"), &free));
        assert_eq!(sessions.of_token(&x, (from, "token"), &free), Some(id.clone()));
        assert_eq!(sessions.of_token(&x, (from, "other"), &free), None);
        assert_eq!(sessions.of_token(&x, (other, "token"), &free), None);
        tokio::time::advance(IDLE - Duration::from_secs(1)).await;
        assert!(sessions.admits(&id, &x, &free));
        tokio::time::advance(IDLE).await;
        assert!(!sessions.admits(&id, &x, &free));
    }

    #[tokio::test]
    async fn the_session_of_a_viewer_who_is_kept_out_ends_for_good() {
        let (sessions, from, x) = (Sessions::default(), IpAddr::from([127, 0, 0, 1]), name("live/x"));
        let (free, out) =
            (|_: &ClientSession| false, |session: &ClientSession| session.stream.app() == "live");
        for by_token in [false, true] {
            let id = sessions.open(&viewer("live/x"), Some((from, "token".to_owned()))).unwrap();
            assert!(match by_token {
                true => sessions.of_token(&x, (from, "token"), &out).is_none(),
                false => !sessions.admits(&id, &x, &out),
            });
            assert!(!sessions.admits(&id, &x, &free));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded() {
        let (sessions, viewer) = (Sessions::default(), viewer("live/x"));
        assert!((0..MAX_SESSIONS).all(|_| sessions.open(&viewer, None).is_some()));
        assert_eq!(sessions.open(&viewer, None), None);
        tokio::time::advance(IDLE).await;
        assert!(sessions.open(&viewer, None).is_some());
        assert_eq!(sessions.all().len(), 1);
    }
}
