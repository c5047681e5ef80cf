//! Finds the owner of a stream.

use std::time::Duration;

use super::Registry;
use crate::cluster::protocol::{self, OriginAnswer, OriginAsk};
use crate::cluster::relay::Found;
use crate::core::bus::NoAnswer;
use crate::core::hub::StreamName;

/// Timeout of a question to an owner, and how often it is asked. One that does not answer is dead.
const ASK_TIMEOUT: Duration = Duration::from_millis(300);
const ASK_TIMES: usize = 2;

impl Registry {
    /// Asks which node publishes a stream. An owner that does not answer counts as none. For a second after nobody had
    /// the stream, nobody is asked.
    pub async fn find(&self, name: &StreamName) -> Found {
        if self.absent().has(name, self.0.started.elapsed()) {
            return Found::Nobody;
        }
        let ask = protocol::write(&OriginAsk::Find { node: self.0.me.node.clone() });
        for _ in 0..ASK_TIMES {
            match self.0.bus.request(&protocol::origin(name), ask.clone(), ASK_TIMEOUT).await {
                Ok(answer) => match protocol::read(&answer) {
                    Some(OriginAnswer::Owner(owner)) => return Found::Owner(Box::new(owner)),
                    _ => return Found::Nobody,
                },
                Err(NoAnswer::Nobody) => {
                    self.absent().add(name, self.0.started.elapsed());
                    return Found::Nobody;
                }
                Err(NoAnswer::Away) => return Found::Away,
                Err(NoAnswer::Silent) => {}
            }
        }
        Found::Nobody
    }

    /// A node publishes a stream now: it is not absent any more.
    pub fn appeared(&self, name: &StreamName) {
        self.absent().remove(name);
    }
}
