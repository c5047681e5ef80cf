//! Sessions of viewers of protected recordings.
//!
//! A token admits once, but a player requests a recording piece by piece, and the addresses in a playlist do not
//! inherit the query of its own address. An admitted viewer therefore gets a session. Its id is a folder in the
//! address of the playlist: `/records/live/x/.ID/FILE.m3u8`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::core::hub::StreamName;

/// Maximum number of sessions. Further viewers are refused.
pub(super) const MAX_SESSIONS: usize = 20_000;
/// A session ends after this time without requests. A viewer may pause for a while.
const IDLE: Duration = Duration::from_secs(3600);

/// A viewer who was admitted to the recordings of a stream.
#[derive(Debug)]
struct Session {
    stream: StreamName,
    seen: Instant,
    /// The address and the token of the request that began it.
    token: Option<(IpAddr, String)>,
}

impl Session {
    fn is_open(&self) -> bool {
        self.seen.elapsed() < IDLE
    }
}

/// All sessions, by id.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether session `id` admits to the recordings of a stream, and records the request.
    pub(super) fn admits(&self, id: &str, stream: &StreamName) -> bool {
        let mut all = self.all();
        let Some(session) = all.get_mut(id).filter(|session| session.stream == *stream && session.is_open())
        else {
            return false;
        };
        session.seen = Instant::now();
        true
    }

    /// Returns the session that this token began at this address.
    pub(super) fn of_token(&self, stream: &StreamName, from: IpAddr, token: &str) -> Option<String> {
        let mut all = self.all();
        let same = |session: &Session| {
            session.stream == *stream
                && session.is_open()
                && session.token.as_ref().is_some_and(|(ip, known)| *ip == from && known == token)
        };
        let (id, session) = all.iter_mut().find(|(_, session)| same(session))?;
        session.seen = Instant::now();
        Some(id.clone())
    }

    /// Opens a session; `None` if there are too many.
    pub(super) fn open(&self, stream: &StreamName, token: Option<(IpAddr, String)>) -> Option<String> {
        let mut all = self.all();
        if all.len() >= MAX_SESSIONS {
            all.retain(|_, session| session.is_open());
        }
        if all.len() >= MAX_SESSIONS {
            return None;
        }
        let id = format!("{:032x}", rand::random::<u128>());
        all.insert(id.clone(), Session { stream: stream.clone(), seen: Instant::now(), token });
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_session_admits_to_one_stream_and_ends_in_silence() {
        let (sessions, name) = (Sessions::default(), |name: &str| StreamName::parse(name).unwrap());
        let from = IpAddr::from([127, 0, 0, 1]);
        let id = sessions.open(&name("live/x"), Some((from, "token".to_owned()))).unwrap();
        assert!(sessions.admits(&id, &name("live/x")) && !sessions.admits(&id, &name("live/y")));
        assert_eq!(sessions.of_token(&name("live/x"), from, "token"), Some(id.clone()));
        assert_eq!(sessions.of_token(&name("live/x"), from, "other"), None);
        assert_eq!(sessions.of_token(&name("live/x"), IpAddr::from([127, 0, 0, 2]), "token"), None);
        tokio::time::advance(IDLE - Duration::from_secs(1)).await;
        assert!(sessions.admits(&id, &name("live/x")));
        tokio::time::advance(IDLE).await;
        assert!(!sessions.admits(&id, &name("live/x")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_sessions_is_bounded() {
        let (sessions, name) = (Sessions::default(), StreamName::parse("live/x").unwrap());
        assert!((0..MAX_SESSIONS).all(|_| sessions.open(&name, None).is_some()));
        assert_eq!(sessions.open(&name, None), None);
        tokio::time::advance(IDLE).await;
        assert!(sessions.open(&name, None).is_some());
        assert_eq!(sessions.all().len(), 1);
    }
}
