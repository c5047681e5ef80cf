//! Derives from arrivals where the live edge is, and how far media falls behind it between them.

use media::time::{MILLI, Micros, SECOND};

/// After this long without an arrival, the next one starts a new line.
const OUTAGE: Micros = SECOND;
/// A burst ends when the edge has not moved forward for this long.
const CALM: Micros = 60 * MILLI;
/// Half of the window in which the best arrival determines the edge.
const WINDOW: Micros = 5 * SECOND;
/// Size of a histogram bucket for shortfalls.
const BUCKET: Micros = 10 * MILLI;
const BUCKETS: usize = 1_000;
/// Interval at which old counts are halved.
const HALF_LIFE: Micros = 10 * SECOND;

#[derive(Debug)]
pub(super) struct Arrivals {
    /// The newest arrival: wall-clock time, and media time of its end.
    last: Option<(Micros, Micros)>,
    /// The best `end - now` of this half window and of the one before.
    base: [Micros; 2],
    window_at: Micros,
    /// When the base last moved forward: media had been queued, or the network path became shorter.
    moved_at: Micros,
    counts: Vec<u32>,
    total: u32,
    halved_at: Micros,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self {
            last: None,
            base: [Micros::MIN; 2],
            window_at: 0,
            moved_at: 0,
            counts: vec![0; BUCKETS],
            total: 0,
            halved_at: 0,
        }
    }
}

impl Arrivals {
    /// Adds an arrival: media up to `end` is available since `now`.
    pub(super) fn add(&mut self, now: Micros, end: Micros) {
        let at = end - now;
        let Some((before, newest)) = self.last else {
            self.begin(now, end);
            return;
        };
        if end <= newest {
            return;
        }
        // The line is wrong if media has not reached it for long: the source paused, or its timestamps
        // jumped.
        if now - before > OUTAGE && now - before > 2 * self.shortfall() || at - self.base() > 30 * SECOND {
            self.begin(now, end);
            return;
        }
        self.last = Some((now, end));
        if at > self.base() + 20 * MILLI {
            self.moved_at = now;
        } else if self.calm(now) {
            // How far behind the line the media was just before this arrival.
            self.count(now, self.base() - (newest - now));
        }
        if now - self.window_at > WINDOW {
            self.window_at = now;
            self.base = [Micros::MIN, self.base[0]];
        }
        self.base[0] = self.base[0].max(at);
    }

    fn begin(&mut self, now: Micros, end: Micros) {
        self.last = Some((now, end));
        self.base = [end - now, Micros::MIN];
        self.window_at = now;
        self.moved_at = now;
    }

    fn base(&self) -> Micros {
        self.base[0].max(self.base[1])
    }

    fn count(&mut self, now: Micros, shortfall: Micros) {
        if now - self.halved_at > HALF_LIFE {
            self.halved_at = now;
            self.counts.iter_mut().for_each(|count| *count /= 2);
            self.total = self.counts.iter().sum();
        }
        let bucket = (shortfall.max(0) / BUCKET) as usize;
        // The weight keeps single late arrivals for half a minute in spite of halving.
        self.counts[bucket.min(BUCKETS - 1)] += 8;
        self.total += 8;
    }

    /// Returns the newest playable media time, by the line through the best arrivals.
    pub(super) fn edge(&self, now: Micros) -> Option<Micros> {
        self.last.map(|_| now + self.base())
    }

    /// Returns whether arriving media is live, and not a backlog.
    pub(super) fn calm(&self, now: Micros) -> bool {
        now - self.moved_at > CALM
    }

    /// Returns the time since the newest arrival.
    pub(super) fn silence(&self, now: Micros) -> Micros {
        self.last.map_or(0, |(at, _)| now - at)
    }

    /// Returns the 99th percentile of how far media was behind the edge just before an arrival.
    pub(super) fn shortfall(&self) -> Micros {
        let mut above = self.total / 100;
        for (bucket, &count) in self.counts.iter().enumerate().rev() {
            if count > above {
                return (bucket as Micros + 1) * BUCKET;
            }
            above -= count;
        }
        0
    }
}
