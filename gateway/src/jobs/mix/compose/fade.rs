//! Fades from one scene to the next.

use bytes::Bytes;
use media::time::{MILLI, Micros};

/// Duration of a fade.
pub const FADE: Micros = 200 * MILLI;

/// A dissolve from the last picture of the old scene. It needs no picture of an input that has left, and costs the same
/// for each change.
#[derive(Debug, Default)]
pub(super) struct Fade {
    /// The key of the scene, and the last picture.
    last: Option<(u64, Bytes)>,
    /// The last picture of the old scene, and the time at which the new one began.
    old: Option<(Bytes, Micros)>,
}

impl Fade {
    /// Mixes the old scene into a picture of the scene with this `key`. `wanted`: whether a change fades.
    pub(super) fn apply(&mut self, key: u64, wanted: bool, now: Micros, picture: &mut [u8]) {
        if let Some((last, old)) = &self.last
            && *last != key
        {
            self.old = Some((old.clone(), now));
        }
        let Some((old, begin)) = self.old.as_ref().filter(|_| wanted) else {
            self.old = None;
            return;
        };
        let passed = now.saturating_sub(*begin);
        if !(0..FADE).contains(&passed) {
            self.old = None;
            return;
        }
        // The fade begins and ends slowly. One tick after the change, something has to be seen already.
        let part = (passed as f32 + MILLI as f32) / FADE as f32;
        let eased = part * part * (3.0 - 2.0 * part);
        pixels::fade(old, picture, (eased * 256.0) as u16);
    }

    /// Keeps the picture that was made last.
    pub(super) fn keep(&mut self, key: u64, picture: Bytes) {
        self.last = Some((key, picture));
    }

    /// Returns whether a fade is going on.
    #[cfg(test)]
    pub(super) const fn is_on(&self) -> bool {
        self.old.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_goes_from_the_old_scene_to_exactly_the_new_one() {
        let mut fade = Fade::default();
        let mut show = |key, now, sample| {
            let mut picture = vec![sample; 6];
            fade.apply(key, true, now, &mut picture);
            fade.keep(key, picture.clone().into());
            picture[0]
        };
        assert_eq!(show(1, 0, 20), 20, "the first scene does not fade in");
        assert_eq!(show(1, 30 * MILLI, 40), 40);
        let faded: Vec<u8> = (0..6).map(|n| show(2, (60 + n * 33) * MILLI, 200)).collect();
        assert!(faded.is_sorted() && faded[0] <= 45 && (90..150).contains(&faded[3]), "{faded:?}");
        assert_eq!(show(2, 260 * MILLI, 200), 200);
        show(3, 300 * MILLI, 100);
        let half = show(3, 400 * MILLI, 100);
        assert!((140..160).contains(&half), "{half}");
        assert!(
            (140..160).contains(&show(4, 400 * MILLI, 20)),
            "a change during a fade begins with what is seen"
        );
        assert_eq!(show(4, 399 * MILLI, 20), 20, "a clock that goes back ends the fade");
    }

    #[test]
    fn without_a_fade_the_scene_cuts() {
        let mut fade = Fade::default();
        fade.keep(1, vec![20; 6].into());
        let mut picture = [200; 6];
        fade.apply(2, false, 0, &mut picture);
        assert_eq!(picture, [200; 6]);
        assert!(!fade.is_on());
    }
}
