//! Follows the sessions of clients: claims end with their publishers, and nodes that pull are counted.

use std::sync::Arc;

use super::node::NodeName;
use super::registry::Registry;
use crate::core::client::{Act, Identity};
use crate::core::close::CloseReason;
use crate::core::hub::Clients;
use crate::core::session::{ClientSession, Observer, SessionEnd};

/// Hears of all sessions.
#[derive(Debug)]
pub(super) struct SessionObserver {
    pub(super) registry: Registry,
    pub(super) clients: Clients,
}

impl SessionObserver {
    fn over(&self, session: &ClientSession) {
        match (&session.identity, session.act) {
            (_, Act::Publish) => self.registry.release(&session.stream, session.id),
            (Identity::Node(_), Act::Play) => self.registry.children().remove(&session.stream, session.id),
            _ => {}
        }
    }
}

impl Observer for SessionObserver {
    fn began(&self, session: &Arc<ClientSession>, _: bool) {
        match (&session.identity, session.act) {
            // Another node has taken the stream while this publisher was connecting.
            (_, Act::Publish) if !self.registry.holds(&session.stream, session.id) => {
                self.clients.close(session.id, CloseReason::Replaced);
            }
            (Identity::Node(node), Act::Play) => {
                if let Ok(node) = NodeName::parse(node) {
                    self.registry.children().add(&session.stream, session.id, node);
                }
            }
            _ => {}
        }
    }

    fn ended(&self, session: &Arc<ClientSession>, _: &SessionEnd<'_>) {
        self.over(session);
    }

    fn abandoned(&self, session: &Arc<ClientSession>) {
        self.over(session);
    }
}
