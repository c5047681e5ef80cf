//! Finds the input that speaks.

use media::time::{MILLI, Micros, SECOND};

use super::source::Source;
use super::tiles::visible;

/// Volume from which somebody speaks, in dBov. A quiet room with a microphone has -70 to -55.
pub const SPEECH: i8 = -50;
/// Decibels by which another input must be louder than the present speaker.
pub const LOUDER_BY: f32 = 6.0;
/// Time during which another input must be louder, without a pause.
pub const LOUDER_FOR: Micros = 400 * MILLI;
/// Time for which an input is at least the speaker.
pub const HOLD: Micros = 2 * SECOND;
/// Time constant of the average volume. It bridges the gaps between syllables, and a cough is too short for it.
const AVERAGE: Micros = 300 * MILLI;
/// Volume below which all is silence, in dBov.
const FLOOR: f32 = -80.0;

/// Decides which input speaks, so that it does not change with each cough.
#[derive(Debug, Clone, Default)]
pub(super) struct Speaker {
    /// The volumes of the visible inputs: no more than [`super::MAX_SOURCES`].
    volumes: Vec<(String, f32)>,
    /// The present speaker, and the time at which it became that.
    current: Option<(String, Micros)>,
    /// The input that is louder, and the time since which it is.
    louder: Option<(String, Micros)>,
    now: Micros,
}

