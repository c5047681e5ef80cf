//! Claims the streams of jobs, and checks all claims from time to time.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::claim::ClaimError;
use super::{JOB, Registry};
use crate::core::hub::{Happened, NextEvent, PublisherKind, StreamName};

/// Interval at which claims are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Interval at which each claim is checked.
const CHECK_EVERY: Duration = Duration::from_secs(10);

impl Registry {
    /// Claims the streams that jobs publish, and checks all claims, until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut events = self.0.hub.events();
        let mut connected = self.0.bus.connected();
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.claim_all();
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(NextEvent::Event(event)) => match event.happened {
                        Happened::Started | Happened::Resumed => self.claim_job(&event.stream),
                        Happened::Paused | Happened::Ended => self.release(&event.stream, JOB),
                        _ => {}
                    },
                    Some(NextEvent::Missed(_)) => self.claim_all(),
                    None => return,
                },
                _ = looks.tick() => self.check_old(CHECK_EVERY),
                Ok(()) = connected.changed() => {
                    if *connected.borrow_and_update() {
                        // Another node may have taken a stream meanwhile.
                        self.check_old(Duration::ZERO);
                    }
                }
                () = stop.cancelled() => return,
            }
        }
    }

    /// Claims a stream whose publisher has no claim: a job.
    fn claim_job(&self, name: &StreamName) {
        let Some(stream) = self.0.hub.stream(name) else { return };
        if stream.kind() != PublisherKind::Own || stream.publishing().is_none() || self.owns(name) {
            return;
        }
        let (registry, name) = (self.clone(), name.clone());
        self.0.runtime.spawn(async move {
            match registry.claim(&name, JOB).await {
                // The job may have ended meanwhile.
                Ok(()) => {
                    let stream = registry.0.hub.stream(&name);
                    if stream.is_none_or(|stream| stream.publishing().is_none()) {
                        registry.release(&name, JOB);
                    }
                }
                Err(ClaimError::Taken(node)) => {
                    tracing::warn!(stream = %name, %node, "another node publishes the stream of a job, too");
                }
                Err(ClaimError::TooMany) => {
                    tracing::warn!(stream = %name, "stream not claimed: too many claims")
                }
            }
        });
    }

    fn claim_all(&self) {
        for stream in self.0.hub.streams() {
            self.claim_job(stream.name());
        }
    }

    /// Checks the claims whose last check is this long ago, and the streams of jobs without one.
    fn check_old(&self, age: Duration) {
        let old: Vec<_> = {
            let claims = self.claims();
            let old = claims.iter().filter(|(_, claim)| claim.checked.elapsed() >= age);
            old.map(|(name, claim)| (name.clone(), claim.rank.clone())).collect()
        };
        for (name, rank) in &old {
            self.check(name, rank);
        }
        if age.is_zero() {
            self.claim_all();
        }
    }
}
