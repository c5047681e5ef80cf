//! Waiting for streams, and asking origins for them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;

use super::Hub;
use crate::core::admission::grant::{Grant, PlayGrant};
use crate::core::close::CloseReason;
use crate::core::hub::client_table::ClientGroup;
use crate::core::hub::error::PlayError;
use crate::core::hub::origin::Origin;
use crate::core::hub::stream::Stream;
use crate::core::name::StreamName;

impl Hub {
    /// Returns the granted stream once its tracks are known. Waits up to `wait` for a publisher.
    ///
    /// While the publisher is away, a new viewer waits for the next publisher. It does not get the cached frames,
    /// because they are no longer live.
    ///
    /// # Errors
    /// Nothing was published in time, the viewer's right was taken away, or the server is stopping.
    pub async fn play(&self, grant: &PlayGrant, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        self.while_waiting(grant, self.find(grant.name(), wait)).await?
    }

    /// Waits for `found` in the name of a viewer, who counts as one that waits in [`Hub::play`].
    ///
    /// # Errors
    /// The viewer's right was taken away.
    pub async fn while_waiting<T>(
        &self,
        grant: &PlayGrant,
        found: impl Future<Output = T>,
    ) -> Result<T, PlayError> {
        let _waiting = self.0.waiting.enter(grant);
        tokio::select! {
            biased;
            reason = grant.revocation().revoked() => Err(PlayError::Revoked(reason)),
            found = found => Ok(found),
        }
    }

    /// Returns the number of viewers that wait.
    #[cfg(test)]
    pub(in crate::core::hub) fn waiting(&self) -> usize {
        self.0.waiting.len()
    }

    /// Ends the waiting of the viewers for which `which` returns true: they have lost their right to play.
    pub fn end_waiting(&self, which: impl Fn(&Grant) -> bool, reason: &CloseReason) {
        self.0.waiting.revoke(which, reason);
    }

    /// Ends the waiting of the viewers in a group, without looking at the others.
    pub fn end_waiting_group(&self, group: &ClientGroup, reason: &CloseReason) {
        self.0.waiting.revoke_group(group, reason);
    }

    /// Returns whether [`Hub::play`] would return a stream immediately.
    pub fn is_on_air(&self, name: &StreamName) -> bool {
        self.find(name, Duration::ZERO).now_or_never().is_some_and(|found| found.is_ok())
    }

    async fn find(&self, name: &StreamName, wait: Duration) -> Result<Arc<Stream>, PlayError> {
        let mut changed = self.0.changed.subscribe();
        let found = async {
            // The number of the publisher that had left before this call.
            let mut away = None;
            let mut first = true;
            // Whether the origins have been asked for the stream.
            let mut asked = wait.is_zero();
            loop {
                changed.borrow_and_update();
                let stream = {
                    let table = self.table();
                    if table.closed {
                        return Err(PlayError::ShuttingDown);
                    }
                    let entry = table.streams.get(name);
                    if std::mem::take(&mut first) {
                        away = entry.filter(|entry| entry.clock.is_some()).map(|entry| entry.turn);
                    }
                    entry.filter(|entry| away != Some(entry.turn)).map(|entry| entry.stream.clone())
                };
                let comes = stream.as_ref().is_some_and(|stream| !stream.is_placeholder());
                if !comes && !std::mem::replace(&mut asked, true) {
                    self.ask_origins(name);
                }
                if let Some(stream) = stream {
                    tokio::select! {
                        () = stream.settled() => return Ok(stream),
                        () = stream.stays_unreadable() => {
                            if let Some(what) = stream.only_unreadable() {
                                return Err(PlayError::Unreadable(what));
                            }
                        }
                        _ = changed.changed() => continue,
                    }
                }
                if changed.changed().await.is_err() {
                    return Err(PlayError::ShuttingDown);
                }
            }
        };
        tokio::time::timeout(wait, found).await.unwrap_or_else(|_| Err(self.missing(name)))
    }

    /// Returns why a stream cannot be played after the waiting time has passed.
    pub fn missing(&self, name: &StreamName) -> PlayError {
        let what = self.stream(name).and_then(|stream| stream.only_unreadable());
        what.map_or(PlayError::NotFound, PlayError::Unreadable)
    }

    /// Adds an origin, which the hub asks for streams that viewers want and nobody publishes. Origins are asked in the
    /// order in which they were added, up to the first one that is responsible for the stream. Call this before the
    /// first viewer comes.
    pub fn add_origin(&self, origin: Arc<dyn Origin>) {
        self.0.origins.write().unwrap_or_else(PoisonError::into_inner).push(origin);
    }

    /// Asks the origins for a stream that nobody publishes and a viewer wants as HLS. Returns whether an origin makes the
    /// stream at this gateway.
    pub fn ask_origins_for_hls(&self, name: &StreamName) -> bool {
        let origins = self.0.origins.read().unwrap_or_else(PoisonError::into_inner).clone();
        origins.iter().any(|origin| origin.wanted_for_hls(name))
    }

    fn ask_origins(&self, name: &StreamName) {
        // No lock is held while an origin is asked.
        let origins = self.0.origins.read().unwrap_or_else(PoisonError::into_inner).clone();
        let _ = origins.iter().any(|origin| origin.wanted(name));
    }
}