impl Speaker {
    /// Measures the inputs. Returns the position of the speaker, and whether it speaks at this moment. Shared screens
    /// do not speak. Before somebody has spoken, there is no speaker.
    pub(super) fn update(&mut self, sources: &[Source<'_>], now: Micros) -> Option<(usize, bool)> {
        let cameras: Vec<usize> = visible(sources).into_iter().filter(|n| !sources[*n].screen).collect();
        self.measure(&cameras, sources, now);
        let volumes = &self.volumes;
        let volume = |n: usize| {
            let found = volumes.iter().find(|(id, _)| id == sources[n].id);
            found.map_or(FLOOR, |(_, volume)| *volume)
        };
        let speaks = |n: usize| volume(n) >= f32::from(SPEECH);
        let loudest = cameras.iter().copied().max_by(|a, b| volume(*a).total_cmp(&volume(*b)));
        let loudest = loudest.filter(|n| speaks(*n));
        let find = |id: &str| cameras.iter().copied().find(|n| sources[*n].id == id);
        let current = self.current.as_ref().and_then(|(id, since)| Some((find(id)?, *since)));
        let Some((current, since)) = current else {
            self.louder = None;
            self.current = loudest.map(|n| (sources[n].id.to_owned(), now));
            return loudest.map(|n| (n, true));
        };
        let other = loudest.filter(|n| *n != current && volume(*n) >= volume(current) + LOUDER_BY);
        let stays = Some((current, speaks(current)));
        let Some(other) = other else {
            self.louder = None;
            return stays;
        };
        match &self.louder {
            Some((id, at)) if id == sources[other].id => {
                if now.saturating_sub(*at) < LOUDER_FOR || now.saturating_sub(since) < HOLD {
                    return stays;
                }
                self.louder = None;
                self.current = Some((sources[other].id.to_owned(), now));
                Some((other, true))
            }
            _ => {
                self.louder = Some((sources[other].id.to_owned(), now));
                stays
            }
        }
    }

    /// Takes the levels into the averages.
    fn measure(&mut self, cameras: &[usize], sources: &[Source<'_>], now: Micros) {
        let passed = now.saturating_sub(self.now).clamp(0, SECOND);
        if now < self.now {
            // The clock went back. Times in the future would hold the speaker for long.
            self.current = self.current.take().map(|(id, _)| (id, now));
            self.louder = None;
        }
        self.now = now;
        let part = 1.0 - (-(passed as f32) / AVERAGE as f32).exp();
        self.volumes.retain(|(id, _)| cameras.iter().any(|n| sources[*n].id == id));
        for source in cameras.iter().map(|n| &sources[*n]) {
            let level = f32::from(source.level).clamp(FLOOR, 0.0);
            match self.volumes.iter_mut().find(|(id, _)| id == source.id) {
                Some((_, volume)) => *volume += (level - *volume) * part,
                None => self.volumes.push((source.id.to_owned(), level)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::mix::compose::{MAX_SOURCES, SILENT};

    const TICK: Micros = SECOND / 30;

    fn source(id: &str, level: i8) -> Source<'_> {
        Source { id, name: id, picture: None, screen: false, level, hidden: false, text: false }
    }

    /// Runs until the time, with levels of a, b and c.
    fn run(speaker: &mut Speaker, until: Micros, levels: [i8; 3]) -> Option<(usize, bool)> {
        let sources = [source("a", levels[0]), source("b", levels[1]), source("c", levels[2])];
        let mut found = None;
        while speaker.now < until {
            found = speaker.update(&sources, speaker.now + TICK);
        }
        found
    }

    #[test]
    fn the_speaker_changes_to_who_is_louder_for_a_while() {
        let mut speaker = Speaker::default();
        assert_eq!(run(&mut speaker, SECOND, [SILENT; 3]), None, "nobody has spoken");
        let mut until = |more, levels| {
            let until = speaker.now + more;
            run(&mut speaker, until, levels)
        };
        assert_eq!(
            until(AVERAGE, [SILENT, -20, SILENT]),
            Some((1, true)),
            "the first one need not be louder"
        );
        assert_eq!(until(HOLD - AVERAGE, [-20, SILENT, SILENT]), Some((1, false)), "held");
        assert_eq!(until(AVERAGE, [-20, SILENT, SILENT]), Some((0, true)));
        assert_eq!(until(2 * HOLD, [SILENT; 3]), Some((0, false)), "the last one stays");
        assert_eq!(until(200 * MILLI, [SILENT, SILENT, -10]), Some((0, false)), "a cough");
        assert_eq!(until(2 * SECOND, [SILENT; 3]), Some((0, false)));
        assert_eq!(until(3 * SECOND, [-24, -20, SILENT]), Some((0, true)), "about as loud");
        assert_eq!(until(LOUDER_FOR, [-40, -20, SILENT]), Some((0, true)), "not long enough");
        assert_eq!(until(AVERAGE, [-40, -20, SILENT]), Some((1, true)));
        // Words with pauses, against a fan.
        for _ in 0..10 {
            assert_eq!(until(200 * MILLI, [-45, -20, SILENT]), Some((1, true)));
            assert_eq!(until(200 * MILLI, [-45, -60, SILENT]), Some((1, true)));
        }
    }

    #[test]
    fn a_speaker_who_leaves_is_replaced_at_once() {
        let mut speaker = Speaker::default();
        run(&mut speaker, SECOND, [SILENT, -20, -30]);
        let now = speaker.now + TICK;
        assert_eq!(speaker.update(&[source("a", SILENT), source("c", -30)], now), Some((1, true)));
        let mut hidden = source("c", -1);
        hidden.hidden = true;
        assert_eq!(speaker.update(&[source("a", SILENT), hidden], now), None);
        let mut screen = source("s", 0);
        screen.screen = true;
        assert_eq!(speaker.update(&[screen, source("d", -30)], now), Some((1, true)), "screens do not speak");
    }

    #[test]
    fn the_volumes_are_bounded_and_the_clock_may_jump() {
        let mut speaker = Speaker::default();
        let names: Vec<String> = (0..99).map(|n| n.to_string()).collect();
        let sources: Vec<_> = names.iter().map(|name| source(name, -9)).collect();
        for now in [0, i64::MAX, i64::MIN, 7 * SECOND] {
            assert!(speaker.update(&sources, now).is_some_and(|(n, speaks)| n < MAX_SOURCES && speaks));
            assert_eq!(speaker.volumes.len(), MAX_SOURCES);
        }
        let now = 8 * SECOND;
        run(&mut speaker, now, [SILENT, -9, SILENT]);
        speaker.update(&[source("a", SILENT), source("b", -9)], SECOND);
        assert_eq!(run(&mut speaker, SECOND + 3 * HOLD, [-9, SILENT, SILENT]), Some((0, true)));
    }
}
