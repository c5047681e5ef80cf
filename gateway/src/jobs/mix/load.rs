//! Lowers the quality of a mix that is too expensive for the machine.

use media::time::{Micros, SECOND};

/// Duration of one measurement.
const WINDOW: Micros = 3 * SECOND;
/// Time after a change that is not measured.
const SETTLE: Micros = 2 * SECOND;
/// Share of lost pictures in a window from which the quality is lowered, in per cent.
const TOO_MANY: u32 = 10;
/// Time without losses after which a higher quality is tried. It doubles with every failed attempt.
const HEALTHY: Micros = 60 * SECOND;
/// Longest time until a higher quality is tried again.
const LONGEST_HEALTHY: Micros = 3600 * SECOND;

/// The quality of a mix: the steps are taken one after the other while the machine is too slow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quality {
    /// As the settings say.
    #[default]
    Full,
    /// With the fastest preset of the encoder.
    FastPreset,
    /// Also with two thirds of the frame rate.
    LowRate,
    /// Also with half of the frame rate.
    HalfRate,
    /// Also with two thirds of the width and the height.
    LowSize,
    /// With half of the width and the height.
    HalfSize,
}

impl Quality {
    const ALL: [Self; 6] =
        [Self::Full, Self::FastPreset, Self::LowRate, Self::HalfRate, Self::LowSize, Self::HalfSize];

    /// Returns the name of the quality in the API.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FastPreset => "fast preset",
            Self::LowRate => "lower frame rate",
            Self::HalfRate => "half the frame rate",
            Self::LowSize => "smaller picture",
            Self::HalfSize => "half the picture size",
        }
    }

    /// Returns the number of steps below the full quality.
    pub(super) fn steps(self) -> usize {
        Self::ALL.iter().position(|quality| *quality == self).unwrap_or(0)
    }

    fn step(self, by: isize) -> Option<Self> {
        Self::ALL.get(self.steps().checked_add_signed(by)?).copied()
    }

    /// Returns the frame rate for a mix with `rate` frames per second.
    pub(super) fn rate(self, rate: u32) -> u32 {
        match self {
            Self::Full | Self::FastPreset => rate,
            Self::LowRate => (rate * 2 / 3).max(1),
            Self::HalfRate | Self::LowSize | Self::HalfSize => (rate / 2).max(1),
        }
    }

    /// Returns the picture size for a mix of `size`, in even numbers that are at least 64.
    pub(super) fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        let even = |n: u32| (n & !1).max(64);
        match self {
            Self::LowSize => (even(width * 2 / 3), even(height * 2 / 3)),
            Self::HalfSize => (even(width / 2), even(height / 2)),
            _ => (width, height),
        }
    }
}

/// What a picture was lost for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The encoder had no room.
    Encoder,
    /// The thread of the mix came too late.
    Machine,
}

impl Limit {
    /// Returns the text in the API.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Encoder => "the encoder is too slow",
            Self::Machine => "the machine is too busy",
        }
    }
}

/// Decides on the quality of a mix, by the pictures that were lost because something was too slow.
#[derive(Debug, Clone)]
pub(super) struct Load {
    quality: Quality,
    /// Whether the quality stays full, whatever is lost.
    fixed: bool,
    window: Micros,
    made: u32,
    /// Lost pictures: for the encoder, and for the machine.
    lost: [u32; 2],
    /// What too many pictures were lost for, since the quality is lower or pictures are left out.
    limit: Option<Limit>,
    /// Time since when no picture was lost.
    healthy_since: Micros,
    healthy: Micros,
    /// Time of the last step up, if the step has not proved good yet.
    tried: Option<Micros>,
}

impl Load {
    /// Begins at `now` with the full quality, which it keeps if `fixed` is true.
    pub(super) const fn new(now: Micros, fixed: bool) -> Self {
        Self {
            quality: Quality::Full,
            fixed,
            window: now + SETTLE,
            made: 0,
            lost: [0; 2],
            limit: None,
            healthy_since: now,
            healthy: HEALTHY,
            tried: None,
        }
    }

    /// Returns the current quality.
    pub(super) const fn quality(&self) -> Quality {
        self.quality
    }

    /// Returns what limits the quality, or the number of pictures.
    pub(super) const fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// Ignores the next pictures: the encoder or the mix has just begun.
    pub(super) const fn settle(&mut self, now: Micros) {
        (self.window, self.made, self.lost) = (now + SETTLE, 0, [0; 2]);
    }

