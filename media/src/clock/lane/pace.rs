//! Measures the arrival of a track's frames against a steady clock.

use crate::time::{MILLI, Micros, SECOND};

/// Minimum time for which the earliest arrival is remembered.
const MEMORY: Micros = 30 * SECOND;

/// Keeps the lead of each frame: its time on the timeline minus its arrival time. The largest lead of the
/// last seconds is the reference for real time; all other frames were delayed by the network.
#[derive(Debug, Clone)]
pub(super) struct Leads {
    since: Micros,
    current: Micros,
    before: Micros,
}

impl Leads {
    pub(super) const fn new(now: Micros, lead: Micros) -> Self {
        Self { since: now, current: lead, before: lead }
    }

    pub(super) fn push(&mut self, now: Micros, lead: Micros) {
        if now.saturating_sub(self.since) > MEMORY {
            (self.since, self.before, self.current) = (now, self.current, lead);
        }
        self.current = self.current.max(lead);
    }

    pub(super) fn best(&self) -> Micros {
        self.current.max(self.before)
    }
}

/// Detects frames that arrive faster than real time: a file sent at full speed, or a delayed burst.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    media: Micros,
    wall: Micros,
}

impl Pace {
    const WINDOW: Micros = 4 * SECOND;
    const BURST: Micros = 500 * MILLI;

    pub(super) const fn new() -> Self {
        Self { media: 0, wall: 0 }
    }

    pub(super) fn push(&mut self, media: Micros, wall: Micros) {
        self.media += media.clamp(0, SECOND);
        self.wall += wall.clamp(0, SECOND);
        if self.media + self.wall > Self::WINDOW {
            (self.media, self.wall) = (self.media / 2, self.wall / 2);
        }
    }

    pub(super) const fn is_hurried(&self) -> bool {
        self.media > 2 * self.wall + Self::BURST
    }
}
