//! A client that publishes.

use super::grant::PublishGrant;
use crate::core::close::CloseReason;
use crate::core::hub::{ClientHandle, Clients, Hub, PublishError, Publisher};

/// A publisher and its entry in the list of clients. Dropping it first frees the stream, then removes the
/// entry and logs the end.
#[derive(Debug)]
pub struct Publishing {
    /// Feeds the stream.
    pub publisher: Publisher,
    /// The client's entry.
    pub client: ClientHandle,
}

impl Publishing {
    /// Starts to publish.
    ///
    /// # Errors
    /// The hub refuses the publisher.
    pub fn start(hub: &Hub, clients: &Clients, grant: &PublishGrant) -> Result<Self, PublishError> {
        let publisher = hub.publish(grant)?;
        let client = clients.add(grant, publisher.stream());
        Ok(Self { publisher, client })
    }

    /// Resolves when the publisher is closed from outside: by the operator, another publisher or the server.
    pub async fn revoked(&self) -> CloseReason {
        self.publisher.revoked().await
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.client.bad_frames(self.publisher.bad_frames());
    }
}
