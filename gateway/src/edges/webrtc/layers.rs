//! Simulcast (RFC 8853): of the sizes in which a publisher sends its picture, the largest that comes.

use std::time::{Duration, Instant};

use str0m::media::Rid;

/// A layer that has been silent for so long does not come any more: the sender has no bandwidth for it.
const SILENT: Duration = Duration::from_secs(1);

/// The layers of one publisher; nobody tells their sizes before their first key frames.
#[derive(Debug, Default)]
pub(super) struct Layers {
    known: Vec<Layer>,
    taken: Option<Rid>,
}

#[derive(Debug)]
struct Layer {
    rid: Rid,
    pixels: u64,
    heard: Instant,
}

/// What to do with a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// It is of the layer that is taken.
    Take,
    /// The same, and it is the first of another layer.
    Change,
    /// There is a better one.
    Leave,
    /// It would be taken if it were a key frame.
    Ask,
}

impl Layers {
    /// A picture of the layer `rid` has come; `pixels` of a key frame.
    pub(super) fn choose(&mut self, rid: Rid, pixels: Option<u64>, now: Instant) -> Choice {
        let at = self.known.iter().position(|layer| layer.rid == rid).unwrap_or_else(|| {
            self.known.push(Layer { rid, pixels: 0, heard: now });
            self.known.len() - 1
        });
        if let Some(layer) = self.known.get_mut(at) {
            layer.heard = now;
            layer.pixels = pixels.unwrap_or(layer.pixels);
        }
        if self.taken == Some(rid) {
            return Choice::Take;
        }
        let alive = |layer: &&Layer| Some(layer.rid) == self.taken && now < layer.heard + SILENT;
        let taken = self.known.iter().find(alive).map(|layer| layer.pixels);
        match (taken, pixels) {
            (Some(taken), Some(pixels)) if pixels > taken => {}
            (Some(_), _) => return Choice::Leave,
            (None, Some(_)) => {}
            (None, None) => return Choice::Ask,
        }
        match self.taken.replace(rid) {
            Some(_) => Choice::Change,
            None => Choice::Take,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_that_comes_is_taken_at_its_key_frames() {
        let mut layers = Layers::default();
        let start = Instant::now();
        let [small, large] = ["q", "f"].map(Rid::from);
        let mut choose =
            |rid, pixels, millis| layers.choose(rid, pixels, start + Duration::from_millis(millis));
        assert_eq!(choose(small, None, 0), Choice::Ask);
        assert_eq!(choose(small, Some(100), 40), Choice::Take);
        assert_eq!(choose(large, None, 80), Choice::Leave);
        assert_eq!(choose(large, Some(400), 120), Choice::Change);
        assert_eq!(choose(large, None, 160), Choice::Take);
        assert_eq!(choose(small, Some(100), 160), Choice::Leave);
        // It stops.
        assert_eq!(choose(small, None, 1100), Choice::Leave);
        assert_eq!(choose(small, None, 1160), Choice::Ask);
        assert_eq!(choose(small, Some(100), 1200), Choice::Change);
        assert_eq!(choose(small, None, 1240), Choice::Take);
        assert_eq!(choose(large, Some(400), 1280), Choice::Change);
    }
}
