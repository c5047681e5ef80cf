//! Measures audio levels.

use std::collections::VecDeque;

/// Number of pieces of 20 ms whose loudest counts.
const PIECES: usize = 5;

/// The level of the last 100 ms.
#[derive(Debug, Default)]
pub(super) struct Level(VecDeque<i8>);

impl Level {
    /// Adds a piece of audio.
    pub(super) fn push(&mut self, samples: &[[f32; 2]]) {
        let square = |sample: &[f32; 2]| f64::from(sample[0]).powi(2).max(f64::from(sample[1]).powi(2));
        let power = samples.iter().map(square).sum::<f64>() / samples.len().max(1) as f64;
        // 0 dBov is the level of a square wave of full scale (RFC 6465), whose power is 1.
        let level = if power > 0.0 { (10.0 * power.log10()).round().clamp(-127.0, 0.0) as i8 } else { -127 };
        self.0.push_back(level);
        if self.0.len() > PIECES {
            self.0.pop_front();
        }
    }

    /// Returns the level in dBov: -127 (silent) to 0.
    pub(super) fn get(&self) -> i8 {
        self.0.iter().copied().max().unwrap_or(-127)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_of_the_last_pieces_counts() {
        let mut level = Level::default();
        assert_eq!(level.get(), -127);
        level.push(&[[0.5, 0.0]; 960]);
        assert_eq!(level.get(), -6);
        (0..PIECES).for_each(|_| level.push(&[[0.0; 2]; 960]));
        assert_eq!(level.get(), -127);
        level.push(&[[8.0; 2]; 960]);
        assert_eq!((level.get(), level.0.len()), (0, PIECES));
    }
}
