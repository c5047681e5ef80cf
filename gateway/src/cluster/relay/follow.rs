//! Decides from where a relay takes its stream. Pure: no clock, no socket, no bus.
//!
//! The relay tells what happens, and asks what to do next. One second without a byte, a lost connection, or news of a
//! new owner make it look for the owner again. It keeps a connection that is silent until it knows a better one: the
//! owner keeps its viewers, too, until its publisher returns.

use std::time::Duration;

use crate::cluster::node::NodeName;
use crate::cluster::protocol::Owner;

/// A source that sends nothing for this long may be dead: the relay looks for the owner again.
pub const SILENT_AFTER: Duration = Duration::from_secs(1);
/// Interval at which the relay looks for an owner that is not known. News of a new owner come earlier, if they come.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time for which a new source may take to send its first byte.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause after a source that ended or refused; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Maximum pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// An owner whose publisher sent something within this time does not explain the silence of the relay's source.
const FRESH: Duration = Duration::from_millis(500);

/// A node that has a stream, as the relay uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The owner, as it answered.
    pub owner: Owner,
    /// The node that is asked instead of the owner, because the owner already serves as many as it should.
    pub via: Option<NodeName>,
}

/// The answer to the relay's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This node owns the stream.
    Owner(Box<Owner>),
    /// No node has it, or the owner does not answer.
    Nobody,
    /// The bus cannot be reached.
    Away,
}

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask who owns the stream, and report the answer by [`Follow::found`].
    Ask,
    /// Leave the current source, and connect to this one.
    Connect(Box<Source>),
    /// Nothing until this time.
    Wait(Duration),
}

/// The state. Times are durations since any start that stays the same.
#[derive(Debug)]
pub struct Follow {
    /// The source that is connected or being connected.
    source: Option<Source>,
    /// The last source that was, for times at which the bus is away.
    last: Option<Source>,
    /// Time of the last byte, or of the begin of the connection.
    heard: Duration,
    look_at: Duration,
    asking: bool,
    /// Whether a new owner was heard of since the question.
    ask_again: bool,
    next: Option<Source>,
    failures: u32,
    /// The node that was asked instead of the owner, and failed.
    avoid: Option<NodeName>,
}

impl Follow {
    /// Begins at `now` without a source.
    pub fn new(now: Duration) -> Self {
        Self {
            source: None,
            last: None,
            heard: now,
            look_at: now,
            asking: false,
            ask_again: false,
            next: None,
            failures: 0,
            avoid: None,
        }
    }

    /// Returns the source that is connected or being connected.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// Returns whether no media come at `now`.
    pub fn is_silent(&self, now: Duration) -> bool {
        self.source.is_none() || now.saturating_sub(self.heard) >= SILENT_AFTER
    }

    /// Media came from the source.
    pub fn bytes(&mut self, now: Duration) {
        self.heard = now;
        self.look_at = now + SILENT_AFTER;
        self.failures = 0;
    }

    /// The source ended, refused, or could not be reached.
    pub fn broken(&mut self, now: Duration) {
        if let Some(source) = self.source.take() {
            self.avoid = source.via.clone();
            self.last = Some(source);
        }
        self.failures += 1;
        // The first time at once: most breaks are the owner's death.
        let doubled = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.min(8).saturating_sub(2));
        self.look_at = if self.failures == 1 { now } else { now + doubled.min(LONGEST_PAUSE) };
    }

    /// A node has begun to publish the stream.
    pub fn appeared(&mut self, now: Duration) {
        self.look_at = now;
        self.ask_again = self.asking;
    }

    /// The answer to [`Action::Ask`]. `choose` names the node to ask instead of an owner that has enough to do, given the
    /// node to avoid; `None` is the owner itself.
    pub fn found(
        &mut self,
        now: Duration,
        found: Found,
        choose: impl FnOnce(&Owner, Option<&NodeName>) -> Option<NodeName>,
    ) {
        self.asking = false;
        let again = std::mem::take(&mut self.ask_again);
        self.look_at = if again { now } else { self.look_at.max(now + LOOK_EVERY) };
        match found {
            Found::Owner(owner) if self.explains(now, &owner) => {}
            Found::Owner(owner) => {
                if let Some(source) = &self.source
                    && source.owner.node == owner.node
                {
                    self.avoid = source.via.clone();
                }
                let via = choose(&owner, self.avoid.as_ref());
                self.next = Some(Source { owner: *owner, via });
            }
            // The bus may be away for long: what worked last may still work.
            Found::Away if self.source.is_none() => self.next = self.last.clone(),
            Found::Nobody | Found::Away => {}
        }
    }

    /// Returns whether the source is still right: the owner is the same, and is silent itself, or the source sends.
    fn explains(&self, now: Duration, owner: &Owner) -> bool {
        let Some(source) = &self.source else { return false };
        source.owner.node == owner.node
            && (!self.is_silent(now) || Duration::from_millis(owner.silence_ms) >= FRESH)
    }

    /// Returns what to do at `now`.
    pub fn next(&mut self, now: Duration) -> Action {
        if let Some(source) = self.next.take() {
            (self.heard, self.look_at) = (now, now + CONNECT_TIMEOUT);
            self.source = Some(source.clone());
            return Action::Connect(Box::new(source));
        }
        if self.asking {
            return Action::Wait(now + LOOK_EVERY);
        }
        if now >= self.look_at {
            self.asking = true;
            return Action::Ask;
        }
        Action::Wait(self.look_at)
    }
}

#[cfg(test)]
mod tests;
