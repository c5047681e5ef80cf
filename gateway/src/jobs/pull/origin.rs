//! Starts pulls on demand.

use tokio::sync::mpsc;

use super::registry::Pulls;
use crate::core::hub::{Origin, StreamName};

/// Maximum number of requests of viewers that wait to be looked at; further ones are dropped, and their viewers wait in
/// vain.
const MAX_WANTED: usize = 1024;

/// Tells the pulls which streams viewers want.
#[derive(Debug)]
pub(super) struct PullOrigin {
    pulls: Pulls,
    wanted: mpsc::Sender<StreamName>,
}

impl Origin for PullOrigin {
    fn wanted(&self, stream: &StreamName) -> bool {
        let pulls = self.pulls.pulls(stream);
        if pulls {
            let _ = self.wanted.try_send(stream.clone());
        }
        pulls
    }
}

impl PullOrigin {
    /// Returns the origin of these pulls. They start on the current runtime.
    pub(super) fn new(pulls: Pulls) -> Self {
        let (sender, mut wanted) = mpsc::channel(MAX_WANTED);
        let own = pulls.clone();
        tokio::spawn(async move {
            while let Some(stream) = wanted.recv().await {
                pulls.wanted(&stream);
            }
        });
        Self { pulls: own, wanted: sender }
    }
}
