//! The time of a mix.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use media::time::Micros;
use tokio::time::Instant;

/// The time of a mix in microseconds: 0 when the mix began. Cloning shares it.
#[derive(Debug, Clone)]
pub(super) struct MixClock(Rc<Cell<Instant>>);

impl MixClock {
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Instant::now())))
    }

    /// Returns the current time of the mix.
    pub(super) fn now(&self) -> Micros {
        self.0.get().elapsed().as_micros() as Micros
    }

    /// Returns when the time of the mix is `time`.
    pub(super) fn instant(&self, time: Micros) -> Instant {
        self.0.get() + Duration::from_micros(time.max(0) as u64)
    }

    /// Sets the clock back, after the machine was suspended: the time of the mix has no gap.
    pub(super) fn set_back(&self, by: Micros) {
        self.0.set(self.0.get() + Duration::from_micros(by.max(0) as u64));
    }
}
