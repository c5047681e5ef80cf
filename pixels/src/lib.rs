//! Loops over the samples of uncompressed pictures.
//!
//! They are a crate of their own, because the workspace optimizes it in debug builds too. Otherwise a picture of a mix
//! would take 100 ms in a debug build, and the tests mix in real time. For the same reason there is nothing generic
//! here: such a function would be compiled where it is used.

mod scale;

pub use scale::{LARGEST_FACTOR, NotInside, Part, Scaler};

/// Mixes `old` into `new`, whose part is `weight` of 256. Equal samples stay the same.
pub fn fade(old: &[u8], new: &mut [u8], weight: u16) {
    let weight = weight.min(256);
    for (new, old) in new.iter_mut().zip(old) {
        *new = ((u16::from(*old) * (256 - weight) + u16::from(*new) * weight) >> 8) as u8;
    }
}

/// Moves samples towards `zero`, until their distance is `part` of 256.
pub fn dim(samples: &mut [u8], zero: u8, part: u16) {
    let part = part.min(256);
    let rest = u16::from(zero) * (256 - part);
    for sample in samples {
        *sample = ((u16::from(*sample) * part + rest) >> 8) as u8;
    }
}

/// Draws a sample over each one of a row, as opaque as `cover` says: 0 leaves the old one, 255 replaces it.
pub fn tint(row: &mut [u8], cover: &[u8], sample: u8) {
    for (old, cover) in row.iter_mut().zip(cover) {
        let cover = u32::from(*cover);
        *old = ((u32::from(*old) * (255 - cover) + u32::from(sample) * cover + 127) / 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fade_of_equal_samples_changes_nothing() {
        for sample in 0..=255 {
            for weight in [0, 1, 100, 255, 256, 999] {
                let mut new = [sample];
                fade(&[sample], &mut new, weight);
                assert_eq!(new, [sample]);
            }
        }
        let mut new = [200, 200];
        fade(&[100, 0], &mut new, 64);
        assert_eq!(new, [125, 50]);
    }

    #[test]
    fn samples_are_dimmed_towards_their_zero() {
        let mut samples = [16, 216, 128];
        dim(&mut samples, 16, 128);
        assert_eq!(samples, [16, 116, 72]);
    }

    #[test]
    fn a_tint_is_between_the_two_samples() {
        for cover in 0..=255 {
            let mut row = [16, 235];
            tint(&mut row, &[cover; 2], 235);
            assert!((16..=235).contains(&row[0]) && row[1] == 235, "{cover}: {row:?}");
        }
        let mut row = [10, 10, 10];
        tint(&mut row, &[0, 255], 99);
        assert_eq!(row, [10, 99, 10]);
    }
}
