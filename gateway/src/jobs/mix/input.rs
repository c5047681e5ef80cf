//! An input of a mix: what it shows at a time, and what it has received.

use std::collections::VecDeque;
use std::sync::Arc;

use media::time::{MILLI, Micros, SECOND};

use super::Picture;
use super::input_clock::InputClock;
use crate::core::hub::Stream;

/// Maximum number of decoded pictures that wait for their time: one second of 60 per second, as long as the clock may
/// delay an input.
const MAX_PICTURES: usize = 64;
/// Maximum number of bytes of these pictures: 0.8 s of 720p30.
const MAX_PICTURES_BYTES: usize = 32 << 20;
/// Time for which the last picture of an input without video stays, unless its frame rate is lower.
const FREEZE: Micros = SECOND;
/// Longest such time for an input with a low frame rate, such as a shared screen.
const LONGEST_FREEZE: Micros = 6 * SECOND;
/// Time after which an input without a publisher is no longer shown.
const FOLD: Micros = 3 * SECOND;
/// Time for which a new input is not shown while it has no picture yet.
const FIRST_PICTURE: Micros = 1500 * MILLI;

/// The part of an input that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// The newest picture.
    Picture,
    /// The name card.
    Card,
    /// Nothing: the input has no place in the layout.
    Nothing,
}

/// The state of an input, without its tasks.
#[derive(Debug, Default)]
pub(super) struct InputState {
    pub(super) clock: InputClock,
    /// The stream, while it exists.
    pub(super) stream: Option<Arc<Stream>>,
    /// Decoded pictures with their presentation times, oldest first.
    waiting: VecDeque<(Micros, Picture)>,
    current: Option<Picture>,
    /// When the current picture was first shown.
    shown_at: Micros,
    /// Time between two pictures, on average.
    interval: Micros,
    /// When the publisher came, and when it left.
    came: Option<Micros>,
    left: Option<Micros>,
    /// Number of pictures shown since the last report.
    pub(super) shown: u32,
    /// Number of pictures shown until the last report.
    pub(super) pictures: u64,
    /// Number of pictures of the mix that showed a picture again.
    pub(super) repeats: u64,
    /// Number of pictures left out.
    drops: u64,
    /// Number of frames that were left out before the decoder.
    pub(super) decoder_drops: u64,
    /// Process id of the decoder.
    pub(super) decoder: Option<u32>,
    /// Why the video cannot be decoded.
    pub(super) failure: Option<String>,
    /// Number of restarts of the decoder.
    pub(super) restarts: u64,
}

impl InputState {
    /// Records whether the stream has a publisher at `now`.
    pub(super) fn watch(&mut self, now: Micros) {
        let here = self.stream.as_ref().is_some_and(|stream| stream.publishing().is_some());
        if here {
            self.came.get_or_insert(now);
            self.left = None;
        } else if self.came.is_some() {
            self.left.get_or_insert(now);
        }
    }

    /// Adds a decoded picture. If too many wait, every second one is left out, so that the motion stays even.
    pub(super) fn add(&mut self, pts: Micros, picture: Picture) {
        let bytes = picture.data().len() * (self.waiting.len() + 1);
        self.waiting.push_back((pts, picture));
        if self.waiting.len() > MAX_PICTURES || bytes > MAX_PICTURES_BYTES {
            let before = self.waiting.len();
            let mut keep = true;
            self.waiting.retain(|_| {
                keep = !keep;
                keep
            });
            self.drops += (before - self.waiting.len()) as u64;
        }
    }

    /// Chooses the newest picture whose time has come at the mix time `now`; `reserve` is added to the time.
    pub(super) fn choose(&mut self, now: Micros, reserve: Micros) {
        self.watch(now);
        let offset = self.clock.offset(now);
        // While the input is new, its pictures are shown as they come.
        let due = |(pts, _): &(Micros, Picture)| offset.is_none_or(|offset| *pts + offset <= now + reserve);
        let mut chosen = None;
        while self.waiting.front().is_some_and(due) {
            if chosen.is_some() {
                self.drops += 1;
            }
            chosen = self.waiting.pop_front();
        }
        if let Some((_, picture)) = chosen {
            let since = now - self.shown_at;
            if self.current.is_some() && since < LONGEST_FREEZE {
                // The average rises at once: a shared screen may become still.
                self.interval = since.max((self.interval * 7 + since) / 8);
            }
            self.current = Some(picture);
            self.shown_at = now;
            self.shown += 1;
        } else if self.shows(now) == Shows::Picture {
            self.repeats += 1;
        }
    }

    /// Returns what the input shows at `now`.
    pub(super) fn shows(&self, now: Micros) -> Shows {
        let Some(came) = self.came else { return Shows::Nothing };
        if self.left.is_some_and(|left| now - left >= FOLD) {
            return Shows::Nothing;
        }
        let freeze = (self.interval * 3).clamp(FREEZE, LONGEST_FREEZE);
        // A publisher that has left sends nothing more, whatever its frame rate was.
        let freeze = if self.left.is_some() { FREEZE } else { freeze };
        match &self.current {
            Some(_) if now - self.shown_at < freeze => Shows::Picture,
            Some(_) => Shows::Card,
            None if now - came < FIRST_PICTURE && self.failure.is_none() => Shows::Nothing,
            None => Shows::Card,
        }
    }

    /// Returns the number of frames and pictures that were left out.
    pub(super) const fn drops(&self) -> u64 {
        self.drops + self.decoder_drops
    }