    /// Records a picture of the mix, and what it was lost for if it was lost. Returns the new quality when it changes.
    pub(super) fn record(&mut self, now: Micros, lost: Option<Limit>) -> Option<Quality> {
        if now < self.window {
            return None;
        }
        self.made += 1;
        match lost {
            Some(Limit::Encoder) => self.lost[0] += 1,
            Some(Limit::Machine) => self.lost[1] += 1,
            None => {}
        }
        if now - self.window < WINDOW {
            return None;
        }
        let [encoder, machine] = self.lost;
        let too_slow = (encoder + machine) * 100 >= self.made * TOO_MANY;
        if encoder + machine > 0 {
            self.healthy_since = now;
        }
        (self.window, self.made, self.lost) = (now, 0, [0; 2]);
        if too_slow {
            self.limit = Some(if encoder >= machine { Limit::Encoder } else { Limit::Machine });
        } else if self.quality == Quality::Full {
            self.limit = None;
        }
        if self.fixed {
            return None;
        }
        if too_slow {
            if self.tried.take().is_some() {
                self.healthy = (self.healthy * 2).min(LONGEST_HEALTHY);
            }
            return self.change(now, 1);
        }
        if self.tried.is_some_and(|tried| now - tried >= HEALTHY) {
            // The last step up has proved good.
            (self.tried, self.healthy) = (None, HEALTHY);
        }
        if now - self.healthy_since >= self.healthy && self.quality != Quality::Full {
            self.tried = Some(now);
            return self.change(now, -1);
        }
        None
    }

    fn change(&mut self, now: Micros, by: isize) -> Option<Quality> {
        self.healthy_since = now;
        // The first pictures of another encoder may be lost.
        self.window = now + SETTLE;
        self.quality = self.quality.step(by)?;
        Some(self.quality)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `seconds` of 30 pictures per second, of which `lost` per cent are lost. Returns the changes.
    fn feed(load: &mut Load, from: i64, seconds: i64, lost: i64) -> Vec<Quality> {
        let pictures = from * 30..(from + seconds) * 30;
        let limit = |n: i64| (n * lost % 100 < lost).then_some(Limit::Encoder);
        pictures.filter_map(|n| load.record(n * SECOND / 30, limit(n))).collect()
    }

    #[test]
    fn a_slow_encoder_lowers_the_preset_then_the_rate_then_the_size() {
        let mut load = Load::new(0, false);
        let changes = feed(&mut load, 0, 30, 50);
        assert_eq!(changes, Quality::ALL[1..], "and it stays at the lowest quality");
        assert_eq!(Quality::LowRate.rate(30), 20);
        assert_eq!((Quality::HalfRate.rate(30), Quality::HalfSize.rate(30)), (15, 15));
        assert_eq!(Quality::LowSize.size((1280, 720)), (852, 480));
        assert_eq!(Quality::HalfSize.size((1280, 720)), (640, 360));
        assert_eq!(Quality::HalfRate.size((1280, 720)), (1280, 720));
    }

    #[test]
    fn what_is_too_slow_is_told_while_it_is_and_a_fixed_quality_stays() {
        let mut load = Load::new(0, true);
        assert_eq!((feed(&mut load, 0, 10, 50), load.limit()), (vec![], Some(Limit::Encoder)));
        assert_eq!((feed(&mut load, 10, 10, 0), load.limit()), (vec![], None));
        let mut load = Load::new(0, false);
        let late = (0..10 * 30).find_map(|n| load.record(n * SECOND / 30, Some(Limit::Machine)));
        assert_eq!((late, load.limit()), (Some(Quality::FastPreset), Some(Limit::Machine)));
        feed(&mut load, 10, 10, 0);
        assert_eq!(load.limit(), Some(Limit::Machine), "the quality is still lower");
        assert_eq!(Quality::ALL.map(Quality::steps), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn few_losses_change_nothing() {
        assert_eq!(feed(&mut Load::new(0, false), 0, 600, 5), []);
    }

    #[test]
    fn a_healthy_mix_gets_its_quality_back_and_a_failed_attempt_waits_longer() {
        let mut load = Load::new(0, false);
        // Loses half of the pictures until the quality changes.
        let fail = |load: &mut Load, from: i64| {
            (from..from + 20).find(|second| !feed(load, *second, 1, 50).is_empty()).expect("a change") + 1
        };
        let at = fail(&mut load, 0);
        assert_eq!((load.quality(), feed(&mut load, at, 50, 0)), (Quality::FastPreset, vec![]));
        assert_eq!(feed(&mut load, at + 50, 20, 0), [Quality::Full]);
        let at = fail(&mut load, at + 70);
        assert_eq!(feed(&mut load, at, 100, 0), [], "the next attempt comes after two minutes");
        assert_eq!(feed(&mut load, at + 100, 60, 0), [Quality::Full]);
        // A step that has proved good is forgotten: the next attempt comes after one minute again.
        assert_eq!(feed(&mut load, at + 160, 70, 0), []);
        let at = fail(&mut load, at + 230);
        assert_eq!(feed(&mut load, at, 80, 0), [Quality::Full]);
    }

    #[test]
    fn the_first_pictures_and_those_after_a_restart_do_not_count() {
        let mut load = Load::new(0, false);
        assert_eq!(feed(&mut load, 0, 2, 100), []);
        assert_eq!(feed(&mut load, 2, 10, 0), []);
        load.settle(12 * SECOND);
        assert_eq!(feed(&mut load, 12, 2, 100), []);
        assert_eq!(feed(&mut load, 14, 10, 0), []);
    }
}
