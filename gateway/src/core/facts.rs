//! What happened in the last hour, for the operator: streams, publishers, refusals, and what an operator did.
//!
//! A fact is one sentence's worth of fields. The console shows them as they happen, and those of the last hour to a
//! browser that comes later. The log has more of them, with more detail.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::broadcast;

/// Maximum number of facts that are kept.
pub const MAX_FACTS: usize = 500;
/// Time for which a fact is kept.
pub const KEPT: Duration = Duration::from_secs(3600);
/// Maximum number of facts that wait for one listener; a slower listener misses the oldest.
pub const MAX_WAITING: usize = 256;
/// Maximum number of characters of a text in a fact.
const MAX_TEXT: usize = 200;

/// A fact. Fields that do not apply are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// Number of the fact, from 1 in each run. A fact that is not kept has number 0.
    pub number: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// What happened, as a word for programs: `started`, `refused` …
    pub what: &'static str,
    /// The stream.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stream: String,
    /// `publish` or `play`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub act: &'static str,
    /// The protocol of the client.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub protocol: &'static str,
    /// The address of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Name of a person, a key or a program.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Why it happened.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// A number: viewers, or minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    facts: VecDeque<Fact>,
    last: u64,
}

/// The content of [`Facts`].
#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    queue: broadcast::Sender<Fact>,
}

/// The facts of the last hour. Cloning shares them.
#[derive(Debug, Clone)]
pub struct Facts(Arc<Inner>);

impl Default for Facts {
    fn default() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), queue: broadcast::Sender::new(MAX_WAITING) }))
    }
}

impl Facts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a fact, and tells the listeners. Sets its number and its time.
    pub fn push(&self, fact: Fact) {
        let mut fact = prepared(fact);
        let mut state = self.state();
        state.last += 1;
        fact.number = state.last;
        if state.facts.len() >= MAX_FACTS {
            state.facts.pop_front();
        }
        state.facts.push_back(fact.clone());
        // Inside the lock: listeners get the facts in the order of their numbers. There may be no listener.
        let _ = self.0.queue.send(fact);
    }

    /// Tells the listeners a fact that is not kept. Sets its time.
    pub fn tell(&self, fact: Fact) {
        let _ = self.0.queue.send(prepared(fact));
    }

    /// Returns the facts of the last hour, oldest first, and those that follow.
    pub fn listen(&self) -> (Vec<Fact>, FactListener) {
        let mut state = self.state();
        let oldest = now().saturating_sub(KEPT.as_millis() as u64);
        state.facts.retain(|fact| fact.at_ms >= oldest);
        (state.facts.iter().cloned().collect(), FactListener(self.0.queue.subscribe()))
    }
}

/// The facts from the time of [`Facts::listen`] on.
#[derive(Debug)]
pub struct FactListener(broadcast::Receiver<Fact>);

/// The result of [`FactListener::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextFact {
    /// The next fact.
    Fact(Box<Fact>),
    /// The listener was too slow: it has missed this many facts.
    Missed(u64),
}

impl FactListener {
    /// Waits for the next fact; `None` when there will be none. Safe to cancel and call again.
    pub async fn next(&mut self) -> Option<NextFact> {
        match self.0.recv().await {
            Ok(fact) => Some(NextFact::Fact(Box::new(fact))),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(NextFact::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// Sets the time of a fact, and cuts its texts.
fn prepared(mut fact: Fact) -> Fact {
    fact.at_ms = now();
    for text in [&mut fact.stream, &mut fact.name, &mut fact.reason] {
        if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
            text.truncate(end);
        }
    }
    fact
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn fact(name: &str) -> Fact {
        Fact { what: "key_made", name: name.to_owned(), ..Fact::default() }
    }

    #[test]
    fn a_late_listener_gets_the_newest_facts_and_a_slow_one_is_told_what_it_misses() {
        let facts = Facts::default();
        facts.tell(fact("not kept"));
        for n in 0..=MAX_FACTS {
            facts.push(fact(&n.to_string()));
        }
        let (past, mut listener) = facts.listen();
        assert_eq!((past.len(), past[0].name.as_str(), past[0].number), (MAX_FACTS, "1", 2));
        assert!(listener.next().now_or_never().is_none());
        facts.tell(fact("viewers"));
        for n in 0..MAX_WAITING {
            facts.push(fact(&n.to_string()));
        }
        assert_eq!(listener.next().now_or_never().unwrap(), Some(NextFact::Missed(1)));
        let Some(Some(NextFact::Fact(next))) = listener.next().now_or_never() else { panic!("a fact") };
        assert_eq!((next.name.as_str(), next.number), ("0", MAX_FACTS as u64 + 2));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let facts = Facts::default();
        facts.push(fact(&"é".repeat(MAX_TEXT + 1)));
        assert_eq!(facts.listen().0[0].name, "é".repeat(MAX_TEXT));
    }
}