    /// Returns the current picture.
    pub(super) const fn picture(&self) -> Option<&Picture> {
        self.current.as_ref()
    }

    /// Returns the number of pictures that wait for their time.
    #[cfg(test)]
    pub(super) fn waiting_pictures(&self) -> usize {
        self.waiting.len()
    }

    /// Forgets the stream: it has ended.
    pub(super) fn end(&mut self) {
        self.stream = None;
        self.waiting.clear();
        self.clock.reset();
        (self.failure, self.decoder) = (None, None);
    }

    /// Forgets a stream that ended so long ago that the input is not shown any more. A publisher that comes later is
    /// shown like a new one.
    pub(super) fn forget(&mut self, now: Micros) {
        if self.stream.is_none() && self.came.is_some() && self.shows(now) == Shows::Nothing {
            (self.came, self.left, self.current, self.interval) = (None, None, None, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn picture() -> Picture {
        Picture::new(2, 2, Bytes::from_static(&[0; 6])).unwrap()
    }

    /// An input whose frames are ready immediately: its offset is 5 ms.
    fn input() -> InputState {
        let mut state = InputState { came: Some(0), ..InputState::default() };
        for n in 0..10 {
            state.clock.record(n * 20 * MILLI, n * 20 * MILLI);
        }
        state
    }

    #[test]
    fn the_newest_picture_whose_time_has_come_is_shown() {
        let mut state = input();
        for n in 0..5 {
            state.add(SECOND + n * 33 * MILLI, picture());
        }
        state.choose(SECOND, 0);
        assert_eq!((state.shown, state.waiting.len()), (0, 5), "with the offset it is too early");
        state.choose(SECOND + 75 * MILLI, 0);
        assert_eq!((state.shown, state.waiting.len(), state.drops), (1, 2, 2));
        state.choose(SECOND + 76 * MILLI, 0);
        assert_eq!((state.shown, state.repeats), (1, 1), "the same picture is not counted again");
        state.choose(SECOND + 76 * MILLI, 50 * MILLI);
        assert_eq!(state.shown, 2);
    }

    #[test]
    fn pictures_that_wait_are_bounded_and_stay_evenly_spread() {
        let large = Picture::new(1920, 1080, Bytes::from(vec![0; Picture::bytes(1920, 1080)])).unwrap();
        for (picture, most) in
            [(picture(), MAX_PICTURES), (large, MAX_PICTURES_BYTES / Picture::bytes(1920, 1080))]
        {
            let (mut state, mut longest) = (input(), 0);
            for n in 0..200 {
                state.add(n * 16 * MILLI, picture.clone());
                longest = longest.max(state.waiting.len());
            }
            assert_eq!(longest, most);
            assert_eq!(state.drops + state.waiting.len() as u64, 200);
        }
    }

    #[test]
    fn an_input_that_is_delayed_by_half_a_second_keeps_its_frame_rate() {
        let mut state = input();
        // The frames arrive in bursts: the clock delays all of them by half a second.
        for n in 0..10 * 30 {
            let (pts, ready) = (n * SECOND / 30, (n / 15 + 1) * SECOND / 2);
            state.clock.record(pts, ready);
        }
        state.drops = 0;
        for n in 0..5 * 30 {
            // A burst of 15 frames, twice a second.
            let now = 10 * SECOND + n * SECOND / 30;
            if n % 15 == 0 {
                let burst = 300 + n - 15..300 + n;
                burst.for_each(|n| {
                    state.add(n * SECOND / 30, Picture::new(2, 2, Bytes::from_static(&[0; 6])).unwrap())
                });
            }
            state.choose(now, SECOND / 60);
        }
        assert!(state.drops <= 2 && state.shown >= 5 * 30 - 20, "{} {}", state.drops, state.shown);
    }

    #[test]
    fn an_input_freezes_for_a_second_then_shows_its_card_and_leaves() {
        let mut state = input();
        state.add(SECOND, picture());
        state.choose(SECOND + 10 * MILLI, 0);
        let at = |state: &mut InputState, millis: i64| {
            state.choose(SECOND + millis * MILLI, 0);
            state.shows(SECOND + millis * MILLI)
        };
        // Without a stream there is no publisher.
        assert_eq!(at(&mut state, 900), Shows::Picture);
        assert_eq!(at(&mut state, 1100), Shows::Card);
        assert_eq!(at(&mut state, 2900), Shows::Card);
        assert_eq!(at(&mut state, 3100), Shows::Nothing);
        state.forget(5 * SECOND);
        assert!(state.picture().is_none() && state.came.is_none());
    }

    #[test]
    fn a_new_input_is_not_shown_before_its_first_picture_but_not_kept_waiting_for_ever() {
        let mut state = InputState::default();
        assert_eq!(state.shows(0), Shows::Nothing);
        state.came = Some(0);
        assert_eq!(state.shows(SECOND), Shows::Nothing);
        assert_eq!(state.shows(2 * SECOND), Shows::Card, "it may have audio only");
        state.failure = Some("cannot be decoded".to_owned());
        assert_eq!(state.shows(SECOND), Shows::Card);
    }

    #[test]
    fn a_screen_with_a_picture_every_two_seconds_stays() {
        let mut state = input();
        for n in 1..10 {
            let at = n * 2 * SECOND;
            state.left = None;
            state.add(at, picture());
            state.choose(at + 10 * MILLI, 0);
        }
        state.left = None;
        assert_eq!(state.shows(18 * SECOND + 3 * SECOND), Shows::Picture);
        assert_eq!(state.shows(18 * SECOND + 7 * SECOND), Shows::Card);
    }
}
