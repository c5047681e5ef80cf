//! Finds the participant who speaks, from the audio levels.

use super::Millis;
use crate::rooms::message::Id;

/// A level above this counts as speech, in dBov.
const SPEECH: i8 = -45;
/// Another participant must be louder than the speaker by this, in dB, to become the speaker.
const LOUDER: i8 = 4;
/// Another participant must stay louder for this long to become the speaker.
const HOLD: Millis = 600;

/// The participant who speaks, and the one who may be next.
#[derive(Debug, Default)]
pub(super) struct Speaker {
    current: Option<Id>,
    /// Another participant who is louder than the speaker, and since when.
    next: Option<(Id, Millis)>,
}

impl Speaker {
    pub(super) const fn current(&self) -> Option<&Id> {
        self.current.as_ref()
    }

    /// Updates the speaker from the current levels in dBov. Returns whether the speaker changed.
    pub(super) fn update<'a>(
        &mut self,
        levels: impl Iterator<Item = (&'a Id, i8)> + Clone,
        now: Millis,
    ) -> bool {
        let own = self.current.as_ref();
        let own = levels.clone().find(|(id, _)| Some(*id) == own).map_or(i8::MIN, |(_, level)| level);
        let loudest = levels.max_by_key(|(_, level)| *level);
        let louder = loudest.filter(|(id, level)| {
            self.current.as_ref() != Some(*id) && *level > SPEECH && *level >= own.saturating_add(LOUDER)
        });
        let Some((id, _)) = louder else {
            self.next = None;
            return false;
        };
        match &self.next {
            Some((next, since)) if next == id => {
                if now < since + HOLD {
                    return false;
                }
                self.next = None;
                self.current = Some(id.clone());
                true
            }
            _ => {
                self.next = Some((id.clone(), now));
                false
            }
        }
    }

    /// Removes a participant who left. Returns whether this participant was the speaker.
    pub(super) fn forget(&mut self, id: &Id) -> bool {
        self.next.take_if(|(next, _)| next == id);
        self.current.take_if(|current| current == id).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speaker_changes_only_for_somebody_who_stays_louder() {
        let (anna, bert) = (Id::from("anna"), Id::from("bert"));
        let mut speaker = Speaker::default();
        let mut at = |a: i8, b: i8, now| {
            let changed = speaker.update([(&anna, a), (&bert, b)].into_iter(), now);
            (changed, speaker.current().cloned())
        };
        assert_eq!(at(-20, -90, 0), (false, None));
        assert_eq!(at(-20, -90, 600), (true, Some(anna.clone())));
        // Bert speaks only briefly, and later is not loud enough.
        assert_eq!(at(-60, -20, 700), (false, Some(anna.clone())));
        assert_eq!(at(-20, -60, 1_200), (false, Some(anna.clone())));
        assert_eq!(at(-60, -20, 1_300), (false, Some(anna.clone())));
        assert_eq!(at(-22, -20, 1_900), (false, Some(anna.clone())));
        assert_eq!(at(-127, -30, 2_000), (false, Some(anna.clone())));
        assert_eq!(at(-127, -30, 2_600), (true, Some(bert.clone())));
        // Noise is not speech.
        assert_eq!(at(-46, -127, 3_000), (false, Some(bert.clone())));
        assert_eq!(at(-46, -127, 9_000), (false, Some(bert)));
    }
}
